// One JSON file that is read and replaced whole, as a lowdb adapter. lowdb's own renames without fsync and
// shares one temp name between processes; this one survives a power loss and any number of writers.

import * as nodeFs from 'node:fs';
import { crc32 } from 'node:zlib';
import type { SyncAdapter } from 'lowdb';

/** Stands in the first line; a file of another version is ignored. Bump when what is kept changes shape. */
const FILE_VERSION = 1;

/** A link that somebody put there is no checkpoint, and a pipe is not waited for. Not known everywhere. */
export const READ_FLAGS =
  nodeFs.constants.O_RDONLY | (nodeFs.constants.O_NOFOLLOW ?? 0) | (nodeFs.constants.O_NONBLOCK ?? 0);

/** Reads and replaces one JSON file. Replaces it whole: a reader sees the old or the new, never a part. */
export class AtomicFile<T> implements SyncAdapter<T> {
  readonly #path: string;
  readonly #fs: typeof nodeFs;
  readonly #isFolderOurs: boolean;

  /** `isFolderOurs`: it is in a folder that we made, so that one which leads elsewhere is not written to. */
  constructor(path: string, fs: typeof nodeFs = nodeFs, isFolderOurs = false) {
    this.#path = path;
    this.#fs = fs;
    this.#isFolderOurs = isFolderOurs;
  }

  /** `null` when there is none that can be trusted. */
  read(): T | null {
    let text: string;
    try {
      text = this.#fs.readFileSync(this.#path, { encoding: 'utf8', flag: READ_FLAGS as unknown as string });
    } catch {
      return null;
    }
    const split = text.indexOf('\n');
    const body = text.slice(split + 1);
    if (text.slice(0, split) !== headerOf(body)) return null;
    try {
      return JSON.parse(body) as T;
    } catch {
      return null;
    }
  }

  write(data: T): void {
    const body = JSON.stringify(data);
    const dir = folderOf(this.#path);
    this.#fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (this.#isFolderOurs && this.#fs.lstatSync(dir).isSymbolicLink()) {
      throw new Error(`${dir} leads elsewhere`);
    }
    replaceFile(this.#path, `${headerOf(body)}\n${body}`, 0o600, this.#fs);
  }
}

/**
 * Replaces the file at this absolute path, in a folder that exists: a temp file of our own name, synced, renamed over, then
 * the folder synced.
 */
export function replaceFile(path: string, text: string, mode: number, fs: typeof nodeFs = nodeFs): void {
  const temp = `${path}.${process.pid}.${Math.floor(performance.now() * 1000)}.tmp`;
  // Not over anything: whatever has that name is not ours.
  const fd = fs.openSync(temp, 'wx', mode);
  try {
    writeSynced(fd, text, fs);
    fs.renameSync(temp, path);
  } catch (error) {
    fs.rmSync(temp, { force: true });
    throw error;
  }
  syncDir(folderOf(path) || '/', fs);
}

function writeSynced(fd: number, text: string, fs: typeof nodeFs): void {
  try {
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function syncDir(dir: string, fs: typeof nodeFs): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(dir, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function headerOf(body: string): string {
  return `checkpoint ${FILE_VERSION} ${crc32(body)}`;
}
