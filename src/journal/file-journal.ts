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

/** The system calls that it makes; tests put a failing disk behind them. */
export type JournalFs = Pick<
  typeof nodeFs,
  | 'openSync'
  | 'writeSync'
  | 'fdatasyncSync'
  | 'fsyncSync'
  | 'closeSync'
  | 'readSync'
  | 'fstatSync'
  | 'mkdirSync'
>;

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

  constructor(dir: string, fs: JournalFs = nodeFs) {
    this.dir = dir;
    this.#fs = fs;
  }

  pathOf(stream: StreamName): string {
    return `${this.dir}/${stream}.ndjson`;
  }

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    const bytes = joinLines(records.map(encodeLine));
    try {
      const fd = this.#appendFd(stream);
      const written = this.#fs.writeSync(fd, bytes, 0, bytes.length);
      if (written !== bytes.length) {
        return failed({ kind: 'full', detail: `only ${written} of ${bytes.length} bytes fitted` });
      }
      this.#fs.fdatasyncSync(fd);
      return { ok: true };
    } catch (error) {
      return failed(failureOf(error as NodeJS.ErrnoException));
    }
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    const fd = this.#readFd(stream);
    if (fd === null) return { entries: [], next: from };
    for (let size = READ_BYTES; ; size *= 4) {
      const left = this.#fs.fstatSync(fd).size - from;
      if (left <= 0) return { entries: [], next: from };
      const bytes = this.#readBytes(fd, from, Math.min(size, left));
      if (bytes.includes(NEWLINE) || bytes.length < size) return splitEntries(bytes, from);
      if (size >= MAX_READ_BYTES) return stepOver(from, bytes.length);
    }
  }

  async size(stream: StreamName): Promise<number> {
    const fd = this.#readFd(stream);
    return fd === null ? 0 : this.#fs.fstatSync(fd).size;
  }

  close(): void {
    for (const fd of [...this.#appendFds.values(), ...this.#readFds.values()]) this.#fs.closeSync(fd);
    this.#appendFds.clear();
    this.#readFds.clear();
  }

  #readBytes(fd: number, from: Position, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const count = this.#fs.readSync(fd, bytes, filled, length - filled, from + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  #appendFd(stream: StreamName): number {
    const open = this.#appendFds.get(stream);
    if (open !== undefined) return open;
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = nodeFs.constants;
    const path = this.pathOf(stream);
    let fd: number;
    try {
      fd = this.#fs.openSync(path, O_WRONLY | O_APPEND | OURS_ONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#fs.mkdirSync(this.dir, { recursive: true, mode: DIR_MODE });
      fd = this.#create(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
    }
    this.#appendFds.set(stream, fd);
    return fd;
  }

  /** A new file is not there after a power loss until its folder was synced. */
  #create(path: string, flags: number): number {
    let fd: number;
    try {
      fd = this.#fs.openSync(path, flags, FILE_MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return this.#fs.openSync(path, nodeFs.constants.O_WRONLY | nodeFs.constants.O_APPEND | OURS_ONLY);
    }
    if (process.platform !== 'win32') {
      const dirFd = this.#fs.openSync(this.dir, nodeFs.constants.O_RDONLY);
      try {
        this.#fs.fsyncSync(dirFd);
      } finally {
        this.#fs.closeSync(dirFd);
      }
    }
    return fd;
  }

  #readFd(stream: StreamName): number | null {
    const open = this.#readFds.get(stream);
    if (open !== undefined) return open;
    try {
      const fd = this.#fs.openSync(this.pathOf(stream), nodeFs.constants.O_RDONLY | OURS_ONLY);
      this.#readFds.set(stream, fd);
      return fd;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
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
