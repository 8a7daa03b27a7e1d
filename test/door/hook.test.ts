// The hook that runs inside Stash: which wake each change needs, that one comes after every change, that no more of them
// come than that takes, and that nothing Stash answers can trouble a save.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type Gql, type HookInput, type HookOutcome, PATIENCE_MS, runHook } from '../../src/door/hook.ts';
import { DESCRIPTIONS, JOB_PREFIX, type Scope } from '../../src/door/scopes.ts';
import { JobQueue, stashTime } from '../support/job-queue.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const SCOPES = Object.keys(DESCRIPTIONS) as Scope[];

const captures = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/captures/js-hooks.json', import.meta.url)), 'utf8'),
).captures as Readonly<Record<string, { readonly input: HookInput }>>;

const SCOPE_OF: Readonly<Record<string, Scope>> = {
  'sceneUpdate-1': 'changes',
  'bulkSceneUpdate-1': 'changes',
  'bulkSceneUpdate-2': 'changes',
  'bulkSceneUpdate-3': 'changes',
  'scenesUpdate-1': 'changes',
  'scenesUpdate-2': 'changes',
  'tagUpdate-1': 'changes',
  'tagsMerge-1': 'shared',
  'tagDestroy-1': 'shared',
  'performerUpdate-1': 'changes',
  'performerDestroy-1': 'shared',
  'scanCreate-1': 'changes',
  'scanRename-1': 'files',
  'sceneDestroy-1': 'gone',
};

const SESSION = { Name: 'session', Value: 'c00kie' };
const inputOf = (hookContext: Record<string, unknown>): HookInput => ({
  ServerConnection: { SessionCookie: SESSION },
  Args: { hookContext },
});
/** A change that needs a wake of this scope. */
const CHANGE: Readonly<Record<Scope, HookInput>> = {
  changes: inputOf({ id: 1, type: 'Scene.Update.Post', input: {} }),
  files: inputOf({ id: 1, type: 'Scene.Update.Post', input: null }),
  gone: inputOf({ id: 1, type: 'Scene.Destroy.Post', input: {} }),
  shared: inputOf({ id: 1, type: 'Tag.Merge.Post', input: {} }),
};

function ran(input: HookInput, gql: Gql, now = NOW) {
  const said: string[] = [];
  const { Output } = runHook(input, gql, { Debug: (text) => void said.push(text) }, now);
  return { outcome: Output, said };
}

describe('what a real Stash gave it', () => {
  test('is all in the table', () => {
    const hooks = Object.keys(captures).filter(
      (name) => captures[name]!.input.Args.hookContext !== undefined,
    );
    expect(Object.keys(SCOPE_OF).sort()).toEqual(hooks.sort());
  });

  test('the key of Stash, which lasts, is handed on in place of the cookie', () => {
    const queue = new JobQueue();
    queue.apiKey = 'k3y';
    const given: unknown[] = [];
    const gql = {
      Do: (query: string, variables: Record<string, unknown>) => {
        given.push(variables);
        return queue.Do(query, variables);
      },
    };
    expect(ran(CHANGE.changes, gql).outcome).toBe('added');
    expect(given.at(-1)).toMatchObject({ args: { session: { apiKey: 'k3y' } } });
  });

  test.each(Object.entries(SCOPE_OF))('%s asks for a wake of scope %s', (name, scope) => {
    const queue = new JobQueue();
    queue.now = NOW;
    const given: unknown[] = [];
    const gql = {
      Do: (query: string, variables: Record<string, unknown>) => {
        given.push(variables);
        return queue.Do(query, variables);
      },
    };
    expect(ran(captures[name]!.input, gql)).toEqual({ outcome: 'added', said: [] });
    expect(given.at(-1)).toEqual({
      plugin: 'breakwater',
      text: DESCRIPTIONS[scope],
      args: { mode: 'wake', scope, at: NOW, session: { Name: 'session', Value: 'REDACTED' } },
    });
    expect(queue.ready(scope)).toHaveLength(1);
  });
});

// Up to v0.25 scripts run in otto, where a context has the names of its fields in Go.
test.each<[Record<string, unknown>, Scope]>([
  [{ ID: 1, Type: 'Scene.Update.Post', Input: { id: '1' } }, 'changes'],
  [{ ID: 1, Type: 'Scene.Update.Post', Input: null }, 'files'],
  [{ ID: 1, Type: 'Scene.Update.Post' }, 'files'],
  [{ ID: 1, Type: 'Scene.Create.Post', Input: null }, 'changes'],
  [{ ID: 1, Type: 'Scene.Destroy.Post', Input: null }, 'gone'],
  [{ ID: 1, Type: 'Studio.Update.Post', Input: null }, 'changes'],
  [{ ID: 1, Type: 'Movie.Destroy.Post', Input: {} }, 'shared'],
  [{ id: 1, type: 'Group.Destroy.Post', input: {} }, 'shared'],
  [{ id: 1, type: 'Later.New.Post', input: {} }, 'changes'],
  [{}, 'changes'],
])('%j is of scope %s', (context, scope) => {
  const queue = new JobQueue();
  expect(ran(inputOf(context), queue).outcome).toBe('added');
  expect(queue.ready(scope)).toHaveLength(1);
});

describe('by what the queue holds', () => {
  interface Row {
    readonly holds: readonly (readonly [what: Scope | 'other', status: 'READY' | 'RUNNING', ageMs: number])[];
    readonly needs: Scope;
    readonly outcome: HookOutcome;
    /** How many are READY after it. */
    readonly after: Partial<Record<Scope, number>>;
  }
  const rows: readonly (readonly [string, Row])[] = [
    ['nothing', { holds: [], needs: 'changes', outcome: 'added', after: { changes: 1 } }],
    [
      'a wake that has begun: it may have looked',
      { holds: [['changes', 'RUNNING', 100]], needs: 'changes', outcome: 'added', after: { changes: 1 } },
    ],
    [
      'a wake that has not',
      { holds: [['changes', 'READY', 100]], needs: 'changes', outcome: 'ready', after: { changes: 1 } },
    ],
    [
      'a wake that sees more',
      { holds: [['gone', 'READY', 100]], needs: 'changes', outcome: 'ready', after: { gone: 1 } },
    ],
    [
      'a wake that sees less',
      {
        holds: [['changes', 'READY', 100]],
        needs: 'files',
        outcome: 'added',
        after: { changes: 1, files: 1 },
      },
    ],
    [
      'a wake that sees something else',
      { holds: [['files', 'READY', 100]], needs: 'gone', outcome: 'added', after: { files: 1, gone: 1 } },
    ],
    [
      'a job of somebody else',
      { holds: [['other', 'READY', 9_000]], needs: 'changes', outcome: 'added', after: { changes: 1 } },
    ],
    [
      'a wake that waits behind a scan, not yet for long',
      {
        holds: [
          ['other', 'RUNNING', 60_000],
          ['changes', 'READY', PATIENCE_MS - 1],
        ],
        needs: 'changes',
        outcome: 'ready',
        after: { changes: 1 },
      },
    ],
    [
      'a wake that waits behind a scan',
      {
        holds: [
          ['other', 'RUNNING', 60_000],
          ['changes', 'READY', PATIENCE_MS],
        ],
        needs: 'changes',
        outcome: 'beside',
        after: { changes: 1 },
      },
    ],
    [
      'an old one and a new one',
      {
        holds: [
          ['files', 'READY', 9_000],
          ['changes', 'READY', 10],
        ],
        needs: 'changes',
        outcome: 'ready',
        after: { changes: 1, files: 1 },
      },
    ],
    [
      'only an old one of a larger scope, which is not taken away',
      {
        holds: [['files', 'READY', 9_000]],
        needs: 'changes',
        outcome: 'beside',
        after: { changes: 1, files: 1 },
      },
    ],
    [
      'an old one of what is too much to be done beside a scan',
      { holds: [['gone', 'READY', 9_000]], needs: 'gone', outcome: 'ready', after: { gone: 1 } },
    ],
    [
      'one from before the clock was set back',
      {
        holds: [['changes', 'READY', -3_600_000]],
        needs: 'changes',
        outcome: 'beside',
        after: { changes: 1 },
      },
    ],
  ];

  test.each(rows)('%s', (_, { holds, needs, outcome, after }) => {
    const queue = new JobQueue();
    for (const [what, status, ageMs] of holds) {
      queue.now = NOW - ageMs;
      queue.add(JOB_PREFIX + (what === 'other' ? 'Scan' : DESCRIPTIONS[what]));
      queue.jobs.at(-1)!.status = status;
    }
    queue.now = NOW;
    expect(ran(CHANGE[needs], queue)).toEqual({ outcome, said: [] });
    const ready = Object.fromEntries(SCOPES.map((scope) => [scope, queue.ready(scope).length]));
    expect(ready).toEqual({ changes: 0, files: 0, gone: 0, shared: 0, ...after });
    expect(queue.beside.map(({ args }) => args)).toEqual(
      outcome === 'beside'
        ? [{ mode: 'wake', scope: 'changes', at: NOW, session: SESSION, beside: true }]
        : [],
    );
  });

  test('where looking beside it fails, a new one waits all the same, and a line says why', () => {
    const queue = new JobQueue();
    queue.now = NOW - 9_000;
    queue.add(JOB_PREFIX + DESCRIPTIONS.changes);
    queue.now = NOW;
    const gql: Gql = {
      Do: (query, variables) => {
        if (query.includes('runPluginOperation')) throw new Error('exit status 1');
        return queue.Do(query, variables as Record<string, unknown>);
      },
    };
    const { outcome, said } = ran(CHANGE.changes, gql);
    expect(outcome).toBe('beside');
    expect(queue.ready('changes').map(({ addTime }) => addTime)).toEqual([stashTime(NOW)]);
    expect(said.join()).toMatch(/beside the busy queue: Error: exit status 1/);
  });

  test.each([
    ['switched off', [{ id: 'breakwater', enabled: false }]],
    ['not there', [{ id: 'another', enabled: true }]],
    ['not told of', null],
  ])('nothing is asked for where the plugin that wakes is %s', (_, plugins) => {
    const queue = new JobQueue();
    queue.plugins = plugins;
    expect(ran(CHANGE.changes, queue)).toEqual({ outcome: 'off', said: [] });
    expect(queue.jobs).toEqual([]);
  });
});

describe('over any history of changes beside any work of Stash', () => {
  const beat = fc.record({
    afterMs: fc.constantFrom(0, 1, 900, 2_000, PATIENCE_MS - 1, PATIENCE_MS, 60_000),
    does: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...SCOPES) },
      { weight: 2, arbitrary: fc.constant('next' as const) },
      { weight: 1, arbitrary: fc.constant('scan' as const) },
    ),
  });

  test('a wake that will see each change waits after it, and at most one of a scope', () => {
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 60 }), (script) => {
        const queue = new JobQueue();
        queue.now = NOW;
        for (const { afterMs, does } of script) {
          queue.now += afterMs;
          if (does === 'next') queue.next();
          else if (does === 'scan') queue.add('Scanning...');
          else {
            expect(['ready', 'added', 'beside']).toContain(ran(CHANGE[does], queue, queue.now).outcome);
            const seeing = does === 'changes' ? SCOPES : [does];
            expect(seeing.flatMap((scope) => queue.ready(scope)).length).toBeGreaterThan(0);
          }
          for (const scope of SCOPES) expect(queue.ready(scope).length).toBeLessThanOrEqual(1);
        }
        // So a save waits for a process once in so long, at most.
        const times = queue.beside.map(({ at }) => at);
        for (const [index, at] of times.slice(1).entries())
          expect(at - times[index]!).toBeGreaterThanOrEqual(PATIENCE_MS);
      }),
      PROPERTY_RUNS,
    );
  });

  test('nothing that it asks of Stash changes what hooks are for: it cannot call itself', () => {
    const queue = new JobQueue();
    for (const scope of [...SCOPES, ...SCOPES]) {
      queue.now += PATIENCE_MS;
      ran(CHANGE[scope], queue, queue.now);
    }
    const fields = new Set(queue.queries.map((query) => /\{(\w+)/.exec(query)?.[1]));
    expect([...fields].sort()).toEqual(['jobQueue', 'runPluginOperation', 'runPluginTask', 'stopJob']);
  });
});

describe('whatever Stash answers, and whatever it gives, the save is left alone', () => {
  const ours = { status: 'READY', description: JOB_PREFIX + DESCRIPTIONS.changes };
  const anything = fc.anything({ maxDepth: 3 });
  const job = fc.oneof(
    anything,
    fc.record(
      {
        id: anything,
        status: fc.oneof(anything, fc.constant('READY')),
        description: fc.oneof(anything, fc.constant(ours.description)),
        addTime: fc.oneof(
          anything,
          fc.constantFrom('', 'yesterday', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999+14:00'),
        ),
      },
      { requiredKeys: [] },
    ),
  );
  const answer = fc.oneof(
    anything,
    fc.record(
      {
        jobQueue: fc.oneof(anything, fc.array(job)),
        plugins: fc.oneof(anything, fc.constant([{ id: 'breakwater', enabled: true }])),
      },
      { requiredKeys: [] },
    ),
  );
  const said = fc.oneof(
    answer.map((value) => ({ throws: false, value })),
    fc
      .oneof(
        fc.string(),
        fc.string().map((text) => new Error(text)),
      )
      .map((value) => ({ throws: true, value })),
  );

  test('it never throws, and every failure is one line', () => {
    fc.assert(
      fc.property(
        fc.array(said, { minLength: 1, maxLength: 6 }),
        fc.oneof(anything, fc.record({ Args: fc.oneof(anything, fc.record({ hookContext: anything })) })),
        (answers, input) => {
          let asked = 0;
          const gql: Gql = {
            Do: () => {
              const next = answers[asked++ % answers.length]!;
              if (next.throws) throw next.value;
              return next.value;
            },
          };
          const { outcome, said: lines } = ran(input as HookInput, gql);
          expect(['off', 'ready', 'added', 'beside', 'failed']).toContain(outcome);
          if (outcome === 'failed') expect(lines.length).toBeGreaterThan(0);
          for (const line of lines) expect(line).toMatch(/^Breakwater could not /);
        },
      ),
      PROPERTY_RUNS,
    );
  });

  test.each([
    ['a time that cannot be read', { ...ours, id: '1', addTime: 'yesterday' }],
    ['a time of the year 1', { ...ours, id: '1', addTime: '0001-01-01T00:00:00Z' }],
  ])('a wake with %s starts no process for each of many changes', (_, strange) => {
    const queue = new JobQueue();
    queue.now = NOW;
    queue.jobs.push(strange as never);
    for (let change = 0; change < 20; change++) ran(CHANGE.changes, queue);
    expect(queue.beside.length).toBeLessThanOrEqual(1);
    expect(queue.ready('changes')).toHaveLength(1);
  });

  test('where no time in the queue can be read, no process is started for any change', () => {
    const queue = new JobQueue();
    queue.now = NOW;
    const gql: Gql = {
      Do: (query, variables) => {
        const answer = queue.Do(query, variables as Record<string, unknown>) as {
          jobQueue?: object[] | null;
        };
        const jobQueue = answer.jobQueue?.map((each) => ({ ...each, addTime: 'just now' }));
        return { ...answer, ...(jobQueue && { jobQueue }) };
      },
    };
    const outcomes = Array.from({ length: 20 }, () => ran(CHANGE.changes, gql).outcome);
    expect([outcomes[0], new Set(outcomes.slice(1)), queue.beside]).toEqual([
      'added',
      new Set(['ready']),
      [],
    ]);
  });
});

test('an engine that reads no more than milliseconds can tell how old a wake is', () => {
  const real = Date.parse;
  const strict = vi.spyOn(Date, 'parse');
  strict.mockImplementation((text) => (/\.\d{4}/.test(text) ? Number.NaN : real(text)));
  try {
    const queue = new JobQueue();
    queue.now = NOW - PATIENCE_MS - 1_000;
    ran(CHANGE.changes, queue, queue.now);
    queue.now = NOW;
    expect(ran(CHANGE.changes, queue).outcome).toBe('beside');
  } finally {
    strict.mockRestore();
  }
});
