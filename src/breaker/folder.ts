// The folder of a journal and its checkpoints, as one looks at it who has to tell a person what is wrong with it.

import * as fs from 'node:fs';
import { isShared, LOCK_MARK } from './journal/network.ts';
import { isSegmentName } from './journal/segments.ts';

export type DirFacts =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly detail: string }
  | {
      readonly kind: 'there';
      readonly path: string;
      /** Permission bits; null where the system has none. */
      readonly mode: number | null;
      readonly isWritable: boolean;
      /** Files in it that others may read or write, or that are links. */
      readonly loose: readonly { readonly name: string; readonly what: 'mode' | 'link' }[];
      /** As statfs tells it on Linux; null elsewhere. */
      readonly fileSystemType: number | null;
      /** Whether each append takes a lock. */
      readonly isLocked: boolean;
      readonly freeBytes: number;
    };

/** Files that are looked at; the data dir has a dozen. */
const MAX_FILES = 1_000;

export function dirFacts(path: string): DirFacts {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'unusable', detail: code };
  }
  if (!stat.isDirectory()) return { kind: 'unusable', detail: 'it is no folder' };
  try {
    const hasModes = process.platform !== 'win32';
    const { type, bavail, bsize } = fs.statfsSync(path);
    return {
      kind: 'there',
      path,
      mode: hasModes ? stat.mode & 0o777 : null,
      isWritable: isWritable(path),
      loose: looseFiles(path, hasModes),
      fileSystemType: process.platform === 'linux' ? type : null,
      isLocked: isShared(fs.readdirSync(path), type),
      freeBytes: bavail * bsize,
    };
  } catch (error) {
    return { kind: 'unusable', detail: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

function isWritable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Loose = Extract<DirFacts, { kind: 'there' }>['loose'][number];

function looseFiles(path: string, hasModes: boolean): Loose[] {
  const names = fs.readdirSync(path, { recursive: true, encoding: 'utf8' }).slice(0, MAX_FILES);
  return names.flatMap((name): Loose[] => {
    const stat = fs.lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
    // A temporary file that its writer has renamed meanwhile, or the lock; that one is empty, and may be a person's.
    if (stat === undefined || name.startsWith(LOCK_MARK)) return [];
    if (stat.isSymbolicLink()) return [{ name, what: 'link' }];
    return hasModes && (stat.mode & 0o077) !== 0 ? [{ name, what: 'mode' }] : [];
  });
}

/**
 * Ours are made for their owner alone; one that was copied or restored may not be. Reported and not changed: on some
 * NAS a change of the mode undoes what its owner has allowed.
 */
export function exposuresOf(path: string): string[] {
  if (process.platform === 'win32') return [];
  return ['', ...segmentsIn(path)].flatMap((name) => {
    const file = name === '' ? path : `${path}/${name}`;
    const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    // Others may look into a folder of files that they cannot read.
    const open = mode & (name === '' ? 0o022 : 0o066);
    if (open === 0) return [];
    const may = (open & 0o022) === 0 ? 'read' : 'change';
    return [`others may ${may} ${file}: chmod ${name === '' ? 700 : 600} puts it right`];
  });
}

function segmentsIn(path: string): string[] {
  try {
    return fs.readdirSync(path).filter(isSegmentName);
  } catch {
    return [];
  }
}

/** A file is written by way of one that is renamed; who is killed in between leaves that behind. */
const TEMPORARY = /\.\d+\.\d+\.tmp$/;
/** Nobody takes as long to write one, in ms. */
const STALE_MS = 3_600_000;

/** Removes what killed writers have left. `now`: wall ms. Says nothing of what it cannot do: it costs room and no more. */
export function sweepTemporaries(path: string, now: number): void {
  for (const folder of [path, `${path}/checkpoint`]) {
    try {
      for (const name of fs.readdirSync(folder).filter((one) => TEMPORARY.test(one))) {
        const file = `${folder}/${name}`;
        if (now - fs.lstatSync(file).mtimeMs > STALE_MS) fs.rmSync(file, { force: true });
      }
    } catch {
      // No such folder, or not ours.
    }
  }
}
