// A backtest as a person reads it: what was and what would have been, side by side, and what of it is a guess.

import type { Policy } from '../../machines/policy.ts';
import type { Backtest, Comparison, Figure, Side } from '../backtest/compare.ts';
import { count, duration, plain } from './format.ts';

const NAMES: Readonly<Partial<Record<keyof Policy, string>>> = {
  failureThreshold: 'failure threshold',
  successThreshold: 'success threshold',
  recoveryTimeoutMs: 'first wait',
  recoveryTimeoutMaxMs: 'longest wait',
};

const WIDTH = 22;

export function backtestLines({ overrides, policy, outages, total }: Backtest): string[] {
  const changed = (Object.keys(overrides) as (keyof Policy)[]).map((name) => {
    const shown = (value: number | undefined) => (name.endsWith('Ms') ? duration(value ?? 0) : String(value));
    return `${NAMES[name] ?? name} ${shown(overrides[name])} (now ${shown(policy[name])})`;
  });
  const head = `The same log under ${changed.join(', ')}:`;
  if (outages.length === 0) return [head, 'There is no outage to compare.'];
  const lines = outages.flatMap((one) => [
    '',
    `${one.number === null ? 'new' : `#${one.number}`}  ${plain(one.cause)}`,
    ...comparisonLines(one),
  ]);
  const isOne = outages.length === 1;
  const summary = isOne
    ? []
    : ['', `In total (${count(outages.length, 'outage')})`, ...comparisonLines(total)];
  return [head, ...lines, ...summary, '', ...LEGEND];
}

const LEGEND = [
  'est.: the share of a figure that rests on an estimate. When Plex went and came was seen only by those who asked: between',
  'two observations that differ it is taken to have changed halfway, and made-up deliveries go at the pace of the log.',
];

function comparisonLines({
  was,
  would,
  detectedLaterMs,
  foundBackLaterMs,
  drainedLaterMs,
}: Omit<Comparison, 'number' | 'cause'>): string[] {
  if (would === null) return ['    would not have been taken for an outage'];
  const row = (name: string, of: (side: Side) => string, last: string) =>
    `    ${name.padEnd(12)}${(was === null ? '–' : of(was)).padEnd(WIDTH)}${of(would).padEnd(WIDTH)}${last}`.trimEnd();
  const probes = (was?.probes.value ?? 0) - (would.probes.value ?? 0);
  const isSplit = was !== null && would.outages !== was.outages;
  return [
    `    ${''.padEnd(12)}${'was'.padEnd(WIDTH)}would have been`,
    ...(isSplit ? [row('outages', (side) => String(side.outages), '')] : []),
    row('detected', ({ detectedAfterMs }) => time(detectedAfterMs), later(detectedLaterMs)),
    row(
      'probes',
      ({ probes: sent }) => labelled(String(sent.value), sent),
      was === null || probes === 0 ? '' : `${Math.abs(probes)} ${probes > 0 ? 'fewer' : 'more'}`,
    ),
    row('found back', ({ foundBackAfterMs }) => time(foundBackAfterMs), later(foundBackLaterMs)),
    row('drained in', ({ drainedInMs }) => time(drainedInMs), later(drainedLaterMs)),
  ];
}

function time(figure: Figure): string {
  return figure.value === null ? 'not known' : labelled(duration(figure.value), figure);
}

function later(figure: Figure): string {
  const { value } = figure;
  // Under that it would read `0s`.
  if (value === null || Math.abs(value) < 50) return '';
  return labelled(`${duration(Math.abs(value))} ${value < 0 ? 'sooner' : 'later'}`, figure);
}

function labelled(text: string, { estimated }: Figure): string {
  return estimated < 0.005 ? text : `${text} (est. ${Math.round(estimated * 100)}%)`;
}
