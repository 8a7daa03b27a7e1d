// A log without what is nobody's business: the same records in the same order, under pseudonyms, from a fixed date on, and
// encoded anew. It folds to the same story: what referred to a position refers to the same record, what was damaged is
// damaged, and what its writer expected is still said.

import { crc32 } from 'node:zlib';
import type { Moment } from '../../machines/time.ts';
import {
  type Entry,
  encodeLine,
  type JournalRecord,
  MACHINE_NAMES,
  type Position,
  RECORD_VERSION,
  type Witness,
} from '../breaker/index.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { redactedData, SHAPES } from './redaction.ts';

export interface LogEntries {
  readonly control: readonly Entry[];
  readonly queue: readonly Entry[];
}

/** The lines of both streams, without newlines. */
export interface LogLines {
  readonly control: readonly string[];
  readonly queue: readonly string[];
}

/** Stands for whatever a damaged line held. */
const DAMAGED_LINE = '{"damaged":true}';
/** What a journal adds around a line: see joinLines. */
const NEWLINES = 2;

export function redactedLog(log: LogEntries): LogLines {
  const records = [...log.control, ...log.queue].flatMap((entry) =>
    entry.kind === 'record' ? [entry.record] : [],
  );
  const names = new Pseudonyms(
    records.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY),
    bootsOf(records),
  );
  const cursors = records.flatMap(({ data }) => (typeof data.cursor === 'number' ? [data.cursor] : []));
  names.rank('cursor', cursors);
  return {
    control: redactedStream('control', log.control, names),
    queue: redactedStream('queue', log.queue, names),
  };
}

function redactedStream(stream: 'control' | 'queue', entries: readonly Entry[], names: Pseudonyms): string[] {
  const moved = new MovedPositions();
  return entries.map((entry) => {
    const line = lineOf(stream, entry, names, (position) => moved.to(position));
    moved.add(entry.next, line);
    return line;
  });
}

function lineOf(
  stream: 'control' | 'queue',
  entry: Entry,
  names: Pseudonyms,
  position: (old: Position) => Position,
): string {
  switch (entry.kind) {
    case 'damaged':
      return DAMAGED_LINE;
    case 'newer': {
      const body = `{"v":${RECORD_VERSION + 1}`;
      return `${body},"crc":${crc32(body)}}`;
    }
    case 'record':
      return encodeLine(redactedRecord(stream, entry.record, names, position));
  }
}

function redactedRecord(
  stream: 'control' | 'queue',
  { v, id, at, mono, boot, inv, type, data, witness }: JournalRecord,
  names: Pseudonyms,
  position: (old: Position) => Position,
): JournalRecord {
  const shape = SHAPES[stream][type];
  const [kind = ''] = inv.split('-');
  const record = {
    v,
    id: names.id(id),
    at: names.wall(at),
    mono: names.mono(boot, mono),
    boot: names.name('boot', boot),
    inv: names.name(INVOCATION_KINDS.has(kind) ? kind : 'other', inv),
    type: shape === undefined ? 'unknown.recorded' : type,
    data: shape === undefined ? {} : redactedData(shape, data, { names, position }),
  };
  return witness === undefined ? record : { ...record, witness: redactedWitness(witness, position) };
}

function redactedWitness({ seen, from, to, era }: Witness, position: (old: Position) => Position): Witness {
  const side = (states: Witness['from']) =>
    Object.fromEntries(
      Object.entries(states).filter(
        ([name, state]) => IS_MACHINE.has(name) && /^[A-Za-z]{1,16}(#\d+)?$/.test(state),
      ),
    );
  const isDigest = /^[0-9a-f]{8}$/.test(era);
  return { seen: position(seen), from: side(from), to: side(to), era: isDigest ? era : 'other' };
}

const IS_MACHINE: ReadonlySet<string> = new Set(MACHINE_NAMES);
const INVOCATION_KINDS: ReadonlySet<string> = new Set(['hook', 'wake', 'drain', 'task', 'cli']);

/** Old positions → new ones. A reference is to a place behind a line: it stays behind that line. */
class MovedPositions {
  readonly #old: Position[] = [];
  readonly #new: Position[] = [];

  add(oldNext: Position, line: string): void {
    this.#old.push(oldNext);
    this.#new.push((this.#new.at(-1) ?? 0) + Buffer.byteLength(line) + NEWLINES);
  }

  to(position: Position): Position {
    let [low, high] = [0, this.#old.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#old[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return this.#new[low - 1] ?? 0;
  }
}

function bootsOf(moments: readonly Moment[]): ReadonlyMap<string, number> {
  const least = new Map<string, number>();
  for (const { boot, mono } of moments) least.set(boot, Math.min(mono, least.get(boot) ?? mono));
  return least;
}
