// What verifying a journal found, for a person: what was compared, what is wrong, and what that means.

import type { ChainVerdict } from '../breaker/index.ts';
import type {
  ControlVerification,
  Damage,
  Divergence,
  MachineDivergence,
  StreamVerification,
} from '../history/verify.ts';
import { count, plain, time } from './format.ts';

/** Whether nothing is wrong: no drift, no line that cannot be read, none of a newer version. */
export function isSound(...streams: readonly (StreamVerification | ControlVerification)[]): boolean {
  return streams.every(
    (stream) => stream.damaged === 0 && stream.newer === 0 && !('drift' in stream && stream.drift > 0),
  );
}

export function controlVerificationLines(control: ControlVerification): string[] {
  const { records, agreed, contended, adopted, voids, drift, firstDivergence } = control;
  const lines = [
    `${head(control)}: ${agreed} agreed, ${contended} contended, ${adopted} adopted, ${drift} drift; ${voids} void.`,
  ];
  if (records > 0 && drift === 0) lines.push('Every record folds as it did when it was written.');
  if (firstDivergence !== null) lines.push(...divergenceLines(firstDivergence, drift));
  return [...lines, ...brokenLines(control)];
}

export function queueVerificationLines(queue: StreamVerification): string[] {
  return [`${head(queue)}.`, ...brokenLines(queue)];
}

/** Nothing is said where nothing was sealed. */
export function chainLines(verdict: ChainVerdict): string[] {
  if (verdict.kind === 'broken') {
    const { file, reason, detail } = verdict;
    return [
      `TAMPERED: ${file} is ${reason} since it was sealed (${detail}). Nothing in it or before it can be relied on.`,
    ];
  }
  return verdict.chained === 0 ? [] : [`${count(verdict.chained, 'sealed file')} are as they were sealed.`];
}

function head({ stream, records, from, to, unknown }: StreamVerification): string {
  const span = from === null || to === null ? '' : `, ${time(from)} to ${time(to)}`;
  const skipped = unknown === 0 ? '' : ` (${unknown} of a type that this version does not know)`;
  return `${stream}: ${count(records, 'record')}${skipped}${span}`;
}

function divergenceLines({ position, at, type, inv, era, machines }: Divergence, drift: number): string[] {
  const others = drift === 1 ? '' : ` It is the first of ${drift}.`;
  return [
    `DRIFT: control@${position} (${time(at)}, ${plain(type)} by ${plain(inv)}, era ${plain(era)}) folds differently from when it was written.${others}`,
    ...machines.map(machineLine),
    '    The machines have changed under the log without a new era: this is a bug in Breakwater. Please report it with these lines.',
  ];
}

function machineLine({ machine, expected, found }: MachineDivergence): string {
  return `    ${plain(machine)}: expected ${moveText(expected)}, found ${moveText(found)}`;
}

function moveText(move: MachineDivergence['expected']): string {
  return move === null ? 'no move' : plain(`${move.from} → ${move.to}`);
}

function brokenLines({ stream, damaged, damages, newer, unfinishedBytes }: StreamVerification): string[] {
  const lines: string[] = [];
  if (damaged > 0) {
    lines.push(`DAMAGE: ${count(damaged, 'line')} of ${stream} cannot be read. They are skipped and kept.`);
    lines.push(...damages.map(damageLine));
    if (damaged > damages.length) lines.push(`    … and ${damaged - damages.length} more`);
  }
  if (newer > 0) {
    lines.push(
      `NEWER: ${count(newer, 'line')} of ${stream} were written by a newer Breakwater: update this one.`,
    );
  }
  if (unfinishedBytes > 0) {
    lines.push(
      `${stream} ends in ${count(unfinishedBytes, 'byte')} without an end of line: a write that is on its way or was cut off. Nothing counts on it.`,
    );
  }
  return lines;
}

function damageLine({ stream, position, kind, reason }: Damage): string {
  const meaning =
    kind === 'torn'
      ? 'cut short: its writer was killed, or the disk was full, before it was acknowledged. It cost only itself'
      : 'altered after it was written, or not ours. What it said is lost; the records behind it are not';
  return `    ${stream}@${position} (${plain(reason)}): ${meaning}.`;
}
