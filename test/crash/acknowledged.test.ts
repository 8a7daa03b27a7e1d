// Real processes, real files, SIGKILL: whatever was acknowledged is there afterwards. What was not acknowledged may be there
// or not, but never twice and never in part. Each test prints what it counted.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { readAll } from '../../src/breaker/journal/journal.ts';
import { wholeSecond } from '../simulators/stash/time.ts';
import { bundledProgram } from '../support/bundled-program.ts';
import { BUNDLE, LiveWorld, until } from '../support/live-world.ts';
import { seeded } from '../support/seeded.ts';
import { tempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env.BREAKWATER_LONG === '1';
const SEED = Number(process.env.BREAKWATER_SEED ?? Date.now() % 1_000_000);

let world: LiveWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A process that may be killed at any moment; `said` is what it had printed by then. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = process.env, input = '') {
  const child: ChildProcess = spawn(process.execPath, [...args], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const ended = new Promise<{ said: string; code: number | null }>((resolve) =>
    child.once('close', (code) => resolve({ said, code })),
  );
  return { child, ended };
}

const APPENDERS = IS_LONG ? 16 : 8;
const APPENDS = IS_LONG ? 3_000 : 250;
/** Each of the two halves of them is killed once, at a moment that is drawn. */
const HALVES = 2;

test(`${APPENDERS} processes append and are killed: nothing that was acknowledged is lost (BREAKWATER_SEED=${SEED})`, async () => {
  const draw = seeded(SEED);
  const dir = tempDir();
  const script = await bundledProgram('acknowledging-appender', dir);
  const data = join(dir, 'data');
  const acknowledged = new Set<string>();
  let kills = 0;
  const life = async (name: string, isKilled: boolean) => {
    let first = 0;
    for (let half = 0; half < HALVES; half++) {
      const count = APPENDS / HALVES;
      const { child, ended } = start([script, data, `${name}-${half}`, String(first), String(count)]);
      // Counted in acknowledgements, so that it falls into the work however slow the machine is.
      const lastWords = Math.floor(draw() * count);
      let heard = 0;
      child.stdout?.on('data', (chunk) => {
        heard += String(chunk).split('\n').length - 1;
        if (isKilled && heard >= lastWords && child.exitCode === null && child.signalCode === null)
          child.kill('SIGKILL');
      });
      const { said, code } = await ended;
      if (code === null) kills += 1;
      else expect(code, name).toBe(0);
      // A word that was cut off is none.
      for (const n of said.split('\n').slice(0, -1)) acknowledged.add(`${name}-${half} ${n}`);
      first += count;
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, (_, index) => life(`p${index}`, index % 2 === 0)));

  const journal = new FileJournal(data);
  onTestFinished(() => journal.close());
  const parts = new Map<string, number[]>();
  let damaged = 0;
  for (const stream of ['control', 'queue'] as const) {
    for await (const entry of readAll(journal, stream)) {
      if (entry.kind !== 'record') {
        damaged += 1;
        continue;
      }
      const { inv, data: said } = entry.record;
      const name = `${inv} ${said.n}`;
      parts.set(name, [...(parts.get(name) ?? []), said.part as number]);
    }
  }
  const lost = [...acknowledged].filter((name) => !parts.has(name));
  // A write is whole or not at all: only a process that the kernel stopped in the middle of one may leave a part.
  const torn = [...parts].filter(([name, got]) => got.length !== 1 + (Number(name.split(' ')[1]) % 3));
  summary(
    `appends: ${acknowledged.size} acknowledged by ${APPENDERS * HALVES} processes, ${kills} killed, ${parts.size - acknowledged.size} written but not acknowledged, ${damaged} damaged lines, ${lost.length} lost`,
  );
  expect(kills).toBeGreaterThan(0);
  expect(lost).toEqual([]);
  expect(torn.filter(([name]) => acknowledged.has(name))).toEqual([]);
  expect(damaged).toBeLessThanOrEqual(kills);
  for (const [name, got] of parts) expect(got, name).toEqual([...got.keys()]);
});

const ROUNDS = IS_LONG ? 30 : 2;
const SCENES = 32;
const WAKES = 6;
const DRAINERS = 4;

test(
  `${WAKES} wakes at once with ${DRAINERS} drainers, killed at random: every change arrives (BREAKWATER_SEED=${SEED})`,
  async () => {
    const draw = seeded(SEED + 1);
    world = await LiveWorld.start({ scenes: SCENES, settings: { vigilMinutes: 0 } });
    const { stash, data } = world;
    const there = world;
    const env = { ...process.env, BREAKWATER_DATA: data, STASH_URL: stash.url };
    const stdin = () =>
      JSON.stringify({
        server_connection: { Scheme: 'http', Host: '127.0.0.1', Port: stash.port, Dir: there.root },
        args: { mode: 'wake', scope: 'changes', at: Date.now() },
      });
    const counts = { ended: 0, wakesKilled: 0, drainersKilled: 0 };

    const mayKill = (child: ChildProcess, withinMs: number): void => {
      if (draw() < 0.5) return;
      const timer = setTimeout(() => child.kill('SIGKILL'), draw() * withinMs);
      child.once('close', () => clearTimeout(timer));
    };
    let changedAt = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Beneath Stash's hooks: here the test asks for the wakes.
      changedAt = Math.max(changedAt + 1_000, wholeSecond(Date.now()));
      for (const scene of stash.db.scenes())
        Object.assign(scene, { title: `round ${round}`, updatedAt: changedAt });
      let isPromised = false;
      const wakes = Array.from({ length: WAKES }, async (_, index) => {
        const { child, ended } = start([BUNDLE], env, stdin());
        if (index % 3 !== 0) mayKill(child, 1_500);
        const { said, code } = await ended;
        if (code === null) counts.wakesKilled += 1;
        if (!said.includes('"output"')) return;
        counts.ended += 1;
        isPromised = true;
      });
      const drainers = Array.from({ length: DRAINERS }, async () => {
        const { child, ended } = start([BUNDLE, 'drain', '--data', data], env);
        mayKill(child, 1_000);
        if ((await ended).code === null) counts.drainersKilled += 1;
      });
      const killed = world.killDrainer();
      await Promise.all([...wakes, ...drainers, killed]);
      if ((await world.killDrainer()) !== null) counts.drainersKilled += 1;
      // What Stash had committed before a wake started is in the journal when that wake has ended.
      expect(isPromised).toBe(true);
      const found = (await world.queueRecords()).filter(({ data: said }) => said.changedAt === changedAt);
      expect(new Set(found.map(({ data: said }) => said.job)).size).toBe(SCENES);
    }
    await until(
      'nothing is pending',
      async () => {
        await there.cli('drain');
        const { pending, deferred } = (await there.queue()).counts;
        return pending + deferred === 0;
      },
      60_000,
    );
    const titles = stash.db.scenes().map(({ id }) => there.title(id));
    const { jobs, counts: left } = await world.queue();
    summary(
      `wakes: ${counts.ended} ended well, ${counts.wakesKilled} killed; ${counts.drainersKilled} drainers killed; ${left.delivered} deliveries of ${ROUNDS * SCENES} changes`,
    );
    expect(new Set(titles)).toEqual(new Set([`round ${ROUNDS - 1}`]));
    expect(jobs.size).toBe(0);
    expect((await world.steps()).filter(({ agreement }) => agreement === 'drift')).toEqual([]);
  },
  120_000 + ROUNDS * 20_000,
);

function summary(line: string): void {
  process.stderr.write(`${line}\n`);
}
