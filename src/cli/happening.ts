// What one line of the journal did, for a person and as a document.

import { annotationOf, transitionOf } from '../breaker/index.ts';
import type { Happening } from '../history/past.ts';
import { plain, time } from './format.ts';

const UNKNOWN = 'of a type that this version does not know';

/** What one line did: when, where, who, what moved, and what a reader should know about it. */
export function happeningLine(happening: Happening): string {
  const place = `${happening.stream}@${happening.position}`.padEnd(18);
  const head = `${preciseTime(happening.at)}  ${place}`;
  switch (happening.kind) {
    case 'control': {
      const { step } = happening;
      const { type, inv, data } = step.record;
      const moves = movesText(transitionOf(step.before, step.after));
      const marks = [
        ...(step.isVoid ? ['void'] : []),
        ...(step.agreement === 'agreed' ? [] : [step.agreement]),
        ...(step.event === null && annotationOf(step.record) === null ? [UNKNOWN] : []),
      ];
      return line(head, type, facts(data), inv, moves, marks);
    }
    case 'queue': {
      const { record, moved, event } = happening;
      const moves = moved === null || moved.from === moved.to ? '' : `${moved.from} → ${moved.to}`;
      const marks = event === null ? [UNKNOWN] : [];
      return line(head, record.type, facts(record.data), record.inv, moves, marks);
    }
    case 'damaged':
      return `${head}  damaged: ${plain(happening.reason)}`;
    case 'newer':
      return `${head}  of a newer version (${happening.version})`;
  }
}

export interface HappeningDocument {
  readonly stream: string;
  readonly position: number;
  readonly at: number;
  readonly kind: Happening['kind'];
  readonly [detail: string]: unknown;
}

/** The same for a program; the state that it leads to is folded from it, and only what moved is told. */
export function happeningDocument(happening: Happening): HappeningDocument {
  const { stream, position, at, kind } = happening;
  const place = { stream, position, at, kind };
  switch (happening.kind) {
    case 'control': {
      const { record, before, after, isVoid, agreement, computed } = happening.step;
      const { id, type, inv, data } = record;
      const moves = movesOf(transitionOf(before, after));
      const differs =
        agreement === 'agreed' ? {} : { recorded: movesOf(record.witness), computed: movesOf(computed) };
      return { ...place, id, type, inv, wall: record.at, data, moves, isVoid, agreement, ...differs };
    }
    case 'queue': {
      const { id, type, inv, data } = happening.record;
      return { ...place, id, type, inv, wall: happening.record.at, data, moved: happening.moved };
    }
    case 'damaged':
      return { ...place, reason: happening.reason };
    case 'newer':
      return { ...place, version: happening.version };
  }
}

type Sides = {
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
};

function movesOf(sides: Sides | undefined): Record<string, { from: string; to: string }> {
  const entries = Object.entries(sides?.to ?? {});
  return Object.fromEntries(entries.map(([name, to]) => [name, { from: sides?.from[name] ?? '', to }]));
}

function movesText(sides: Sides): string {
  return Object.entries(movesOf(sides))
    .map(([name, { from, to }]) => (from === to ? `${name} stays ${to}` : `${name} ${from} → ${to}`))
    .join(', ');
}

function line(
  head: string,
  type: string,
  what: string,
  inv: string,
  moves: string,
  marks: readonly string[],
): string {
  const parts = [
    `${head}  ${plain(type)}${what === '' ? '' : ` ${what}`} (${plain(inv)})`,
    ...(moves === '' ? [] : [plain(moves)]),
    ...(marks.length === 0 ? [] : [`[${marks.join(', ')}]`]),
  ];
  return parts.join('  ');
}

/** The small facts of a record, those that a person looks for. */
const FACTS = [
  'lease',
  'hold',
  'stance',
  'job',
  'class',
  'symptom',
  'result',
  'reason',
  'cause',
  'subject',
  'count',
  'text',
];
const MAX_FACT = 60;

function facts(data: Readonly<Record<string, unknown>>): string {
  return FACTS.map((name) => data[name])
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map((value) => plain(String(value)))
    .filter((text) => text !== '')
    .map((text) => (text.length > MAX_FACT ? `${text.slice(0, MAX_FACT)}…` : text))
    .join(' ');
}

/** To the millisecond: steps are closer together than seconds. */
function preciseTime(at: number): string {
  const shown = time(at);
  const ms = String(((Math.floor(at) % 1000) + 1000) % 1000).padStart(3, '0');
  return `${shown.slice(0, 19)}.${ms}${shown.slice(19)}`;
}
