// What can be made to go wrong: the closed list of faults, which requests each one hits, and when it is spent.
// Data only: what a fault does to a request is in interference.ts; refuse and flapping act on the listener, in server.ts.

export interface FaultScope {
  /** A path prefix, or a regular expression between slashes. Absent: every request. */
  readonly path?: string;
  readonly method?: string;
  /** Only requests about one of these rating keys. */
  readonly keys?: readonly string[];
  /** Fires at most so often, then it is gone. */
  readonly count?: number;
  /** Fires on each n-th matching request. */
  readonly everyNth?: number;
  /** Gone after this long, counted from when it was added. */
  readonly durationMs?: number;
  /** Lets so many matching requests through first. */
  readonly skip?: number;
}

export type FaultAction =
  /** The listener is closed: ECONNREFUSED. Acts at once, whatever the scope; ends with the fault. */
  | { readonly kind: 'refuse' }
  /** The socket is reset before the request is handled. */
  | { readonly kind: 'reset' }
  /** The request is carried out, then the socket is reset: the caller cannot know. */
  | { readonly kind: 'resetAfter' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'maintenance'; readonly status: 'migrations' | 'startup' }
  | { readonly kind: 'overload'; readonly retryAfterSeconds?: number }
  | { readonly kind: 'error500' }
  | { readonly kind: 'badGateway' }
  | { readonly kind: 'gatewayTimeout' }
  | { readonly kind: 'tooMany'; readonly retryAfterSeconds: number }
  /** 401 for a good token. /identity needs none, so it is hit only when `path` names it. */
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'notFound' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'loginPage' }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'otherServer'; readonly machineIdentifier: string }
  | { readonly kind: 'lateEdit'; readonly ms: number }
  | { readonly kind: 'tagsCapped'; readonly max: number }
  | { readonly kind: 'noContainer' }
  | { readonly kind: 'slowDrip'; readonly bytesPerSecond: number }
  /** Up for `upMs`, then down for `downMs`, over and over; `count` is the number of times it goes down. */
  | { readonly kind: 'flapping'; readonly upMs: number; readonly downMs: number }
  | { readonly kind: 'status'; readonly code: number };

export type FaultKind = FaultAction['kind'];

/** A fault as a caller adds it; `status` and `ms` have defaults where the kind has a usual value. */
export type Fault = FaultScope &
  (
    | Exclude<FaultAction, { kind: 'maintenance' | 'lateEdit' }>
    | { readonly kind: 'maintenance'; readonly status?: 'migrations' | 'startup' }
    | { readonly kind: 'lateEdit'; readonly ms?: number }
  );

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Rating keys which the request is about, from its path and its `id=`. */
  readonly keys: readonly string[];
}

export interface ActiveFault {
  readonly id: string;
  readonly action: FaultAction;
  readonly scope: FaultScope;
}

const usualEditDelayMs = 1200;

export class FaultBoard {
  readonly #active = new Map<string, { fault: ActiveFault; seen: number; fired: number }>();
  #nextNumber = 1;

  add(fault: Fault): ActiveFault {
    const { path, method, keys, count, everyNth, durationMs, skip } = fault;
    const scope = { path, method, keys, count, everyNth, durationMs, skip } as FaultScope;
    const active: ActiveFault = { id: `fault-${this.#nextNumber++}`, action: actionOf(fault), scope };
    if (path !== undefined) pathMatcher(path); // a bad expression fails here, where its author can see it
    this.#active.set(active.id, { fault: active, seen: 0, fired: 0 });
    return active;
  }

  remove(id: string): ActiveFault | undefined {
    const found = this.#active.get(id);
    this.#active.delete(id);
    return found?.fault;
  }

  list(): ActiveFault[] {
    return [...this.#active.values()].map(({ fault }) => fault);
  }

  /** The faults which hit this request, oldest first. Counts it as seen, and drops those that are spent by it. */
  hitting(asked: Asked): ActiveFault[] {
    const hits: ActiveFault[] = [];
    for (const entry of this.#active.values()) {
      const { action, scope } = entry.fault;
      if (action.kind === 'refuse' || action.kind === 'flapping' || !isInScope(entry.fault, asked)) continue;
      entry.seen++;
      const position = entry.seen - (scope.skip ?? 0);
      if (position <= 0 || position % (scope.everyNth ?? 1) !== 0) continue;
      entry.fired++;
      if (scope.count !== undefined && entry.fired > scope.count) continue;
      hits.push(entry.fault);
      if (entry.fired === scope.count) this.#active.delete(entry.fault.id);
    }
    return hits;
  }
}

/** The rating keys which a request names in its path or in `id=`. */
export function keysAskedFor(path: string, ids: readonly string[]): string[] {
  const named = /^\/library\/(?:metadata|collections)\/([^/]+)/.exec(path)?.[1] ?? '';
  return [...named.split(',').filter((key) => key !== ''), ...ids];
}

function isInScope({ action, scope }: ActiveFault, asked: Asked): boolean {
  if (scope.path !== undefined && !pathMatcher(scope.path)(asked.path)) return false;
  if (scope.method !== undefined && scope.method.toUpperCase() !== asked.method) return false;
  if (scope.keys !== undefined && !scope.keys.some((key) => asked.keys.includes(key))) return false;
  const isAboutToken = action.kind === 'unauthorized' || action.kind === 'forbidden';
  return !(isAboutToken && scope.path === undefined && asked.path === '/identity');
}

function pathMatcher(pattern: string): (path: string) => boolean {
  if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) {
    const expression = new RegExp(pattern.slice(1, -1));
    return (path) => expression.test(path);
  }
  return (path) => path.startsWith(pattern);
}

function actionOf(fault: Fault): FaultAction {
  if (fault.kind === 'maintenance') return { kind: 'maintenance', status: fault.status ?? 'migrations' };
  if (fault.kind === 'lateEdit') return { kind: 'lateEdit', ms: fault.ms ?? usualEditDelayMs };
  return fault;
}
