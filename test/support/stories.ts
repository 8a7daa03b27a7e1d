// Two streams that tell one story, written by the real logs on one clock: a drainer and hooks, at seconds since the start.
import type { ControlEvent } from '../../machines/events.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { FakeClock, fakeWriter } from './fake-writer.ts';
import { drainClaim, probeFailed } from './honest-writers.ts';

export class Story<J extends Journal = MemoryJournal> {
  readonly clock = new FakeClock();
  readonly journal: J;
  readonly control: ControlLog;
  readonly queue: QueueLog;
  #nowS = 0;

  private constructor(journal: J, clock: FakeClock, control: ControlLog, queue: QueueLog) {
    this.journal = journal;
    this.clock = clock;
    this.control = control;
    this.queue = queue;
  }

  static async begin<J extends Journal>(journal: J): Promise<Story<J>> {
    const clock = new FakeClock();
    const writer = fakeWriter(clock, 'drain-1');
    const control = await ControlLog.open(journal, writer);
    const story = new Story(
      journal,
      clock,
      control,
      await QueueLog.open(journal, fakeWriter(clock, 'hook-1', 2)),
    );
    await story.says(0, { ...drainClaim, forMs: 1e9 });
    return story;
  }

  goesTo(atS: number): void {
    this.clock.advance((atS - this.#nowS) * 1_000);
    this.#nowS = atS;
  }

  async says(atS: number, ...events: readonly ControlEvent[]) {
    this.goesTo(atS);
    return this.control.appendOrThrow(...events);
  }

  async notes(atS: number, ...events: readonly QueueEvent[]) {
    this.goesTo(atS);
    await this.queue.appendOrThrow(...events);
  }

  changes(atS: number, job: JobName, cause = 'Scene.Update.Post') {
    return this.notes(atS, { type: 'job.queued', job, cause });
  }

  /** An attempt fails and a probe confirms it. */
  async loses(atS: number, subject = 'scene:1') {
    const drain = { lease: 'drain', epoch: 1 } as const;
    await this.says(atS, {
      type: 'attempt.failed',
      ...drain,
      class: 'outage',
      symptom: 'refused',
      subject,
      draw: 0,
    });
    await this.says(atS, { ...probeFailed('drain', 1), draw: 0 });
  }

  async asks(atS: number, symptom: string | null, pending = 0) {
    await this.says(atS, { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0, isForced: true });
    const asking = { lease: 'probe', epoch: this.control.state.probe.context.epoch } as const;
    const released = { type: 'lease.released', ...asking, reason: 'asked' } as const;
    if (symptom !== null)
      await this.says(atS, { ...probeFailed('probe', asking.epoch), symptom, draw: 0 }, released);
    else await this.says(atS, { type: 'probe.succeeded', ...asking, tookMs: 8, pending }, released);
  }

  succeeds(atS: number, count = 1) {
    return this.says(atS, { type: 'attempt.succeeded', lease: 'drain', epoch: 1, count });
  }

  isDry(atS: number) {
    return this.says(atS, { type: 'backlog.drained', lease: 'drain', epoch: 1 });
  }
}

/** An outage from end to end, with a change that waited for its end. */
export async function anOutage<J extends Journal>(journal: J): Promise<Story<J>> {
  const story = await Story.begin(journal);
  await story.succeeds(0);
  await story.changes(60, 'scene:1');
  await story.loses(61);
  await story.changes(90, 'scene:2');
  await story.asks(121, 'refused');
  await story.asks(241, null, 2);
  await story.succeeds(242);
  const item = { item: 'item-1', own: {} };
  const upTo = story.queue.position;
  await story.notes(243, {
    type: 'job.attempted',
    job: 'scene:1',
    ...item,
    changes: [{ field: 'title', before: 'old', after: 'new' }],
  });
  await story.notes(243, { type: 'job.delivered', job: 'scene:1', upTo, result: 'written', ...item });
  await story.isDry(244);
  return story;
}

export const newStory = () => Story.begin(new MemoryJournal());
