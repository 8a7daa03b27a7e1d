// What a wake needs to know of the queue: how far Stash was looked through, and whether there is anything for a drainer to
// do. Small, whatever the library's size, because a wake reads it each time. It may say "to do" where there is nothing
// (a drainer then finds that out, and writes down what is so), never the other way round.

import { isOver, type Moment, type Wait } from '../../machines/time.ts';
import { type Checkpoint, type Journal, originOf, trusted, type Writer } from '../breaker/index.ts';
import {
  evolveLooked,
  type Looked,
  type LookedImage,
  lookedFrom,
  lookedImage,
  neverLooked,
} from './looked.ts';
import { type Job, type PlacedQueueEvent, type Queue, settingsAfter } from './queue.ts';
import { QueueFold } from './queue-fold.ts';
import type { QueueLog } from './queue-log.ts';
import { evolveReconciliation, NO_RECONCILIATION } from './reconciliation.ts';

export interface Agenda extends Pick<Queue, 'reconciliation' | 'begunAt' | 'settings'> {
  readonly looked: Looked;
  /** Something was queued since it was last known that nothing is pending. */
  readonly isPending: boolean;
  /** Until the first deferred job is due; null: none is deferred. */
  readonly due: Wait | null;
}

/** Bump when the shape of it changes: older checkpoints are then ignored. */
const AGENDA_ERA = 'agenda-1';

export type AgendaImage = Omit<Agenda, 'looked'> & { readonly looked: LookedImage };
export type AgendaCheckpoint = Checkpoint<AgendaImage>;

/** Whether a drainer would find a job. What else there is to do is a reconciliation that runs or is due. */
export function hasWork({ isPending, due }: Agenda, now: Moment): boolean {
  return isPending || (due !== null && isOver(due, now));
}

export class AgendaLog extends QueueFold<AgendaImage> {
  #agenda: Agenda;

  private constructor(journal: Journal, writer: Writer, checkpoint: AgendaCheckpoint | null) {
    super(journal, writer, AGENDA_ERA, checkpoint);
    this.#agenda = checkpoint === null ? emptyAgenda() : fromImage(checkpoint.state);
  }

  static async open(
    journal: Journal,
    writer: Writer,
    checkpoint: AgendaCheckpoint | null = null,
  ): Promise<AgendaLog> {
    const kept = await trusted(journal, 'queue', originOf(AGENDA_ERA, writer), checkpoint);
    const log = new AgendaLog(journal, writer, kept);
    await log.refresh();
    return log;
  }

  get agenda(): Agenda {
    return this.#agenda;
  }

  protected fold(event: PlacedQueueEvent): void {
    this.#agenda = evolveAgenda(this.#agenda, event);
  }

  protected image(): AgendaImage {
    return toImage(this.#agenda);
  }
}

/** The exact one, of a process that has folded the whole queue. */
export function agendaCheckpointOf(log: QueueLog): AgendaCheckpoint | null {
  const mark = log.mark();
  return mark === null ? null : { ...mark, era: AGENDA_ERA, state: toImage(agendaOf(log.queue)) };
}

/** What the whole queue says of it: exact. */
export function agendaOf({ looked, begunAt, settings, reconciliation, jobs, counts }: Queue): Agenda {
  let due: Wait | null = null;
  for (const job of jobs.values()) due = earlierOf(due, job);
  return { looked, begunAt, settings, reconciliation, isPending: counts.pending > 0, due };
}

export function evolveAgenda(agenda: Agenda, event: PlacedQueueEvent): Agenda {
  const { moment } = event;
  const looked = evolveLooked(agenda.looked, event);
  switch (event.type) {
    case 'job.queued':
      return { ...agenda, looked, isPending: true, begunAt: agenda.begunAt || moment.at };
    case 'stash.looked':
      return { ...agenda, looked, begunAt: agenda.begunAt || moment.at };
    case 'job.deferred':
      return { ...agenda, due: earlier(agenda.due, { from: moment, waitMs: event.waitMs }) };
    case 'reconcile.requested':
    case 'reconcile.advanced':
    case 'reconcile.finished':
      return { ...agenda, reconciliation: evolveReconciliation(agenda.reconciliation, event, moment) };
    case 'settings.changed':
      return { ...agenda, settings: settingsAfter(agenda.settings, event.settings) };
    case 'queue.compacted':
      return afterCompaction(agenda, event);
    default:
      return agenda;
  }
}

function afterCompaction(
  agenda: Agenda,
  { whole, jobs = [], seen = [] }: Extract<PlacedQueueEvent, { type: 'queue.compacted' }>,
): Agenda {
  const looked = whole === undefined ? agenda.looked : { ...neverLooked(), ...whole.looked };
  for (const [job, changedAt] of seen) (looked.seen as Map<typeof job, number>).set(job, changedAt);
  const before = whole === undefined ? agenda : { ...whole, isPending: whole.counts.pending > 0, due: null };
  const { begunAt, settings, reconciliation, isPending } = before;
  const due = jobs.reduce((soonest, [, job]) => earlierOf(soonest, job), before.due as Wait | null);
  return { looked, begunAt, settings, reconciliation, isPending, due };
}

function earlierOf(due: Wait | null, job: Job): Wait | null {
  return job.state === 'deferred' ? earlier(due, job.due) : due;
}

function earlier(a: Wait | null, b: Wait): Wait {
  return a === null || b.from.at + b.waitMs < a.from.at + a.waitMs ? b : a;
}

function emptyAgenda(): Agenda {
  return {
    looked: neverLooked(),
    begunAt: 0,
    settings: {},
    reconciliation: NO_RECONCILIATION,
    isPending: false,
    due: null,
  };
}

function toImage(agenda: Agenda): AgendaImage {
  return { ...agenda, looked: lookedImage(agenda.looked) };
}

function fromImage(image: AgendaImage): Agenda {
  return { ...image, looked: lookedFrom(image.looked) };
}
