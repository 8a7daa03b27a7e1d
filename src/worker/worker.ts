// Everything but hooks: Stash tasks and operations, drainers, the command line. Loaded whole at its start,
// because an update may replace the files under a running process.

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { plain, plainJson } from '../cli/format.ts';
import { MACHINE_FORMATS, type MachineFormat, machinesText } from '../cli/machines.ts';
import { TABLES } from '../export/tables.ts';
import { dataPath, openDataDir } from '../invocation/data-dir.ts';
import { drain } from '../invocation/drainer.ts';
import { handedConnection } from '../invocation/handover.ts';
import type { Input } from '../invocation/input.ts';
import { type InvocationKind, processWriter } from '../invocation/process.ts';
import { settingsFileIn } from '../invocation/settings-now.ts';
import { startDetached } from '../invocation/start-drainer.ts';
import { answer, forwardOnly, type Log, silentLog, stashLog, writeQuietly } from '../invocation/stash-log.ts';
import { isTaskMode, runMode, TASK_MODES, type TaskMode } from '../invocation/task.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import { replaceFile } from '../journal/atomic-file.ts';
import { PlexClient } from '../plex/plex-client.ts';
import {
  DOCUMENTS,
  type DocumentName,
  isDocumentName,
  jsonSchemaOf,
  labelled,
  schemaName,
} from '../schemas/documents.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashConnection } from '../stash/connection.ts';
import { StashClient } from '../stash/stash-client.ts';
import { type InspectOptions, runInspect } from './inspect-verb.ts';

/** A task or operation that Stash started; ends with one document on stdout. */
export async function runTask({ args, from }: Extract<Input, { kind: 'task' }>): Promise<void> {
  const mode = args.mode;
  if (!isTaskMode(mode)) {
    const named = typeof mode === 'string' ? JSON.stringify(mode.slice(0, 40)) : 'that is not text';
    const problem = `mode ${named} is not known; it is one of ${TASK_MODES.join(', ')}`;
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
  const verb = (mode: TaskMode, words: string, description: string, parent = program) =>
    parent
      .command(words)
      .description(description)
      .option('--json', 'print one JSON document')
      .option('--data <dir>', 'the data dir (also BREAKWATER_DATA); by default ./breakwater')
      .option('--stash <url>', 'the address of Stash (also STASH_URL); the key goes into STASH_API_KEY')
      .action((...given: unknown[]) => {
        // Commander gives the arguments, then the options, then the command.
        const command = given.at(-1) as Command;
        const named = command.registeredArguments.map(
          (argument, at) => [argument.name(), given[at]] as const,
        );
        const operands = Object.fromEntries(named.map(([name, word]) => [OPERANDS[name] ?? name, word]));
        return runForPerson(mode, { ...command.optsWithGlobals<CommandOptions>(), ...operands });
      });
  const deadFilters = (command: Command) =>
    command
      .option(
        '--reason <reason>',
        'only those given up for this reason: ambiguous, missing, rejected, no-file',
      )
      .option('--job <scene>', 'only this scene')
      .option('--older-than <time>', 'only those given up at least so long ago, for instance 30d')
      .option('--outage <number>', 'only those given up during this outage; "last" is the last one');

  verb('status', 'status', 'what is known of Plex, what waits, what was given up');
  const outages = verb('outages', 'outages', 'the outages of Plex, with their bounds');
  verb('note', 'note <outage> <text>', 'write down what there is to say about one', outages);
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
  verb('undo', 'undo', 'write back what Breakwater overwrote in Plex')
    .option('--scene <ids>', 'the newest edit of these scenes, with commas between; that may be an undo')
    .option('--since <time>', 'everything within this time, for instance 2h')
    .option('--dry-run', 'show what would be put back, and write nothing');
  const fields = (command: Command) =>
    command
      .option('--scene <ids>', 'these scenes, with commas between')
      .addOption(new Option('--all', 'every scene that was delivered').conflicts('scene'))
      .option('--fields <names>', 'only these fields, with commas between; by default all');
  fields(verb('unlock', 'unlock', 'give fields back: unlock them in Plex and leave them alone from now on'));
  fields(verb('lock', 'lock', 'take fields again that were given back'));
  verb('settings', 'settings', 'which settings hold, and where each was given')
    .option('--take-over', 'take over the settings of Stash2Plex')
    .option('--dry-run', 'with --take-over: only show it');
  verb('report', 'report', 'write all that is known into one HTML file that needs no network')
    .option('-o, --output <file>', 'where to; by default report.html in the data dir')
    .option('--now <time>', 'when the report is of, by default the newest record; not before it');
  program
    .command('inspect')
    .description(
      "replay the journal's machines in a page on this machine, and from there in Stately's inspector",
    )
    .option('--data <dir>', 'the data dir (also BREAKWATER_DATA); by default ./breakwater')
    .option('--from <point>', 'begin there: a time, 2h (ago) or control@512')
    .option('--to <point>', 'end there')
    .option('--outage <number>', 'only that outage')
    .option('--at <point>', 'show all, and begin at this point of it')
    .option('--speed <speed>', 'times as fast as it was: 1x, 10x (the default), max')
    .option('--step', 'step by step: Enter here, or → in the page')
    .option('--live', 'go on with what is written from now')
    .option('--open', 'open the page in a browser')
    .option('--jsonl', 'print the inspection events, one JSON document a line, and serve nothing')
    .action((options: InspectOptions) => runInspect(options));
  program
    .command('machines [name]')
    .description('the state machines, drawn from their definitions')
    .addOption(new Option('--format <format>', 'how').choices(MACHINE_FORMATS).default('list'))
    .option('--json', 'the same as --format json: what Stately Studio imports')
    .option('-o, --output <file>', 'write it there')
    .action((name: string | undefined, { format, json, output }: MachinesOptions) =>
      writeOut(machinesText(name, json === true ? 'json' : format), output),
    );
  verb('replay', 'replay', 'the state of all machines and the queue at a point of the past')
    .option('--at <time>', 'a time, or how long ago: 2026-03-01T04:00, 2h')
    .option('--to <line>', 'a line of the journal: control@18234, queue@512')
    .option('--outage <number>', 'an outage, from its opening to its end')
    .option('--step', 'line by line what happened on the way, and what it moved')
    .option('--jsonl', 'the same as one JSON document a line')
    .option('--verify', 'fold the whole log and compare every record with what its writer computed');
  verb(
    'doctor',
    'doctor',
    'what is wrong with the data dir, the journal or the settings, and what to do about it',
  );
  verb('verify', 'verify', 'whether every line of the journal can be read and folds as it did');
  verb('why', 'why', 'the records that led to the state of the breaker, and what will happen')
    .option('--scene <id>', 'the same of a scene')
    .option('--outage <number>', 'the same of an outage');
  verb('backtest', 'backtest', 'the outages of this log as they would have gone under other settings')
    .option('--failure-threshold <count>', 'failures in a row that open the breaker')
    .option('--success-threshold <count>', 'changes that prove that Plex is back')
    .option('--recovery-timeout <time>', 'the first wait before Plex is asked again, for instance 30s')
    .option('--max-wait <time>', 'the longest such wait')
    .option('--outage <number>', 'only this outage');
  verb('export', 'export', 'outages, events or the queue as a table; metrics; or the whole log, redacted')
    .addOption(
      new Option('--format <format>', 'the form').choices(['csv', 'json', 'prometheus']).default('json'),
    )
    .addOption(new Option('--what <table>', 'which table').choices(TABLES).default('outages'))
    .addOption(
      new Option('--golden', 'the log without anything private, to be replayed as a test').conflicts(
        'format',
      ),
    )
    .option('--outage <number>', 'with --golden: no further than the end of this outage')
    .option('-o, --output <file>', 'write it to this file in place of printing it');
  program
    .command('schema')
    .description('the JSON Schema of what a verb prints with --json; without a verb, which there are')
    .argument('[verb]')
    .action(printSchema);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    writeQuietly(2, `breakwater: ${plain(error instanceof Error ? error.message : String(error))}\n`);
    process.exitCode = 2;
  }
}

/** What an operand is called among the arguments of its mode, where that is not its own name. */
const OPERANDS: Readonly<Record<string, string>> = { 'open|closed': 'stance' };

interface MachinesOptions {
  readonly format: MachineFormat;
  readonly json?: boolean;
  readonly output?: string;
}

function writeOut(text: string, file: string | undefined): void {
  if (file === undefined) writeQuietly(1, text);
  else replaceFile(resolve(file), text, 0o600);
}

interface CommandOptions {
  readonly json?: boolean;
  readonly data?: string;
  readonly stash?: string;
  readonly detached?: boolean;
  readonly all?: boolean;
  readonly output?: string;
  readonly [option: string]: unknown;
}

async function runForPerson(mode: TaskMode, options: CommandOptions): Promise<void> {
  const data = dataPath(null, options.data === undefined ? process.env : { BREAKWATER_DATA: options.data });
  if (mode === 'drain' && options.detached === true) return drainDetached(data);
  const here = worldOf('cli', data, connectionFor(options), personLog(options.json === true));
  // Only a person says where else a file goes: it is no argument of the mode, which Stash could give.
  const { output } = options;
  const world = {
    ...here,
    ...(output === undefined ? {} : { dir: { ...here.dir, reportPath: resolve(output) } }),
    ...(options.json === true ? {} : { print: (line: string) => writeQuietly(1, `${plain(line)}\n`) }),
  };
  try {
    const result = await runMode(mode, world, options.all === true ? { ...options, scope: 'all' } : options);
    print(mode, result, options);
    process.exitCode = result.isOk ? 0 : 1;
  } catch (error) {
    writeQuietly(2, `breakwater: ${plain((error as Error).message)}\n`);
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
    writer,
    settingsFile: settingsFileIn(data),
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

function printSchema(verb: string | undefined): void {
  if (verb === undefined) {
    for (const name of Object.keys(DOCUMENTS) as DocumentName[]) writeQuietly(1, `${schemaName(name)}\n`);
    return;
  }
  if (!isDocumentName(verb)) {
    writeQuietly(2, `breakwater: "${verb}" has no schema; "schema" lists those that have\n`);
    process.exitCode = 2;
    return;
  }
  writeQuietly(1, `${JSON.stringify(jsonSchemaOf(verb), null, 2)}\n`);
}

function personLog(isQuiet: boolean): Log {
  return {
    line: (level, text) => {
      if (!isQuiet && level !== 'debug') writeQuietly(2, `${plain(text)}\n`);
    },
    progress: () => {},
  };
}

function print(mode: TaskMode, result: TaskResult, { json, output }: CommandOptions): void {
  const { file, lines } = result;
  if (file !== undefined && output !== undefined) {
    replaceFile(resolve(output), file.text, file.mode);
    if (json !== true) writeQuietly(2, `Written to ${output}\n`);
    return;
  }
  if (json === true) writeQuietly(1, `${plainJson(labelled(mode, result.document))}\n`);
  else if (file !== undefined) writeQuietly(1, file.text);
  // Whatever a line is about, parts of it may be the words of others.
  else if (lines.length > 0) writeQuietly(1, `${lines.map(plain).join('\n')}\n`);
}

// Started by itself (a drainer), and not loaded by the entry.
if (require.main === module) void runCommand(process.argv.slice(2));
