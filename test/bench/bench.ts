// What the front door costs. `npm run bench`: a bulk edit through Stash with this plugin, without one and with the Node
// hook of before, in turn; and a wake that finds nothing, as ratios to `node -e 0`. Over budget is an exit code, so that
// nobody has to read the tables.

import { benchBulkEdit } from './bulk-edit.ts';
import { benchWake } from './wake.ts';

async function main(): Promise<void> {
  const results = [await benchWake(), await benchBulkEdit()];
  const isWithin = results.every((isSo) => isSo);
  process.stdout.write(`${isWithin ? 'within budget' : 'OVER BUDGET'}\n`);
  process.exitCode = isWithin ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 2;
});
