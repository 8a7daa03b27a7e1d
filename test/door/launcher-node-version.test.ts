// An entry that asks for its Node's version first can be read by Nodes of long ago, and answers as it should.

import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { oldNodeProblem } from '../../src/door/node-version.ts';
import { tempDir } from '../support/temp-dir.ts';
import { skipped } from './launcher-machine.ts';
import { FITTING_VERSION, nodeOfVersion, OLD_VERSIONS } from './old-nodes.ts';
import { run } from './programs.ts';

/** Programs are fetched: slow is not stuck. */
const FETCHING_MS = 600_000;

test.each(['v20.19.0', 'v20.20.2', 'v21.0.0', 'v100.0.0', 'v26.0.0-nightly20260101abcdef'])(
  'nothing is wrong with %s',
  (version) => expect(oldNodeProblem(version, '/node')).toBeNull(),
);

test.each(['v20.18.3', 'v18.20.8', 'v12.22.12', 'v0.12.18', 'v9.99.99', 'v2.99.0'])(
  '%s is too old',
  (version) =>
    expect(oldNodeProblem(version, '/a node')).toMatch(
      new RegExp(`^Breakwater needs Node 20\\.19 or newer, and this is ${version} at /a node: [^\n]+$`),
    ),
);

describe.each([...OLD_VERSIONS, FITTING_VERSION])('under Node %s', (version) => {
  let node: string | null = null;
  beforeAll(async () => {
    const found = await nodeOfVersion(version);
    if ('node' in found) node = found.node;
    else skipped(`the entry under Node ${version}`, found.problem);
  }, FETCHING_MS);

  test('Stash gets its answer, and a person a line and an exit code', async ({ skip }) => {
    if (node === null) return skip();
    const entry = await builtEntry();
    const [task, withWord, verb] = await Promise.all(
      [[], ['--plugin-dir=x'], ['status']].map((words) => run(node ?? '', [entry, ...words])),
    );
    if (version === FITTING_VERSION) {
      for (const ended of [task, withWord, verb])
        expect(ended).toEqual({ code: 0, stdout: 'went on\n', stderr: '' });
      return;
    }
    const problem = oldNodeProblem(`v${version}`, node);
    const answered = {
      code: 0,
      stdout: `${JSON.stringify({ error: problem })}\n`,
      stderr: `\x01e\x02${problem}\n`,
    };
    expect(task).toEqual(answered);
    expect(withWord).toEqual(answered);
    expect(verb).toEqual({ code: 1, stdout: '', stderr: `${problem}\n` });
  });
});

/** As the plugin's entry begins; what it then loads has words that no old Node knows. */
async function builtEntry(): Promise<string> {
  const dir = tempDir();
  const source = fileURLToPath(new URL('../../src/door/node-version.ts', import.meta.url));
  const outfile = path.join(dir, 'breakwater.cjs');
  writeFileSync(
    path.join(dir, 'rest.cjs'),
    "class Rest { static { console.log([1, 2].findLast((x) => x > 1) && 'went on'); } #word; has(x) { return #word in x; } }",
  );
  await build({
    stdin: {
      contents: `import { isRefusedAsTooOld } from ${JSON.stringify(source)};
        if (!isRefusedAsTooOld(process)) require(__dirname + '/rest.cjs');`,
      resolveDir: dir,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node12',
    format: 'cjs',
  });
  return outfile;
}
