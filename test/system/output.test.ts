// Where a command's words go: what could not be written is said and ends in an exit code, what a person named is written
// to and not replaced where it is no file, and nothing that is written reorders the text around it.

import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataDirOf } from '../support/data-dirs.ts';
import { BUNDLE, type Ended, spawnAndRead } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';

const HAS_DEVICES = fs.existsSync('/dev/full');

const cli = (...words: string[]) => spawnAndRead(process.execPath, [BUNDLE, ...words], process.env);

/** With its standard output in that file. */
function cliInto(file: string, ...words: string[]): Promise<Ended> {
  const fd = fs.openSync(file, 'a');
  onTestFinished(() => fs.closeSync(fd));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BUNDLE, ...words], { stdio: ['ignore', fd, 'pipe'] });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('close', (code) => resolve({ code, stdout: '', stderr }));
  });
}

const PRINTING: readonly (readonly string[])[] = [
  ['status'],
  ['status', '--json'],
  ['outages'],
  ['queue'],
  ['doctor'],
  ['verify'],
  ['why'],
  ['replay', '--jsonl'],
  ['replay', '--step'],
  ['backtest', '--recovery-timeout', '10s'],
  ['export'],
  ['export', '--format', 'csv', '--what', 'events'],
  ['export', '--format', 'prometheus'],
  ['export', '--golden'],
  ['report'],
  ['inspect', '--jsonl'],
];
/** Without a data dir. */
const BARE: readonly (readonly string[])[] = [['machines'], ['schema'], ['schema', 'status'], ['--help']];

describe.skipIf(!HAS_DEVICES)('a standard output that is full', () => {
  test.each([...PRINTING, ...BARE])('%s %s is one line on stderr, and an exit code', async (...words) => {
    const data = BARE.some(([verb]) => verb === words[0]) ? [] : ['--data', await dataDirOf('one-outage')];
    const { code, stderr } = await cliInto('/dev/full', ...words, ...data);
    expect(code).toBe(2);
    expect(stderr.match(/ENOSPC/g)).toHaveLength(1);
    expect(stderr).toMatch(/^breakwater: the standard output could not be written: ENOSPC.*\n$/);
  });
});

test('a reader that has gone is no error: nothing is said', async () => {
  const data = await dataDirOf('one-outage');
  const child = spawn(process.execPath, [BUNDLE, 'export', '--what', 'events', '--data', data]);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  expect(stderr).toBe('');
});

const WRITING: readonly (readonly string[])[] = [['export'], ['report'], ['machines', '--json']];

describe.skipIf(process.platform === 'win32')('-o', () => {
  async function write(file: string, words: readonly string[]): Promise<Ended> {
    const data = words[0] === 'machines' ? [] : ['--data', await dataDirOf('one-outage')];
    return cli(...words, ...data, '-o', file);
  }

  test.each(WRITING)('of %s %s writes through a link to the file that it leads to', async (...words) => {
    const dir = tempDir();
    const [file, link] = [path.join(dir, 'file'), path.join(dir, 'link')];
    fs.writeFileSync(file, 'before');
    fs.symlinkSync(file, link);
    expect(await write(link, words)).toMatchObject({ code: 0 });
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fs.readFileSync(file, 'utf8').length).toBeGreaterThan(100);
    expect(fs.readdirSync(dir).sort()).toEqual(['file', 'link']);
  });

  test.each(WRITING)('of %s %s writes through a pipe, and the pipe stays one', async (...words) => {
    const pipe = path.join(tempDir(), 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    // Open for both, so that nobody waits for the other end.
    const fd = fs.openSync(pipe, fs.constants.O_RDWR);
    const chunks: Buffer[] = [];
    const reader = fs.createReadStream('', { fd }).on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    onTestFinished(() => {
      reader.destroy();
      // It reads until something comes.
      fs.writeSync(fs.openSync(pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK), '\n');
    });
    expect(await write(pipe, words)).toMatchObject({ code: 0 });
    expect(fs.statSync(pipe).isFIFO()).toBe(true);
    await expect.poll(() => Buffer.concat(chunks).length, { timeout: 30_000 }).toBeGreaterThan(100);
  });

  test.each(WRITING)(
    'of %s %s says that nobody reads a pipe, a link leads nowhere, a folder is one',
    async (...words) => {
      const dir = tempDir();
      const at = (name: string) => path.join(dir, name);
      spawnSync('mkfifo', [at('pipe')]);
      fs.symlinkSync(at('nowhere'), at('link'));
      fs.mkdirSync(at('folder'));
      for (const [name, why] of [
        ['pipe', 'nobody reads from it'],
        ['link', 'ENOENT'],
        ['folder', 'it is a folder'],
      ] as const) {
        const { code, stdout, stderr } = await write(at(name), words);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr).toMatch(new RegExp(`^breakwater: cannot write to ${at(name)}: ${why}.*\\n$`));
      }
      expect(fs.readdirSync(dir).sort()).toEqual(['folder', 'link', 'pipe']);
    },
  );

  test.skipIf(!HAS_DEVICES)('/dev/stdout is where the shell has it, behind what is there', async () => {
    const link = path.join(tempDir(), 'stdout');
    // Not the real one: a mistake would replace it for everybody.
    fs.symlinkSync('/proc/self/fd/1', link);
    const printed = await write(link, ['machines', '--json']);
    expect(printed.code).toBe(0);
    expect(JSON.parse(printed.stdout)).toBeTypeOf('object');
    const file = path.join(tempDir(), 'out');
    fs.writeFileSync(file, 'before\n');
    expect(await cliInto(file, 'machines', '--json', '-o', link)).toMatchObject({ code: 0 });
    expect(fs.readFileSync(file, 'utf8')).toBe(`before\n${printed.stdout}`);
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test.skipIf(!HAS_DEVICES)('a device is written to, and is one afterwards', async () => {
    // By links, for the same reason.
    const dir = tempDir();
    for (const name of ['null', 'full']) fs.symlinkSync(`/dev/${name}`, path.join(dir, name));
    expect(await write(path.join(dir, 'null'), ['export'])).toMatchObject({ code: 0, stdout: '' });
    const full = await write(path.join(dir, 'full'), ['export']);
    expect(full.code).toBe(2);
    expect(full.stderr).toMatch(/^breakwater: cannot write to .*full.*ENOSPC.*\n$/);
    for (const name of ['null', 'full']) expect(fs.statSync(`/dev/${name}`).isCharacterDevice()).toBe(true);
  });
});
