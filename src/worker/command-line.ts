// The verbs and their options, and nothing of what they do.

import { Command, CommanderError, Option } from 'commander';
import { plain, plainText } from '../cli/format.ts';
import { MACHINE_FORMATS, type MachineFormat, machinesText } from '../cli/machines.ts';
import { TABLES } from '../export/tables.ts';
import { writeQuietly } from '../invocation/stash-log.ts';
import type { TaskMode } from '../invocation/task.ts';
import { DEAD_REASONS } from '../queue/events.ts';
import { runHealth } from './health-verb.ts';
import { type InspectOptions, runInspect } from './inspect-verb.ts';
import { printOut, writeOut } from './output.ts';
import { type CommandOptions, printSchema, runForPerson } from './person.ts';

export async function runCommand(words: readonly string[]): Promise<void> {
  const program = new Command('breakwater')
    .description('Keeps Plex in step with Stash through every outage.')
    .configureOutput({ writeOut: printOut, writeErr: (text) => writeQuietly(2, plainText(text)) })
    .showHelpAfterError()
    // Before there are verbs, which take it over: a slip in the words ends as any wrong input does.
    .exitOverride();
  const verb = (mode: TaskMode | 'watch', words: string, description: string, parent = program) =>
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
      .option('--reason <reason>', `only those given up for this reason: ${DEAD_REASONS.join(', ')}`)
      .option('--job <scene>', 'only this scene')
      .option('--older-than <time>', 'only those given up at least so long ago, for instance 30d')
      .option('--outage <number|last>', 'only those given up during this outage, or during the last');

  verb('status', 'status', 'what is known of Plex, what waits, what was given up');
  const outages = verb('outages', 'outages', 'the outages of Plex, with their bounds');
  verb(
    'note',
    'note <outage> <text>',
    'write down what there is to say about one (a number, or last)',
    outages,
  );
  verb('check', 'check', 'ask Plex whether it is there and accepts the token');
  verb('drain', 'drain', 'deliver what waits, deferred scenes as well')
    .addOption(new Option('--detached').hideHelp())
    .addOption(new Option('--linger <ms>').hideHelp());
  verb(
    'watch',
    'watch',
    'look after everything until it is ended, tasks of Stash as well: for a Stash that cannot start Node',
  ).option('--every <time>', 'how seldom Stash is asked what has changed while nobody uses it', '10s');
  program
    .command('health')
    .description('whether such a companion looks after the data dir; exit code 1 when none does')
    .option('--data <dir>', 'the data dir (also BREAKWATER_DATA); by default ./breakwater')
    .action((options: { data?: string }) => runHealth(options));
  const scopes = (command: Command) =>
    command
      .option('--since <time>', 'scenes that Stash has seen change within this time, for instance 24h')
      .addOption(new Option('--all', 'every scene').conflicts(['scene', 'since', 'missing']));
  scopes(verb('sync', 'sync', 'deliver scenes that differ from Plex')).option(
    '--scene <ids>',
    'these scenes, with commas between, whether or not they differ',
  );
  scopes(verb('reconcile', 'reconcile', 'find what Plex has lost or shows differently, and deliver it'))
    .option('--library <names>', 'only scenes whose items are in these Plex libraries')
    .option('--missing', 'only scenes that were never delivered')
    .option('--dry-run', 'show field by field what would change, and write nothing');
  verb('queue', 'queue', 'every change that waits or was given up');
  deadFilters(verb('dead', 'dead', 'what was given up, and why'));
  deadFilters(verb('retry', 'retry', 'queue again what was given up'));
  deadFilters(verb('drop', 'drop', 'forget what was given up')).option(
    '--dry-run',
    'show what would be forgotten, and write nothing',
  );
  verb('clear', 'clear', 'forget what waits; what was given up stays').option(
    '--dry-run',
    'show what would be forgotten, and write nothing',
  );
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
    .option('--outage <number|last>', 'only that outage')
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
    .option('--outage <number|last>', 'an outage, from its opening to its end')
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
    .option('--outage <number|last>', 'the same of an outage');
  verb('backtest', 'backtest', 'the outages of this log as they would have gone under other settings')
    .option('--failure-threshold <count>', 'failures in a row that open the breaker')
    .option('--success-threshold <count>', 'changes that prove that Plex is back')
    .option('--recovery-timeout <time>', 'the first wait before Plex is asked again, for instance 30s')
    .option('--max-wait <time>', 'the longest such wait')
    .option('--outage <number|last>', 'only this outage');
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
    .option('--outage <number|last>', 'with --golden: no further than the end of this outage')
    .option('-o, --output <file>', 'write it to this file in place of printing it');
  program
    .command('schema')
    .description('the JSON Schema of what a verb prints with --json; without a verb, which there are')
    .argument('[verb]')
    .action(printSchema);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
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
