// The journal on disk: each stream a chain of segment files, shared by any number of processes.
// An append is one write of "\n" + line + "\n" to a descriptor opened O_APPEND, then fdatasync. The leading
// newline fences off the fragment of a writer that was killed; without it that fragment would swallow our
// line. A short count is a failed append (a full disk reports nothing else). On a network file system
// O_APPEND is not atomic: there each append takes a lock (append-lock.ts).
//
// How segments end and begin while others write is told and proved in segment-writer.ts.

import * as nodeFs from 'node:fs';
import { Disk, failureOf, type JournalFs } from './disk.ts';
import type { AppendResult, Journal } from './journal.ts';
import { type Chunk, joinLines } from './lines.ts';
import { encodeLine, type JournalRecord, type Position, type StreamName } from './record.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';
import { segmentName } from './segments.ts';

export type { JournalFs } from './disk.ts';

/** Of one stream. They open files when they are used. */
interface Ends {
  readonly writer: SegmentWriter;
  readonly reader: SegmentReader;
}

export class FileJournal implements Journal {
  readonly dir: string;
  readonly #disk: Disk;
  readonly #streams = new Map<StreamName, Ends>();
  readonly #writing = new Turns();
  readonly #reading = new Turns();

  constructor(dir: string, fs: JournalFs = nodeFs) {
    this.dir = dir;
    this.#disk = new Disk(dir, fs);
  }

  pathOf(stream: StreamName, index = 0): string {
    return `${this.dir}/${segmentName(stream, index)}`;
  }

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    const [first] = records;
    if (first === undefined) return { ok: true };
    const bytes = joinLines(records.map(encodeLine));
    return this.#writing.take(async () => {
      try {
        await this.#ends(stream).writer.append(bytes, first);
        return { ok: true };
      } catch (error) {
        return { ok: false, failure: failureOf(error) };
      }
    });
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    return this.#reading.take(() => this.#ends(stream).reader.read(from));
  }

  async size(stream: StreamName): Promise<Position> {
    return this.#reading.take(() => this.#ends(stream).reader.size());
  }

  /** Nothing may be under way. Over `node:fs` all is closed when this returns. */
  async close(): Promise<void> {
    const all = [...this.#streams.values()].flatMap(({ writer, reader }) => [writer, reader]);
    await Promise.all(all.map((one) => one.close()));
  }

  #ends(stream: StreamName): Ends {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const made = {
      writer: new SegmentWriter(this.#disk, stream),
      reader: new SegmentReader(this.#disk, stream),
    };
    this.#streams.set(stream, made);
    return made;
  }
}

/** One at a time, in the order in which they came: two that run at once in one process would both open a file. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
