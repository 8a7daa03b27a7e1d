// The disk as one process uses it: the calls that a journal makes, each an operation of the kernel, and the synchronous
// ones that replace a checkpoint. Both meet the faults that the disk has at the time, and a process can be killed over
// either: a write is then cut short wherever the dice say.

import type * as nodeFs from 'node:fs';
import { constants } from 'node:fs';
import type { JournalFs } from '../../src/breaker/journal/file-journal.ts';
import type { Dice } from './dice.ts';
import { type Disk, folderOf, Inode } from './disk.ts';
import type { Kernel, SimProcess } from './kernel.ts';

export type DiskFault =
  /** Nothing fits any more, or only a part of it. */
  'full' | 'short' | 'write-error' | 'sync-error' | 'read-error' | 'too-many-files' | 'slow';

/** What is wrong with the disk, and how often that shows. */
export interface DiskState {
  readonly disk: Disk;
  readonly faults: Map<DiskFault, number>;
  readonly injected: (kind: string) => void;
}

interface Descriptor {
  readonly path: string;
  readonly node: Inode | 'folder';
  /** Failed syncs that this descriptor has been told of. */
  told: number;
}

/** An ext4. */
const LOCAL = { type: 0xef53 };
/** In ms, at most. */
const CALL_MS = 0.4;
const SYNC_MS = 3;
const SLOW_MS = 4_000;

export class ProcessFs {
  readonly #kernel: Kernel;
  readonly #process: SimProcess;
  readonly #state: DiskState;
  readonly #dice: Dice;
  readonly #open = new Map<number, Descriptor>();
  #nextFd = 10;
  /** Told of each call on a file that went through. */
  onCall: (call: 'read' | 'stat' | 'write' | 'sync', path: string) => void = () => {};

  constructor(kernel: Kernel, process: SimProcess, state: DiskState, dice: Dice) {
    this.#kernel = kernel;
    this.#process = process;
    this.#state = state;
    this.#dice = dice;
  }

  readonly journal: JournalFs = {
    openSync: (path: string, flags: number) =>
      this.#call(`open ${name(path)}`, () => this.#openAt(path, flags)),
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number) => {
      const part = bytes.subarray(offset, offset + length);
      const torn = (dice: Dice) => this.#writeTorn(fd, part, dice);
      return this.#call(`write ${part.length}`, () => this.#write(fd, part), CALL_MS, torn);
    },
    readSync: (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) =>
      this.#call(`read at ${position}`, () =>
        this.#read(fd, bytes.subarray(offset, offset + length), position),
      ),
    fstatSync: (fd: number) =>
      this.#call('stat', () => {
        const { node, path } = this.#file(fd);
        this.onCall('stat', path);
        return { size: node.size };
      }),
    fdatasyncSync: (fd: number) => this.#call('datasync', () => this.#sync(fd), SYNC_MS),
    fsyncSync: (fd: number) => this.#call('sync', () => this.#sync(fd), SYNC_MS),
    closeSync: (fd: number) => this.#call('close', () => void this.#open.delete(fd)),
    mkdirSync: (path: string) => this.#call(`mkdir ${name(path)}`, () => this.#makeFolder(path)),
    readdirSync: (path: string) =>
      this.#call(`list ${name(path)}`, () => {
        if (this.#state.disk.find(path) !== 'folder') throw errorOf('ENOENT', 'scandir');
        return this.#state.disk.list(path);
      }),
    renameSync: (from: string, to: string) =>
      this.#call(`rename ${name(from)}`, () => this.#rename(from, to)),
    unlinkSync: (path: string) => this.#call(`unlink ${name(path)}`, () => this.#unlink(path)),
    statfsSync: () => LOCAL,
  } as JournalFs;

  /** For one file that is read and replaced whole. */
  readonly whole = {
    readFileSync: (path: string) => {
      this.#now('read whole');
      const node = this.#state.disk.file(path);
      if (node === undefined) throw errorOf('ENOENT', 'open');
      this.#mayFail('read-error', 'EIO', 'read');
      return node.bytes.toString('utf8');
    },
    mkdirSync: (path: string) => {
      this.#now('mkdir');
      this.#makeFolder(path);
    },
    openSync: (path: string, flags: string) => {
      this.#now('open whole');
      const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;
      return this.#openAt(path, flags === 'wx' ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY);
    },
    writeFileSync: (fd: number, text: string) => {
      const bytes = Buffer.from(text);
      try {
        this.#now('write whole');
      } catch (error) {
        this.#writeTorn(fd, bytes, this.#dice);
        throw error;
      }
      const count = this.#write(fd, bytes);
      if (count !== bytes.length) throw errorOf('ENOSPC', 'write');
    },
    fsyncSync: (fd: number) => {
      this.#now('sync whole');
      this.#sync(fd);
    },
    closeSync: (fd: number) => void this.#open.delete(fd),
    renameSync: (from: string, to: string) => {
      this.#now('rename whole');
      this.#rename(from, to);
    },
    rmSync: (path: string) => {
      this.#now('remove');
      if (this.#state.disk.find(path) !== undefined) this.#state.disk.unlink(path);
    },
  } as unknown as typeof nodeFs;

  /** Without the names of temporary files: they are drawn from the real process. */
  #now(what: string): void {
    this.#kernel.immediately(this.#process, what);
  }

  #call<T>(
    what: string,
    does: () => T,
    atMostMs = CALL_MS,
    torn: ((dice: Dice) => void) | null = null,
  ): Promise<T> {
    const isSlow = this.#isHit('slow');
    const ms = this.#dice.random() * (isSlow ? SLOW_MS : atMostMs);
    return this.#kernel.operation(this.#process, what, Math.round(ms * 1000) / 1000, does, torn);
  }

  #openAt(given: string, flags: number): number {
    const { disk } = this.#state;
    const path = given.endsWith('/..') ? folderOf(given.slice(0, -'/..'.length)) : given;
    this.#mayFail('too-many-files', 'EMFILE', 'open');
    let node = disk.find(path);
    if (node !== undefined && (flags & constants.O_EXCL) !== 0) throw errorOf('EEXIST', 'open');
    if (node === undefined) {
      if ((flags & constants.O_CREAT) === 0 || disk.find(folderOf(path)) !== 'folder')
        throw errorOf('ENOENT', 'open');
      this.#mayFail('full', 'ENOSPC', 'open');
      node = new Inode();
      disk.link(path, node);
    }
    this.#nextFd += 1;
    this.#open.set(this.#nextFd, { path, node, told: node === 'folder' ? 0 : node.failures });
    return this.#nextFd;
  }

  #write(fd: number, bytes: Uint8Array): number {
    const { node, path } = this.#file(fd);
    this.#mayFail('write-error', 'EIO', 'write');
    this.#mayFail('full', 'ENOSPC', 'write');
    const count = this.#isHit('short') ? this.#dice.int(bytes.length) : bytes.length;
    if (count < bytes.length) this.#state.injected('disk short');
    node.append(bytes.subarray(0, count));
    this.onCall('write', path);
    return count;
  }

  #writeTorn(fd: number, bytes: Uint8Array, dice: Dice): void {
    const count = dice.chance(0.3) ? 0 : dice.between(0, bytes.length);
    const { node, path } = this.#file(fd);
    node.append(bytes.subarray(0, count));
    if (count > 0 && count < bytes.length) this.#state.injected('write torn');
    if (count > 0) this.onCall('write', path);
  }

  #read(fd: number, into: Uint8Array, position: number): number {
    const { node, path } = this.#file(fd);
    this.#mayFail('read-error', 'EIO', 'read');
    this.onCall('read', path);
    const bytes = node.bytes.subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  #sync(fd: number): void {
    const descriptor = this.#descriptor(fd);
    const { node, path } = descriptor;
    if (node === 'folder') {
      this.#mayFail('sync-error', 'EIO', 'fsync');
      this.#state.disk.syncFolder(path);
      return;
    }
    if (node.isDirty && this.#isHit('sync-error')) {
      this.#state.injected('disk sync-error');
      node.failSync(this.#dice.chance(0.5));
    } else {
      node.sync();
    }
    if (descriptor.told < node.failures) {
      descriptor.told = node.failures;
      throw errorOf('EIO', 'fdatasync');
    }
    this.onCall('sync', path);
  }

  /** The first folder that was made; undefined: all were there. */
  #makeFolder(path: string): string | undefined {
    const { disk } = this.#state;
    if (disk.find(path) === 'folder') return undefined;
    const above = this.#makeFolder(folderOf(path));
    this.#mayFail('full', 'ENOSPC', 'mkdir');
    disk.link(path, 'folder');
    return above ?? path;
  }

  #rename(from: string, to: string): void {
    const { disk } = this.#state;
    if (disk.find(from) === undefined) throw errorOf('ENOENT', 'rename');
    this.#mayFail('write-error', 'EIO', 'rename');
    disk.rename(from, to);
    this.onCall('write', to);
  }

  #unlink(path: string): void {
    if (this.#state.disk.find(path) === undefined) throw errorOf('ENOENT', 'unlink');
    this.#state.disk.unlink(path);
  }

  #descriptor(fd: number): Descriptor {
    const open = this.#open.get(fd);
    if (open === undefined) throw errorOf('EBADF', 'descriptor');
    return open;
  }

  #file(fd: number): { readonly node: Inode; readonly path: string } {
    const { node, path } = this.#descriptor(fd);
    if (node === 'folder') throw errorOf('EISDIR', 'descriptor');
    return { node, path };
  }

  #isHit(fault: DiskFault): boolean {
    const share = this.#state.faults.get(fault);
    return share !== undefined && this.#dice.chance(share);
  }

  #mayFail(fault: DiskFault, code: string, syscall: string): void {
    if (!this.#isHit(fault)) return;
    this.#state.injected(`disk ${fault}`);
    throw errorOf(code, syscall);
  }
}

export function errorOf(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });
}

function name(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
