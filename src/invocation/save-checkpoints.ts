// Writing checkpoints, so that the next process finds little to fold. They are caches: failing to write one is no failure,
// the next drainer tries again.

import { type ControlLog, writeCheckpoint } from '../breaker/index.ts';
import { type AgendaLog, agendaCheckpointOf } from '../queue/agenda.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import type { World } from './world.ts';

/** From this many entries on a checkpoint is worth writing for whoever is not a drainer. */
const LONG_TAIL = 32;
/** From this many entries on the queue's checkpoint is worth its size. */
const QUEUE_CHECKPOINT_ENTRIES = 256;

export function saveControlCheckpoint({ dir }: Pick<World, 'dir'>, control: ControlLog, least = 1): void {
  const image = control.tailLength >= least ? control.checkpoint() : null;
  if (image === null) return;
  quietly(() => {
    writeCheckpoint(dir.controlCheckpoint, image);
    control.noteCheckpoint();
  });
}

export function saveQueueCheckpoint({ dir }: Pick<World, 'dir'>, queue: QueueLog): void {
  const image = queue.tailLength >= QUEUE_CHECKPOINT_ENTRIES ? queue.checkpoint() : null;
  if (image !== null) quietly(() => writeCheckpoint(dir.queueCheckpoint, image));
  saveAgenda({ dir }, queue);
}

/** What the queue comes to for the next wake, exactly. */
export function saveAgenda({ dir }: Pick<World, 'dir'>, queue: QueueLog): void {
  const image = agendaCheckpointOf(queue);
  if (image !== null) quietly(() => writeCheckpoint(dir.agendaCheckpoint, image));
}

/** By a wake: what it folded, where that was much. */
export function saveTails({ dir }: Pick<World, 'dir'>, control: ControlLog, agenda: AgendaLog): void {
  saveControlCheckpoint({ dir }, control, LONG_TAIL);
  const image = agenda.tailLength >= LONG_TAIL ? agenda.checkpoint() : null;
  if (image !== null) quietly(() => writeCheckpoint(dir.agendaCheckpoint, image));
}

function quietly(write: () => void): void {
  try {
    write();
  } catch {
    // Until then others fold a longer tail.
  }
}
