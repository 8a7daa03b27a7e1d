// What is wrong, and what to do about it: facts in, findings out. Pure; who gathers the facts is the shell's. A problem
// is something that loses changes, keeps them from Plex or shows secrets; a note is worth knowing and no more.

import type { FoldCounts } from '../control/replay.ts';
import type { StreamVerification } from '../history/verify.ts';

export interface Facts {
  readonly dir: DirFacts;
  /** `process.versions.node`. */
  readonly nodeVersion: string;
  /** Wall ms. */
  readonly now: number;
  readonly journal: JournalFacts;
  readonly settings: SettingsFacts;
  readonly holds: readonly { readonly hold: string; readonly reason: string; readonly leftText: string }[];
}

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
      readonly freeBytes: number;
    };

export type JournalFacts =
  | { readonly kind: 'unread'; readonly detail: string }
  | ({ readonly kind: 'read' } & JournalRead);

export interface JournalRead {
  readonly control: StreamVerification & Pick<FoldCounts, 'drift'>;
  readonly queue: StreamVerification;
  /** Records that a hook would have to fold because no checkpoint has them. */
  readonly controlTail: number;
}

export type SettingsFacts =
  | { readonly kind: 'unread'; readonly detail: string }
  | { readonly kind: 'read'; readonly isUsable: boolean; readonly problems: readonly string[] };

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  /** What was looked at. */
  readonly about: string;
  readonly says: string;
  /** What to do; empty: nothing. */
  readonly advice: string;
}

export const OLDEST_NODE = [20, 19] as const;
/** Below this an append may fail before the day is over, in bytes; and what is too little to be at ease. */
export const LEAST_FREE_BYTES = 50_000_000;
export const EASY_FREE_BYTES = 500_000_000;
/** A record later than this after now came from a clock that was wrong, in ms. */
export const FUTURE_MS = 5 * 60_000;
/** Hooks fold the tail behind the checkpoint each time: from here on that is felt. */
export const LONG_TAIL = 256;

/** `f_type` of statfs(2) where appends of several hosts or processes are not atomic. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
]);
const FUSE = 0x65735546;
/** What does not outlive a restart. */
const FLEETING_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'memory (tmpfs)'],
  [0x858458f6, 'memory (ramfs)'],
  [0x794c7630, "a container's own layer (overlay)"],
]);

export function findingsOf(facts: Facts): Finding[] {
  const { dir, journal } = facts;
  return [
    nodeFinding(facts.nodeVersion),
    ...dirFindings(dir),
    ...(dir.kind === 'there' ? journalFindings(journal, facts.now) : []),
    ...settingsFindings(facts.settings),
    ...facts.holds.map(({ hold, reason, leftText }) =>
      note('hold', `held (${hold}) for ${leftText} more: ${reason}`, HOLD_ADVICE[hold] ?? ''),
    ),
  ];
}

const HOLD_ADVICE: Readonly<Record<string, string>> = {
  operator: '"release" ends it',
  config: 'put right what it says, then run "check"',
};

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (!isOld) return ok('node', `Node ${version}`);
  return problem(
    'node',
    `Node ${version} is too old`,
    `install Node ${OLDEST_NODE.join('.')} or newer where Stash runs`,
  );
}

function dirFindings(dir: DirFacts): Finding[] {
  switch (dir.kind) {
    case 'missing':
      return [
        note('data dir', 'there is none yet', 'the first hook makes it; or give --data if it is elsewhere'),
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
      return [writable(dir), modes(dir), fileSystem(dir.fileSystemType), space(dir.freeBytes)];
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

function fileSystem(type: number | null): Finding {
  const network = type === null ? undefined : NETWORK_TYPES.get(type);
  if (network !== undefined) {
    return problem(
      'file system',
      `the data dir is on ${network}, a network file system: appends of two processes may overwrite each other`,
      'keep it on a local disk (BREAKWATER_DATA)',
    );
  }
  if (type === FUSE) {
    return note(
      'file system',
      'the data dir is on FUSE, which may be a network',
      'keep it on a local disk if it is one',
    );
  }
  const fleeting = type === null ? undefined : FLEETING_TYPES.get(type);
  if (fleeting !== undefined) {
    return note(
      'file system',
      `the data dir is in ${fleeting} and does not outlive it`,
      'put it on a volume (BREAKWATER_DATA)',
    );
  }
  return ok('file system', type === null ? 'not looked at on this system' : 'local');
}

function space(freeBytes: number): Finding {
  const free = `${Math.floor(freeBytes / 1e6)} MB free`;
  if (freeBytes < LEAST_FREE_BYTES)
    return problem('disk', free, 'make room: on a full disk changes are not noted');
  return freeBytes < EASY_FREE_BYTES ? note('disk', free, 'make room before it is full') : ok('disk', free);
}

function journalFindings(journal: JournalFacts, now: number): Finding[] {
  if (journal.kind === 'read') return [...readFindings(journal), clockFinding(journal, now)];
  const advice =
    'nothing can be folded from it: give the files to the user that Stash runs as, and check the disk';
  return [problem('journal', `it cannot be read: ${journal.detail}`, advice)];
}

function readFindings({ control, queue, controlTail }: JournalRead): Finding[] {
  const damaged = control.damaged + queue.damaged;
  const newer = control.newer + queue.newer;
  return [
    ...(damaged === 0
      ? [ok('journal', `${control.records + queue.records} records, all readable`)]
      : [
          problem(
            'journal',
            `${damaged} damaged lines, skipped and kept`,
            '"verify" names them; check the disk if they become more',
          ),
        ]),
    ...(control.drift === 0
      ? []
      : [
          problem(
            'journal',
            `${control.drift} records fold differently from when they were written`,
            'a bug: report what "verify" says',
          ),
        ]),
    ...(newer === 0
      ? []
      : [
          problem(
            'journal',
            `${newer} lines of a newer version`,
            'update Breakwater: this version writes nothing',
          ),
        ]),
    controlTail < LONG_TAIL
      ? ok('checkpoint', controlTail === 0 ? 'current' : `${controlTail} records behind`)
      : note(
          'checkpoint',
          `${controlTail} records behind, which every hook folds`,
          '"drain" writes a new one; if it does not, check the permissions of checkpoint/',
        ),
  ];
}

function clockFinding({ control, queue }: JournalRead, now: number): Finding {
  const latest = Math.max(control.latest ?? 0, queue.latest ?? 0);
  const aheadMs = latest - now;
  if (aheadMs <= FUTURE_MS) return ok('clock', 'no record is from the future');
  const ahead = `${Math.round(aheadMs / 60_000)} minutes`;
  return problem(
    'clock',
    `the journal has records from ${ahead} ahead of now`,
    'the clock is or was wrong: set it, and use a time service',
  );
}

function settingsFindings(settings: SettingsFacts): Finding[] {
  if (settings.kind === 'unread') {
    return [
      note(
        'settings',
        `Stash was not asked: ${settings.detail}`,
        'give --stash and STASH_API_KEY, or run the task in Stash',
      ),
    ];
  }
  if (settings.problems.length === 0) return [ok('settings', 'all can be used')];
  return settings.problems.map((says) =>
    settings.isUsable
      ? note('settings', says, 'the default is used: put it right in Settings → Plugins')
      : problem('settings', says, 'put it right in Settings → Plugins: nothing is delivered until then'),
  );
}

function ok(about: string, says: string): Finding {
  return { level: 'ok', about, says, advice: '' };
}

function note(about: string, says: string, advice: string): Finding {
  return { level: 'note', about, says, advice };
}

function problem(about: string, says: string, advice: string): Finding {
  return { level: 'problem', about, says, advice };
}
