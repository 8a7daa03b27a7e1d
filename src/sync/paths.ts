// Paths as Stash and Plex name them, of Windows and of POSIX at once: the two may run on different systems, so nothing
// here asks which one this is. Separators and Unicode form (a Mac parts its accents) never count; case does not on Windows.

/** Whether two paths name the same file. */
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
  return partsBelow(path, folder) !== null;
}

/** How many folders and names a path has below a folder; null: it is not in it. */
export function partsBelow(path: string, folder: string): number | null {
  if (isWindows(path) !== isWindows(folder)) return null;
  const [inner, outer] = [partsOf(path), partsOf(folder)];
  const isIn = outer.every((part, index) => isSamePart(part, inner[index], isWindows(path)));
  return isIn ? inner.length - outer.length : null;
}

/** How many folders and names two paths have in common at their ends: 1 is the same file name and nothing else. */
export function commonEnd(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  const ignoresCase = isWindows(a) || isWindows(b);
  let count = 0;
  while (count < left.length && isSamePart(left.at(-1 - count)!, right.at(-1 - count), ignoresCase)) {
    count += 1;
  }
  return count;
}

/** The path without its last `count` names. */
export function withoutEnd(path: string, count: number): string {
  let rest = path;
  for (let dropped = 0; dropped < count; dropped++) {
    rest = rest
      .slice(0, rest.length - baseNameOf(rest).length)
      .replace(isWindows(path) ? /[\\/]+$/ : /\/+$/, '');
  }
  return rest === '' ? '/' : rest;
}

/** With `/` between its names if it is of Windows, without one at its end, in NFC. */
export function normalized(path: string): string {
  const unified = isWindows(path) ? withoutLongPrefix(path).replaceAll('\\', '/') : path;
  return withoutTrailingSlash(unified.normalize('NFC'));
}

/** By its form: a drive letter, or a server (`\\nas\clips`). */
export function isWindows(path: string): boolean {
  return /^[A-Za-z]:([\\/]|$)|^\\\\/.test(path);
}

export function withoutTrailingSlash(path: string): string {
  return path.replace(/[\\/]+$/, '');
}

/** Windows writes a long path as `\\?\D:\clips` or `\\?\UNC\nas\clips`. */
function withoutLongPrefix(path: string): string {
  return path.replace(/^\\\\\?\\UNC\\/i, '\\\\').replace(/^\\\\\?\\/, '');
}

function partsOf(path: string): string[] {
  return normalized(path)
    .split('/')
    .filter((part) => part !== '');
}

function isSamePart(a: string, b: string | undefined, ignoresCase: boolean): boolean {
  return a === b || (ignoresCase && a.toLowerCase() === b?.toLowerCase());
}
