// Writing to a stream that is a chain of segment files (segments.ts), by any number of processes. On a local disk without
// a lock; for where other hosts write as well, see the end.
//
// How a segment ends. F(n) is the newest segment; E(n) is where the first seal in it ends.
//
//   sealer   1. creates F(n+1), empty, and syncs the folder
//            2. appends a seal to F(n), and syncs it; the first seal in the order of the file counts
//            3. appends an opening to F(n+1), which tells E(n), and syncs it
//   writer   1. takes the newest segment there is, F(n); if that is empty, does the sealer's 2 and 3 for it
//            2. appends its record to F(n), and syncs it
//            3. looks at the folder: if F(n) is still the newest, the record counts and is acknowledged
//            4. else it reads F(n): before the seal the record counts all the same, behind it it is void, and the
//               writer begins anew with the same record in the newer segment
//   reader   reads F(n) up to its first seal, then goes on in F(n+1). What stands behind a seal is never read.
//
// What holds:
// - No seal is ever appended to F(n) before F(n+1) is in the folder (sealer, 1 before 2; who helps found it there). So
//   a writer that finds no newer segment *after* its append knows that no seal stands before its record, without
//   reading a byte: that is all that an append pays, and why the next segment is made first and not last.
// - So a record is acknowledged only where it counts, and nobody has to look for records behind seals and carry them
//   over: each record counts at most once, and no reader needs to know two copies of one from another. A writer
//   that dies between its 2 and its 3 has acknowledged nothing.
// - Nothing is written to F(n+1) but an opening or behind one, and that only after F(n) was seen to be sealed and synced
//   (also when it was another's seal: that one may have died before it synced). So a segment that is not empty proves
//   that the one before it is sealed and stays so, and an empty one proves nothing: whoever finds one completes it.
//   All steps of that may be done twice, by anybody, at any time.
// - The order of the stream is the order in F(0) up to E(0), then F(1) up to E(1), and so on. E(n) never changes once it is
//   there, and until it is there nothing of F(n+1) can be read; so what a reader has seen stays as it was.
// - A file that is not empty was in the folder durably before its first byte (the same rule covers F(0)).
// - The newest segment is never removed, so the folder always tells a writer that has slept for long that it is late. One that
//   slept before the very first file was made, until that was dropped, makes it once more: no seal is in it, so nothing
//   in it counts, and a reader that begins goes to the image that stands in for it.
//
// Where other hosts write as well (network.ts), all that a sealer or a writer does is done under the lock of the folder
// (append-lock.ts): a host sees what others did before it opened a file or looked into the folder, and may not see what they
// do after that. So the lock comes first, then a look at the folder (which the taking of the lock has changed, so that no
// host answers from memory), then the file is opened, its end found and written to, made durable and closed, and the lock
// given back last. Nothing stays open from one append to the next.

import { AppendLock } from './append-lock.ts';
import type { Disk } from './disk.ts';
import type { StreamName } from './record.ts';
import { endOfSegment } from './segment-end.ts';
import { lastIndexOf, sealEndOf } from './segment-scan.ts';
import { listingOf, newestOf, type Occasion, openingLine, sealLine, segmentName } from './segments.ts';

/** How often one append may meet a seal before it is told to be a failure. Each takes a sealer to come in between. */
const MAX_MOVES = 100;

interface OpenSegment {
  readonly index: number;
  readonly fd: number;
}

export class SegmentWriter {
  readonly #disk: Disk;
  readonly #stream: StreamName;
  readonly #lock: AppendLock;
  #open: OpenSegment | null = null;

  constructor(disk: Disk, stream: StreamName) {
    this.#disk = disk;
    this.#stream = stream;
    this.#lock = new AppendLock(disk);
  }

  /** Appends in one piece where it counts. Throws when that cannot be said. */
  async append(bytes: Buffer, occasion: Occasion): Promise<void> {
    return this.#whole(async () => {
      for (let moves = 0; moves < MAX_MOVES; moves++) {
        const segment = await this.#enter(occasion);
        if (segment === null) continue;
        await this.#disk.write(segment.fd, bytes);
        if (await this.#counts(segment, bytes)) return;
        await this.close();
      }
      throw Object.assign(new Error('sealed at every try'), { code: 'EAGAIN', syscall: 'append' });
    });
  }

  /** Ends the newest segment, unless nothing is in it. */
  async seal(occasion: Occasion): Promise<void> {
    return this.#whole(async () => {
      const newest = await this.#enter(occasion);
      if (newest === null || (await this.#disk.size(newest.fd)) === 0) return;
      const { index } = newest;
      const fd = await this.#disk.open(segmentName(this.#stream, index + 1), 'create');
      if (fd === null) return;
      try {
        if ((await this.#disk.size(fd)) === 0) await this.#complete({ index: index + 1, fd }, occasion);
      } finally {
        await this.#disk.close(fd);
      }
    });
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open !== null) await this.#disk.close(open.fd);
  }

  /** Does what takes the lock where there is one, and gives it back. Nothing is open outside of it there. */
  async #whole(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      if (this.#lock.isAsked) await this.close().finally(() => this.#lock.giveBack());
    }
  }

  /** Names in the folder; where there is a lock, as they are once it is ours. */
  async #look(): Promise<readonly string[]> {
    const names = await this.#disk.list();
    if (!(await this.#disk.isShared(names))) return names;
    await this.#lock.take();
    return this.#disk.list();
  }

  /** The newest segment, ready to be written to; null when it was gone before it was opened. */
  async #enter(occasion: Occasion): Promise<OpenSegment | null> {
    if (this.#open !== null) return this.#open;
    const listing = listingOf(this.#stream, await this.#look());
    const index = newestOf(listing);
    // Only the very first is made here: one that was listed and is gone must not come back.
    const mode = listing.segments.length === 0 ? 'create' : 'append';
    const fd = await this.#disk.open(segmentName(this.#stream, index), mode);
    if (fd === null) return null;
    const segment = { index, fd };
    try {
      if ((await this.#disk.size(fd)) === 0) await this.#complete(segment, occasion);
    } catch (error) {
      await this.#disk.close(fd);
      throw error;
    }
    this.#open = segment;
    return segment;
  }

  /** Does for an empty segment whatever a sealer may have left undone: see above. */
  async #complete({ index, fd }: OpenSegment, occasion: Occasion): Promise<void> {
    await this.#disk.syncDir();
    if (index === 0) return this.#disk.syncDirAbove();
    const before = await this.#disk.open(segmentName(this.#stream, index - 1), 'append');
    if (before === null) return;
    try {
      const end = await this.#sealed({ index: index - 1, fd: before }, occasion);
      await this.#disk.write(fd, openingLine(occasion, index, end));
    } finally {
      await this.#disk.close(before);
    }
  }

  /** Where the segment ends: sealed by another, or by us. */
  async #sealed({ index, fd }: OpenSegment, occasion: Occasion): Promise<number> {
    const end = await sealEndOf(this.#disk.pieces(fd));
    if (end !== null) {
      await this.#disk.sync(fd);
      return end;
    }
    await this.#disk.write(fd, sealLine(occasion, index));
    // Another's may stand before ours.
    const sealed = await sealEndOf(this.#disk.pieces(fd));
    if (sealed === null) throw Object.assign(new Error('no seal'), { code: 'EIO', syscall: 'read' });
    return sealed;
  }

  async #counts({ index, fd }: OpenSegment, bytes: Buffer): Promise<boolean> {
    const { segments } = listingOf(this.#stream, await this.#disk.list());
    const newest = segments.at(-1);
    if (newest === index) return true;
    // Somebody removed the folder under us: what we wrote is gone with it.
    if (newest === undefined || newest < index) return false;
    const end = await endOfSegment(this.#disk, this.#stream, index, fd);
    // Sealed, and no seal in it: it is not the file that was sealed. That one was dropped, and ours made in its place.
    if (end !== null && (await sealEndOf(this.#disk.pieces(fd))) === null) return false;
    // The last one: who appends the same record again means it.
    const at = await lastIndexOf(this.#disk.pieces(fd), bytes);
    return at >= 0 && (end === null || at < end);
  }
}
