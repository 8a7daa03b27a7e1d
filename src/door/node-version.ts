// Is this Node new enough? Asked by the entry before it loads anything else, because an older Node stops at the first
// word of the bundles that it does not know, with a stack in place of an answer. Built for Node 12 (`target: node12`);
// it may import nothing but what that has.

const NEEDED = { major: 20, minor: 19 };

/** What is wrong with a Node of this version (`process.version`) in one line, or null. */
export function oldNodeProblem(version: string, execPath: string): string | null {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  if (major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)) return null;
  return (
    `Breakwater needs Node ${NEEDED.major}.${NEEDED.minor} or newer, and this is ${version} at ${execPath}: ` +
    'install a newer one, or start breakwater.sh, which looks for one in more places'
  );
}

/**
 * Says so where this Node is too old, and then the caller must do nothing more. Stash gets a line for its log and the
 * one document that it waits for, and no exit code; a person at a shell gets a line and exit code 1.
 */
export function isRefusedAsTooOld(process: NodeJS.Process): boolean {
  const problem = oldNodeProblem(process.version, process.execPath);
  if (problem === null) return false;
  const verbs = process.argv.slice(2).filter((word) => word.indexOf('--plugin-dir=') !== 0);
  if (verbs.length > 0 || process.stdin.isTTY) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`\x01e\x02${problem}\n`);
    process.stdout.write(`${JSON.stringify({ error: problem })}\n`);
  }
  return true;
}
