// The data dir: whether it can be written, who can read it, what it is on, and how much room is left.

import { type DirFacts, FUSE, NETWORK_TYPES } from '../breaker/index.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** Below this an append may fail before the day is over, in bytes; and what is too little to be at ease. */
export const LEAST_FREE_BYTES = 50_000_000;
export const EASY_FREE_BYTES = 500_000_000;

/** What does not outlive a restart. */
const FLEETING_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'memory (tmpfs)'],
  [0x858458f6, 'memory (ramfs)'],
  [0x794c7630, "a container's own layer (overlay)"],
]);

export function dirFindings(dir: DirFacts): Finding[] {
  switch (dir.kind) {
    case 'missing':
      return [
        note('data dir', 'there is none yet', 'the first wake makes it; or give --data if it is elsewhere'),
      ];
    case 'unusable':
      return [
        problem(
          'data dir',
          `it cannot be used: ${dir.detail}`,
          'make it a folder that Stash may read and write',
        ),
      ];
    case 'there':
      return [writable(dir), modes(dir), fileSystem(dir), space(dir.freeBytes)];
  }
}

type There = Extract<DirFacts, { kind: 'there' }>;

function writable({ isWritable, path }: There): Finding {
  return isWritable
    ? ok('data dir', path)
    : problem(
        'data dir',
        `${path} cannot be written`,
        'no change can be noted: give it to the user that Stash runs as',
      );
}

function modes({ mode, loose, path }: There): Finding {
  const isOpen = mode !== null && (mode & 0o077) !== 0;
  const links = loose.filter(({ what }) => what === 'link').map(({ name }) => name);
  const readable = loose.filter(({ what }) => what === 'mode').map(({ name }) => name);
  if (links.length > 0) {
    return problem(
      'permissions',
      `links where files should be: ${links.join(', ')}`,
      'put the files themselves there',
    );
  }
  if (!isOpen && readable.length === 0) return ok('permissions', 'nobody else may read it');
  const what = isOpen
    ? `the folder has mode ${(mode & 0o777).toString(8)}`
    : `others may read ${readable.join(', ')}`;
  return problem('permissions', what, `chmod -R go-rwx "${path}"`);
}

function fileSystem({ fileSystemType: type, isLocked }: There): Finding {
  const network = type === null ? undefined : NETWORK_TYPES.get(type);
  if (network !== undefined) return onNetwork(network, type === FUSE, isLocked);
  const fleeting = type === null ? undefined : FLEETING_TYPES.get(type);
  if (fleeting !== undefined) {
    return note(
      'file system',
      `the data dir is in ${fleeting} and does not outlive it`,
      'put it on a volume (BREAKWATER_DATA)',
    );
  }
  const what = type === null ? 'not looked at on this system' : 'local';
  return ok('file system', isLocked ? `${what}; each append takes the lock that is in the data dir` : what);
}

function onNetwork(name: string, isFuse: boolean, isLocked: boolean): Finding {
  if (isLocked) {
    return note(
      'file system',
      `the data dir is on ${name}, ${isFuse ? 'which may be a network' : 'a network file system'}: each append takes a lock`,
      'a local disk is faster and surer (BREAKWATER_DATA)',
    );
  }
  if (isFuse) return ok('file system', 'FUSE; append-lock.never says that no other host writes there');
  return problem(
    'file system',
    `the data dir is on ${name}, a network file system, and append-lock.never is in it: appends of two hosts may overwrite each other`,
    'remove append-lock.never, or keep it on a local disk (BREAKWATER_DATA)',
  );
}

function space(freeBytes: number): Finding {
  const free = `${Math.floor(freeBytes / 1e6)} MB free`;
  if (freeBytes < LEAST_FREE_BYTES)
    return problem('disk', free, 'make room: on a full disk changes are not noted');
  return freeBytes < EASY_FREE_BYTES ? note('disk', free, 'make room before it is full') : ok('disk', free);
}
