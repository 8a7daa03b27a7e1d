// Everything but hooks: Stash tasks and operations, drainers, the command line. Loaded whole at its start,
// because an update may replace the files under a running process.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { dataPath, openDataDir } from '../invocation/data-dir.ts';
import { drain } from '../invocation/drainer.ts';
import { handedConnection } from '../invocation/handover.ts';
import { HOUSE_RULES } from '../invocation/housekeeping.ts';
import type { Input } from '../invocation/input.ts';
import { type InvocationKind, processWriter } from '../invocation/process.ts';
import { startDetached } from '../invocation/start-drainer.ts';
import { answer, forwardOnly, type Log, silentLog, stashLog, writeQuietly } from '../invocation/stash-log.ts';
import { isTaskMode, runMode, TASK_MODES, type TaskMode } from '../invocation/task.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import { FileSegments } from '../journal/file-segments.ts';
import { PlexClient } from '../plex/plex-client.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashConnection } from '../stash/connection.ts';
import { StashClient } from '../stash/stash-client.ts';

/** A task or operation that Stash started; ends with one document on stdout. */
export async function runTask({ args, from }: Extract<Input, { kind: 'task' }>): Promise<void> {
  const mode = args.mode;
  if (!isTaskMode(mode)) {
    const problem = `mode ${JSON.stringify(mode)} is not known; it is one of ${TASK_MODES.join(', ')}`;
    stashLog.line('error', problem);
    return answer({ error: problem });
  }
  const data = dataPath(from.dir, process.env);
  const world = worldOf('task', data, from.connection, forwardOnly(stashLog));
  try {
    const isForHook = args.by === 'hook';
    const result = await runMode(mode, world, args);
    // The task may not wait for Plex; somebody has to, or nobody sees it come back.
    if (isForHook && result.isAway === true) await startDetached(from.connection, data, __dirname);
    for (const line of result.lines) stashLog.line(result.isOk ? 'info' : 'warning', line);
    stashLog.progress(1);
    answer(
      result.isOk
        ? { output: result.document }
        : { error: result.lines.filter((line) => line !== '').join('; ') },
    );
  } catch (error) {
    const problem = (error as Error).message;
    stashLog.line('error', problem);
    answer({ error: problem });
  } finally {
    await world.stash.close();
  }
}

export async function runCommand(words: readonly string[]): Promise<void> {
  const program = new Command('breakwater')
    .description('Keeps Plex in step with Stash through every outage.')
    .configureOutput({ writeOut: (text) => writeQuietly(1, text), writeErr: (text) => writeQuietly(2, text) })
    .showHelpAfterError();
  const verb = (mode: TaskMode, words: string, description: string) =>
    program
      .command(words)
      .description(description)
      .option('--json', 'print one JSON document')
      .option('--data <dir>', 'the data dir (also BREAKWATER_DATA); by default ./breakwater')
      .option('--stash <url>', 'the address of Stash (also STASH_URL); the key goes into STASH_API_KEY')
      .action((...given: unknown[]) => {
        // Commander gives the arguments, then the options, then the command.
        const command = given.at(-1) as Command;
        const stance = given.length > 2 ? { stance: given[0] } : {};
        return runForPerson(mode, { ...command.opts<CommandOptions>(), ...stance });
      });
  const deadFilters = (command: Command) =>
    command
      .option(
        '--reason <reason>',
        'only those given up for this reason: ambiguous, missing, rejected, no-file',
      )
      .option('--job <scene>', 'only this scene')
      .option('--older-than <time>', 'only those given up at least so long ago, for instance 30d')
      .option('--outage <number>', 'only those given up during this outage');

  verb('status', 'status', 'what is known of Plex, what waits, what was given up');
  verb('outages', 'outages', 'the outages of Plex, with their bounds');
  verb('check', 'check', 'ask Plex whether it is there and accepts the token');
  verb('drain', 'drain', 'deliver what waits, deferred scenes as well').addOption(
    new Option('--detached').hideHelp(),
  );
  const scopes = (command: Command) =>
    command
      .option('--since <time>', 'scenes that Stash has seen change within this time, for instance 24h')
      .addOption(new Option('--all', 'every scene').conflicts(['scene', 'since', 'missing']));
  scopes(verb('sync', 'sync', 'deliver scenes that differ from Plex')).option(
    '--scene <ids>',
    'these scenes, with commas between, whether or not they differ',
  );
  scopes(verb('reconcile', 'reconcile', 'find what no hook told and what Plex has lost, and deliver it'))
    .option('--library <names>', 'only scenes whose items are in these Plex libraries')
    .option('--missing', 'only scenes that were never delivered')
    .option('--dry-run', 'show field by field what would change, and write nothing');
  verb('queue', 'queue', 'every change that waits or was given up');
  deadFilters(verb('dead', 'dead', 'what was given up, and why'));
  deadFilters(verb('retry', 'retry', 'queue again what was given up'));
  deadFilters(verb('drop', 'drop', 'forget what was given up'));
  verb('clear', 'clear', 'forget what waits; what was given up stays');
  verb('hold', 'hold <open|closed>', 'open: send nothing to Plex; closed: go on whatever the breaker says')
    .option('--for <time>', 'how long, for instance 2h', '1h')
    .option('--reason <text>', 'why, for the journal');
  verb('release', 'release', 'end a hold');
  await program.parseAsync([...words], { from: 'user' });
}

interface CommandOptions {
  readonly json?: boolean;
  readonly data?: string;
  readonly stash?: string;
  readonly detached?: boolean;
  readonly all?: boolean;
  readonly [option: string]: unknown;
}

async function runForPerson(mode: TaskMode, options: CommandOptions): Promise<void> {
  const data = dataPath(null, options.data === undefined ? process.env : { BREAKWATER_DATA: options.data });
  if (mode === 'drain' && options.detached === true) return drainDetached(data);
  const world = worldOf('cli', data, connectionFor(options), personLog(options.json === true));
  try {
    const result = await runMode(mode, world, options.all === true ? { ...options, scope: 'all' } : options);
    print(result, options.json === true);
    process.exitCode = result.isOk ? 0 : 1;
  } catch (error) {
    writeQuietly(2, `breakwater: ${(error as Error).message}\n`);
    process.exitCode = 2;
  } finally {
    await world.stash.close();
  }
}

/** Started by a hook; nobody listens, the journal is its only voice. */
async function drainDetached(data: string): Promise<void> {
  const handed = handedConnection(process.env);
  if (handed === null) throw new Error('a detached drainer is started by a hook only');
  const world = worldOf('drain', data, await lasting(handed), silentLog);
  try {
    await drain(world, { isImpatient: false, mayWait: true });
  } finally {
    await world.stash.close();
  }
}

/** The session cookie lives an hour; where Stash has an API key, that lasts. */
async function lasting(connection: StashConnection): Promise<StashConnection> {
  if (connection.credential.kind !== 'cookie') return connection;
  const client = new StashClient(connection);
  try {
    const key = await client.apiKey();
    if (!key.ok || key.value === '') return connection;
    return { ...connection, credential: { kind: 'apiKey', value: key.value } };
  } finally {
    await client.close();
  }
}

function worldOf(kind: InvocationKind, data: string, connection: StashConnection, log: Log): World {
  const writer = processWriter(kind);
  return {
    dir: openDataDir(data),
    house: { segments: new FileSegments(data), rules: HOUSE_RULES },
    writer,
    stash: new StashClient(connection),
    connectPlex: (settings, hasEverWorked) => {
      const { plexUrl, plexToken, allowsSelfSigned, requestTimeoutMs } = settings;
      return new PlexClient({
        url: plexUrl,
        token: plexToken,
        allowsSelfSigned,
        hasEverWorked,
        timeoutMs: requestTimeoutMs,
        clientIdentifier: `breakwater-${digest(data)}`,
        now: () => writer.now().at,
      });
    },
    fingerprint: ({ plexUrl, plexToken, allowsSelfSigned }: Settings) =>
      digest(JSON.stringify([plexUrl, plexToken, allowsSelfSigned])),
    env: process.env,
    sleep: (ms) => sleep(ms),
    log,
  };
}

/** 48 bits of SHA-256: enough to see a change, far too little to find a token by. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
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
      if (!isQuiet && level !== 'debug') writeQuietly(2, `${text}\n`);
    },
    progress: () => {},
  };
}

function print(result: TaskResult, isJson: boolean): void {
  const text = isJson ? JSON.stringify(result.document, null, 2) : result.lines.join('\n');
  writeQuietly(1, `${text}\n`);
}

// Started by itself (a drainer), and not loaded by the entry.
if (require.main === module) {
  runCommand(process.argv.slice(2)).catch((error: unknown) => {
    writeQuietly(2, `breakwater: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
}
