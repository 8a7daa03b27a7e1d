// Why: recorded logs → the records that led to the present, in words, each with its place; and nothing else.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_FOLD, foldEntry } from '../../src/breaker/control/replay.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { type Entry, joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { happeningDocument, happeningLine } from '../../src/cli/happening.ts';
import { pastLines } from '../../src/cli/past.ts';
import { whyControl, whyLines } from '../../src/cli/why.ts';
import { whyScene } from '../../src/cli/why-scene.ts';
import { CHAIN_ENDS, EMPTY_CHAIN, lengthOf, linked, newestOf, relinked } from '../../src/history/chain.ts';
import { type ControlStory, EMPTY_STORY, evolveStory } from '../../src/history/control-story.ts';
import { JobTeller } from '../../src/history/scene-story.ts';
import { stateAt } from '../../src/history/state-at.ts';
import { createOutageHistory } from '../../src/outages/outages.ts';
import type { JobName } from '../../src/queue/events.ts';
import { play, strokes } from '../support/control-logs.ts';
import { moves, playHonestly } from '../support/honest-writers.ts';
import { anOutage, newStory, type Story } from '../support/stories.ts';
import { controlJournal, entriesOf, foldAll } from '../support/streams.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 1_000 };

async function controlStoryOf(journal: Journal) {
  let [fold, story] = [EMPTY_FOLD, EMPTY_STORY];
  for (const entry of await entriesOf(journal)) {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    if (folded.step !== null) story = evolveStory(story, folded.step);
  }
  return { story, state: fold.control };
}

async function why({ journal, clock }: Story) {
  const { story, state } = await controlStoryOf(journal);
  return whyControl(story, state, clock.now(), false);
}

async function whyOf({ journal, clock, control }: Story, job: JobName) {
  const teller = new JobTeller(job);
  for (const entry of await entriesOf(journal, 'queue')) {
    if (entry.kind === 'record') teller.tell(entry.record, entry.position);
  }
  const present = { job: teller.job, known: teller.known, state: control.state, now: clock.now() };
  return whyScene(teller.story, { ...present, isHolderGone: true });
}

const texts = ({ links }: { links: readonly { text: string }[] }) => links.map(({ text }) => text);
const typesOf = ({ links }: { links: readonly { type: string }[] }) => links.map(({ type }) => type);

describe('the breaker', () => {
  test('that never opened: nothing is told', async () => {
    const story = await newStory();
    expect(await why(story)).toMatchObject({
      state: ['The breaker is closed: no outage was recorded.'],
      links: [],
      next: [],
    });
  });

  test('with failures in a row: those, and none that a success ended', async () => {
    const story = await newStory();
    const failed = { type: 'attempt.failed', lease: 'drain', epoch: 1, class: 'transient', draw: 0 } as const;
    await story.says(1, { ...failed, symptom: 'forgotten', subject: 'scene:3' });
    await story.succeeds(2);
    await story.says(10, { ...failed, symptom: 'timeout', subject: 'scene:3' });
    await story.says(20, { ...failed, symptom: 'reset', subject: 'scene:4' });
    const told = await why(story);
    expect(told.state).toEqual(['The breaker is closed, with 2 of 5 failures in a row that would open it.']);
    expect(texts(told)).toEqual([
      'scene 3 failed: timeout (1 of 5 in a row)',
      'scene 4 failed: reset (2 of 5 in a row)',
    ]);
  });

  test('that is open: the failures, the confirming probe, each failed probe with its wait, and the next', async () => {
    const story = await newStory();
    await story.loses(61);
    await story.asks(121, 'refused');
    await story.asks(241, 'maintenance');
    story.goesTo(250);
    const told = await why(story);
    expect(told.state).toEqual(['The breaker is open: Plex is away (outage #1).']);
    expect(texts(told)).toEqual([
      'scene 1 failed: refused (1 of 5 in a row)',
      'Plex itself was asked, to make sure: refused; the breaker opened, asked again after 1m',
      'a probe failed: refused, asked again after 2m',
      'a probe failed: maintenance, asked again after 4m',
    ]);
    expect(told.next.join()).toMatch(
      /The next probe is due in 3m 51s, at .*: a drainer is at work \(drain-1\)/,
    );
    const positions = (await entriesOf(story.journal)).map(({ position }) => position);
    for (const { position } of told.links) expect(positions).toContain(position);
    expect(whyLines(told).join('\n')).toContain(`control@${told.links[0]?.position}`);
  });

  test('that is half-open, that ramps, and that is closed again', async () => {
    const story = await newStory();
    await story.loses(61);
    await story.asks(121, null, 7);
    expect(texts(await why(story)).at(-1)).toBe(
      'Plex answered a probe in 8 ms, with 7 changes waiting; the breaker is half-open, and 1 change must prove it',
    );
    expect((await why(story)).state.join()).toMatch(/half-open: Plex answers again, 0 of 1 changes/);
    await story.succeeds(122);
    expect((await why(story)).state.join()).toMatch(
      /Plex is back, and the backlog goes in batches of 1 \(outage #1\)/,
    );
    expect(texts(await why(story)).at(-1)).toBe('a change was delivered; that proved it, the breaker closed');
    await story.isDry(130);
    expect(await why(story)).toMatchObject({ links: [], next: [] });
    expect((await why(story)).state.join()).toMatch(/nothing stands against Plex since outage #1/);
  });

  test('with failures while the backlog of an outage goes: both are told', async () => {
    const story = await newStory();
    await story.loses(61);
    await story.asks(121, null);
    await story.succeeds(122);
    const failed = { type: 'attempt.failed', lease: 'drain', epoch: 1, class: 'transient', draw: 0 } as const;
    await story.says(130, { ...failed, symptom: 'timeout', subject: 'scene:3' });
    expect(texts(await why(story)).slice(-2)).toEqual([
      'a change was delivered; that proved it, the breaker closed',
      'scene 3 failed: timeout (1 of 5 in a row)',
    ]);
  });

  test('whose canary failed: the outage goes on', async () => {
    const story = await newStory();
    await story.loses(61);
    await story.asks(121, null);
    await story.loses(122, 'scene:2');
    expect(texts(await why(story)).slice(3)).toEqual([
      'scene 2 failed: refused; the breaker opened again, asked again after 4m',
    ]);
  });

  test('a probe whose process died is told when the next one is begun; until then it may answer', async () => {
    const story = await newStory();
    await story.loses(1);
    const claim = { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0 } as const;
    await story.says(100, claim);
    expect(texts(await why(story)).slice(2)).toEqual([
      'a probe was begun (drain-1), and is not answered yet',
    ]);
    await story.says(400, claim);
    expect(texts(await why(story)).slice(2)).toEqual([
      'a probe was begun and never answered for: its process is gone (drain-1), asked again after 2m',
      'a probe was begun (drain-1), and is not answered yet',
    ]);
    await story.says(401, { type: 'lease.released', lease: 'probe', epoch: 2, reason: 'unauthorized' });
    expect(texts(await why(story)).at(-1)).toMatch(
      /^a probe ended without an answer: unauthorized, asked again/,
    );
  });

  test('of an outage of a week tells its beginning and its end, and counts the rest', async () => {
    const story = await newStory();
    await story.loses(1);
    for (let n = 1; n <= 3 * CHAIN_ENDS; n++) await story.asks(n * 300, `symptom-${n}`);
    const told = await why(story);
    expect(told.links).toHaveLength(2 * CHAIN_ENDS);
    expect(told.elided).toEqual({ count: CHAIN_ENDS + 2, after: CHAIN_ENDS });
    expect(texts(told).at(-1)).toContain(`symptom-${3 * CHAIN_ENDS}`);
    expect(whyLines(told)[1 + CHAIN_ENDS]).toContain(`${CHAIN_ENDS + 2} more`);
  });
});

describe('a hold', () => {
  test('is told with its reason while it holds, and not when its time is over or it was released', async () => {
    const story = await newStory();
    const placed = { type: 'hold.placed', hold: 'operator', stance: 'open', forMs: 60_000 } as const;
    await story.says(10, { ...placed, reason: 'moving\u001b[2J house' });
    const told = await why(story);
    expect(told.state[1]).toBe('Held (operator) for 1m more: nothing is sent to Plex.');
    expect(texts(told)).toEqual(['a person held it (drain-1) for 1m: moving [2J house']);
    expect(told.next.join()).toMatch(/"release" ends that at once/);
    story.goesTo(80);
    expect((await why(story)).links).toEqual([]);
    await story.says(90, { ...placed, reason: 'again' });
    await story.says(91, { type: 'hold.released', hold: 'operator', reason: 'done' });
    expect((await why(story)).links).toEqual([]);
  });
});

test('over any honest log: outages are numbered as `outages` numbers them, and no void record is told', () =>
  fc.assert(
    fc.asyncProperty(moves(60), async (all) => {
      const { journal, clock } = await playHonestly(all);
      const history = createOutageHistory();
      const { steps } = foldAll(await entriesOf(journal));
      for (const step of steps) history.trigger.step({ step });
      const { story, state } = await controlStoryOf(journal);
      expect(story.outage?.number ?? 0).toBe(history.getSnapshot().context.outages.length);
      const told = whyControl(story, state, clock.now(), false);
      const voids = new Set(steps.filter(({ isVoid }) => isVoid).map(({ position }) => position));
      for (const { position, text } of told.links) {
        expect(voids.has(position)).toBe(false);
        expect(text).not.toMatch(/undefined|null|NaN|\[object/);
      }
      // Who is away was seen to go away.
      if (state.breaker.value === 'open') expect(told.links.length).toBeGreaterThan(0);
      if (state.breaker.value === 'closed' && state.breaker.context.failures > 0)
        expect((story as ControlStory).row).toHaveLength(state.breaker.context.failures);
    }),
    RUNS,
  ));

test('over any log whatsoever, of liars and of other eras, with damage in it: every line is told in words', () =>
  fc.assert(
    fc.asyncProperty(strokes(40), fc.nat(), fc.boolean(), async (log, choice, isOlder) => {
      const journal = await controlJournal(play(log).passed.map(({ event }) => event));
      const lines = (await entriesOf(journal)).map((entry) => {
        const { witness, ...record } = (entry as Extract<Entry, { kind: 'record' }>).record;
        return encodeLine(
          witness && isOlder ? { ...record, witness: { ...witness, era: 'older' } } : { ...record },
        );
      });
      if (lines.length > 0) lines[choice % lines.length] = 'damaged';
      journal.replaceBytes('control', joinLines(lines));
      const { story, state } = await controlStoryOf(journal);
      const now = play(log).clock.now();
      const words = [...whyLines(whyControl(story, state, now, false))];
      await stateAt(journal, { kind: 'end' }, (happening, past) => {
        words.push(happeningLine(happening), ...pastLines(past, now.at));
        expect(JSON.parse(JSON.stringify(happeningDocument(happening)))).toHaveProperty('position');
      });
      for (const line of words) expect(line).not.toMatch(/undefined|NaN|\[object/);
    }),
    RUNS,
  ));

test('records of an impossible time are heard by no machine, and stop nobody', async () => {
  const story = await newStory();
  story.clock.stepWall(1e18);
  await story.loses(10).catch(() => {});
  expect(whyLines(await why(story)).join('\n')).toMatch(/The breaker is closed/);
});

describe('a scene', () => {
  test('that nobody spoke of: what a person can do', async () => {
    const told = await whyOf(await newStory(), 'scene:12');
    expect(told).toMatchObject({ state: ['Nothing is known of scene 12.'], links: [] });
    expect(told.next.join()).toContain('sync --scene 12');
  });

  test('that was delivered: by which hook, what was written, and that nothing waits', async () => {
    const told = await whyOf(await anOutage(new MemoryJournal()), 'scene:1');
    expect(told.state).toEqual(['scene 1: nothing waits. Its Plex item is item-1.']);
    expect(texts(told)).toEqual([
      'queued: a hook of Stash told of a change (Scene.Update.Post).',
      'writing to Plex item item-1: title: old → new',
      'delivered: Plex was changed.',
    ]);
  });

  test('that waits: for whom, and until when', async () => {
    const story = await newStory();
    await story.changes(60, 'scene:2');
    expect((await whyOf(story, 'scene:2')).next).toEqual([
      'It is delivered next.',
      'Nothing stands in the way: the next thing that Stash starts sees to it, or "drain" at once.',
    ]);
    await story.loses(61);
    expect((await whyOf(story, 'scene:2')).next.join()).toMatch(
      /when Plex is there.,The next probe is due in 1m/,
    );
    await story.says(62, {
      type: 'hold.placed',
      hold: 'config',
      stance: 'open',
      reason: 'token',
      forMs: 300_000,
    });
    expect((await whyOf(story, 'scene:2')).next.join()).toMatch(/until the settings change/);
  });

  test('that is deferred, then given up, then revived', async () => {
    const story = await newStory();
    await story.changes(1, 'scene:5', 'tag:9');
    const upTo = story.queue.position;
    const of = { job: 'scene:5', upTo } as const;
    await story.notes(2, {
      type: 'job.deferred',
      ...of,
      reason: 'missing',
      detail: 'no item for /a\u0007.mp4 yet',
      attempt: 1,
      waitMs: 60_000,
    });
    story.goesTo(32);
    const deferred = await whyOf(story, 'scene:5');
    expect(texts(deferred)).toEqual([
      'queued: its tag 9 has changed.',
      'deferred (attempt 1): no item for /a .mp4 yet; tried again after 1m.',
    ]);
    expect(deferred.next[0]).toMatch(/^It is tried again in 30s, at /);
    await story.notes(70, { type: 'job.deadLettered', ...of, reason: 'ambiguous', detail: 'several items' });
    const dead = await whyOf(story, 'scene:5');
    expect(dead.state).toEqual(['scene 5 was given up: several items.']);
    expect(dead.next.join()).toMatch(/Take the file out of all Plex items but one. Then "retry --job 5"/);
    await story.changes(80, 'scene:5', 'retry');
    expect(texts(await whyOf(story, 'scene:5')).at(-1)).toBe(
      'queued: a person asked to try it again. That revived it.',
    );
  });

  test('that was delivered to an item which Plex has no more: the item is told of as past', async () => {
    const story = await anOutage(new MemoryJournal());
    await story.changes(300, 'scene:1');
    await story.notes(301, {
      type: 'job.deferred',
      job: 'scene:1',
      upTo: story.queue.position,
      reason: 'missing',
      detail: 'no item yet',
      attempt: 1,
      waitMs: 60_000,
    });
    expect((await whyOf(story, 'scene:1')).state[0]).toBe(
      'scene 1 is deferred: no item yet. Its Plex item was item-1.',
    );
  });

  test('that changed again while it was delivered stays queued, and that is said', async () => {
    const story = await newStory();
    await story.changes(1, 'scene:5');
    const upTo = story.queue.position;
    await story.changes(2, 'scene:5');
    await story.changes(3, 'scene:5');
    await story.notes(4, { type: 'job.delivered', job: 'scene:5', upTo, result: 'unchanged', item: '7' });
    expect(texts(await whyOf(story, 'scene:5'))).toEqual([
      expect.stringMatching(/^queued: a hook of Stash .* \(3 times, until /),
      'delivered: Plex had it already. It had changed again meanwhile, and stays queued.',
    ]);
  });

  test('of many spells: the last one is told, those before are counted, and no other scene is mixed in', async () => {
    const story = await newStory();
    for (let n = 1; n <= 5; n++) {
      await story.changes(n * 10, 'scene:5');
      await story.changes(n * 10, 'scene:6');
      const upTo = story.queue.position;
      await story.notes(n * 10 + 1, { type: 'job.delivered', job: 'scene:5', upTo, result: 'withheld' });
    }
    const told = await whyOf(story, 'scene:5');
    expect(typesOf(told)).toEqual(['job.queued', 'job.delivered']);
    expect(told.state[1]).toMatch(/^Before what follows it was queued and settled 4 times since /);
  });

  test('an outcome that was overtaken by another is not told', async () => {
    const story = await newStory();
    await story.changes(1, 'scene:5');
    const of = { job: 'scene:5', upTo: story.queue.position } as const;
    await story.notes(2, { type: 'job.deadLettered', ...of, reason: 'rejected', detail: 'no' });
    await story.notes(3, { type: 'job.dropped', ...of, reason: 'by hand' });
    await story.notes(4, {
      type: 'job.deferred',
      ...of,
      reason: 'transient',
      detail: 'late',
      attempt: 1,
      waitMs: 5,
    });
    expect(typesOf(await whyOf(story, 'scene:5'))).toEqual(['job.queued', 'job.deadLettered', 'job.dropped']);
  });
});

describe('a chain', () => {
  test('keeps both ends and counts what is between, at the bound and past it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 * CHAIN_ENDS }), (length) => {
        const numbers = Array.from({ length }, (_, n) => n);
        const chain = numbers.reduce(linked<number>, EMPTY_CHAIN);
        expect(lengthOf(chain)).toBe(length);
        expect(chain.first).toEqual(numbers.slice(0, CHAIN_ENDS));
        expect(chain.last).toEqual(numbers.slice(CHAIN_ENDS).slice(-CHAIN_ENDS));
        if (length > 0) expect(newestOf(relinked(chain, -1))).toBe(-1);
      }),
    );
  });
});
