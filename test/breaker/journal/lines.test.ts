// The line as other programs see it, its checksum, and the names of records.
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeLine, encodeLine, MAX_LINE_BYTES } from '../../../src/breaker/journal/record.ts';
import { makeRecord, uuidV7 } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { seeded } from '../../support/seeded.ts';
import { recordOf } from './conformance.ts';

/** A line of a recorded history, and one of other alphabets whose checksum Python's zlib computed. */
const RECORDED = [
  '{"v":1,"id":"00000000-0000-7000-8000-000000000001","at":1767225600001,"mono":1,"boot":"boot-1","inv":"hook-1","type":"lease.requested","data":{"lease":"drain","forMs":15000},"seen":0,"from":{"drain":"free#0"},"to":{"drain":"asked#0"},"era":"5624410b","crc":3512440812}',
  '{"v":1,"id":"019b7658-7a11-7bee-95dd-88c8fd9cb1f4","at":1767225600017,"mono":12.5,"boot":"boot-1","inv":"task-2","type":"outage.noted","data":{"opening":"x","text":"Plex zog um – 引越し 🚚"},"crc":1106441593}',
];

test('a checksum that was computed long ago or elsewhere holds, and its line is written again as it was', () => {
  for (const line of RECORDED) {
    const read = decodeLine(Buffer.from(line));
    expect(read.kind === 'record' && encodeLine(read.record)).toBe(line);
  }
});

describe('a line', () => {
  test('is JSON from first to last byte, with its checksum last', () => {
    const line = encodeLine(recordOf(1, 'text'));
    expect(line).not.toContain('\n');
    expect(Object.keys(JSON.parse(line)).at(-1)).toBe('crc');
    expect(JSON.parse(line).crc).toBe(crc32(line.slice(0, line.lastIndexOf(',"crc":'))));
  });

  test('with a checksum in any other writing is damage', () => {
    const line = encodeLine(recordOf(1));
    const crcAt = line.lastIndexOf(':') + 1;
    const digits = line.slice(crcAt, -1);
    for (const other of [`0${digits}`, ` ${digits}`, `${digits}.0`, `${digits}0`, '']) {
      expect(decodeLine(Buffer.from(`${line.slice(0, crcAt)}${other}}`)).kind).toBe('damaged');
    }
    expect(decodeLine(Buffer.from(`${line} `)).kind).toBe('damaged');
  });

  /** What stands before a checksum, with the right one behind it. */
  const sound = (body: string) => Buffer.from(`${body},"crc":${crc32(body)}}`);
  /** A record that makes a sound line of just so many bytes. */
  const sized = (bytes: number) => {
    const bodyOf = (length: number) => JSON.stringify(recordOf(1, 'x'.repeat(length))).slice(0, -1);
    for (let length = bytes - bodyOf(0).length; ; length--) {
      const line = sound(bodyOf(length));
      if (line.length === bytes) return line;
    }
  };

  test.each([
    ['too long', sized(MAX_LINE_BYTES + 1)],
    ['no checksum', Buffer.from('{"v":1')],
    ['no checksum', Buffer.from(encodeLine(recordOf(1)).replace(/}$/, ']'))],
    ['checksum', Buffer.from(encodeLine(recordOf(1)).replace('test', 'tent'))],
    ['not JSON', sound('{"v":')],
    ['not JSON', sound('')],
    ['not a record', sound('{"v":1')],
  ])('that is damaged says by what: %s', (reason, line) => {
    expect(decodeLine(line)).toEqual({ kind: 'damaged', reason });
  });

  test('of the largest size is one, written and read', () => {
    const line = sized(MAX_LINE_BYTES);
    const read = decodeLine(line);
    expect(read.kind).toBe('record');
    expect(read.kind === 'record' && encodeLine(read.record)).toBe(line.toString());
  });

  test.each(['v', 'id', 'at', 'mono', 'boot', 'inv', 'type'])(
    'in which %s is of another type is none',
    (field) => {
      const { [field]: value, ...rest } = JSON.parse(JSON.stringify(recordOf(1)));
      const other = typeof value === 'string' ? 7 : '7';
      const body = JSON.stringify({ ...rest, [field]: other }).slice(0, -1);
      expect(decodeLine(sound(body))).toEqual({ kind: 'damaged', reason: 'not a record' });
    },
  );
});

test('a record carries whose it is, when it was made, and a witness where there is one', () => {
  const clock = new FakeClock();
  const record = makeRecord(fakeWriter(clock, 'hook-1'), 'test.said', { n: 1 });
  const { id, ...rest } = record;
  expect(id).toHaveLength(36);
  expect(rest).toStrictEqual({ v: 1, ...clock.now(), inv: 'hook-1', type: 'test.said', data: { n: 1 } });
  const witness = { seen: 12, from: {}, to: {}, era: 'e' };
  expect(makeRecord(fakeWriter(clock), 'test.said', {}, witness).witness).toEqual(witness);
});

describe('the name of a record', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

  test('is a UUID of version 7 that begins with its time', () => {
    fc.assert(
      fc.property(time, fc.integer(), (at, seed) => {
        const id = uuidV7(at, seeded(seed));
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(at);
      }),
    );
  });

  test('sorts by time', () => {
    fc.assert(
      fc.property(time, time, fc.integer(), (one, other, seed) => {
        fc.pre(one < other);
        const random = seeded(seed);
        expect(uuidV7(one, random) < uuidV7(other, random)).toBe(true);
      }),
    );
  });

  test('stays in its shape at the ends of the dice and of time', () => {
    const shape = /^[0-9a-f-]{36}$/;
    expect(uuidV7(0, () => 0)).toBe('00000000-0000-7000-8000-000000000000');
    expect(uuidV7(2 ** 48 - 1, () => 1 - 2 ** -53)).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff');
    expect(uuidV7(-5, () => 0.5)).toMatch(shape);
    expect(uuidV7(2 ** 48 + 5, () => 0.5)).toMatch(shape);
    expect(uuidV7(1.5e12 + 0.75, () => 0.5)).toMatch(shape);
  });

  test('is new for each record of one moment', () => {
    const random = seeded(1);
    const ids = new Set(Array.from({ length: 10_000 }, () => uuidV7(1, random)));
    expect(ids.size).toBe(10_000);
  });
});
