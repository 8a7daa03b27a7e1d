// A chain of records that led somewhere, bounded: its beginning and its end are kept, the middle is counted. A week's
// outage has thousands of failed probes, and a person wants the first and the last of them.

export interface Chain<Link> {
  readonly first: readonly Link[];
  readonly last: readonly Link[];
  /** How many stood between the two. */
  readonly elided: number;
}

/** Links that are kept of each end. */
export const CHAIN_ENDS = 12;

export const EMPTY_CHAIN: Chain<never> = { first: [], last: [], elided: 0 };

export function linked<Link>({ first, last, elided }: Chain<Link>, link: Link): Chain<Link> {
  if (first.length < CHAIN_ENDS) return { first: [...first, link], last, elided };
  const isFull = last.length === CHAIN_ENDS;
  return { first, last: [...(isFull ? last.slice(1) : last), link], elided: elided + (isFull ? 1 : 0) };
}

/** The same with its newest link replaced. */
export function relinked<Link>({ first, last, elided }: Chain<Link>, link: Link): Chain<Link> {
  if (last.length > 0) return { first, last: [...last.slice(0, -1), link], elided };
  return { first: [...first.slice(0, -1), link], last, elided };
}

export function newestOf<Link>({ first, last }: Chain<Link>): Link | null {
  return last.at(-1) ?? first.at(-1) ?? null;
}

export function lengthOf({ first, last, elided }: Chain<unknown>): number {
  return first.length + elided + last.length;
}
