// A record: an event in its envelope, and its form as one line of the log.
// A line is JSON from first to last byte (so `jq` reads it) and ends in the checksum of what stands before
// it. What encodes a line asserts what decodes it: a bug here loses history, so it has no options.

import { crc32 } from 'node:zlib';
import { isWallMs } from './shape.ts';

/** The version of the envelope that this code writes, and the newest that it reads. */
export const RECORD_VERSION = 1;

/** A line longer than this is refused when written, and is damage when read, in bytes. */
export const MAX_LINE_BYTES = 256 * 1024;

/** Lower-case letters: files are called by it. */
export type StreamName = string;

/** Byte offset into a stream. Only grows. */
export type Position = number;

/** What the writer of a control record had folded, and the transition that it expected. */
export interface Witness {
  /** The position up to which the writer had folded. */
  readonly seen: Position;
  /** Machine name → state, for the machines that the record moves; both empty for one that moves none. */
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
  /** A digest of the machines' definitions. */
  readonly era: string;
}

export interface JournalRecord {
  readonly v: number;
  /** UUIDv7. */
  readonly id: string;
  /** Wall clock, ms since 1970. */
  readonly at: number;
  /** Monotonic clock of `boot`, ms. */
  readonly mono: number;
  readonly boot: string;
  /** The invocation that wrote it. */
  readonly inv: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Only control records have one. */
  readonly witness?: Witness;
}

/** What one line turned out to be. */
export type Line =
  | { readonly kind: 'record'; readonly record: JournalRecord }
  /** Not JSON, not ours, or its checksum is wrong: skipped, counted, kept. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** A checksum that holds around an envelope of a version that this code does not know. */
  | { readonly kind: 'newer'; readonly version: number };

const CRC_FIELD = ',"crc":';

/** One line without its newlines. Throws on a record that is too large: that is a bug of the caller. */
export function encodeLine(record: JournalRecord): string {
  const { witness, ...envelope } = record;
  const body = JSON.stringify({ ...envelope, ...witness }).slice(0, -1);
  const line = `${body}${CRC_FIELD}${crc32(body)}}`;
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) {
    throw new Error(`a ${record.type} record of ${line.length} characters is over ${MAX_LINE_BYTES} bytes`);
  }
  return line;
}

/** `bytes` is one line without its newlines, not empty. */
export function decodeLine(bytes: Buffer): Line {
  if (bytes.length > MAX_LINE_BYTES) return damaged('too long');
  const crcAt = bytes.lastIndexOf(CRC_FIELD);
  if (crcAt < 0 || bytes[bytes.length - 1] !== 0x7d) return damaged('no checksum');
  const written = bytes.toString('latin1', crcAt + CRC_FIELD.length, bytes.length - 1);
  if (written !== String(crc32(bytes.subarray(0, crcAt)))) return damaged('checksum');
  return fromJson(bytes.toString('utf8'));
}

function fromJson(text: string): Line {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return damaged('not JSON');
  }
  const { v, id, at, mono, boot, inv, type, data, seen, from, to, era } = parsed;
  if (typeof v === 'number' && v > RECORD_VERSION) return { kind: 'newer', version: v };
  const isEnvelope =
    v === RECORD_VERSION &&
    typeof id === 'string' &&
    typeof at === 'number' &&
    typeof mono === 'number' &&
    isWallMs(at) &&
    Number.isFinite(mono) &&
    typeof boot === 'string' &&
    typeof inv === 'string' &&
    typeof type === 'string' &&
    isObject(data);
  if (!isEnvelope) return damaged('not a record');
  if (seen === undefined) return { kind: 'record', record: { v, id, at, mono, boot, inv, type, data } };
  if (typeof seen !== 'number' || !isObject(from) || !isObject(to) || typeof era !== 'string') {
    return damaged('not a record');
  }
  const witness = { seen, from, to, era } as Witness;
  // Not by spreading the envelope: that took as long as parsing the line, and a replay does it a million times.
  return { kind: 'record', record: { v, id, at, mono, boot, inv, type, data, witness } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(reason: string): Line {
  return { kind: 'damaged', reason };
}
