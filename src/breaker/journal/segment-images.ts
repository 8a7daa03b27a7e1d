// Dropping old segments of a stream for which an image stands in: a file of records that come to the same as all the
// dropped ones did. It is no checkpoint: it is the only copy, so it is made of lines with checksums of their own.
//
//   1. the image is written to a temp file, synced, renamed, the folder synced
//   2. older segments are removed, the oldest first, then older images and what is left of temp files
//
// So a segment is missing only when an image stands that covers it; and a reader that misses one takes the newest
// image, which covers whatever older segments a crash has left. All of it may be done twice.

import type { Disk } from './disk.ts';
import { joinLines } from './lines.ts';
import { encodeLine, type JournalRecord, type StreamName } from './record.ts';
import { imageName, listingOf, newestOf, segmentName } from './segments.ts';

/** How many records go into one write. */
const BATCH_RECORDS = 64;

/** `before` is the first segment that stays. */
export async function replaceByImage(
  disk: Disk,
  stream: StreamName,
  before: number,
  records: readonly JournalRecord[],
): Promise<void> {
  const { segments, images } = listingOf(stream, await disk.list());
  // The newest is written to, and is not removed whatever is asked.
  if (records.length === 0 || before > newestOf({ segments, images })) return;
  const name = imageName(stream, before);
  const temp = `${name}.${records[0]!.id}.tmp`;
  try {
    await writeImage(disk, temp, records);
    await disk.rename(temp, name);
  } catch (error) {
    await disk.remove(temp);
    throw error;
  }
  await disk.syncDir();
  for (const index of segments) if (index < before) await disk.remove(segmentName(stream, index));
  for (const index of images) if (index < before) await disk.remove(imageName(stream, index));
  for (const left of await disk.list()) {
    if (left.startsWith(`${stream}.`) && left.endsWith('.tmp')) await disk.remove(left);
  }
}

async function writeImage(disk: Disk, temp: string, records: readonly JournalRecord[]): Promise<void> {
  const fd = await disk.open(temp, 'create');
  if (fd === null) throw new Error(`${temp} could not be made`);
  try {
    for (let at = 0; at < records.length; at += BATCH_RECORDS) {
      await disk.write(fd, joinLines(records.slice(at, at + BATCH_RECORDS).map(encodeLine)));
    }
  } finally {
    await disk.close(fd);
  }
}
