// What is wrong, and what to do about it: facts in, findings out. Pure; who gathers the facts is the shell's. A problem
// is something that loses changes, keeps them from Plex or shows secrets; a note is worth knowing and no more.

import type { DirFacts, FoldCounts } from '../breaker/index.ts';
import type { StreamVerification } from '../history/verify.ts';
import { dirFindings } from './dir-findings.ts';
import { type Finding, note, ok, problem } from './finding.ts';

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

export type JournalFacts =
  | { readonly kind: 'unread'; readonly detail: string }
  | ({ readonly kind: 'read' } & JournalRead);

export interface JournalRead {
  readonly control: StreamVerification & Pick<FoldCounts, 'drift'>;
  readonly queue: StreamVerification;
  /** Records that a wake would have to fold because no checkpoint has them. */
  readonly controlTail: number;
}

export type SettingsFacts =
  | { readonly kind: 'unread'; readonly detail: string }
  | { readonly kind: 'read'; readonly isUsable: boolean; readonly problems: readonly string[] };

const OLDEST_NODE = [20, 19] as const;
/** A record later than this after now came from a clock that was wrong, in ms. */
export const FUTURE_MS = 5 * 60_000;
/** Wakes fold the tail behind the checkpoint each time: from here on that is felt. */
export const LONG_TAIL = 256;

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
          `${controlTail} records behind, which every wake folds`,
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
