// The verb `health`: whether a companion looks after the folder. For Docker, which asks every few seconds: it asks nobody.

import { duration, plain } from '../cli/format.ts';
import { companionSeen, type Seen } from '../companion/presence.ts';
import { dataPath } from '../invocation/data-dir.ts';
import { writeQuietly } from '../invocation/stash-log.ts';

export function runHealth({ data: given }: { readonly data?: string }): void {
  const data = dataPath(null, given === undefined ? process.env : { BREAKWATER_DATA: given });
  const seen = companionSeen(data, Date.now());
  writeQuietly(1, `${plain(lineFor(seen, data))}\n`);
  process.exitCode = seen.kind === 'alive' ? 0 : 1;
}

function lineFor(seen: Seen, data: string): string {
  const start = `start one with "watch --data ${data}"`;
  switch (seen.kind) {
    case 'alive':
      return `A companion is at work (${seen.who}).`;
    case 'silent':
      return `The companion has been silent for ${duration(seen.sinceMs)}: see its log, or ${start}.`;
    case 'none':
      return `No companion looks after ${data}: ${start}.`;
  }
}
