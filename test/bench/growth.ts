// What a long outage leaves on the disk: Plex is away for a week while a scene is saved every second. The real looks and
// drainers over the real journal in a temp folder, on a virtual clock; only fdatasync is left out, which costs time and no
// byte. `GROWTH_DAYS` makes it another time, `GROWTH_KEEP_MIB` keeps less of the queue. Over its bound is an exit code.

import * as nodeFs from 'node:fs';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { verifyChain } from '../../src/breaker/journal/chain.ts';
import type { JournalFs } from '../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import { readAll } from '../../src/breaker/journal/journal.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { drain } from '../../src/invocation/drainer.ts';
import { HOUSE_RULES, type HouseRules } from '../../src/invocation/housekeeping.ts';
import type { World } from '../../src/invocation/world.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { NO_FILE } from '../../src/settings/file.ts';
import { ANY_CHANGE, look } from '../../src/wake/look.ts';
import { seeToDrainer } from '../../src/wake/see-to-drainer.ts';
import { fakeWriter } from '../support/fake-writer.ts';
import { FakePlex, FakeStash, VirtualProcess, VirtualTime } from '../support/virtual-world.ts';

const DAYS = Number(process.env.GROWTH_DAYS ?? 7);
const SCENES = 5_000;
const CHANGE_EVERY_MS = 1_000;
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;
/** As the settings have it. */
const RETENTION = { keepMs: 90 * DAY_MS, maxBytes: Number(process.env.GROWTH_KEEP_MIB ?? 256) * MIB };
const RULES: HouseRules = { ...HOUSE_RULES, retentionOf: () => RETENTION };
/** Kept segments, the one that is written to, the image, control and checkpoints. */
const MAX_PEAK_BYTES = RETENTION.maxBytes + 64 * MIB;
const MAX_CONTROL_BYTES_A_DAY = 2 * MIB;

const time = new VirtualTime();
const stash = new FakeStash(time);
const plex = new FakePlex(time, 'machine-1');
const data = mkdtempSync(path.join(tmpdir(), 'breakwater-growth-'));
const unsynced: JournalFs = { ...nodeFs, fdatasyncSync: () => {} };
let invocations = 0;
let drainers = 0;
let background: Promise<unknown> = Promise.resolve();

main()
  .catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 2;
  })
  .finally(() => rmSync(data, { recursive: true, force: true }));

async function main(): Promise<void> {
  for (let id = 1; id <= SCENES; id++) {
    stash.edit(`${id}`, { title: `title ${id}`, updatedAt: 0 });
    plex.add(`${id}`);
  }
  row('when', 'control', 'queue', 'image', 'checkpoints', 'all');
  await time.during(async () => {
    await change(1);
    await settled();
    const isBack = plex.goAway();
    let peak = 0;
    for (let day = 1; day <= DAYS; day++) {
      for (let second = 0; second < DAY_MS / CHANGE_EVERY_MS; second++) {
        await change(1 + ((second * 7 + day) % SCENES));
        await time.sleep(CHANGE_EVERY_MS);
      }
      peak = Math.max(peak, told(`day ${day} of the outage`));
    }
    const { control } = sizes();
    isBack();
    await change(1);
    await settled();
    await drained();
    peak = Math.max(peak, told('all delivered'));
    await time.sleep(RETENTION.keepMs);
    await drained();
    told(`${RETENTION.keepMs / DAY_MS} days later`);
    await summary(peak, control);
  });
}

function newProcess(kind: string) {
  const writer = fakeWriter(time.clock, `${kind}-${++invocations}`, invocations);
  const dir = { ...openDataDir(data), journal: new FileJournal(data, unsynced) };
  return { writer, dir };
}

/** A scene is saved, and the wake that its hook asked for has come and gone. */
async function change(scene: number): Promise<void> {
  stash.edit(`${scene}`, { updatedAt: stash.now });
  const world = newWorld('wake');
  const looked = await look(world, { ...ANY_CHANGE, hookAt: stash.now });
  if (looked.kind === 'blind') throw new Error(`a wake saw nothing: ${looked.failure.detail}`);
  await seeToDrainer(world, looked.agenda, false);
  await world.dir.journal.close();
}

async function drained(): Promise<void> {
  drainers += 1;
  const world = newWorld('drain');
  await drain(world, { isImpatient: false, mayWait: true });
  await world.dir.journal.close();
}

function newWorld(kind: string) {
  const { writer, dir } = newProcess(kind);
  const virtual = new VirtualProcess(time, writer.inv, {});
  return {
    dir,
    house: { segments: new FileSegments(data, unsynced), rules: RULES },
    writer,
    settingsFile: { read: () => NO_FILE, write: () => {} },
    stash: stash.port(virtual),
    connectPlex: (_, hasEverWorked) => plex.port(writer.inv, virtual, hasEverWorked),
    fingerprint: ({ plexUrl }) => plexUrl,
    drainers: {
      isStashInit: () => false,
      startDetached: async () => {
        background = drained();
      },
    },
    env: {},
    sleep: (ms) => time.sleep(ms),
    log: { line: () => {}, progress: () => {} },
  } satisfies World;
}

async function settled(): Promise<void> {
  for (let last = null; last !== background; ) {
    last = background;
    await background;
  }
}

function sizes() {
  const found = { control: 0, queue: 0, image: 0, checkpoints: 0 };
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { size } = statSync(path.join(entry.parentPath, entry.name));
    if (entry.parentPath !== data) found.checkpoints += size;
    else if (entry.name.includes('.image.')) found.image += size;
    else found[entry.name.startsWith('control') ? 'control' : 'queue'] += size;
  }
  return found;
}

/** All bytes. */
function told(when: string): number {
  const { control, queue, image, checkpoints } = sizes();
  const all = control + queue + image + checkpoints;
  row(when, ...[control, queue, image, checkpoints, all].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`));
  return all;
}

async function summary(peak: number, control: number): Promise<void> {
  const { writer, dir } = newProcess('reader');
  const { queue, damaged } = await QueueLog.open(dir.journal, writer);
  let records = 0;
  for await (const entry of readAll(dir.journal, 'control')) records += entry.kind === 'record' ? 1 : 0;
  const chain = await verifyChain(new FileSegments(data), 'control');
  const changes = (DAYS * DAY_MS) / CHANGE_EVERY_MS;
  const line = (text: string) => process.stdout.write(`${text}\n`);
  line(
    `${changes} changes, ${drainers} drainers; ${queue.known.size} scenes delivered, ${queue.counts.pending} pending`,
  );
  line(
    `${(control / DAYS / 1024).toFixed(0)} KiB of control a day (${records} records in all), chain ${chain.kind}`,
  );
  line(`peak ${(peak / MIB).toFixed(1)} MiB, bound ${(MAX_PEAK_BYTES / MIB).toFixed(0)} MiB`);
  const isSound =
    queue.known.size === SCENES && queue.counts.pending === 0 && damaged === 0 && chain.kind === 'intact';
  const isBounded = peak <= MAX_PEAK_BYTES && control / DAYS <= MAX_CONTROL_BYTES_A_DAY;
  line(isSound && isBounded ? 'within bounds' : isSound ? 'OVER BOUNDS' : 'NOT SOUND');
  process.exitCode = isSound && isBounded ? 0 : 1;
}

function row(when: string, ...cells: readonly string[]): void {
  process.stdout.write(`${when.padEnd(22)}${cells.map((cell) => cell.padStart(12)).join('')}\n`);
}
