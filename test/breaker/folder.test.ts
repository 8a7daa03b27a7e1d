// What killed writers have left is removed once nobody can be at it any more; nothing else is.

import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sweepTemporaries } from '../../src/breaker/folder.ts';
import { tempDir } from '../support/temp-dir.ts';

const NOW = 1_800_000_000_000;

test('temporary files of more than an hour ago go; younger ones and all others stay', () => {
  const data = tempDir();
  mkdirSync(`${data}/checkpoint`);
  const at = (name: string, ageMs: number) => {
    writeFileSync(`${data}/${name}`, '');
    utimesSync(`${data}/${name}`, (NOW - ageMs) / 1000, (NOW - ageMs) / 1000);
  };
  const gone = ['report.html.12.345.tmp', 'checkpoint/control.json.7.89.tmp'];
  const kept = ['control.ndjson', 'notes.tmp', 'checkpoint/queue.json'];
  for (const name of [...gone, ...kept]) at(name, 3_600_001);
  at('checkpoint/queue.json.7.90.tmp', 3_599_000);
  sweepTemporaries(data, NOW);
  expect(gone.filter((name) => existsSync(`${data}/${name}`))).toEqual([]);
  for (const name of [...kept, 'checkpoint/queue.json.7.90.tmp'])
    expect(existsSync(`${data}/${name}`), name).toBe(true);
  expect(() => sweepTemporaries(`${data}/nowhere`, NOW)).not.toThrow();
});
