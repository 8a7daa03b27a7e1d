// `npm run demo`: Breakwater, as built, between a small Stash and a small Plex, through one outage. Exit code 0 only
// when every edit has arrived and all else that the demo claims is true. Needs nothing but Node, and leaves
// nothing behind but the report of what was, in dist/.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tellEnding } from './ending.ts';
import { Screen } from './screen.ts';
import { setStage } from './stage.ts';
import { Story } from './story.ts';

const USAGE = `usage: npm run demo [-- --keep] [-- --companion]
  --keep        keep the journal of this run, to look at it
  --companion   Stash finds no Node, as in its official container; a companion beside it does the work
`;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
/** After this nothing is waited for any more, in ms: what has not arrived by then is missing. */
const WHOLE_DEMO_MS = 48_000;

const interrupted = new AbortController();

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

async function main(args: readonly string[]): Promise<number> {
  const flags = flagsOf(args);
  if (flags === null) {
    process.stderr.write(USAGE);
    return EXIT_USAGE;
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const startedAt = Date.now();
  const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const screen = new Screen({ write: (text) => process.stdout.write(text), isColoured, startedAt });
  screen.text('Breakwater keeps Plex in step with Stash, and loses nothing while Plex is away.', 'strong');
  screen.blank();
  screen.text(
    'Here it runs exactly as built, between a simulated Stash and a simulated Plex on this machine. Scenes are edited while Plex is up, gone, starting and back, and at the end Plex is asked what it has. It takes about 20 seconds.',
  );
  screen.blank();
  const stage = await setStage(join(__dirname, '..', 'plugin'), flags.hasCompanion);
  const story = new Story(stage, screen, {
    losesItem: flags.losesItem,
    endBy: startedAt + WHOLE_DEMO_MS,
    signal: interrupted.signal,
  });
  let isKept = false;
  try {
    const outage = await story.play();
    await story.endDrainers();
    isKept = flags.isKept;
    return (await tellEnding(stage, story, outage, screen, flags.isKept)) ? 0 : 1;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    screen.text('Interrupted.', 'bad');
    return EXIT_INTERRUPTED;
  } finally {
    await story.endDrainers();
    story.watch.close();
    await stage.close(isKept);
  }
}

function flagsOf(
  args: readonly string[],
): { isKept: boolean; losesItem: boolean; hasCompanion: boolean } | null {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { keep: flag, 'lose-item': flag, companion: flag },
    });
    return { isKept: values.keep, losesItem: values['lose-item'], hasCompanion: values.companion };
  } catch {
    return null;
  }
}
