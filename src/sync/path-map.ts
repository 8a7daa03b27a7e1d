// How a file's path in Stash becomes its path in Plex, when the two see the disk under different names
// (containers, a NAS, Windows). Rules are tried in order and the first that fits is taken.

import { compiledPattern, MAX_PATTERN_PATH, type PathPattern, patternProblem } from './path-pattern.ts';
import { commonEnd, isWindows, normalized, withoutEnd, withoutTrailingSlash } from './paths.ts';

export type PathRule =
  /** A folder for a folder. */
  | { readonly from: string; readonly to: string }
  /** A regular expression for the beginning of a path; `$1` to `$9` in `to` are its groups. */
  | { readonly pattern: string; readonly to: string };

export type ParsedPathMap =
  | { readonly ok: true; readonly rules: readonly PathRule[] }
  | { readonly ok: false; readonly problem: string };

const PATTERN_MARK = 're:';

/**
 * `/data => /media; D:\clips => /mnt/clips; re:/mnt/disk\d+/ => /pool/`. Returns the rules, or what is wrong with the text.
 * In a pattern the path has `/` between its names even on Windows, `\x3b` is a semicolon, and `\x3d>` an arrow.
 */
export function parsePathMap(text: string): ParsedPathMap {
  const rules: PathRule[] = [];
  for (const part of text.split(/[;\n]/)) {
    if (part.trim() === '') continue;
    const wrong = (problem: string) =>
      ({ ok: false, problem: `rule ${rules.length + 1} ${problem}` }) as const;
    const [from, to, ...rest] = part.split('=>').map((side) => side.trim());
    if (!from || !to || rest.length > 0) {
      return wrong(`("${part.trim()}") is not of the form "/path in Stash => /path in Plex"`);
    }
    if (!from.startsWith(PATTERN_MARK)) {
      rules.push({ from: withoutTrailingSlash(from), to: withoutTrailingSlash(to) });
      continue;
    }
    const pattern = from.slice(PATTERN_MARK.length).trim();
    const problem = patternProblem(pattern) ?? referenceProblem(pattern, to);
    if (problem !== null) return wrong(`("${part.trim()}"): the pattern ${problem}`);
    rules.push({ pattern, to });
  }
  return { ok: true, rules };
}

/** The path as Plex would name it. */
export function toPlexPath(path: string, rules: readonly PathRule[]): string {
  return mappedPath(path, rules) ?? path;
}

/** The same; null where no rule fits. Separators become those of Plex only where a rule crosses between systems. */
export function mappedPath(path: string, rules: readonly PathRule[]): string | null {
  for (const rule of rules) {
    const mapped = 'pattern' in rule ? byPattern(path, rule) : byFolder(path, rule);
    if (mapped !== null) return mapped;
  }
  return null;
}

/** The rule under which two files would be the same; null: their names differ, or nothing but a rule of patterns does it. */
export function ruleBetween(file: string, plexFile: string): string | null {
  const common = commonEnd(file, plexFile);
  const [from, to] = [withoutEnd(file, common), withoutEnd(plexFile, common)];
  return common === 0 || /[;\n]|=>/.test(from + to) ? null : `${from} => ${to}`;
}

function byFolder(path: string, { from, to }: Extract<PathRule, { from: string }>): string | null {
  const [whole, folder] = [normalized(path), normalized(from)];
  const head = whole.slice(0, folder.length);
  const isIn = whole.length === folder.length || whole[folder.length] === '/';
  const isSame = head === folder || (isWindows(path) && head.toLowerCase() === folder.toLowerCase());
  if (!isIn || !isSame || isWindows(path) !== isWindows(from)) return null;
  return `${to}${separated(whole.slice(folder.length), to)}`;
}

function byPattern(path: string, rule: Extract<PathRule, { pattern: string }>): string | null {
  const whole = normalized(path);
  if (whole.length > MAX_PATTERN_PATH) return null;
  const match = patternOf(rule, isWindows(path)).match(whole);
  if (match === null) return null;
  const head = rule.to.replace(/\$([$1-9])/g, (_, name: string) =>
    name === '$' ? '$' : (match[Number(name)] ?? ''),
  );
  return separated(`${head}${whole.slice(match[0]?.length)}`, rule.to);
}

/** Compiled once for a rule: that costs more than a match. */
const PATTERNS = {
  exact: new WeakMap<PathRule, PathPattern>(),
  anyCase: new WeakMap<PathRule, PathPattern>(),
};

function patternOf(rule: Extract<PathRule, { pattern: string }>, ignoresCase: boolean): PathPattern {
  const known = ignoresCase ? PATTERNS.anyCase : PATTERNS.exact;
  const pattern = known.get(rule) ?? compiledPattern(rule.pattern, ignoresCase);
  known.set(rule, pattern);
  return pattern;
}

/** As the system of `like` writes it. */
function separated(path: string, like: string): string {
  return isWindows(like) && like.includes('\\') ? path.replaceAll('/', '\\') : path;
}

function referenceProblem(pattern: string, to: string): string | null {
  const { groups } = compiledPattern(pattern, false);
  const wrong = [...to.matchAll(/\$([$1-9])/g)].find(([, name]) => Number(name) > groups);
  return wrong === undefined ? null : `has no group for ${wrong[0]}`;
}
