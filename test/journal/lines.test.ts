// The checksum, the names of records, and the line as other programs see it.
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/journal/crc32.ts';
import { decodeLine, encodeLine } from '../../src/journal/record.ts';
import { uuidV7 } from '../../src/journal/writer.ts';
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
    expect(uuidV7(1.5e12 + 0.75, () => 0.5)).toMatch(shape);
  });

  test('is new for each record of one moment', () => {
    const random = seeded(1);
    const ids = new Set(Array.from({ length: 10_000 }, () => uuidV7(1, random)));
    expect(ids.size).toBe(10_000);
  });
});
