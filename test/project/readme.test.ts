// Every command in the README works as printed: each line of its shell blocks is run, in order, by a shell.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SETTING_NAMES, specOf } from '../../src/settings/schema.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** These run in tests of their own, or would run this one. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'npm run demo',
  'npm test',
  'npm run bench',
  'npm run bench:replay',
  'npm run bench:growth',
  'npm run coverage',
  'npm run mutate',
]);

const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

test('the first lines are the two commands', () => {
  expect(
    readme
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(' #')[0]?.trim()),
  ).toEqual(['npm run demo', 'npm test']);
});

test.each(commands.filter((command) => !ELSEWHERE.has(command)))('%s', async (command) => {
  const data = mkdtempSync(path.join(tmpdir(), 'breakwater-readme-'));
  try {
    const { code, output } = await run(command.replaceAll('./breakwater', data));
    expect(code, output).toBe(0);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test('every script that it names exists', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: object;
  };
  for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
});

test('every folder that it names exists', () => {
  for (const [, name] of readme.matchAll(/`((?:src|machines)\/[\w/.-]*)`/g)) {
    expect(existsSync(path.join(root, name ?? '')), name).toBe(true);
  }
});

test('its tables of settings are those of the code, and the plugin shows the ones that it should', () => {
  const yml = readFileSync(path.join(root, 'src/door/breakwater.yml'), 'utf8');
  const inYml = [...(yml.split('\nsettings:\n')[1] ?? '').matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name);
  expect(inYml).toEqual(SETTING_NAMES.filter((name) => specOf(name).isInStash));
  const section = readme.split('## Settings')[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(([, ...cells]) => cells);
  const expected = SETTING_NAMES.map((name) => {
    const { standard, meaning } = specOf(name);
    const shown = standard === false ? 'off' : standard === true ? 'on' : String(standard);
    return [name, shown, meaning];
  });
  expect(rows).toEqual(expected);
});

test('every dependency has its reason', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    if (!name.startsWith('@types/')) expect(readme, name).toContain(`\`${name}\``);
  }
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

function run(command: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-c', command], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
