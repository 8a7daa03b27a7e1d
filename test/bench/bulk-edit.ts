// A bulk edit of many scenes in Stash, as the person who saves it waits for it: with no plugin, with this one, and with the
// Node hook that it had before (built from the commit that had it last), in turn, a slice of scenes each. Also how long
// after an edit Plex is asked to change.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { type PlexSimulator, startPlexSimulator } from '../simulators/plex/server.ts';
import { type StashSimulator, startStashSimulator } from '../simulators/stash/server.ts';
import { median, quantile } from './measure.ts';

const ROOT = path.join(__dirname, '../..');
/** The last commit whose hook was a Node process. */
const NODE_HOOK_COMMIT = '315317e';
const SCENES = Number(process.env.BENCH_SCENES ?? 1_000);
const SLICE = 250;
const LONE_EDITS = 10;
/** What this plugin may add to a scene, in ms. */
const BUDGET_MS = 2;
const NO_PLUGIN = 'no plugin';
const IDLE = 'a script that does nothing';
const TOKEN = 'bench-token-0000';

interface Arm {
  readonly name: string;
  readonly stash: StashSimulator;
  readonly plex: PlexSimulator;
  /** A scene, in ms, of each slice. */
  readonly perSceneMs: number[];
}

/** Whether it is within its budget. */
export async function benchBulkEdit(): Promise<boolean> {
  const root = mkdtempSync(path.join(tmpdir(), 'breakwater-bulk-'));
  const arms: Arm[] = [];
  try {
    arms.push(await arm(NO_PLUGIN, root, null));
    arms.push(await arm('this plugin', root, path.join(ROOT, 'dist/plugin')));
    arms.push(await arm(IDLE, root, idleScript(root)));
    const before = builtFrom(NODE_HOOK_COMMIT, root);
    if (before !== null) arms.push(await arm('the Node hook of before', root, before));
    for (let first = 1; first <= SCENES; first += SLICE) {
      for (const one of arms) one.perSceneMs.push(await editSlice(one.stash, first));
    }
    const isWithin = report(arms);
    for (const one of arms.filter(({ name }) => name !== NO_PLUGIN && name !== IDLE))
      await reportArrivals(one);
    return isWithin;
  } finally {
    for (const { stash, plex } of arms) {
      await stash.idle();
      await stash.close();
      await plex.close();
    }
    rmSync(root, { recursive: true, force: true });
  }
}

async function arm(name: string, root: string, plugin: string | null): Promise<Arm> {
  const dir = path.join(root, name.replaceAll(' ', '-'));
  const plugins = path.join(dir, 'plugins');
  mkdirSync(plugins, { recursive: true });
  if (plugin !== null) cpSync(plugin, path.join(plugins, 'breakwater'), { recursive: true });
  const plex = await startPlexSimulator({ token: TOKEN, items: SCENES });
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env as Record<string, string>;
  const stash = await startStashSimulator({ plugins, dir, scenes: SCENES, version: 'v0.30.1', env });
  stash.configurePlugin('breakwater', { plexUrl: plex.url, plexToken: TOKEN, vigilMinutes: '0' });
  return { name, stash, plex, perSceneMs: [] };
}

async function editSlice(stash: StashSimulator, first: number): Promise<number> {
  const ids = Array.from({ length: SLICE }, (_, index) => `"${first + index}"`).join(',');
  const startedMs = performance.now();
  await stash.graphql(`mutation{bulkSceneUpdate(input:{ids:[${ids}],details:"slice ${first}"}){id}}`);
  return (performance.now() - startedMs) / SLICE;
}

function report(arms: readonly Arm[]): boolean {
  const base = arms[0]?.perSceneMs ?? [];
  process.stdout.write(`bulk edit of ${SCENES} scenes in slices of ${SLICE}, in turn; ms for each scene\n`);
  const medians = arms.map(({ name, perSceneMs }) => {
    const middle = median(perSceneMs);
    const ratio = middle / median(base);
    process.stdout.write(
      `${name.padEnd(26)} median ${middle.toFixed(2).padStart(7)}  worst slice ${quantile(perSceneMs, 1).toFixed(2).padStart(7)}  × ${ratio.toFixed(1)} of no plugin\n`,
    );
    return middle;
  });
  const [none = Number.NaN, ours = Number.NaN, idle = Number.NaN] = medians;
  const addedMs = ours - none;
  process.stdout.write(
    `this plugin adds ${addedMs.toFixed(2)} ms to a scene (budget ${BUDGET_MS}); a script that does nothing adds ${(idle - none).toFixed(2)}, for the simulator's threads\n`,
  );
  return addedMs <= BUDGET_MS;
}

/** From the answer to a lone edit until Plex is asked to change. */
async function reportArrivals({ name, stash, plex }: Arm): Promise<void> {
  await stash.idle();
  const took: number[] = [];
  for (let id = 1; id <= LONE_EDITS; id++) {
    const title = `lone ${id}`;
    await stash.updateScene(id, { title });
    const savedAt = Date.now();
    took.push(await askedAt(plex, title, savedAt));
  }
  process.stdout.write(
    `${name.padEnd(26)} edit to PUT: median ${(median(took) / 1000).toFixed(2)} s, longest ${(quantile(took, 1) / 1000).toFixed(2)} s of ${LONE_EDITS}\n`,
  );
}

async function askedAt(plex: PlexSimulator, title: string, savedAt: number): Promise<number> {
  for (;;) {
    const put = plex.requests.findLast(
      ({ method, query }) => method === 'PUT' && query['title.value'] === title,
    );
    if (put !== undefined) return Math.max(0, put.at - savedAt);
    if (Date.now() - savedAt > 60_000) throw new Error(`"${title}" did not arrive in a minute`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What every script costs here. */
function idleScript(root: string): string {
  const dir = path.join(root, 'idle');
  mkdirSync(dir);
  writeFileSync(path.join(dir, 'idle.js'), '({ Output: "ok" })');
  writeFileSync(
    path.join(dir, 'idle.yml'),
    'name: Idle\nexec:\n  - idle.js\ninterface: js\nhooks:\n  - name: Idle\n    triggeredBy:\n      - Scene.Update.Post\n',
  );
  return dir;
}

/** Null, loudly, where the history is not here (a shallow clone). */
function builtFrom(commit: string, root: string): string | null {
  const tree = path.join(root, 'before');
  mkdirSync(tree);
  try {
    const tar = path.join(root, 'before.tar');
    execFileSync(
      'git',
      ['archive', '-o', tar, commit, 'src', 'machines', 'package.json', 'tsconfig.json', 'LICENSE'],
      {
        cwd: ROOT,
      },
    );
    execFileSync('tar', ['-xf', tar, '-C', tree]);
  } catch {
    process.stdout.write(`SKIPPED: the Node hook of before (commit ${commit} is not in this clone)\n`);
    return null;
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'));
  execFileSync(process.execPath, ['src/build/build.mjs', '--quiet'], { cwd: tree });
  const plugin = path.join(tree, 'dist/plugin');
  if (!existsSync(plugin)) throw new Error('the plugin of before was not built');
  return plugin;
}
