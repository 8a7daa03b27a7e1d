// The simulator as a program of its own, bundled as the build does it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { printable } from './stash/log.ts';
import { atEnd, tempDir, until, writePlugins } from './stash-fixture.ts';

const ENTRY = fileURLToPath(new URL('./stash/main.ts', import.meta.url));
let bundle = '';

beforeAll(() => {
  const { outputFiles } = buildSync({
    entryPoints: [ENTRY],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  bundle = outputFiles[0]!.text;
});

interface Running {
  readonly child: ChildProcess;
  readonly lines: () => string[];
}

async function run(args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, ['-', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  atEnd(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stdin.end(bundle);
  await until('the first line', () => text.includes('\n'));
  return { child, lines: () => text.split('\n').slice(0, -1) };
}

test('says where it is, prints log lines as they come, and ends cleanly', async () => {
  const plugins = writePlugins({
    p: { hooks: ['Scene.Update.Post'], script: "log('i', 'red \\x1b[31m'); answer({ output: 1 })" },
  });
  const dir = join(tempDir(), 'config');
  const { child, lines } = await run(
    `--port 0 --plugins ${plugins} --dir ${dir} --scenes 2 --root /m --api-key K --stash-version v0.30.1`.split(
      ' ',
    ),
  );
  const [, url, control] = /^stash simulator on (\S+) control (\S+)$/.exec(lines()[0]!)!;
  expect((await fetch(`${url}/graphql`, { method: 'POST' })).status).toBe(401);
  const query =
    'mutation { sceneUpdate(input: {id: 2, title: "x"}) { files { path } groups { scene_index } } }';
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ApiKey: 'K' },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: unknown };
  expect(data).toEqual({ sceneUpdate: { files: [{ path: '/m/clip 2.mp4' }], groups: [] } });
  await until('the log lines', () => lines().length === 3);
  expect(lines().slice(1)).toEqual([
    'info [p] red \\x1b[31m',
    'debug Scene.Update.Post [Plugin p]: returned: 1',
  ]);
  expect(await (await fetch(`${control}/runs`)).json()).toHaveLength(1);
  expect(existsSync(join(dir, 'config.yml'))).toBe(true);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test.each([
  ['--plugins x', '--port is missing'],
  ['--port 0', '--plugins is missing'],
  ['--port x --plugins y', '--port must be a whole number up to 65535'],
  ['--port 0 --plugins y --username u', '--username and --password go together'],
  ['--port 0 --plugins y --what', "Unknown option '--what'"],
])('%s ends with 2 and says why', (args, reason) => {
  const { status, stderr } = spawnSync(process.execPath, ['-', ...args.split(' ')], {
    input: bundle,
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toContain(`sim-stash: ${reason}`);
  expect(stderr).toContain('usage: sim-stash');
});

test('control characters are shown and never sent to a terminal', () => {
  expect(printable('a\u001b[0m\u0007\nü')).toBe('a\\x1b[0m\\x07\\x0aü');
});
