// The folder through which a companion and the launcher in Stash's container meet: `companion` in the data folder, which
// both see. What is in it, and by whom, is told in src/door/breakwater-no-node.sh:
//
//   alive           the companion writes it again and again; one line of JSON says who it is
//   wish-ID.json    the launcher: the document of Stash without its session cookie, there by a rename
//   wish-ID.taken   the same, renamed by the companion; where that has gone, nobody waits for an answer
//   wish-ID.log     made by the launcher, which reads on in it; the companion appends lines of Stash's log protocol
//   wish-ID.out     the companion: the one document, there by a rename, after the last line of the log
//
// What another process has put there is data: no link is followed, no pipe waited for, and no more read than has a bound.

import * as fs from 'node:fs';

const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

export function companionFolder(data: string): string {
  return `${data}/companion`;
}

/** Makes it, for its owner alone. Throws where that cannot be. */
export function makeCompanionFolder(data: string): string {
  const folder = companionFolder(data);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!fs.lstatSync(folder).isDirectory()) throw new Error(`${folder} leads elsewhere: remove it`);
  return folder;
}

/** The first `maxBytes` and one more of a plain file. Throws what `node:fs` does. */
export function readBounded(path: string, maxBytes: number): string {
  return using(path, O_RDONLY, (fd) => {
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count) {
      count = fs.readSync(fd, bytes, length, bytes.length - length, length);
    }
    return bytes.toString('utf8', 0, length);
  });
}

/** Writes the same bytes over themselves: the file system gives the time, and no reader ever sees an empty file. */
export function writeAgain(path: string, text: string): void {
  using(path, O_RDWR, (fd) => fs.writeSync(fd, text, 0));
}

/** Null: it is no plain file that can be written to. */
export function openForAppending(path: string): number | null {
  try {
    return openPlain(path, O_WRONLY | O_APPEND | O_CREAT);
  } catch {
    return null;
  }
}

function using<T>(path: string, flags: number, work: (fd: number) => T): T {
  const fd = openPlain(path, flags);
  try {
    return work(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function openPlain(path: string, flags: number): number {
  const fd = fs.openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  throw new Error(`${path} is no plain file`);
}
