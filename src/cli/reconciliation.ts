// A reconciliation in words: how it stands, what it found, and field by field what a scene's delivery would change.

import type { FieldChange } from '../queue/changes.ts';
import {
  type FinishedReconciliation,
  GAP_KINDS,
  type GapCounts,
  type ReconcileScope,
  type Reconciliation,
  SKIP_REASONS,
  type SkipReason,
} from '../queue/reconciliation.ts';
import type { Gap, Skipped } from '../reconcile/gaps.ts';
import { FIELD_OF } from '../sync/fields.ts';
import { count, duration, plain, time } from './format.ts';

/** What is shown of a value, in characters. */
const MAX_SHOWN = 120;

/** How it stands, for a person. */
export function reconciliationLines(reconciliation: Reconciliation): string[] {
  if (reconciliation.state === 'running') {
    const { checked, left, cause, scope } = reconciliation;
    const rest = left === null ? '' : `, about ${left} left`;
    return [`Reconciling ${scopeText(scope)} (${cause}): ${count(checked, 'scene')} compared${rest}.`];
  }
  return reconciliation.last === null ? [] : lastLines(reconciliation.last);
}

function lastLines(last: FinishedReconciliation): string[] {
  const { checked, gaps, endedAt, startedAt, cause, scope, result } = last;
  const took = duration(endedAt - startedAt);
  const what = `Reconciliation (${cause}) of ${scopeText(scope)}, ${time(startedAt)}`;
  const head = `${what}: ${count(checked, 'scene')} compared`;
  if (result === 'done') return [`${head} in ${took}. ${gapSummary(gaps)}`];
  // What was not looked at may be anything.
  const found = Object.keys(gaps.kinds).length === 0 ? '' : ` ${gapSummary(gaps)}`;
  return [`${head}; then it was cancelled, after ${took}.${found}`];
}

/** `scenes changed since 2026-03-01 04:00:12 +01:00 in Films` */
function scopeText({ since, newSince, depth, isMissingOnly, libraries }: ReconcileScope): string {
  const limits = [
    ...(isMissingOnly ? ['never delivered'] : []),
    ...(since === null ? [] : [`changed since ${time(since)}`]),
    ...(newSince === null ? [] : [`delivered before or changed since ${time(newSince)}`]),
    ...(libraries.length === 0 ? [] : [`in ${libraries.map(plain).join(', ')}`]),
    ...(depth !== 'plex' ? ['without asking Plex'] : []),
  ];
  return limits.length === 0 ? 'all scenes' : `scenes ${limits.join(', ')}`;
}

export function gapSummary(counts: GapCounts): string {
  return `${gapsFound(counts)}${notCompared(counts)}`;
}

function gapsFound({ kinds, fields, libraries }: GapCounts): string {
  const named = GAP_KINDS.filter((kind) => kinds[kind] !== undefined).map((kind) => `${kinds[kind]} ${kind}`);
  if (named.length === 0) return 'All is as it should be.';
  const of = (title: string, counts: Readonly<Record<string, number>>, name: (key: string) => string) => {
    const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
    return entries.length === 0
      ? ''
      : ` ${title}: ${entries.map(([key, n]) => `${name(key)} ${n}`).join(', ')}.`;
  };
  return `Gaps: ${named.join(', ')}.${of('By field', fields, fieldName)}${of('By library', libraries, plain)}`;
}

const SKIPPED_FOR: Readonly<Record<SkipReason, string>> = {
  'no-values': 'without values in Stash (Plex is left as it is)',
  'no-file': 'without a file',
  waiting: 'that wait for their delivery already',
};

function notCompared({ skipped = {} }: GapCounts): string {
  const parts = SKIP_REASONS.filter((reason) => skipped[reason]).map(
    (reason) => `${skipped[reason]} ${SKIPPED_FOR[reason]}`,
  );
  return parts.length === 0 ? '' : ` Not compared: ${parts.join(', ')}.`;
}

/** One line for each reason, with the scenes. */
export function skippedLines(skipped: readonly Skipped[]): string[] {
  return SKIP_REASONS.flatMap((reason) => {
    const scenes = skipped.filter((one) => one.reason === reason).map(({ scene }) => scene);
    return scenes.length === 0 ? [] : [`not compared, ${SKIPPED_FOR[reason]}: ${scenes.join(', ')}`];
  });
}

export function gapLines({ scene, kind, item, library, changes, detail }: Gap): string[] {
  const where = item === null ? '' : ` (item ${item}${library === null ? '' : ` in ${plain(library)}`})`;
  const head = `scene ${scene}${where}: ${kind}${detail === '' ? '' : `: ${plain(detail)}`}`;
  return [head, ...changes.map((change) => `    ${changeText(change)}`)];
}

/** `title: old → new` */
export function changeText({ field, before, after }: FieldChange): string {
  return `${fieldName(field)}: ${shown(before)} → ${shown(after)}`;
}

function shown(value: FieldChange['before']): string {
  if (value === null) return '(nothing)';
  if (typeof value === 'string' && /^upload:[0-9a-f]{40}$/.test(value)) return 'the cover in Stash then';
  const text = plain(typeof value === 'string' ? value : value.join(', ') || '(nothing)');
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** As a person calls it, by its name in Plex. */
export function fieldName(field: string): string {
  return FIELD_OF[field as keyof typeof FIELD_OF] ?? plain(field);
}
