// The files of a data dir: the few things that the journal does with them, on whatever file system it is given.

import * as nodeFs from 'node:fs';
import { type AppendFailure, READ_BYTES } from './journal.ts';
import { isShared } from './network.ts';

/**
 * The system calls that the journal makes; `node:fs` is one. Each may also answer later: tests put a failing disk
 * behind them, and a simulation lets other processes in between any two.
 */
export interface JournalFs {
  openSync(path: string, flags: number, mode?: number): Answer<number>;
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number): Answer<number>;
  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): Answer<number>;
  fstatSync(fd: number): Answer<{ readonly size: number }>;
  fdatasyncSync(fd: number): Answer<void>;
  fsyncSync(fd: number): Answer<void>;
  closeSync(fd: number): Answer<void>;
  mkdirSync(path: string, options: { readonly recursive: true; readonly mode: number }): Answer<unknown>;
  /** Names in a folder; throws ENOENT for none. */
  readdirSync(path: string): Answer<string[]>;
  renameSync(from: string, to: string): Answer<void>;
  unlinkSync(path: string): Answer<void>;
  /** Throws ENOENT for no such folder. */
  statfsSync(path: string): Answer<{ readonly type: number }>;
  /** Waits; by a timer where there is none. */
  pause?(ms: number): Answer<void>;
}

type Answer<T> = T | Promise<T>;

const FILE_MODE = 0o600;
const DIR_MODE = 0o700;
const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = nodeFs.constants;

/** `append`: also to be read by the same descriptor, so that it is certainly the same file. */
export type OpenMode = 'read' | 'append' | 'create' | 'make';
/** No link is followed out of the folder, and nobody waits for the other end of a pipe. Not known everywhere. */
const OURS_ONLY = (nodeFs.constants.O_NOFOLLOW ?? 0) | (nodeFs.constants.O_NONBLOCK ?? 0);
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | OURS_ONLY,
  append: O_RDWR | O_APPEND | OURS_ONLY,
  create: O_RDWR | O_APPEND | O_CREAT | OURS_ONLY,
  make: O_RDWR | O_CREAT | O_EXCL | OURS_ONLY,
};

const LAST_NAME = /[\\/]?[^\\/]*$/;

/** A full disk reports nothing else than a count that is too small. */
class ShortWrite extends Error {}

export class Disk {
  readonly dir: string;
  readonly #fs: JournalFs;
  #isShared: boolean | null = null;

  constructor(dir: string, fs: JournalFs) {
    this.dir = dir;
    this.#fs = fs;
  }

  /** Names in the folder; none where there is no folder. */
  async list(): Promise<readonly string[]> {
    return (await quietOn('ENOENT', () => this.#fs.readdirSync(this.dir))) ?? [];
  }

  /**
   * Whether other hosts may write there as well, so that appends take a lock, and nothing is kept open: what is open may
   * show what was there when it was opened. `names`: those in the folder. Found out once, with one call.
   */
  async isShared(names: readonly string[]): Promise<boolean> {
    this.#isShared ??= isShared(names, await this.#fileSystem());
    return this.#isShared;
  }

  /** Of the folder, or of one above it: it may have to be made yet. Nobody is kept from writing by not being told. */
  async #fileSystem(): Promise<number> {
    for (let dir = this.dir; dir !== ''; dir = dir.replace(LAST_NAME, '')) {
      try {
        return (await this.#fs.statfsSync(dir)).type;
      } catch (error) {
        failureOf(error);
      }
    }
    return 0;
  }

  /** Null when there is no such file; `create` makes it, and the folder; `make` the same, and throws EEXIST. */
  async open(name: string, mode: OpenMode): Promise<number | null> {
    const open = () => quietOn('ENOENT', () => this.#fs.openSync(this.#path(name), FLAGS[mode], FILE_MODE));
    const fd = await open();
    if (fd !== null || (FLAGS[mode] & O_CREAT) === 0) return fd;
    const made = await this.#fs.mkdirSync(this.dir, { recursive: true, mode: DIR_MODE });
    if (typeof made === 'string' && made.length < this.dir.length) await this.syncDir(`${made}/..`);
    return open();
  }

  async size(fd: number): Promise<number> {
    return (await this.#fs.fstatSync(fd)).size;
  }

  /** Fewer than `length` only where the file ends. */
  async read(fd: number, from: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const count = await this.#fs.readSync(fd, bytes, filled, length - filled, from + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  /** A file up to `end`, or as long as it is now: so much at a time that its size costs no memory. */
  async *pieces(fd: number, end = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    const length = Math.min(end, await this.size(fd));
    for (let at = 0; at < length; at += READ_BYTES) {
      yield await this.read(fd, at, Math.min(READ_BYTES, length - at));
    }
  }

  /** One write, made durable. Throws when it did not fit, or may not be durable. */
  async write(fd: number, bytes: Buffer): Promise<void> {
    const written = await this.#fs.writeSync(fd, bytes, 0, bytes.length);
    if (written !== bytes.length) throw new ShortWrite(`only ${written} of ${bytes.length} bytes fitted`);
    await this.sync(fd);
  }

  async sync(fd: number): Promise<void> {
    await this.#fs.fdatasyncSync(fd);
  }

  /** A file that is new, renamed or gone is not so after a power loss until its folder was synced. */
  async syncDir(dir: string = this.dir): Promise<void> {
    if (process.platform === 'win32') return;
    const fd = await this.#fs.openSync(dir, O_RDONLY);
    try {
      await this.#fs.fsyncSync(fd);
    } finally {
      await this.#fs.closeSync(fd);
    }
  }

  /** Nor is a folder that is new, until the one above was: it would be gone with all that was acknowledged in it. */
  syncDirAbove(): Promise<void> {
    return this.syncDir(`${this.dir}/..`);
  }

  async close(fd: number): Promise<void> {
    await this.#fs.closeSync(fd);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#fs.renameSync(this.#path(from), this.#path(to));
  }

  /** An empty file. False: there is one already. */
  async make(name: string): Promise<boolean> {
    const fd = await quietOn('EEXIST', () => this.open(name, 'make'));
    if (fd === null) return false;
    await this.close(fd);
    return true;
  }

  /** False: `from` is gone. */
  async move(from: string, to: string): Promise<boolean> {
    return (await quietOn('ENOENT', () => this.rename(from, to))) !== null;
  }

  async pause(ms: number): Promise<void> {
    if (this.#fs.pause !== undefined) return this.#fs.pause(ms);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** It may be gone already. */
  async remove(name: string): Promise<void> {
    await quietOn('ENOENT', () => this.#fs.unlinkSync(this.#path(name)));
  }

  #path(name: string): string {
    return `${this.dir}/${name}`;
  }
}

/** Throws what is no failure of the disk: a bug. */
export function failureOf(error: unknown): AppendFailure {
  if (error instanceof ShortWrite) return { kind: 'full', detail: error.message };
  const { code, name, syscall } = error as NodeJS.ErrnoException;
  const detail = `${code ?? name} on ${syscall ?? 'append'}`;
  switch (code) {
    case undefined:
      throw error;
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return { kind: 'full', detail };
    case 'EIO':
      return { kind: 'io', detail };
    default:
      // EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP, EMFILE …: nothing was written.
      return { kind: 'unwritable', detail };
  }
}

async function quietOn<T>(quiet: string, call: () => Answer<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== quiet) throw error;
    return null;
  }
}
