// A file system in memory, as the journal sees one, for any number of processes: each call can be kept waiting, counted or
// killed, and the power can go: what was not synced is lost then, bytes and names alike.
//
// As a network file system it is the worst that one may be: a file that is open is as long as it was when it was opened,
// for who reads it and who appends to it, but for what he wrote himself.

import type { JournalFs } from '../../src/breaker/journal/disk.ts';

/** What a call of a dead process ends in. */
export class Killed extends Error {}

interface Inode {
  bytes: Buffer;
  /** How many of them would survive. */
  durable: number;
}

interface Folder {
  readonly names: Map<string, Inode>;
  /** As it would be after a power loss. */
  durable: Map<string, Inode>;
}

/** What one process has opened; `end` is how long it is for all that this process knows. */
interface OpenFile {
  readonly inode: Inode;
  end: number;
}

const [O_CREAT, O_EXCL] = [0o100, 0o200];
/** Of statfs: ext4, and NFS. */
const TYPES = { local: 0xef53, network: 0x6969 };

export class MemoryDisk {
  readonly #kind: keyof typeof TYPES;

  constructor(kind: keyof typeof TYPES = 'local') {
    this.#kind = kind;
  }

  readonly folder: Folder = { names: new Map(), durable: new Map() };

  /** One process's view. `before` is asked before each call, and may wait or throw. */
  process(before: (call: keyof JournalFs) => void | Promise<void> = () => {}): JournalFs {
    const { names } = this.folder;
    const open = new Map<number, OpenFile | 'folder' | 'parent'>();
    let next = 3;
    const file = (fd: number): OpenFile => {
      const found = open.get(fd);
      if (found === undefined || typeof found === 'string') throw failed('EBADF', 'use of a closed file');
      if (this.#kind === 'local') found.end = found.inode.bytes.length;
      return found;
    };
    type Calls = Required<JournalFs>;
    const calls: { [Name in keyof Calls]: (...args: Parameters<Calls[Name]>) => unknown } = {
      openSync: (path, flags) => {
        const folder = path === '/data' ? 'folder' : path === '/data/..' ? 'parent' : undefined;
        let inode: Inode | 'folder' | 'parent' | undefined = folder ?? names.get(nameOf(path));
        if (inode !== undefined && (flags & O_EXCL) !== 0) throw failed('EEXIST', 'open');
        if (inode === undefined) {
          if ((flags & O_CREAT) === 0) throw failed('ENOENT', 'open');
          inode = { bytes: Buffer.alloc(0), durable: 0 };
          names.set(nameOf(path), inode);
        }
        open.set(next, typeof inode === 'string' ? inode : { inode, end: inode.bytes.length });
        return next++;
      },
      writeSync: (fd, bytes, offset, length) => {
        const to = file(fd);
        const { bytes: there } = to.inode;
        const part = bytes.subarray(offset, offset + length);
        to.inode.bytes = Buffer.concat([there.subarray(0, to.end), part, there.subarray(to.end + length)]);
        to.end += length;
        return length;
      },
      readSync: (fd, bytes, offset, length, position) =>
        file(fd).inode.bytes.copy(bytes, offset, position, Math.min(position + length, file(fd).end)),
      fstatSync: (fd) => ({ size: file(fd).end }),
      fdatasyncSync: (fd) => {
        const { inode } = file(fd);
        inode.durable = inode.bytes.length;
      },
      fsyncSync: (fd) => {
        if (open.get(fd) === 'folder') this.folder.durable = new Map(names);
        else if (open.get(fd) !== 'parent') file(fd).inode.durable = file(fd).inode.bytes.length;
      },
      closeSync: (fd) => {
        if (!open.delete(fd)) throw failed('EBADF', 'close');
      },
      mkdirSync: () => undefined,
      readdirSync: () => [...names.keys()],
      renameSync: (from, to) => {
        const inode = names.get(nameOf(from));
        if (inode === undefined) throw failed('ENOENT', 'rename');
        names.delete(nameOf(from));
        names.set(nameOf(to), inode);
      },
      unlinkSync: (path) => {
        if (!names.delete(nameOf(path))) throw failed('ENOENT', 'unlink');
      },
      statfsSync: () => ({ type: TYPES[this.#kind] }),
      pause: () => {},
    };
    return Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          await before(name as keyof JournalFs);
          return (call as (...all: unknown[]) => unknown)(...args);
        },
      ]),
    ) as unknown as JournalFs;
  }

  /**
   * `torn` says how much of what was not synced is there after all, for each file, in [0, 1]; `kept` which changes of the
   * folder are, that was not synced either: none, all, or only that names were removed.
   */
  losePower(torn: () => number, kept: 'none' | 'all' | 'removals' = 'none'): void {
    const { names, durable } = this.folder;
    const left = [...(kept === 'all' ? names : durable)].filter(
      ([name, inode]) => kept !== 'removals' || names.get(name) === inode,
    );
    names.clear();
    for (const [name, inode] of left) {
      const extra = Math.round((inode.bytes.length - inode.durable) * torn());
      inode.bytes = inode.bytes.subarray(0, inode.durable + extra);
      inode.durable = inode.bytes.length;
      names.set(name, inode);
    }
    this.folder.durable = new Map(names);
  }

  bytes(name: string): Buffer {
    return this.folder.names.get(name)?.bytes ?? Buffer.alloc(0);
  }

  replace(name: string, bytes: Buffer): void {
    this.folder.names.set(name, { bytes, durable: bytes.length });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function failed(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}
