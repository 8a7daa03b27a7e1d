// What a look makes of Stash's answer, row by row; and over any history of changes, looks and clocks, that no change is
// missed and none is queued twice.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Scope } from '../../src/door/scopes.ts';
import { type Agenda, evolveAgenda } from '../../src/queue/agenda.ts';
import { type JobName, LIBRARY_JOB, type QueueEvent } from '../../src/queue/events.ts';
import {
  evolveLooked,
  isSeen,
  type Looked,
  lookFrom,
  neverLooked,
  OVERLAP_MS,
} from '../../src/queue/looked.ts';
import { createQueue, type PlacedQueueEvent } from '../../src/queue/queue.ts';
import { NO_RECONCILIATION } from '../../src/queue/reconciliation.ts';
import type { ChangedRow } from '../../src/stash/changed.ts';
import { firstLook, hasOpenSecond, type LookAbout, lookEvents, wasIn } from '../../src/wake/news.ts';
import { moment } from '../support/moments.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

const about = (more: Partial<LookAbout> = {}): LookAbout => ({
  scope: 'changes',
  isFirst: false,
  gone: [],
  isDueNow: () => false,
  ...more,
});

function agenda(looked: Partial<Looked> = {}, more: Partial<Agenda> = {}): Agenda {
  return {
    looked: { ...neverLooked(), ...looked },
    reconciliation: NO_RECONCILIATION,
    begunAt: looked.upTo ?? 0,
    settings: {},
    isPending: false,
    due: null,
    ...more,
  };
}

const row = (id: number, changedAt: number, more: Partial<ChangedRow> = {}): ChangedRow => ({
  kind: 'scene',
  id: `${id}`,
  changedAt,
  isNew: false,
  ...more,
});

const looked = { upTo: NOW - HOUR_MS, begin: NOW - 2 * HOUR_MS };
const newsOf = (rows: readonly ChangedRow[], more: Partial<LookAbout> = {}) =>
  lookEvents(agenda(looked), { now: NOW, rows }, about(more));
const queued = (job: string, changedAt?: number) => ({
  type: 'job.queued',
  job,
  cause: 'change',
  ...(changedAt !== undefined && { changedAt }),
});
const cursor = { type: 'stash.looked', upTo: NOW };

describe('a look', () => {
  test('that finds nothing writes nothing, however often', () => {
    expect(newsOf([])).toEqual({ events: [], notes: [] });
  });

  test('queues what changed, the oldest first, then moves the cursor', () => {
    const rows = [row(10, NOW - 5_000), row(9, NOW - 5_000), row(7, NOW - 9_000)];
    expect(newsOf(rows).events).toEqual([
      queued('scene:7', NOW - 9_000),
      queued('scene:9', NOW - 5_000),
      queued('scene:10', NOW - 5_000),
      cursor,
    ]);
  });

  test('queues what is shared by its kind, but not what was just made: no scene can have had it', () => {
    const rows = [
      row(5, NOW - 5_000, { kind: 'tag' }),
      row(6, NOW - 5_000, { kind: 'tag', isNew: true }),
      row(7, NOW - 4_000, { kind: 'performer' }),
      row(8, NOW - 3_000, { isNew: true }),
    ];
    expect(newsOf(rows).events).toEqual([
      queued('tag:5', NOW - 5_000),
      queued('performer:7', NOW - 4_000),
      queued('scene:8', NOW - 3_000),
      cursor,
    ]);
  });

  test('leaves a change of the second that is not over to the next look, and no cursor passes it', () => {
    expect(newsOf([row(1, NOW)])).toEqual({ events: [], notes: [] });
    expect(newsOf([row(1, NOW), row(2, NOW - SECOND_MS)]).events).toEqual([
      queued('scene:2', NOW - SECOND_MS),
      cursor,
    ]);
  });

  test('that may not wait queues it at once, without its time, so that it is found again', () => {
    expect(newsOf([row(1, NOW)], { isDueNow: () => true }).events).toEqual([queued('scene:1'), cursor]);
  });

  test('leaves a change of the next second as well: Stash tells its time before it reads its rows', () => {
    expect(newsOf([row(1, NOW + SECOND_MS)])).toEqual({ events: [], notes: [] });
    expect(hasOpenSecond({ now: NOW, rows: [row(1, NOW + SECOND_MS)] })).toBe(true);
  });

  test('takes a time from far ahead, of another clock, for a change like any other', () => {
    const ahead = NOW + HOUR_MS;
    expect(newsOf([row(1, ahead)]).events).toEqual([queued('scene:1', ahead), cursor]);
    expect(hasOpenSecond({ now: NOW, rows: [row(1, ahead)] })).toBe(false);
  });

  test('passes over the very change that was found before, and not one of another time', () => {
    const seen = new Map<JobName, number>([['scene:1', NOW - 5_000]]);
    const changed = { now: NOW, rows: [row(1, NOW - 5_000), row(2, NOW - 5_000)] };
    expect(lookEvents(agenda({ ...looked, seen }), changed, about()).events).toEqual([
      queued('scene:2', NOW - 5_000),
      cursor,
    ]);
    const again = { now: NOW, rows: [row(1, NOW - 4_000)] };
    expect(lookEvents(agenda({ ...looked, seen }), again, about()).events).toHaveLength(2);
  });

  test.each<[Scope, readonly QueueEvent['type'][]]>([
    ['changes', []],
    ['gone', []],
    ['files', ['reconcile.requested', 'stash.looked']],
    ['shared', ['job.queued', 'stash.looked']],
  ])('of scope %s', (scope, types) => {
    const { events } = newsOf([], { scope });
    expect(events.map(({ type }) => type)).toEqual(types);
    if (scope === 'files') expect(events[0]).toMatchObject({ scope: { depth: 'files' }, cause: 'files' });
    if (scope === 'shared') expect(events[0]).toMatchObject({ job: LIBRARY_JOB });
  });

  test('queues scenes that are gone', () => {
    const gone = [{ type: 'job.queued', job: 'scene:3', cause: 'gone' }] as const;
    expect(newsOf([], { scope: 'gone', gone }).events).toEqual([...gone, cursor]);
  });

  test('after the clock of Stash was set back by more than the overlap compares all once, and says so', () => {
    const upTo = NOW + OVERLAP_MS + SECOND_MS;
    const { events, notes } = lookEvents(agenda({ ...looked, upTo }), { now: NOW, rows: [] }, about());
    expect(events).toEqual([
      {
        type: 'reconcile.requested',
        cause: 'clock',
        // What was not delivered yet is looked for a day back: the old times say little.
        scope: expect.objectContaining({ depth: 'stash', since: null, newSince: NOW - 24 * HOUR_MS }),
      },
      cursor,
    ]);
    expect(notes.join()).toMatch(/clock was set back/);
    const healed = events.reduce((before, event) => evolveLooked(before, event), {
      ...neverLooked(),
      upTo,
    });
    expect(healed.upTo).toBe(NOW);
    const little = { ...looked, upTo: NOW + OVERLAP_MS };
    expect(lookEvents(agenda(little), { now: NOW, rows: [] }, about()).events).toEqual([]);
  });
});

describe('the first look', () => {
  test('without a hook queues nothing and begins now', () => {
    const { events, notes } = lookEvents(agenda(), { now: NOW, rows: [] }, about({ isFirst: true }));
    expect(events).toEqual([{ ...cursor, begin: NOW }]);
    expect(notes.join()).toMatch(/from now on\. The task "Sync all"/);
  });

  test('after a hook begins before the change of that hook', () => {
    const begin = NOW - 60_000;
    const [event] = firstLook(agenda(), begin);
    expect(event).toEqual({ type: 'stash.looked', upTo: begin, begin });
    const after = evolveLooked(neverLooked(), event!);
    expect(lookFrom(after, Number.POSITIVE_INFINITY)).toBe(begin);
  });

  test('over a journal of before there were looks compares once what Stash says now', () => {
    const old = agenda({}, { begunAt: NOW - 30 * HOUR_MS });
    const { events } = lookEvents(old, { now: NOW, rows: [] }, about({ isFirst: true }));
    expect(events).toEqual([
      {
        type: 'reconcile.requested',
        cause: 'upgrade',
        scope: expect.objectContaining({ depth: 'stash', since: null, newSince: NOW - 30 * HOUR_MS }),
      },
      { ...cursor, begin: NOW },
    ]);
  });
});

test('ten thousand changes at once are all queued, once', () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => row(index + 1, NOW - 5_000));
  const { events } = newsOf(rows);
  expect(events).toHaveLength(10_001);
  const after = events.reduce((before, event) => evolveLooked(before, event), {
    ...neverLooked(),
    ...looked,
  });
  expect(lookEvents(agenda(after), { now: NOW, rows }, about()).events).toEqual([]);
});

test('what is remembered of changes is forgotten when no look asks for it any more', () => {
  const found = evolveLooked(neverLooked(), queued('scene:1', NOW) as QueueEvent);
  const kept = evolveLooked(found, { type: 'stash.looked', upTo: NOW + OVERLAP_MS });
  expect(isSeen(kept, 'scene:1', NOW)).toBe(true);
  const ahead = { type: 'stash.looked', upTo: NOW + OVERLAP_MS + 1 } as const;
  const later = evolveLooked(evolveLooked(kept, ahead), ahead);
  expect(later.seen.size).toBe(0);
  expect(lookFrom(later, Number.POSITIVE_INFINITY)).toBeGreaterThan(NOW);
});

test('where a clock was set back to before the beginning, what changes until it is there again is asked for', () => {
  const begun = evolveLooked(neverLooked(), { type: 'stash.looked', upTo: NOW, begin: NOW });
  const back = evolveLooked(begun, { type: 'stash.looked', upTo: NOW - HOUR_MS });
  expect(lookFrom(back, NOW + HOUR_MS)).toBeLessThanOrEqual(NOW - HOUR_MS);
});

describe('over any history', () => {
  const scene = fc.integer({ min: 1, max: 4 });
  const beat = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('change' as const), scene }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('look' as const), mayWait: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constant('pass' as const),
        ms: fc.constantFrom(1, 300, 999, 1_000, 7_000, OVERLAP_MS, HOUR_MS),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant('step' as const),
        ms: fc.constantFrom(-HOUR_MS, -OVERLAP_MS - 5_000, -OVERLAP_MS / 2, -3_000, 2_000, HOUR_MS),
      }),
    },
  );
  type Beat = typeof beat extends fc.Arbitrary<infer B> ? B : never;

  /** Stash and a log, as a look sees them. */
  class Stage {
    at = NOW;
    readonly changes = new Map<number, number>();
    /** Changes that no look that began after their second has queued, nor a reconciliation will find. */
    readonly due = new Map<number, number>();
    readonly log: QueueEvent[] = [];
    readonly store = createQueue();
    agenda = agenda();
    /** The last second before the clock was set back: those up to it come twice. */
    twiceUpTo = 0;
    /** What the clock showed when the last look began. */
    lookedFrom = 0;

    get second(): number {
      return Math.floor(this.at / SECOND_MS) * SECOND_MS;
    }

    /** While the clock is back by more than the overlap, a look compares all; once it has caught up, times say nothing. */
    change(id: number): void {
      const { upTo, begin } = this.agenda.looked;
      this.changes.set(id, this.second);
      this.due.delete(id);
      // In a second that came twice, a change of each time is one: nobody can tell them apart.
      if (this.second <= this.twiceUpTo && isSeen(this.agenda.looked, `scene:${id}`, this.second)) return;
      if (this.second >= Math.max(begin, upTo - OVERLAP_MS)) this.due.set(id, this.second);
    }

    step(ms: number): void {
      if (ms < 0) this.twiceUpTo = Math.max(this.twiceUpTo, this.second);
      this.at += ms;
    }

    ask() {
      const { looked: now } = this.agenda;
      const answer = (clock: number) => {
        const since = lookFrom(now, clock);
        const rows = [...this.changes]
          .map(([id, at]) => row(id, at))
          .filter(({ changedAt }) => changedAt >= since);
        return { now: this.second, rows };
      };
      const first = answer(Number.POSITIVE_INFINITY);
      return first.now < now.upTo ? answer(first.now) : first;
    }

    /** As look.ts does it. */
    look(mayWait: boolean): QueueEvent[] {
      this.lookedFrom = this.second;
      let changed = this.ask();
      const isDueNow = mayWait ? wasIn(changed) : () => true;
      if (mayWait && hasOpenSecond(changed)) {
        this.at = this.second + SECOND_MS + 1;
        changed = this.ask();
      }
      const isBack = changed.now < this.agenda.looked.upTo - OVERLAP_MS;
      const { events } = lookEvents(this.agenda, changed, about({ isDueNow }));
      expect(events.some(({ type }) => type === 'reconcile.requested')).toBe(isBack);
      this.append(events);
      return [...events];
    }

    append(events: readonly QueueEvent[]): void {
      for (const event of events) {
        const placed = {
          ...event,
          position: this.log.length,
          moment: moment(this.log.length),
        } as PlacedQueueEvent;
        this.log.push(event);
        this.agenda = evolveAgenda(this.agenda, placed);
        this.store.send(placed);
      }
    }
  }

  function played(script: readonly Beat[], eachLook: (stage: Stage, events: readonly QueueEvent[]) => void) {
    const stage = new Stage();
    stage.append(firstLook(stage.agenda, stage.second));
    stage.at += SECOND_MS;
    for (const one of script) {
      if (one.does === 'change') stage.change(one.scene);
      if (one.does === 'pass') stage.at += one.ms;
      if (one.does === 'step') stage.step(one.ms);
      if (one.does === 'look') eachLook(stage, stage.look(one.mayWait));
    }
    return stage;
  }

  test('the first look that begins after a change queues it, or has all scenes compared', () => {
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 60 }), fc.boolean(), (script, mayWait) => {
        const settled = (stage: Stage, events: readonly QueueEvent[]) => {
          if (events.some(({ type }) => type === 'reconcile.requested')) stage.due.clear();
          for (const event of events)
            if (event.type === 'job.queued') stage.due.delete(Number(event.job.split(':')[1]));
          expect([...stage.due], 'missed').toEqual([]);
        };
        const stage = played(script, settled);
        settled(stage, stage.look(mayWait));
      }),
      PROPERTY_RUNS,
    );
  });

  test('no change is queued twice by looks that wait for its second to be over', () => {
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 60 }), (script) => {
        const waiting = script.map((one) => (one.does === 'look' ? { ...one, mayWait: true } : one));
        const times = new Map<string, number>();
        played(waiting, (stage, events) => {
          for (const event of events) {
            if (event.type !== 'job.queued') continue;
            const changedAt = stage.changes.get(Number(event.job.split(':')[1]))!;
            // From before the clock was set back: its second may not be over after any wait.
            if (event.changedAt === undefined && changedAt > stage.lookedFrom) continue;
            expect(event.changedAt).toBe(changedAt);
            expect(times.get(event.job), `${event.job} again`).not.toBe(event.changedAt);
            times.set(event.job, changedAt);
          }
        });
      }),
      PROPERTY_RUNS,
    );
  });

  test('of two that look at the same time, the second is heard to have said nothing new', () => {
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 40 }), (script) => {
        const stage = played(script, () => {});
        stage.at = stage.second + SECOND_MS;
        const { events } = lookEvents(stage.agenda, stage.ask(), about());
        stage.append(events);
        const once = stage.store.getSnapshot().context;
        const [jobs, upTo] = [structuredClone(once.jobs), once.looked];
        stage.append(events);
        const twice = stage.store.getSnapshot().context;
        expect(twice.jobs).toEqual(jobs);
        expect(twice.looked).toEqual(upTo);
      }),
      PROPERTY_RUNS,
    );
  });
});
