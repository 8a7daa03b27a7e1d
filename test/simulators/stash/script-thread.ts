// The thread that runs scripts of `interface: js`, one at a time. It is sent to a worker as text, so the
// function may use nothing from outside itself; types are gone by then.
// A script's global scope is as new at each run: the realm is kept only while its globals and their
// prototypes are as they were made (a new one costs milliseconds, several times the run itself), and the
// script is evaluated as strict code, whose declarations end with it. So a top-level `var` is no property
// of globalThis, as it is in goja.

export interface RunMessage {
  readonly source: string;
  /** JSON of the variable `input`. */
  readonly input: string;
  readonly engine: 'goja' | 'otto';
  readonly hasProgress: boolean;
}

export type ThreadMessage =
  /** It does not compile: nothing of it ran. */
  | { readonly kind: 'broken'; readonly message: string }
  /** The thread waits until it is answered with the status and the body in one text. */
  | { readonly kind: 'gql'; readonly body: string }
  | { readonly kind: 'log'; readonly level: string; readonly text: string }
  | { readonly kind: 'progress'; readonly share: number }
  /** JSON of `{output, error}`. */
  | { readonly kind: 'ended'; readonly outcome: string };

export function threadMain(
  threads: typeof import('node:worker_threads'),
  vm: typeof import('node:vm'),
): void {
  const { answers, wake } = threads.workerData as {
    answers: import('node:worker_threads').MessagePort;
    wake: Int32Array;
  };
  const post = (message: ThreadMessage): void => threads.parentPort!.postMessage(message);
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const COMMON =
    'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Date RegExp Error EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Math decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN';
  /** What the goja of these versions has besides: no BigInt, no Intl, nothing of an event loop. */
  const NEWER =
    'Symbol Promise AggregateError globalThis ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray DataView Map Set WeakMap WeakSet Proxy Reflect';
  const NAMES = { otto: COMMON.split(' '), goja: `${COMMON} ${NEWER}`.split(' ') };

  /** What a script can reach of the thread. Only text goes in and out, so no object of ours is seen. */
  const host = (kind: string, a: string, b: string): string => {
    switch (kind) {
      case 'gql':
        Atomics.store(wake, 0, 0);
        post({ kind: 'gql', body: a });
        Atomics.wait(wake, 0, 0);
        return threads.receiveMessageOnPort(answers)!.message as string;
      case 'sleep':
        Atomics.wait(asleep, 0, 0, Number(a));
        return '';
      case 'progress':
        post({ kind: 'progress', share: Number(a) });
        return '';
      case 'block':
        Atomics.wait(asleep, 0, 0);
        return '';
      default:
        post({ kind: 'log', level: a, text: b });
        return '';
    }
  };

  /** Runs inside the new realm, as text again. */
  const prepare = (call: typeof host, names: readonly string[]) => {
    const { parse, stringify } = JSON;
    // biome-ignore lint/security/noGlobalEval: it is the realm's own, and running scripts is its purpose
    const evaluate = eval;
    const [RealmError, RealmObject, toText, is] = [Error, Object, String, Object.is];
    const { ownKeys, deleteProperty, getOwnPropertyDescriptor, defineProperty, isExtensible } = Reflect;
    const OURS = ['input', 'gql', 'log', 'util', 'console'];
    const realm: Record<PropertyKey, unknown> = globalThis as never;
    for (const key of ownKeys(realm)) if (!names.includes(key as string)) deleteProperty(realm, key);
    const isObject = (value: unknown): value is object =>
      (typeof value === 'object' && value !== null) || typeof value === 'function';
    const parts = ownKeys(realm).flatMap((key) => {
      const value = key === 'globalThis' ? undefined : (realm[key] as { prototype?: unknown } | undefined);
      return [value, isObject(value) ? value.prototype : undefined].filter(isObject);
    });
    const pristine = [realm, ...parts].map((owner) => {
      const keys = ownKeys(owner);
      const shapes = keys.map((key) => ({ key, shape: getOwnPropertyDescriptor(owner, key)! }));
      return { owner: owner as Record<PropertyKey, unknown>, count: keys.length, shapes };
    });

    const shown = (value: unknown): string => {
      const isPlain = isObject(value) && RealmObject.getPrototypeOf(value) === RealmObject.prototype;
      return isPlain ? stringify(value) : toText(value);
    };
    const logger = (level: string) => (value: unknown) => void call('log', level, shown(value));
    const Do = (query: unknown, variables: unknown): unknown => {
      const asked = toText(query);
      const answer = call('gql', stringify({ query: asked, variables: variables ?? undefined }), '');
      const [status, body] = [answer.slice(0, 3), answer.slice(3)];
      if (status !== '200') {
        const given = stringify(variables) ?? 'map[]';
        throw new RealmError(
          `graphQL query failed: ${status} - ${body}. Query: ${asked}. Variables: ${given}`,
        );
      }
      const { data, errors } = parse(body);
      if (errors !== undefined) throw new RealmError(`graphql error: ${stringify(errors)}`);
      return data;
    };
    const put = (name: string, value: unknown): void =>
      void defineProperty(realm, name, { value, writable: true, enumerable: true, configurable: true });

    let outcome: { value: unknown } | { thrown: unknown };
    return {
      run(source: string, input: string, hasProgress: boolean): void {
        const [Trace, Debug, Info, Warn, Fault] = [
          logger('trace'),
          logger('debug'),
          logger('info'),
          logger('warning'),
          logger('error'),
        ];
        // Without a channel for it (only a task has one) Go's send waits for ever.
        const Progress = (share: unknown) => void call(hasProgress ? 'progress' : 'block', toText(share), '');
        put('input', parse(input));
        put('gql', { Do });
        put('log', { Trace, Debug, Info, Warn, Error: Fault, Progress });
        put('util', { Sleep: (ms: unknown) => void call('sleep', toText(ms), '') });
        put('console', { log: Info, error: Fault, warn: Warn, info: Info, debug: Debug });
        try {
          outcome = { value: evaluate(source) };
        } catch (thrown) {
          outcome = { thrown };
        }
      },
      /** Once what the script put into promises has run too. */
      outcome(): string {
        try {
          if ('thrown' in outcome) throw outcome.thrown;
          if (outcome.value == null) return '{"output":null,"error":null}';
          const { Output = null, Error: error } = RealmObject(outcome.value) as Record<string, unknown>;
          return stringify({ output: Output, error: error == null ? null : toText(error) });
        } catch (error) {
          return stringify({ output: null, error: toText(error) });
        }
      },
      isAsNew(): boolean {
        for (const name of OURS) deleteProperty(realm, name);
        return pristine.every(
          ({ owner, count, shapes }) =>
            isExtensible(owner) &&
            ownKeys(owner).length === count &&
            shapes.every(({ key, shape }) => {
              if ('value' in shape) return is(owner[key], shape.value);
              const now = getOwnPropertyDescriptor(owner, key);
              return now !== undefined && now.get === shape.get && now.set === shape.set;
            }),
        );
      },
    };
  };

  const preparation = new vm.Script(`(${prepare})`);
  const newRealm = (engine: 'goja' | 'otto') => {
    const make = preparation.runInContext(vm.createContext({})) as typeof prepare;
    return { engine, ...make(host, NAMES[engine]) };
  };
  let realm = newRealm('goja');
  // A rejection that nobody handles is nothing in goja.
  process.on('unhandledRejection', () => {});

  threads.parentPort!.on('message', ({ source, input, engine, hasProgress }: RunMessage) => {
    const text = engine === 'goja' ? `'use strict'; ${source}` : source;
    try {
      new vm.Script(text);
    } catch (error) {
      post({ kind: 'broken', message: String(error) });
      return;
    }
    if (realm.engine !== engine) realm = newRealm(engine);
    realm.run(text, input, hasProgress);
    setImmediate(() => {
      post({ kind: 'ended', outcome: realm.outcome() });
      if (!realm.isAsNew()) realm = newRealm(engine);
    });
  });
}
