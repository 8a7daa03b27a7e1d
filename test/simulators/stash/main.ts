// Runs the Stash simulator from a command line until it is told to stop. The first line says where it and
// its control endpoint are; after it come the log lines of Stash and its plugins, as they are written.
import { parseArgs } from 'node:util';
import { startStashControl } from './control.ts';
import { printable } from './log.ts';
import { type StashLogLine, type StashSimulatorOptions, startStashSimulator } from './server.ts';

const USAGE = `usage: sim-stash --port N --plugins DIR [options]
  --port N              port of the simulated Stash (0: a free one)
  --plugins DIR         folder searched for plugin *.yml files
  --dir DIR             folder given to plugins as Stash's own (default: a new one, removed at the end)
  --scenes N            make N scenes
  --root DIR            folder of the made scenes' files (default /media/scenes)
  --username U --password P, --api-key K   close the server to strangers
  --stash-version V     for example v0.25.1 (default), v0.30.1, v0.22.1
  --zone Z              the server's zone, for example America/New_York (default: TZ)
  --control-port N      port of the control endpoint (default: a free one)
`;

const EXIT_USAGE = 2;
const MAX_PORT = 65_535;
const MAX_SCENES = 1_000_000;

interface CommandLine {
  readonly options: StashSimulatorOptions;
  readonly controlPort: number;
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`sim-stash: ${error.message}\n`);
  process.exitCode = 1;
});

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(USAGE);
    return;
  }
  const line = commandLineOf(args);
  if (typeof line === 'string') {
    process.stderr.write(`sim-stash: ${line}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  // Before the first line goes out, so that who reads it can stop us at once.
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const sim = await startStashSimulator({ ...line.options, onLog: printLine });
  const control = await startStashControl(sim, line.controlPort);
  process.stdout.write(`stash simulator on ${sim.url} control ${control.url}\n`);
  await stopped;
  await control.close();
  await sim.close();
}

function printLine(line: StashLogLine): void {
  const plugin = line.plugin === '' ? '' : `[${line.plugin}] `;
  process.stdout.write(`${line.level} ${printable(plugin + line.text)}\n`);
}

/** Text is what is wrong with it. */
function commandLineOf(args: readonly string[]): CommandLine | string {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: text,
        plugins: text,
        dir: text,
        scenes: text,
        root: text,
        username: text,
        password: text,
        'api-key': text,
        'stash-version': text,
        zone: text,
        'control-port': text,
      },
    });
    if (values.port === undefined) return '--port is missing';
    if (values.plugins === undefined) return '--plugins is missing';
    if ((values.username === undefined) !== (values.password === undefined)) {
      return '--username and --password go together';
    }
    return {
      controlPort: numberOf('--control-port', values['control-port'] ?? '0', MAX_PORT),
      options: {
        port: numberOf('--port', values.port, MAX_PORT),
        plugins: values.plugins,
        scenes: numberOf('--scenes', values.scenes ?? '0', MAX_SCENES),
        ...(values.dir === undefined ? {} : { dir: values.dir }),
        ...(values.root === undefined ? {} : { root: values.root }),
        ...(values.username === undefined ? {} : { username: values.username }),
        ...(values.password === undefined ? {} : { password: values.password }),
        ...(values['api-key'] === undefined ? {} : { apiKey: values['api-key'] }),
        ...(values.zone === undefined ? {} : { zone: values.zone }),
        ...(values['stash-version'] === undefined ? {} : { version: values['stash-version'] }),
      },
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function numberOf(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most) throw new Error(`${name} must be a whole number up to ${most}`);
  return value;
}
