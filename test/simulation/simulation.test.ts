// That the simulation itself is to be believed: it repeats, its disk forgets as a disk does, and plans that once broke
// something stay whole.

import { constants } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Dice } from './dice.ts';
import { Disk, Inode } from './disk.ts';
import { Kernel, SimProcess } from './kernel.ts';
import { type Plan, planOf } from './plan.ts';
import { ProcessFs } from './process-fs.ts';
import { RECORDED } from './recorded-plans.ts';
import { simulate } from './simulation.ts';

test('the same seed takes the same steps twice', async () => {
  for (const seed of [1, 2, 3, 17, 99]) {
    const [once, again] = [await simulate(planOf(seed)), await simulate(planOf(seed))];
    expect(again.hash, `seed ${seed}`).toBe(once.hash);
    expect(again).toEqual(once);
  }
});

test('a plan is data: it comes through JSON as it was', async () => {
  const plan = planOf(5);
  const copy = JSON.parse(JSON.stringify(plan)) as Plan;
  expect((await simulate(copy)).hash).toBe((await simulate(plan)).hash);
});

test.each(RECORDED)('$name', async ({ plan }) => {
  expect((await simulate(plan)).violation).toBeNull();
});

describe('the disk', () => {
  const written = (...texts: readonly string[]) => {
    const node = new Inode();
    for (const text of texts) node.append(Buffer.from(text));
    return node;
  };

  test('keeps what was synced, whatever the power does', () => {
    for (let seed = 0; seed < 50; seed++) {
      const node = written('first');
      node.sync();
      node.append(Buffer.from('second'));
      node.losePower(new Dice(seed));
      expect(node.bytes.toString().startsWith('first')).toBe(true);
    }
  });

  test('loses, tears and reorders what was not', () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const node = written('first', 'second');
      node.losePower(new Dice(seed));
      ends.add(node.bytes.toString());
    }
    expect(ends).toContain('');
    expect(ends).toContain('first');
    expect(ends).toContain('firstsecond');
    expect(ends).toContain('\0\0\0\0\0second');
    expect(ends.size).toBeGreaterThan(8);
  });

  test('forgets a name whose folder was not synced', () => {
    const left = new Set<boolean>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = new Disk('/root');
      disk.link('/root/file', written('text'));
      disk.losePower(new Dice(seed));
      left.add(disk.find('/root/file') !== undefined);
    }
    expect(left).toEqual(new Set([true, false]));
    const disk = new Disk('/root');
    disk.link('/root/file', written('text'));
    disk.syncFolder('/root');
    disk.losePower(new Dice(1));
    expect(disk.find('/root/file')).toBeDefined();
  });

  test('a process that is killed over a write leaves a part of it, and is not heard of again', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const kernel = new Kernel(new Dice(seed));
      const state = { disk: new Disk('/root'), faults: new Map(), injected: () => {} };
      const process = new SimProcess('one', 'wake', 1, 'here', 0);
      const { journal } = new ProcessFs(kernel, process, state, new Dice(seed));
      process.stepsToLive = 3;
      let isBack = false;
      kernel.start(process, 0, async () => {
        const fd = await journal.openSync(
          '/root/log',
          constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND,
        );
        await journal.writeSync(fd, Buffer.from('0123456789'), 0, 10);
        isBack = true;
      });
      await kernel.run(1_000);
      expect(isBack).toBe(false);
      lengths.add(state.disk.file('/root/log')?.size ?? -1);
    }
    expect(Math.min(...lengths)).toBe(0);
    expect(Math.max(...lengths)).toBe(10);
    expect(lengths.size).toBeGreaterThan(5);
  });
});
