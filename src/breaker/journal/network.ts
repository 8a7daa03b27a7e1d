// Where other hosts may write as well. Appends are not atomic there: each host looks where a file ends and writes to that
// place, two of them to the same. The journal takes a lock there (append-lock.ts), and the doctor says so.

/** May well be local, which the number does not tell; a lock costs little there. */
export const FUSE = 0x65735546;

/**
 * `f_type` of statfs(2) on Linux, from linux/magic.h; other systems have other numbers, or none.
 */
export const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x786f4256, 'VirtualBox'],
  [FUSE, 'FUSE'],
]);

/** A file that says that there is a lock; made by who takes it first, or by a person. */
export const LOCK_MARK = 'append-lock';
/** One that a person makes where there is to be none. */
const NO_LOCK = 'append-lock.never';

/**
 * By the names in the folder and the `f_type` of what it is on. Where the mark is in it, there is a lock, whatever the
 * folder looks like from here: a NAS and its clients share one.
 */
export function isShared(names: readonly string[], type: number): boolean {
  if (names.includes(NO_LOCK)) return false;
  return names.includes(LOCK_MARK) || NETWORK_TYPES.has(type);
}
