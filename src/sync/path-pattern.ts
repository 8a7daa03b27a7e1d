// The regular expressions of a path map. JavaScript's own engine tries every way to match, so that an innocent slip like
// `(\w+/?)+x` would take years over one path, under the lease. RE2's takes time in proportion to the path, whatever the
// pattern; what it cannot do for that (look-around, references back) is refused, in words.

import { RE2JS } from 're2js';

/** Longer paths are not matched against patterns, in UTF-16 units: no system has them. */
export const MAX_PATTERN_PATH = 4_096;
/** In UTF-16 units, and in steps that each character of a path may cost: counts like `{1000}` add up. */
const MAX_SOURCE = 500;
const MAX_STEPS = 1_000;

export interface PathPattern {
  /** The beginning of the path that fits, then the groups in it; null: it does not fit. */
  match(path: string): readonly (string | null)[] | null;
  /** How many groups a reference can name. */
  readonly groups: number;
}

/** Throws for one that `patternProblem` has words for. Case counts, but not for a path of Windows. */
export function compiledPattern(source: string, ignoresCase: boolean): PathPattern {
  const pattern = compiled(source, ignoresCase);
  const groups = pattern.groupCount();
  return {
    groups,
    match: (path) => {
      const matcher = pattern.matcher(path);
      if (!matcher.lookingAt()) return null;
      return Array.from({ length: groups + 1 }, (_, group) => matcher.group(group));
    },
  };
}

/** What is wrong with it, to follow the words "the pattern"; null: nothing. */
export function patternProblem(source: string): string | null {
  if (source.length > MAX_SOURCE) return `is longer than ${MAX_SOURCE} characters`;
  const problem = syntaxProblem(source);
  if (problem !== null) return problem;
  try {
    const pattern = compiled(source, false);
    if (pattern.programSize() > MAX_STEPS)
      return 'is too large: what it repeats and counts adds up to too much';
    return pattern.matcher('').lookingAt() ? 'fits every path' : null;
  } catch (error) {
    return `has what is not supported (${(error as Error).message.replace(/^error parsing regexp: /, '')})`;
  }
}

/** What is written is what people know from JavaScript; what that allows and RE2 does not has words of its own. */
function syntaxProblem(source: string): string | null {
  try {
    new RegExp(source, 'u');
  } catch (error) {
    return `is no regular expression (${(error as Error).message.replace(/^.*: /, '')})`;
  }
  // What a backslash takes away the meaning of is no such thing, nor what stands in a class.
  const bare = source.replace(/\\[^1-9k]|\[(?:\\.|[^\]\\])*\]/gsu, '');
  if (/\\[1-9k]/.test(bare)) return 'refers back to a group, which is not supported';
  if (/\(\?<?[=!]/.test(bare)) return 'looks ahead or behind, which is not supported';
  return null;
}

function compiled(source: string, ignoresCase: boolean): RE2JS {
  // JavaScript writes some things in other ways: `\u0041`, `[^]`.
  return RE2JS.compile(RE2JS.translateRegExp(source), ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
}
