// What can be wrong with a Stash that answers, or does not. A fault holds until its count of requests or
// its time is used up, or it is cleared. Which ones apply to a request is decided once, when it arrives.
// The simulator's own admin requests are spared, but for `down`.

export type FaultKind =
  | { readonly kind: 'slow'; readonly ms: number }
  | {
      /** down: nothing listens · hang: never answers · reset: the connection is cut · garbage: no JSON ·
       *  truncated: the request is carried out, half of its answer arrives · the others as named. */
      readonly kind: 'down' | 'unauthorized' | 'error500' | 'hang' | 'reset' | 'garbage' | 'truncated';
    };

export type Fault = FaultKind & {
  /** Requests it holds for. A `down` with a count cuts that many connections instead. */
  readonly count?: number;
  /** Milliseconds from when it was added. */
  readonly durationMs?: number;
};

export interface RequestFaults {
  readonly delayMs: number;
  readonly kind: Exclude<FaultKind['kind'], 'slow' | 'down'> | 'none';
}

export const FAULT_KINDS = [
  'down',
  'unauthorized',
  'slow',
  'error500',
  'hang',
  'reset',
  'garbage',
  'truncated',
] as const;

interface Held {
  readonly id: string;
  readonly fault: Fault;
  left: number;
  readonly timer: NodeJS.Timeout | undefined;
}

export class FaultList {
  #held: Held[] = [];
  #lastId = 0;
  readonly #onChange: (isDown: boolean) => void;

  /** `onChange` hears after every change whether the server is down. */
  constructor(onChange: (isDown: boolean) => void) {
    this.#onChange = onChange;
  }

  add(fault: Fault): string {
    this.#lastId += 1;
    const id = `fault-${this.#lastId}`;
    const drop = (): void => this.#drop(id);
    const timer = fault.durationMs === undefined ? undefined : setTimeout(drop, fault.durationMs);
    timer?.unref();
    this.#held.push({ id, fault, left: fault.count ?? Number.POSITIVE_INFINITY, timer });
    this.#onChange(this.isDown);
    return id;
  }

  clear(): void {
    for (const { timer } of this.#held) clearTimeout(timer);
    this.#held = [];
    this.#onChange(this.isDown);
  }

  get isDown(): boolean {
    return this.#held.some(({ fault }) => fault.kind === 'down' && fault.count === undefined);
  }

  /** Uses up one request of every fault that applies: all delays, and the first other fault. */
  take(): RequestFaults {
    let delayMs = 0;
    let kind: RequestFaults['kind'] = 'none';
    for (const held of [...this.#held]) {
      const { fault } = held;
      if (fault.kind === 'slow') delayMs += fault.ms;
      else if (kind === 'none') kind = fault.kind === 'down' ? 'reset' : fault.kind;
      else continue;
      held.left -= 1;
      if (held.left <= 0) this.#drop(held.id);
    }
    return { delayMs, kind };
  }

  #drop(id: string): void {
    this.#held = this.#held.filter((held) => {
      if (held.id === id) clearTimeout(held.timer);
      return held.id !== id;
    });
    this.#onChange(this.isDown);
  }
}
