// Real processes that append in two steps, as over a network, and of which one dies with the lock: what was acknowledged is
// there. What becomes of it where there is no lock, append-lock.test.ts shows.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { readAll } from '../../../src/breaker/journal/journal.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { recordOf } from './conformance.ts';

const IS_LONG = process.env.BREAKWATER_LONG === '1';
const APPENDERS = 16;
const APPENDS = IS_LONG ? 500 : 40;
/** Each costs the others the five seconds after which they take the lock from the dead. */
const DEATHS = IS_LONG ? ['taken', 'torn', 'written'] : ['torn'];

test.each(DEATHS)(
  `${APPENDERS} processes append over a network and one dies with the lock (%s)`,
  async (death) => {
    const dir = tempDir();
    const data = join(dir, 'data');
    const script = await bundledProgram('far-appender', dir);
    const acknowledged: string[] = [];
    const life = (name: string, dies: string) =>
      new Promise<NodeJS.Signals | number | null>((resolve) => {
        const child = spawn(process.execPath, [script, data, name, String(APPENDS), dies], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        let said = '';
        child.stdout.on('data', (chunk) => {
          said += String(chunk);
        });
        child.once('close', (code, signal) => {
          acknowledged.push(
            ...said
              .split('\n')
              .slice(0, -1)
              .map((n) => `${name} ${n}`),
          );
          resolve(signal ?? code);
        });
      });
    const ends = await Promise.all(
      Array.from({ length: APPENDERS }, (_, index) => life(`p${index}`, index === 0 ? death : 'never')),
    );
    expect(ends).toEqual(['SIGKILL', ...Array(APPENDERS - 1).fill(0)]);

    const journal = new FileJournal(data);
    onTestFinished(() => journal.close());
    // Finds the mark, and has to break the lock if who died was the last.
    expect(await journal.append('control', [recordOf(0)])).toEqual({ ok: true });
    const found: string[] = [];
    let damaged = 0;
    for await (const entry of readAll(journal, 'control')) {
      if (entry.kind === 'record') found.push(`${entry.record.inv} ${entry.record.data.n}`);
      else damaged += 1;
    }
    expect(acknowledged.length).toBe((APPENDERS - 1) * APPENDS + 1);
    expect(acknowledged.filter((name) => !found.includes(name))).toEqual([]);
    expect(found).toHaveLength(new Set(found).size);
    expect(damaged).toBe(death === 'torn' ? 1 : 0);
    // Taken once for each append, and once more by the dead.
    expect(readdirSync(data)).toContain(`append-lock.${(APPENDERS - 1) * APPENDS + 3}.free`);
  },
);
