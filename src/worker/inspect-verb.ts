// The verb `inspect` as this process runs it: its page, its token, its signals.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processWriter } from '../breaker/index.ts';
import { CHART_CSS } from '../chart/svg.ts';
import { type InspectWords, inspectWish } from '../inspect/options.ts';
import { dataPath, openDataDir } from '../invocation/data-dir.ts';
import { inspectionLines, inspectJournal } from '../invocation/inspect.ts';
import { outageNamed } from '../invocation/outage-history.ts';
import { writeQuietly } from '../invocation/stash-log.ts';
import { printOut } from './output.ts';

/** Beside the bundle; read at once, because an update may replace it while we run. */
const PAGE_FILE = 'breakwater-inspect.html';

export interface InspectOptions extends InspectWords {
  readonly data?: string;
  readonly jsonl?: boolean;
  readonly open?: boolean;
}

export async function runInspect(options: InspectOptions): Promise<void> {
  const page = readFileSync(path.join(__dirname, PAGE_FILE), 'utf8').replace('/*CHART*/', () => CHART_CSS);
  const env = options.data === undefined ? process.env : { BREAKWATER_DATA: options.data };
  const { journal } = openDataDir(dataPath(null, env));
  const writer = processWriter('cli');
  const outage = await outageNamed(options.outage ?? '', journal, writer);
  const wish = inspectWish(outage === '' ? options : { ...options, outage }, writer.now().at);
  if (options.jsonl === true) {
    await inspectionLines({ journal, writer }, wish, (line) => printOut(`${line}\n`));
    return;
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  await inspectJournal(
    {
      journal,
      writer,
      page,
      token: randomBytes(24).toString('base64url'),
      sleep: (ms) => sleep(ms),
      say: (line) => printOut(`${line}\n`),
      stdin: process.stdin,
      signal: ending.signal,
      onListening: ({ url }) => {
        if (options.open === true) openInBrowser(url);
      },
    },
    wish,
  );
  process.exit();
}

/** Whoever lists the processes of this machine just then can read the address, which is why it is asked for. */
function openInBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true });
  child.once('error', () => writeQuietly(2, 'no browser could be started: open the address yourself\n'));
  child.unref();
}
