// The disk as it is at a moment, read at once and without faults: for those who watch.

import { constants } from 'node:fs';
import type { JournalFs } from '../../src/breaker/journal/file-journal.ts';
import type { Disk, Inode } from './disk.ts';
import { errorOf } from './process-fs.ts';

export function immediateFs(disk: Disk): JournalFs {
  // By path and not by what was there: after a power loss the file may be another.
  const paths: string[] = [];
  const file = (fd: number): Inode => {
    const found = disk.file(paths[fd] ?? '');
    if (found === undefined) throw errorOf('ENOENT', 'read');
    return found;
  };
  const refuse = () => {
    throw errorOf('EROFS', 'write');
  };
  return {
    openSync: (path, flags) => {
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0) return refuse();
      if (disk.find(path) === undefined) throw errorOf('ENOENT', 'open');
      return paths.push(path) - 1;
    },
    readSync: (fd, into, offset, length, position) => {
      const bytes = file(fd).bytes.subarray(position, position + length);
      into.set(bytes, offset);
      return bytes.length;
    },
    fstatSync: (fd) => ({ size: disk.file(paths[fd] ?? '')?.size ?? 0 }),
    closeSync: () => {},
    readdirSync: (path) => {
      if (disk.find(path) !== 'folder') throw errorOf('ENOENT', 'scandir');
      return disk.list(path);
    },
    statfsSync: () => ({ type: 0xef53 }),
    writeSync: refuse,
    fdatasyncSync: refuse,
    fsyncSync: refuse,
    mkdirSync: refuse,
    renameSync: refuse,
    unlinkSync: refuse,
  };
}
