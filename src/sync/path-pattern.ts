// Which regular expressions a path map may hold. JavaScript's engine tries every way to match, so that an innocent slip
// like `(\w+/?)+x` would take years over one path. What is let in takes at most about n³ steps over n characters, and
// paths are short: a pattern can be slow, but never hang a drainer that holds the lease.

/** Longer paths are not matched against patterns, in UTF-16 units. */
export const MAX_PATTERN_PATH = 512;
/** `*`, `+` and `{…}` in one pattern. */
const MAX_REPEATS = 3;
/** `?` and `|` in one pattern: each may double the ways. */
const MAX_CHOICES = 4;

/** The pattern, anchored at the beginning of a path. Case counts, but not for a path of Windows. */
export function compiledPattern(source: string, ignoresCase: boolean): RegExp {
  return new RegExp(`^(?:${source})`, ignoresCase ? 'iu' : 'u');
}

/** What is wrong with it, to follow the words "the pattern"; null: nothing. */
export function patternProblem(source: string): string | null {
  let pattern: RegExp;
  try {
    pattern = compiledPattern(source, false);
  } catch (error) {
    return `is no regular expression (${(error as Error).message.replace(/^.*: /, '')})`;
  }
  const problem = costProblem(source);
  if (problem !== null) return problem;
  return pattern.test('') ? 'fits every path' : null;
}

/** How many groups a reference can name. */
export function groupsIn(source: string): number {
  return (new RegExp(`${source}|`, 'u').exec('')?.length ?? 1) - 1;
}

/** Parts of a pattern that is known to be valid. */
const TOKEN = /\\(?:[pPu]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|\((?:\?<?[^\s]?)?|[)|]|[*+?]\??|\{[^}]*\}\??|./gsu;

function costProblem(source: string): string | null {
  /** For each open group whether it holds anything that can match in several ways. */
  const open: boolean[] = [false];
  let wasMany = false;
  let repeats = 0;
  let choices = 0;
  for (const [token] of source.matchAll(TOKEN)) {
    const hadMany = wasMany;
    wasMany = false;
    const note = () => {
      open[open.length - 1] = true;
    };
    if (/^\\[1-9k]/.test(token)) return 'refers back to a group, which is not supported';
    if (/^\(\?<?[=!]/.test(token)) return 'looks ahead or behind, which is not supported';
    if (token.startsWith('(')) open.push(false);
    else if (token === ')') {
      wasMany = open.pop() ?? false;
      if (wasMany) note();
    } else if (token === '|' || token.startsWith('?')) {
      choices += 1;
      note();
    } else if (/^[*+{]/.test(token)) {
      if (hadMany) return 'repeats a group that repeats or chooses within, which is not supported';
      repeats += 1;
      note();
    }
  }
  if (repeats > MAX_REPEATS) return `has more than ${MAX_REPEATS} of *, + and {}`;
  if (choices > MAX_CHOICES) return `has more than ${MAX_CHOICES} of ? and |`;
  return null;
}
