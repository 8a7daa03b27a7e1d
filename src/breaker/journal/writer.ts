// Who writes, and by which clocks and dice: everything that a record takes from outside comes through here,
// so that the rest is pure and a simulation can supply its own.

import type { Moment } from '../../../machines/time.ts';
import { type JournalRecord, RECORD_VERSION, type Witness } from './record.ts';

export interface Writer {
  /** Names the invocation, for instance `drain-3f9a1c20`. */
  readonly inv: string;
  now(): Moment;
  /** A number in [0, 1). */
  random(): number;
}

export function makeRecord(
  writer: Writer,
  type: string,
  data: JournalRecord['data'],
  witness?: Witness,
): JournalRecord {
  const { at, mono, boot } = writer.now();
  const envelope = { v: RECORD_VERSION, id: uuidV7(at, writer.random), at, mono, boot, inv: writer.inv };
  return { ...envelope, type, data, ...(witness === undefined ? {} : { witness }) };
}

/**
 * RFC 9562, version 7: 48 bits of time in ms, then 74 random bits. Names a record; guards no secret.
 * From the writer's clock and dice, and not from node:crypto, whose UUIDs are of version 4 and its own: one seed makes one
 * simulated log, ids included (test/simulation).
 */
export function uuidV7(atMs: number, random: () => number): string {
  const time = Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0').slice(-12);
  const randA = hex(random, 3);
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randA}-${variant}${hex(random, 3)}-${hex(random, 6)}${hex(random, 6)}`;
}

function hex(random: () => number, digits: number): string {
  return Math.floor(random() * 16 ** digits)
    .toString(16)
    .padStart(digits, '0');
}
