// Every order in which processes can take their steps, but for those that differ only in the order of steps which do not
// touch the same thing: those come to the same. Dynamic partial-order reduction with source sets and sleep sets (Abdulla,
// Aronis, Jonsson and Sagonas, POPL 2014): a run is carried out to its end, and wherever two of its steps touch the same
// thing and could have come in the other order, that order is tried as well. Nothing is kept of a run but its steps: each
// begins from the beginning.

import { setImmediate } from 'node:timers/promises';

export interface Step {
  readonly what: string;
  /** Things by their names. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** To be waited for before each step. */
export type Turn = (step: Step) => Promise<void>;

/** What runs in one order: processes come and go. */
export class Run {
  readonly waiting = new Map<string, { readonly step: Step; readonly go: () => void }>();
  /** Those that were started in the step that was taken last. */
  started: string[] = [];
  readonly errors: unknown[] = [];

  /** Its first step is its first turn. A name may be used again when its process is over. */
  start(name: string, work: (turn: Turn) => Promise<void>): void {
    this.started.push(name);
    const turn: Turn = (step) => new Promise((go) => void this.waiting.set(name, { step, go }));
    work(turn).catch((error: unknown) => this.errors.push(error));
  }

  /** One step; everybody has come to the next, or to the end, when this returns. */
  async take(name: string): Promise<void> {
    const one = this.waiting.get(name)!;
    this.waiting.delete(name);
    this.started = [];
    one.go();
    await setImmediate();
  }
}

export interface Orders {
  /** Carried out to the end. */
  readonly runs: number;
  /** Given up on the way, for all that they could come to was seen. */
  readonly cut: number;
  readonly steps: number;
  readonly longest: number;
}

interface Node {
  readonly enabled: ReadonlyMap<string, Step>;
  readonly sleep: Set<string>;
  readonly wanted: Set<string>;
  chosen: string;
}

/** Throws what `atEnd` throws, with the order that led there. `begin`: a fresh run, whose processes wait at their first turns. */
export async function inEveryOrder(
  begin: () => Promise<{ readonly run: Run; readonly atEnd: () => Promise<void> }>,
  maxRuns: number,
): Promise<Orders> {
  const nodes: Node[] = [];
  let [runs, cut, steps, longest] = [0, 0, 0, 0];
  for (;;) {
    const { run, atEnd } = await begin();
    const path = new Path();
    for (const [index, { chosen, enabled }] of nodes.entries()) {
      // Of the others it was done when they were chosen.
      if (index === nodes.length - 1) path.lookBack(chosen, enabled.get(chosen)!, nodes);
      await run.take(chosen);
      path.add(chosen, enabled.get(chosen)!, run);
      steps += 1;
    }
    const isWhole = await goOn(run, nodes, path);
    steps += nodes.length;
    longest = Math.max(longest, nodes.length);
    if (isWhole) runs += 1;
    else cut += 1;
    try {
      if (run.errors.length > 0) throw run.errors[0];
      if (isWhole) await atEnd();
    } catch (error) {
      const order = nodes.map(({ chosen, enabled }) => `  ${chosen}: ${enabled.get(chosen)?.what}`);
      throw new Error(`in this order (run ${runs}):\n${order.join('\n')}`, { cause: error });
    }
    if (runs > maxRuns) throw new Error(`more than ${maxRuns} runs`);
    if (!toNext(nodes)) return { runs, cut, steps, longest };
  }
}

/** To the end of the run; false: it can come to nothing new. */
async function goOn(run: Run, nodes: Node[], path: Path): Promise<boolean> {
  while (run.waiting.size > 0) {
    const enabled = new Map([...run.waiting].map(([name, { step }]) => [name, step]));
    const sleep = sleeping(nodes.at(-1));
    const chosen = [...enabled.keys()].find((name) => !sleep.has(name));
    if (chosen === undefined) return false;
    nodes.push({ enabled, sleep, wanted: new Set([chosen]), chosen });
    path.lookBack(chosen, enabled.get(chosen)!, nodes);
    await run.take(chosen);
    path.add(chosen, enabled.get(chosen)!, run);
  }
  return true;
}

/** Whoever could have gone before and does not care who did. */
function sleeping(before: Node | undefined): Set<string> {
  if (before === undefined) return new Set();
  const step = before.enabled.get(before.chosen)!;
  return new Set(
    [...before.sleep].filter((name) => name !== before.chosen && !touch(before.enabled.get(name)!, step)),
  );
}

/** Another order, as late as possible. */
function toNext(nodes: Node[]): boolean {
  for (let node = nodes.at(-1); node !== undefined; node = nodes.at(-1)) {
    node.sleep.add(node.chosen);
    const next = [...node.wanted].find((name) => !node.sleep.has(name));
    if (next !== undefined) {
      node.chosen = next;
      return true;
    }
    nodes.pop();
  }
  return false;
}

function touch(a: Step, b: Step): boolean {
  const meets = (some: readonly string[], others: readonly string[]) =>
    some.some((one) => others.includes(one));
  return meets(a.writes, b.writes) || meets(a.writes, b.reads) || meets(a.reads, b.writes);
}

/** What came before what, of the steps that were taken: as sets of bits. */
class Path {
  readonly #taken: { readonly name: string; readonly step: Step; readonly before: bigint }[] = [];
  readonly #last = new Map<string, number>();
  /** The step in which a process was started. */
  readonly #born = new Map<string, number>();

  add(name: string, step: Step, run: Run): void {
    const index = this.#taken.length;
    let before = this.#own(name);
    this.#taken.forEach((other, at) => {
      if (touch(other.step, step)) before |= other.before | (1n << BigInt(at));
    });
    this.#taken.push({ name, step, before });
    this.#last.set(name, index);
    for (const other of run.started) this.#born.set(other, index);
  }

  /** Wherever the step of `name` and one before could have come the other way round. */
  lookBack(name: string, step: Step, nodes: readonly Node[]): void {
    let before = this.#own(name);
    for (let at = this.#taken.length - 1; at >= 0; at--) {
      const other = this.#taken[at]!;
      if ((before >> BigInt(at)) & 1n || !touch(other.step, step)) continue;
      before |= other.before | (1n << BigInt(at));
      const firsts = this.#firsts(at, name, step);
      const { wanted } = nodes[at]!;
      if (!firsts.some((one) => wanted.has(one))) wanted.add(firsts[0]!);
    }
  }

  /** Who can begin what has to come before step `at` so that the step of `name` does. */
  #firsts(at: number, name: string, step: Step): string[] {
    const later = this.#taken
      .map((one, index) => ({ ...one, bit: 1n << BigInt(index), index }))
      .filter(({ index, before }) => index > at && ((before >> BigInt(at)) & 1n) === 0n);
    const bits = later.reduce((all, { bit }) => all | bit, 0n);
    const own = later.reduce(
      (all, one) => (touch(one.step, step) ? all | one.before | one.bit : all),
      this.#own(name),
    );
    const chain = [...later, { name, before: own }];
    return chain
      .filter(
        (one, place) =>
          (one.before & bits) === 0n && chain.findIndex((other) => other.name === one.name) === place,
      )
      .map((one) => one.name);
  }

  /** What the next step of a process comes after in any case. */
  #own(name: string): bigint {
    return this.#upTo(this.#last.get(name)) | this.#upTo(this.#born.get(name));
  }

  #upTo(index: number | undefined): bigint {
    return index === undefined ? 0n : this.#taken[index]!.before | (1n << BigInt(index));
  }
}
