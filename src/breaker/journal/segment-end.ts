// Where a segment ends that is no longer the newest. Told by the opening of the next one, which stands though the seal
// may be damaged; else by the seal; else, where it is certain that it was sealed, by the end of the file.

import type { Disk } from './disk.ts';
import type { StreamName } from './record.ts';
import { sealEndOf } from './segment-scan.ts';
import { openingIn, segmentName } from './segments.ts';

/** An opening is within this many bytes from the start of its segment, unless that is damaged. */
const HEAD_BYTES = 64 * 1024;

/** Bytes of segment `index`, open as `fd`; null: it is not sealed yet. The next one was made. */
export async function endOfSegment(
  disk: Disk,
  stream: StreamName,
  index: number,
  fd: number,
): Promise<number | null> {
  // Looked at before the seal is looked for: what is found in the next proves that the seal is there by then.
  const next = await headOf(disk, segmentName(stream, index + 1));
  const opening = next === null ? null : openingIn(next, index + 1);
  if (opening !== null) return opening.end;
  const length = await disk.size(fd);
  const sealed = await sealEndOf(disk.pieces(fd, length));
  if (sealed !== null) return sealed;
  return next !== null && next.length === 0 ? null : length;
}

/** Null when there is no such file. */
export async function headOf(disk: Disk, name: string): Promise<Buffer | null> {
  const fd = await disk.open(name, 'read');
  if (fd === null) return null;
  try {
    return await disk.read(fd, 0, Math.min(HEAD_BYTES, await disk.size(fd)));
  } finally {
    await disk.close(fd);
  }
}
