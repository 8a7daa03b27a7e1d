// Writers, sealers, readers and those who drop, one system call at a time in every order that a seed draws, with deaths
// and power losses: what is acknowledged is read once, by everybody, in one order that never changes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chain, verifyChain } from '../../../src/breaker/journal/chain.ts';
import { trusted } from '../../../src/breaker/journal/checkpoint.ts';
import type { JournalFs } from '../../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { type Journal, readAll } from '../../../src/breaker/journal/journal.ts';
import type { Entry } from '../../../src/breaker/journal/lines.ts';
import type { JournalRecord, Position } from '../../../src/breaker/journal/record.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { interleave, type Turn } from '../../support/interleave.ts';
import { Killed, MemoryDisk } from '../../support/memory-disk.ts';
import { PROPERTY_RUNS } from '../../support/property-runs.ts';
import { seeded } from '../../support/seeded.ts';
import { recordOf } from './conformance.ts';

const IS_LONG = process.env.BREAKWATER_LONG === '1';

interface Cast {
  readonly writers: number;
  readonly sealers: number;
  readonly readers: number;
  /** Which process dies at which of its calls; power goes when the last has ended. */
  readonly deaths: readonly { readonly process: number; readonly call: number }[];
  readonly power: 'stays' | 'none' | 'all' | 'removals';
  readonly disk: 'local' | 'network';
}

const casts: fc.Arbitrary<Cast> = fc
  .record({
    writers: fc.integer({ min: 1, max: 4 }),
    sealers: fc.integer({ min: 1, max: 3 }),
    readers: fc.integer({ min: 0, max: 2 }),
    deaths: fc.array(fc.record({ process: fc.nat({ max: 6 }), call: fc.nat({ max: 40 }) }), { maxLength: 4 }),
    power: fc.constantFrom('stays', 'none', 'all', 'removals'),
    disk: fc.constantFrom('local', 'network'),
  })
  // Who waits for two dead holders, one after the other, goes on without the lock.
  .map((cast) => (cast.disk === 'local' ? cast : { ...cast, deaths: cast.deaths.slice(0, 1) }));

const ids = async (journal: Journal, from: Position = 0): Promise<string[]> => {
  const all: string[] = [];
  for await (const entry of readAll(journal, 'control', from)) {
    if (entry.kind === 'record') all.push(entry.record.id);
  }
  return all;
};

class Play {
  readonly disk: MemoryDisk;
  readonly acknowledged: string[][] = [];
  readonly attempted = new Set<string>();
  readonly seen: string[][] = [];
  readonly #cast: Cast;

  constructor(cast: Cast) {
    this.#cast = cast;
    this.disk = new MemoryDisk(cast.disk);
  }

  processes(): ((turn: Turn) => Promise<void>)[] {
    const { writers, sealers, readers } = this.#cast;
    const roles = [
      ...Array.from({ length: writers }, () => (turn: Turn, number: number) => this.#write(turn, number)),
      ...Array.from({ length: sealers }, () => (turn: Turn, number: number) => this.#seal(turn, number)),
      ...Array.from({ length: readers }, () => (turn: Turn, number: number) => this.#read(turn, number)),
    ];
    return roles.map((role, number) => async (turn) => {
      try {
        await role(turn, number);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    });
  }

  #fs(turn: Turn, number: number) {
    const death = this.#cast.deaths.find(({ process }) => process === number)?.call;
    let calls = 0;
    return this.disk.process(async () => {
      await turn();
      calls += 1;
      if (death !== undefined && calls > death) throw new Killed();
    });
  }

  async #write(turn: Turn, number: number): Promise<void> {
    const journal = new FileJournal('/data', this.#fs(turn, number));
    const own: string[] = [];
    this.acknowledged.push(own);
    for (let n = 0; n < 3; n++) {
      const records = n === 1 ? [recordOf(n), recordOf(n)] : [recordOf(n)];
      for (const { id } of records) this.attempted.add(id);
      const result = await journal.append('control', records);
      expect(result).toEqual({ ok: true });
      own.push(...records.map(({ id }) => id));
      // What one has written oneself is there at once.
      if (n === 2) expect(await ids(journal)).toEqual(expect.arrayContaining(own));
    }
  }

  async #seal(turn: Turn, number: number): Promise<void> {
    const segments = new FileSegments('/data', this.#fs(turn, number));
    for (let n = 0; n < 2; n++) expect(await segments.seal('control', recordOf(n))).toEqual({ ok: true });
  }

  async #read(turn: Turn, number: number): Promise<void> {
    const journal = new FileJournal('/data', this.#fs(turn, number));
    const seen: string[] = [];
    this.seen.push(seen);
    let position: Position = 0;
    for (let reads = 0; reads < 8; reads++) {
      const { entries, next } = await journal.read('control', position);
      for (const entry of entries) if (entry.kind === 'record') seen.push(entry.record.id);
      position = next;
    }
  }
}

async function play(seed: number, cast: Cast): Promise<{ play: Play; final: string[] }> {
  const run = new Play(cast);
  await interleave(seed, run.processes());
  if (cast.power !== 'stays') run.disk.losePower(seeded(seed), cast.power);
  // Somebody who knows nothing of all this goes on.
  const after = new FileJournal('/data', run.disk.process());
  const last = recordOf(9);
  expect(await after.append('control', [last])).toEqual({ ok: true });
  const final = await ids(after);
  expect(final.at(-1)).toBe(last.id);
  return { play: run, final: final.slice(0, -1) };
}

function assertSound(run: Play, final: readonly string[], hasPowerLoss: boolean): void {
  expect(new Set(final).size).toBe(final.length);
  for (const id of final) expect(run.attempted.has(id)).toBe(true);
  for (const own of run.acknowledged) expect(final.filter((id) => own.includes(id))).toEqual(own);
  for (const seen of run.seen) {
    // What was read and never acknowledged may be lost with the power, and only from the end.
    const kept = hasPowerLoss ? seen.filter((id) => final.includes(id)) : seen;
    expect(final.slice(0, kept.length)).toEqual(kept);
  }
}

describe('one call at a time', () => {
  test('nothing acknowledged is lost, nothing is read twice, and all readers agree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), casts, async (seed, cast) => {
        const { play: run, final } = await play(seed, cast);
        assertSound(run, final, cast.power !== 'stays');
      }),
      PROPERTY_RUNS,
    );
  });

  test('records do land behind seals there, and are written anew', async () => {
    let moved = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const cast = { writers: 4, sealers: 2, readers: 0, deaths: [], power: 'stays', disk: 'local' } as const;
      const { play: run, final } = await play(seed, cast);
      const stored = [...run.disk.folder.names.values()].map(({ bytes }) => bytes.toString()).join('');
      moved += final.filter((id) => stored.split(`"id":"${id}"`).length > 2).length;
    }
    expect(moved).toBeGreaterThan(20);
  });
});

test('a reader that finds nothing, just before all begins, does not take the second segment for the first', async () => {
  const disk = new MemoryDisk();
  let looks = 0;
  const late = disk.process(async (call) => {
    if (call !== 'readdirSync' || ++looks !== 2) return;
    const other = new FileJournal('/data', disk.process());
    await other.append('control', [recordOf(1)]);
    await new FileSegments('/data', disk.process()).seal('control', recordOf(0));
    await other.append('control', [recordOf(2)]);
  });
  const reader = new FileJournal('/data', late);
  expect(await reader.read('control', 0)).toEqual({ entries: [], next: 0 });
  expect(await ids(reader)).toHaveLength(2);
});

test('a first writer that sleeps until its segment is dropped makes it anew, but not its record in it', async () => {
  const disk = new MemoryDisk();
  const [image, first, second, third] = [recordOf(9), recordOf(1), recordOf(2), recordOf(3)];
  let looks = 0;
  const late = disk.process(async (call) => {
    if (call !== 'openSync' || ++looks !== 1) return;
    const other = new FileJournal('/data', disk.process());
    const segments = new FileSegments('/data', disk.process());
    await other.append('control', [first]);
    await segments.seal('control', recordOf(0));
    await other.append('control', [second]);
    await segments.dropBefore('control', 1, [image]);
  });
  expect(await new FileJournal('/data', late).append('control', [third])).toEqual({ ok: true });
  expect([...disk.folder.names.keys()]).toContain('control.ndjson');
  const all = await ids(new FileJournal('/data', disk.process()));
  expect(all).toEqual([image, second, third].map(({ id }) => id));
});

/** A sealer over five records that has died before its n-th call of that name. */
async function sealerDiedBefore(call: keyof JournalFs, nth: number): Promise<MemoryDisk> {
  const disk = await withFive();
  let left = nth;
  const fs = disk.process((name) => {
    if (name === call && --left === 0) throw new Killed();
  });
  await expect(new FileSegments('/data', fs).seal('control', recordOf(0))).rejects.toThrow(Killed);
  return disk;
}

describe('what a sealer has left half done', () => {
  test('the next segment without a seal: the stream ends where it did, for who asks and who reads on', async () => {
    const end = await new FileJournal('/data', (await withFive()).process()).size('control');
    const half = await sealerDiedBefore('writeSync', 1);
    expect([...half.folder.names.keys()]).toEqual(['control.ndjson', 'control.000001.ndjson']);
    const reader = new FileJournal('/data', half.process());
    expect(await reader.size('control')).toBe(end);
    expect(await reader.read('control', end)).toEqual({ entries: [], next: end });
    // Whoever writes first completes it.
    await new FileJournal('/data', half.process()).append('control', [recordOf(7)]);
    expect(await ids(reader, end)).toHaveLength(1);
  });

  test('a seal without an opening: a checkpoint of there is believed, and what comes after is read', async () => {
    const disk = await sealerDiedBefore('writeSync', 2);
    const journal = new FileJournal('/data', disk.process());
    const { entries, next } = await journal.read('control', 0);
    const { position, record } = entries.at(-1) as Extract<Entry, { kind: 'record' }>;
    expect(next).toBe(await journal.size('control'));
    const ours = { era: 'e', boot: 'b' };
    const checkpoint = { ...ours, position: next, last: { position, id: record.id }, state: {} };
    const check = () => trusted(journal, 'control', ours, checkpoint);
    expect(await check()).toBe(checkpoint);
    await new FileJournal('/data', disk.process()).append('control', [recordOf(7)]);
    expect(await check()).toBe(checkpoint);
    expect(await ids(journal, next)).toHaveLength(1);
  });
});

/** Runs `work` in a process that dies at call `k`, for every k until it lives. */
async function dyingAtEvery(
  prepare: () => Promise<MemoryDisk>,
  work: (fs: ReturnType<MemoryDisk['process']>) => Promise<unknown>,
  after: (disk: MemoryDisk, call: number) => Promise<void>,
): Promise<number> {
  for (let k = 0; ; k++) {
    const disk = await prepare();
    let calls = 0;
    let isDead = false;
    const fs = disk.process(() => {
      if (calls++ >= k) {
        isDead = true;
        throw new Killed();
      }
    });
    await work(fs).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await after(disk, k);
    if (!isDead) return k;
  }
}

const five = [1, 2, 3, 4, 5].map((n) => recordOf(n));

async function withFive(kind: Cast['disk'] = 'local'): Promise<MemoryDisk> {
  const disk = new MemoryDisk(kind);
  const journal = new FileJournal('/data', disk.process());
  for (const record of five) await journal.append('control', [record]);
  return disk;
}

describe.each([
  ['a death', () => {}],
  ['a death on a network file system', () => {}, 'network'],
  ['a power loss', (disk: MemoryDisk) => disk.losePower(() => 0)],
  ['a power loss that tears', (disk: MemoryDisk) => disk.losePower(() => 0.5)],
  ['a power loss that comes late for names', (disk: MemoryDisk) => disk.losePower(() => 0, 'all')],
  ['a power loss that keeps removals', (disk: MemoryDisk) => disk.losePower(() => 0, 'removals')],
  ['a power loss that loses no byte but the last', (disk: MemoryDisk) => disk.losePower(() => 0.99)],
] as const)('%s at every call', (_name, crash, kind: Cast['disk'] = 'local') => {
  const prepare = () => withFive(kind);
  const goesOn = async (disk: MemoryDisk, call: number, expected: readonly JournalRecord[] = five) => {
    crash(disk);
    // A reader without writing anything, a writer, and a sealer: each by itself.
    const before = await ids(new FileJournal('/data', disk.process()));
    const own = recordOf(6);
    const next = new FileJournal('/data', disk.process());
    expect(await next.append('control', [own]), `call ${call}`).toEqual({ ok: true });
    const segments = new FileSegments('/data', disk.process());
    expect(await segments.seal('control', recordOf(7)), `call ${call}`).toEqual({ ok: true });
    const last = recordOf(8);
    expect(await next.append('control', [last]), `call ${call}`).toEqual({ ok: true });
    const all = await ids(next);
    expect(all.slice(-2), `call ${call}`).toEqual([own.id, last.id]);
    expect(all.slice(0, before.length), `call ${call}`).toEqual(before);
    const wanted = expected.map(({ id }) => id);
    expect(
      all.filter((id) => wanted.includes(id)),
      `call ${call}`,
    ).toEqual(wanted);
    expect(new Set(all).size).toBe(all.length);
  };

  test('of a sealer', async () => {
    const calls = await dyingAtEvery(
      prepare,
      (fs) => new FileSegments('/data', fs).seal('control', recordOf(0)),
      goesOn,
    );
    expect(calls).toBeGreaterThan(12);
  });

  test('of the first writer of all', async () => {
    await dyingAtEvery(
      async () => new MemoryDisk(kind),
      (fs) => new FileJournal('/data', fs).append('control', [recordOf(0)]),
      (disk, call) => goesOn(disk, call, []),
    );
  });

  test('of a writer that comes to what a sealer has left half done', async () => {
    // Each of the dead keeps the next one waiting, on a network: that is long, squared.
    const step = kind === 'network' && !IS_LONG ? 6 : 1;
    const sealerCalls = await dyingAtEvery(
      prepare,
      (fs) => new FileSegments('/data', fs).seal('control', recordOf(0)),
      async () => {},
    );
    for (let sealed = 0; sealed < sealerCalls; sealed += step) {
      const halfSealed = async () => {
        const disk = await prepare();
        let calls = 0;
        const fs = disk.process(() => {
          if (calls++ >= sealed) throw new Killed();
        });
        await new FileSegments('/data', fs).seal('control', recordOf(0)).catch(() => {});
        return disk;
      };
      await dyingAtEvery(
        halfSealed,
        async (fs) => {
          const journal = new FileJournal('/data', fs);
          const segments = new FileSegments('/data', fs);
          const writer = fakeWriter(new FakeClock());
          // What is not sealed yet is not to be hashed.
          await chain(journal, segments, 'control', writer);
          await journal.append('control', [recordOf(0)]);
          await chain(journal, segments, 'control', writer);
        },
        async (disk, call) => {
          await goesOn(disk, call);
          // What a hash was taken of is still there.
          const verdict = await verifyChain(new FileSegments('/data', disk.process()), 'control');
          expect(verdict, `sealer's call ${sealed}, call ${call}`).toMatchObject({ kind: 'intact' });
        },
      );
    }
  });
});
