// The segments of a journal on disk, for those who keep house: a port of its own, because nobody else may seal or drop
// one. It may work beside any number of journals on the same folder, also of the same process.

import * as nodeFs from 'node:fs';
import { Disk, failureOf, type JournalFs } from './disk.ts';
import type { AppendResult, SegmentInfo, Segments } from './journal.ts';
import type { JournalRecord, StreamName } from './record.ts';
import { endOfSegment, headOf } from './segment-end.ts';
import { replaceByImage } from './segment-images.ts';
import { SegmentWriter } from './segment-writer.ts';
import { baseOf, imageName, listingOf, newestOf, openingIn, segmentName } from './segments.ts';

export class FileSegments implements Segments {
  readonly #disk: Disk;

  constructor(dir: string, fs: JournalFs = nodeFs) {
    this.#disk = new Disk(dir, fs);
  }

  async list(stream: StreamName): Promise<readonly SegmentInfo[]> {
    const { segments } = listingOf(stream, await this.#disk.list());
    const found: SegmentInfo[] = [];
    for (const index of segments) {
      const bytes = await this.#using(segmentName(stream, index), (fd) => this.#disk.size(fd));
      if (bytes === null) continue;
      const next = await headOf(this.#disk, segmentName(stream, index + 1));
      const sealedAt = next === null ? null : (openingIn(next, index + 1)?.at ?? null);
      found.push({ index, base: baseOf(index), bytes, sealedAt });
    }
    return found;
  }

  async seal(stream: StreamName, occasion: JournalRecord): Promise<AppendResult> {
    const writer = new SegmentWriter(this.#disk, stream);
    try {
      return await told(() => writer.seal(occasion));
    } finally {
      await writer.close();
    }
  }

  async dropBefore(
    stream: StreamName,
    segment: number,
    image: readonly JournalRecord[],
  ): Promise<AppendResult> {
    return told(() => replaceByImage(this.#disk, stream, segment, image));
  }

  async newestBytes(stream: StreamName): Promise<number> {
    const newest = newestOf(listingOf(stream, await this.#disk.list()));
    return (await this.#using(segmentName(stream, newest), (fd) => this.#disk.size(fd))) ?? 0;
  }

  async imageBytes(stream: StreamName): Promise<number> {
    const newest = listingOf(stream, await this.#disk.list()).images.at(-1);
    if (newest === undefined) return 0;
    return (await this.#using(imageName(stream, newest), (fd) => this.#disk.size(fd))) ?? 0;
  }

  async *pieces(stream: StreamName, segment: number): AsyncGenerator<Buffer> {
    const fd = await this.#disk.open(segmentName(stream, segment), 'read');
    if (fd === null) return;
    try {
      const isNewest = segment >= newestOf(listingOf(stream, await this.#disk.list()));
      const end = isNewest ? null : await endOfSegment(this.#disk, stream, segment, fd);
      yield* this.#disk.pieces(fd, end ?? undefined);
    } finally {
      await this.#disk.close(fd);
    }
  }

  async #using<T>(name: string, work: (fd: number) => Promise<T>): Promise<T | null> {
    const fd = await this.#disk.open(name, 'read');
    if (fd === null) return null;
    try {
      return await work(fd);
    } finally {
      await this.#disk.close(fd);
    }
  }
}

async function told(work: () => Promise<void>): Promise<AppendResult> {
  try {
    await work();
    return { ok: true };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}
