// A mode of the tasks as a verb at a shell: its world, what it prints, and an honest exit code.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { plain, plainJson } from '../cli/format.ts';
import { handedConnection } from '../door/handover.ts';
import { dataPath } from '../invocation/data-dir.ts';
import { type Log, writeQuietly } from '../invocation/stash-log.ts';
import { runMode, type TaskMode } from '../invocation/task.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import {
  DOCUMENTS,
  type DocumentName,
  isDocumentName,
  jsonSchemaOf,
  labelled,
  schemaName,
} from '../schemas/documents.ts';
import type { StashConnection } from '../stash/connection.ts';
import { drainDetached } from './detached.ts';
import { printOut, saveFile } from './output.ts';
import { worldOf } from './process-world.ts';
import { runWatch } from './watch-verb.ts';

export interface CommandOptions {
  readonly json?: boolean;
  readonly data?: string;
  readonly stash?: string;
  readonly detached?: boolean;
  readonly linger?: string;
  readonly all?: boolean;
  readonly output?: string;
  readonly [option: string]: unknown;
}

/** `watch` is a verb only: what Stash starts ends. */
export async function runForPerson(mode: TaskMode | 'watch', options: CommandOptions): Promise<void> {
  const data = dataPath(null, options.data === undefined ? process.env : { BREAKWATER_DATA: options.data });
  if (mode === 'drain' && options.detached === true) return drainDetached(data, options.linger);
  const connection = connectionFor(options);
  const here = worldOf('cli', data, connection, personLog(options.json === true));
  // Of nothing, "no outage" would be the answer: most likely the folder is another. Doctor says it by itself.
  if (mode !== 'doctor' && !existsSync(data)) {
    const what = mode === 'watch' ? 'it is made now' : '--data names another';
    writeQuietly(2, `There is no folder ${plain(data)} yet: ${what}.\n`);
  }
  // Only a person says where else a file goes: it is no argument of the mode, which Stash could give.
  const { output } = options;
  const world = {
    ...here,
    ...(output === undefined
      ? {}
      : { dir: { ...here.dir, reportPath: resolve(output) }, saveReport: saveFile }),
    ...(options.json === true ? {} : { print: (line: string) => printOut(`${plain(line)}\n`) }),
  };
  try {
    const result =
      mode === 'watch'
        ? await runWatch(world, data, connection, String(options.every))
        : await runMode(mode, world, options.all === true ? { ...options, scope: 'all' } : options);
    print(mode, result, options);
    process.exitCode = result.isOk ? 0 : 1;
  } catch (error) {
    writeQuietly(2, `breakwater: ${plain((error as Error).message)}\n`);
    process.exitCode = 2;
  } finally {
    await world.stash.close();
  }
}

/** Without a verb: which there are. */
export function printSchema(verb: string | undefined): void {
  if (verb === undefined) {
    for (const name of Object.keys(DOCUMENTS) as DocumentName[]) printOut(`${schemaName(name)}\n`);
    return;
  }
  if (!isDocumentName(verb)) {
    writeQuietly(2, `breakwater: "${plain(verb)}" has no schema; "schema" lists those that have\n`);
    process.exitCode = 2;
    return;
  }
  printOut(`${JSON.stringify(jsonSchemaOf(verb), null, 2)}\n`);
}

function print(mode: TaskMode | 'watch', result: TaskResult, { json, output }: CommandOptions): void {
  const { file, lines } = result;
  if (file !== undefined && output !== undefined) {
    saveFile(output, file.text, file.mode);
    if (json !== true) writeQuietly(2, `Written to ${plain(output)}\n`);
    return;
  }
  if (json === true) printOut(`${plainJson(labelled(mode, result.document))}\n`);
  else if (file !== undefined) printOut(file.text);
  // Whatever a line is about, parts of it may be the words of others.
  else if (lines.length > 0) printOut(`${lines.map(plain).join('\n')}\n`);
}

function connectionFor(options: CommandOptions): StashConnection {
  const handed = handedConnection(process.env);
  if (handed !== null) return handed;
  const origin = (options.stash ?? process.env.STASH_URL ?? 'http://127.0.0.1:9999').replace(/\/+$/, '');
  const key = process.env.STASH_API_KEY;
  return { origin, credential: key ? { kind: 'apiKey', value: key } : { kind: 'none' } };
}

function personLog(isQuiet: boolean): Log {
  return {
    line: (level, text) => {
      if (!isQuiet && level !== 'debug') writeQuietly(2, `${plain(text)}\n`);
    },
    progress: () => {},
  };
}
