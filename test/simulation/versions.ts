// A plugin of another version at the same journal: one whose machines have another era, and one whose records have a
// newer version. The code is the same; what it writes is marked on its way to the log, and what it reads on its way back.

import { ERA } from '../../machines/era.ts';
import type { Checkpoint } from '../../src/breaker/journal/checkpoint.ts';
import type { AppendResult, Journal } from '../../src/breaker/journal/journal.ts';
import type { Chunk, Entry } from '../../src/breaker/journal/lines.ts';
import {
  type JournalRecord,
  type Position,
  RECORD_VERSION,
  type StreamName,
} from '../../src/breaker/journal/record.ts';

/** 0: this one. 1: the next era. 2: the next era and newer records. */
export type Version = 0 | 1 | 2;

/** Bytes of a stream as they stand in the log. */
export type RawLine = (stream: StreamName, from: Position, to: Position) => Buffer;

export class VersionedJournal implements Journal {
  readonly #inner: Journal;
  readonly #version: Version;
  readonly #rawLine: RawLine;
  /** Told of each record that was acknowledged. */
  onAcknowledged: (stream: StreamName, record: JournalRecord) => void = () => {};

  constructor(inner: Journal, version: Version, rawLine: RawLine) {
    this.#inner = inner;
    this.#version = version;
    this.#rawLine = rawLine;
  }

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    const marked = records.map((record) => markedBy(this.#version, record));
    const result = await this.#inner.append(stream, marked);
    if (result.ok) for (const record of marked) this.onAcknowledged(stream, record);
    return result;
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    const { entries, next } = await this.#inner.read(stream, from);
    return { entries: entries.map((entry) => this.#seen(stream, entry)), next };
  }

  size(stream: StreamName): Promise<number> {
    return this.#inner.size(stream);
  }

  #seen(stream: StreamName, entry: Entry): Entry {
    if (entry.kind === 'record') return { ...entry, record: unmarkedFor(this.#version, entry.record) };
    if (entry.kind !== 'newer' || this.#version < 2) return entry;
    const { position, next } = entry;
    const record = recordOf(this.#rawLine(stream, position, next));
    return { kind: 'record', position, next, record: unmarkedFor(this.#version, record) };
  }
}

export function eraOf(version: Version): string {
  return version === 0 ? ERA : 'next-era';
}

/** A checkpoint file as a process of that version uses it: one of another era is none of its own. */
export function versionedFile<State>(
  file: { read(): Checkpoint<State> | null; write(checkpoint: Checkpoint<State>): void },
  version: Version,
) {
  return {
    read: () => {
      const found = file.read();
      return found === null ? null : { ...found, era: seenEra(version, found.era) };
    },
    write: (checkpoint: Checkpoint<State>) =>
      file.write({ ...checkpoint, era: writtenEra(version, checkpoint.era) }),
  };
}

function markedBy(version: Version, record: JournalRecord): JournalRecord {
  const v = version === 2 ? RECORD_VERSION + 1 : RECORD_VERSION;
  const { witness } = record;
  if (witness === undefined) return { ...record, v };
  return { ...record, v, witness: { ...witness, era: writtenEra(version, witness.era) } };
}

function unmarkedFor(version: Version, record: JournalRecord): JournalRecord {
  const { witness } = record;
  if (witness === undefined) return { ...record, v: RECORD_VERSION };
  return { ...record, v: RECORD_VERSION, witness: { ...witness, era: seenEra(version, witness.era) } };
}

/** Only the era of the machines: that of the queue's fold is not versioned here. */
function writtenEra(version: Version, era: string): string {
  return era === ERA ? eraOf(version) : era;
}

function seenEra(version: Version, era: string): string {
  if (era === eraOf(version)) return ERA;
  return era === ERA ? 'former-era' : era;
}

function recordOf(line: Buffer): JournalRecord {
  const { seen, from, to, era, crc: _, ...envelope } = JSON.parse(line.toString('utf8').trim());
  return seen === undefined ? envelope : { ...envelope, witness: { seen, from, to, era } };
}
