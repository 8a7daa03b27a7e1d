// The checksum, the names of records, and the line as other programs see it.
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/journal/crc32.ts';
import { decodeLine, encodeLine, MAX_LINE_BYTES } from '../../src/journal/record.ts';
import { makeRecord, uuidV7 } from '../../src/journal/writer.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { seeded } from '../support/seeded.ts';
import { recordOf } from './conformance.ts';

describe('the checksum', () => {
  test('is the one of zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000, size: 'max' }), (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      }),
    );
  });

  test.each([4_095, 4_096, 4_097, 8_191, 8_192, 8_193, 100_001])('of %i bytes is as well', (length) => {
    const random = seeded(length);
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    expect(crc32(bytes.subarray(1))).toBe(zlibCrc32(bytes.subarray(1)));
  });

  test('of "123456789" is the one in every book', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.alloc(0))).toBe(0);
  });
});

describe('a line', () => {
  test('is JSON from first to last byte, with its checksum last', () => {
    const line = encodeLine(recordOf(1, 'text'));
    expect(line).not.toContain('\n');
    expect(Object.keys(JSON.parse(line)).at(-1)).toBe('crc');
    expect(JSON.parse(line).crc).toBe(zlibCrc32(line.slice(0, line.lastIndexOf(',"crc":'))));
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
  const sound = (body: string) => Buffer.from(`${body},"crc":${zlibCrc32(body)}}`);
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
