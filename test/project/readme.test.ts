// Every command in the READMEs works as printed: each line of their shell blocks is run, in order, by a shell. Links lead
// somewhere, and words that are explained are words of the code.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { SETTING_NAMES, specOf } from '../../src/settings/schema.ts';
import { filesIn, root, textOf } from './files.ts';

const readmes = ['README.md', ...filesIn(['machines', 'src', 'test'], /(^|[\\/])README\.md$/)];
const texts = new Map(readmes.map((file) => [file, textOf(file)]));
const readme = textOf('README.md');
const all = [...texts.values()].join('\n');

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

const printed = [...all.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');
const commands = [...new Set(printed)];

test('under the title are the two commands', () => {
  expect(readme).toMatch(/^# Breakwater\n\n```sh\nnpm run demo .*\nnpm test .*\n```\n/);
});

test('the README for users is short', () => {
  expect(readme.split(/\s+/).length).toBeLessThan(2_500);
});

const links = [...texts].flatMap(([file, text]) =>
  [...text.replace(/```[\s\S]*?```/g, '').matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, to = '']) => ({
    file,
    to,
  })),
);

test.each(links)('$file: the link to $to leads somewhere', ({ file, to }) => {
  const [where = '', anchor] = to.split('#');
  const target = where === '' ? file : path.posix.join(path.posix.dirname(file), where);
  expect(existsSync(path.join(root, target))).toBe(true);
  if (anchor === undefined) return;
  const headings = [...textOf(target).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  expect(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s/g, '-'),
    ),
  ).toContain(anchor);
});

test('every word that is explained is a word of the file that is named for it', () => {
  const section = textOf('src/README.md').split('\n## Words\n')[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| ([a-z, ]+?) +\| .* \| \[.*\]\(([^)]+)\) +\|$/gm)];
  expect(rows.length).toBeGreaterThan(25);
  for (const [, words = '', file = ''] of rows) {
    const code = readFileSync(path.join(root, 'src', file), 'utf8').toLowerCase();
    for (const word of words.split(', ')) expect(code, `${word} in ${file}`).toContain(word.split(' ')[0]);
  }
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

test('every script that is named exists', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: object;
  };
  for (const [, name] of all.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
});

test('every folder that is named exists', () => {
  for (const [, name] of all.matchAll(/`((?:src|machines)\/[\w/.-]*)`/g)) {
    expect(existsSync(path.join(root, name ?? '')), name).toBe(true);
  }
});

test('the tables of settings are those of the code, and the plugin shows the ones that it should', () => {
  const yml = readFileSync(path.join(root, 'src/door/breakwater.yml'), 'utf8');
  const inYml = [...(yml.split('\nsettings:\n')[1] ?? '').matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name);
  expect(inYml).toEqual(SETTING_NAMES.filter((name) => specOf(name).isInStash));
  const inReadme = readme.split('## Settings')[1]?.split('\n## ')[0] ?? '';
  const section = `${inReadme}${textOf('src/settings/README.md')}`;
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
    if (!name.startsWith('@types/')) expect(textOf('src/README.md'), name).toContain(`\`${name}\``);
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

test('a comment cites no document that is not here', () => {
  const cited = filesIn(['machines', 'src', 'test'], /\.(ts|mjs|cjs|sh|yml)$/).flatMap((name) =>
    [...textOf(name).matchAll(/^\s*(?:\/\/|\*|#).*?\b([\w./-]+\.md)\b/gm)].map(([, document = '']) => ({
      name,
      document,
    })),
  );
  const isHere = (name: string, document: string) =>
    existsSync(path.join(root, document)) || existsSync(path.join(root, path.dirname(name), document));
  expect(cited.filter(({ name, document }) => !isHere(name, document))).toEqual([]);
});
