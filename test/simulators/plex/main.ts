// The simulator as a command: prints where it listens, runs until SIGINT or SIGTERM, then closes cleanly.
// A wrong call ends with code 2 and says what is right; a port that is taken ends with code 1.
import { parseArgs } from 'node:util';
import { type PlexSimulatorOptions, startPlexSimulator } from './server.ts';

const usage =
  'usage: sim-plex [--port N] [--token T] [--items N] [--root DIR] [--tag-mode append|replace] [--control-port N]\n';
const usualItems = 250;
const maxItems = 1_000_000;
const maxPort = 65_535;

type Parsed =
  | { readonly kind: 'run'; readonly options: PlexSimulatorOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly reason: string };

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const parsed = parseCall(args);
  if (parsed.kind === 'help') {
    process.stdout.write(usage);
    return;
  }
  if (parsed.kind === 'wrong') {
    process.stderr.write(`sim-plex: ${parsed.reason}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  try {
    const simulator = await startPlexSimulator(parsed.options);
    process.stdout.write(`plex simulator on ${simulator.url} control ${simulator.controlUrl}\n`);
    const stop = (): void => void simulator.close();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  } catch (error) {
    process.stderr.write(`sim-plex: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function parseCall(args: readonly string[]): Parsed {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        token: { type: 'string' },
        items: { type: 'string' },
        root: { type: 'string' },
        'tag-mode': { type: 'string' },
        'control-port': { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    const tagMode = values['tag-mode'] ?? 'append';
    if (tagMode !== 'append' && tagMode !== 'replace') throw new Error('--tag-mode is append or replace');
    const options: PlexSimulatorOptions = {
      port: numberOf('--port', values.port, 0, maxPort),
      items: numberOf('--items', values.items, usualItems, maxItems),
      control: true,
      controlPort: numberOf('--control-port', values['control-port'], 0, maxPort),
      tagMode,
    };
    if (values.token !== undefined) options.token = values.token;
    if (values.root !== undefined) options.root = values.root.replace(/\/+$/, '');
    return { kind: 'run', options };
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) };
  }
}

function numberOf(name: string, text: string | undefined, usual: number, largest: number): number {
  if (text === undefined) return usual;
  if (!/^\d+$/.test(text) || Number(text) > largest)
    throw new Error(`${name} is a number from 0 to ${largest}`);
  return Number(text);
}
