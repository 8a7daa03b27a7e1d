// Writing checkpoints, off the hook path, so that hooks find nothing to fold. They are caches: failing to
// write one is no failure, the next drainer tries again.

import type { ControlLog } from '../control/control-log.ts';
import { writeCheckpoint } from '../journal/checkpoint.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import type { World } from './world.ts';

/** From this many entries on the queue's checkpoint is worth its size. */
const QUEUE_CHECKPOINT_ENTRIES = 256;

export function saveControlCheckpoint({ dir }: Pick<World, 'dir'>, control: ControlLog): void {
  const image = control.tailLength > 0 ? control.checkpoint() : null;
  if (image === null) return;
  quietly(() => {
    writeCheckpoint(dir.controlCheckpoint, image);
    control.noteCheckpoint();
  });
}

export function saveQueueCheckpoint({ dir }: Pick<World, 'dir'>, queue: QueueLog): void {
  const image = queue.tailLength >= QUEUE_CHECKPOINT_ENTRIES ? queue.checkpoint() : null;
  if (image !== null) quietly(() => writeCheckpoint(dir.queueCheckpoint, image));
}

function quietly(write: () => void): void {
  try {
    write();
  } catch {
    // Until then hooks fold a longer tail.
  }
}
