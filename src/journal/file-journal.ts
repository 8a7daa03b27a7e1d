// The journal on a local disk: one file a stream, shared by any number of processes.
// An append is one write of "\n" + line + "\n" to a descriptor opened O_APPEND, then fdatasync. The leading
// newline fences off the fragment of a writer that was killed; without it that fragment would swallow our
// line. A short count is a failed append (a full disk reports nothing else). On a network file system
// O_APPEND is not atomic: do not put a journal there.

import * as nodeFs from 'node:fs';
import type { AppendFailure, AppendResult, Journal } from './journal.ts';
import { READ_BYTES } from './journal.ts';
import { type Chunk, joinLines, splitEntries, stepOver } from './lines.ts';
import { encodeLine, type JournalRecord, type Position, type StreamName } from './record.ts';

/**
 * The system calls that it makes; `node:fs` is one. Each may also answer later: tests put a failing disk behind
 * them, and a simulation lets other processes in between any two.
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
}

type Answer<T> = T | Promise<T>;

const NEWLINE = 0x0a;
/** No link is followed out of the folder, and nobody waits for the other end of a pipe. Not known everywhere. */
const OURS_ONLY = (nodeFs.constants.O_NOFOLLOW ?? 0) | (nodeFs.constants.O_NONBLOCK ?? 0);
const FILE_MODE = 0o600;
const DIR_MODE = 0o700;
/** A read grows at most to this to find the end of a line, in bytes. A longer run without one is damage. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

export class FileJournal implements Journal {
  readonly dir: string;
  readonly #fs: JournalFs;
  readonly #appendFds = new Map<StreamName, number>();
  readonly #readFds = new Map<StreamName, number>();
  readonly #appending = new Turns();
  readonly #reading = new Turns();

  constructor(dir: string, fs: JournalFs = nodeFs) {
    this.dir = dir;
    this.#fs = fs;
  }

  pathOf(stream: StreamName): string {
    return `${this.dir}/${stream}.ndjson`;
  }

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    const bytes = joinLines(records.map(encodeLine));
    return this.#appending.take(async () => {
      try {
        const fd = await this.#appendFd(stream);
        const written = await this.#fs.writeSync(fd, bytes, 0, bytes.length);
        if (written !== bytes.length) {
          return failed({ kind: 'full', detail: `only ${written} of ${bytes.length} bytes fitted` });
        }
        await this.#fs.fdatasyncSync(fd);
        return { ok: true };
      } catch (error) {
        return failed(failureOf(error as NodeJS.ErrnoException));
      }
    });
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    return this.#reading.take(async () => {
      const fd = await this.#readFd(stream);
      if (fd === null) return { entries: [], next: from };
      for (let size = READ_BYTES; ; size *= 4) {
        const left = (await this.#fs.fstatSync(fd)).size - from;
        if (left <= 0) return { entries: [], next: from };
        const bytes = await this.#readBytes(fd, from, Math.min(size, left));
        if (bytes.includes(NEWLINE) || bytes.length < size) return splitEntries(bytes, from);
        if (size >= MAX_READ_BYTES) return stepOver(from, bytes.length);
      }
    });
  }

  async size(stream: StreamName): Promise<number> {
    return this.#reading.take(async () => {
      const fd = await this.#readFd(stream);
      return fd === null ? 0 : (await this.#fs.fstatSync(fd)).size;
    });
  }

  /** Nothing may be under way. Over `node:fs` all is closed when this returns. */
  async close(): Promise<void> {
    const fds = [...this.#appendFds.values(), ...this.#readFds.values()];
    this.#appendFds.clear();
    this.#readFds.clear();
    await Promise.all(fds.map((fd) => this.#fs.closeSync(fd)));
  }

  async #readBytes(fd: number, from: Position, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const count = await this.#fs.readSync(fd, bytes, filled, length - filled, from + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  async #appendFd(stream: StreamName): Promise<number> {
    const open = this.#appendFds.get(stream);
    if (open !== undefined) return open;
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = nodeFs.constants;
    const path = this.pathOf(stream);
    let fd: number;
    try {
      fd = await this.#fs.openSync(path, O_WRONLY | O_APPEND | OURS_ONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.#fs.mkdirSync(this.dir, { recursive: true, mode: DIR_MODE });
      fd = await this.#create(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
    }
    this.#appendFds.set(stream, fd);
    return fd;
  }

  /** A new file is not there after a power loss until its folder was synced. */
  async #create(path: string, flags: number): Promise<number> {
    let fd: number;
    try {
      fd = await this.#fs.openSync(path, flags, FILE_MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return this.#fs.openSync(path, nodeFs.constants.O_WRONLY | nodeFs.constants.O_APPEND | OURS_ONLY);
    }
    if (process.platform !== 'win32') {
      const dirFd = await this.#fs.openSync(this.dir, nodeFs.constants.O_RDONLY);
      try {
        await this.#fs.fsyncSync(dirFd);
      } finally {
        await this.#fs.closeSync(dirFd);
      }
    }
    return fd;
  }

  async #readFd(stream: StreamName): Promise<number | null> {
    const open = this.#readFds.get(stream);
    if (open !== undefined) return open;
    try {
      const fd = await this.#fs.openSync(this.pathOf(stream), nodeFs.constants.O_RDONLY | OURS_ONLY);
      this.#readFds.set(stream, fd);
      return fd;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}

/** One at a time, in the order in which they came: two that run at once in one process would both open a file. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function failed(failure: AppendFailure): AppendResult {
  return { ok: false, failure };
}

function failureOf(error: NodeJS.ErrnoException): AppendFailure {
  const detail = `${error.code ?? error.name} on ${error.syscall ?? 'append'}`;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return { kind: 'full', detail };
    case 'EIO':
      return { kind: 'io', detail };
    default:
      // EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP, EMFILE …: nothing was written.
      if (error.code === undefined) throw error;
      return { kind: 'unwritable', detail };
  }
}
