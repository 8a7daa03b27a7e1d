// How a file's path in Stash becomes its path in Plex, when the two see the disk under different names
// (containers, a NAS, Windows). Rules are tried in order and the first that fits is taken.

export interface PathRule {
  readonly from: string;
  readonly to: string;
}

/** `/data => /media; D:\clips => /mnt/clips`. Returns the rules, or what is wrong with the text. */
export function parsePathMap(
  text: string,
):
  | { readonly ok: true; readonly rules: readonly PathRule[] }
  | { readonly ok: false; readonly problem: string } {
  const rules: PathRule[] = [];
  for (const part of text.split(/[;\n]/)) {
    if (part.trim() === '') continue;
    const [from, to, ...rest] = part.split('=>').map((side) => side.trim());
    if (!from || !to || rest.length > 0) {
      return { ok: false, problem: `"${part.trim()}" is not of the form "/path in Stash => /path in Plex"` };
    }
    rules.push({ from: withoutTrailingSlash(from), to: withoutTrailingSlash(to) });
  }
  return { ok: true, rules };
}

/** The path as Plex would name it. Separators become `/` only where a rule crosses from Windows to POSIX. */
export function toPlexPath(path: string, rules: readonly PathRule[]): string {
  const wanted = normalized(path);
  for (const { from, to } of rules) {
    const prefix = normalized(from);
    const head = wanted.slice(0, prefix.length);
    const isAtFolder = wanted.length === prefix.length || wanted[prefix.length] === '/';
    if (!isSamePath(head, prefix) || !isAtFolder) continue;
    return `${to}${wanted.slice(prefix.length)}`;
  }
  return path;
}

/** Whether two paths name the same file: separators and Unicode form do not count, nor does case on a drive letter's system. */
export function isSamePath(a: string, b: string): boolean {
  const [left, right] = [normalized(a), normalized(b)];
  if (left === right) return true;
  return isWindows(a) && isWindows(b) && left.toLowerCase() === right.toLowerCase();
}

/** The file's name without its folders, exactly as the disk has it: it is what Plex is asked for. */
export function baseNameOf(path: string): string {
  return path.split(isWindows(path) ? /[\\/]/ : '/').at(-1) ?? path;
}

/** The folder that a file is in, without a slash at its end. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.length - baseNameOf(path).length - 1));
}

/** Whether a folder is another one or somewhere in it. */
export function isBelow(path: string, folder: string): boolean {
  return (
    isSamePath(path, folder) ||
    isSamePath(path.slice(0, normalized(folder).length + 1), `${normalized(folder)}/`)
  );
}

function normalized(path: string): string {
  const unified = isWindows(path) ? path.replaceAll('\\', '/') : path;
  return withoutTrailingSlash(unified.normalize('NFC'));
}

function isWindows(path: string): boolean {
  return /^[A-Za-z]:[\\/]|^\\\\/.test(path);
}

function withoutTrailingSlash(path: string): string {
  return path.replace(/[\\/]+$/, '');
}
