// Keeping the journal's growth bounded: sealing segments that have grown large, chaining them, dropping those of the queue
// that are past their time. By whoever drains, because they write down most; it needs no
// lease, for all of it may be done twice. It never writes unless something has grown: an idle plugin writes nothing.

import { chain, failureOf, makeRecord, type Segments } from '../breaker/index.ts';
import { compactQueue, type QueueRetention } from '../queue/compaction.ts';
import { STREAMS, type StreamName } from '../queue/streams.ts';
import type { Settings } from '../settings/settings.ts';
import type { World } from './world.ts';

export interface HouseRules {
  /** A segment of this size is sealed, in bytes. */
  readonly sealBytes: Readonly<Record<StreamName, number>>;
  readonly retentionOf: (settings: Settings) => QueueRetention | null;
}

const MIB = 1024 * 1024;

export const HOUSE_RULES: HouseRules = {
  sealBytes: { control: 8 * MIB, queue: 8 * MIB },
  retentionOf: ({ retention }) => retention,
};

export interface House {
  readonly segments: Segments;
  readonly rules: HouseRules;
}

type Housed = Pick<World, 'dir' | 'writer' | 'house'>;

/**
 * Cheap when there is nothing to do: to be called as often as work is. `settings` null: not known, as when Stash does not
 * answer; then nothing is dropped, for a person may want it kept.
 */
export async function sealWhatIsLarge(world: Housed, settings: Settings | null): Promise<void> {
  const { dir, writer, house } = world;
  await unlessDiskFails(async () => {
    for (const stream of STREAMS) {
      if ((await house.segments.newestBytes(stream)) < house.rules.sealBytes[stream]) continue;
      // Lends its envelope, and is not written itself.
      await house.segments.seal(stream, makeRecord(writer, 'segment.occasion', {}));
      await chain(dir.journal, house.segments, stream, writer);
      if (stream === 'queue') await compact(world, settings);
    }
  });
}

/** At the end: also what somebody who died has left undone, and what has grown old. */
export async function tidy(world: Housed, settings: Settings | null): Promise<void> {
  const { dir, writer, house } = world;
  await sealWhatIsLarge(world, settings);
  await unlessDiskFails(async () => {
    for (const stream of STREAMS) await chain(dir.journal, house.segments, stream, writer);
    await compact(world, settings);
  });
}

async function compact({ dir, writer, house }: Housed, settings: Settings | null): Promise<void> {
  const retention = settings === null ? null : house.rules.retentionOf(settings);
  if (retention !== null) await compactQueue(dir.journal, house.segments, writer, retention);
}

/** The next one who keeps house tries again; work does not stop for it. */
async function unlessDiskFails(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failureOf(error);
  }
}
