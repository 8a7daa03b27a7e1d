// Metrics in Prometheus' text format, for the textfile collector of node_exporter. Base units (seconds, ratios), no names
// of scenes, and no metric whose value is not known.

import type { Moment } from '../../machines/time.ts';
import { type ControlState, type FoldCounts, isHeld } from '../breaker/index.ts';
import type { OutageHistory } from '../outages/outages.ts';
import { figuresOf, historyFigures } from '../outages/summary.ts';
import type { Queue } from '../queue/queue.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Null: not known. */
  readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number | null])[];
}

export interface Measured {
  readonly control: ControlState;
  readonly counts: FoldCounts;
  readonly history: OutageHistory;
  readonly queue: Queue;
  readonly now: Moment;
}

const BREAKER_STATES = { closed: 'closed', open: 'open', halfOpen: 'half-open' } as const;

export function toPrometheus(measured: Measured): string {
  return metricsOf(measured).map(textOf).join('');
}

function metricsOf({ control, counts, history, queue, now }: Measured): Metric[] {
  const figures = historyFigures(history);
  const { upMs, downMs, unobservedMs } = figures.coverage;
  const lasted = history.outages.map((outage) => figuresOf(outage).lastedMs ?? 0);
  const { pending, deferred, dead, delivered, deliveredAt } = queue.counts;
  const oldestAt = [...queue.jobs.values()]
    .filter(({ state }) => state === 'pending')
    .reduce((least, { queuedAt }) => Math.min(least, queuedAt), Number.POSITIVE_INFINITY);
  return [
    {
      name: 'breaker_state',
      type: 'gauge',
      help: 'State of the circuit breaker: 1 for the one that it is in.',
      values: Object.entries(BREAKER_STATES).map(([value, state]) => [
        { state },
        control.breaker.value === value ? 1 : 0,
      ]),
    },
    {
      name: 'hold',
      type: 'gauge',
      help: 'Whether this hold keeps changes from Plex, or lets them through whatever the breaker says.',
      values: (['operator', 'config', 'throttle'] as const).map((hold) => [
        { hold },
        isHeld(control, hold, now) ? 1 : 0,
      ]),
    },
    {
      name: 'queue_jobs',
      type: 'gauge',
      help: 'Changes that wait, or were given up (dead).',
      values: Object.entries({ pending, deferred, dead }).map(([state, count]) => [{ state }, count]),
    },
    gauge(
      'oldest_pending_timestamp_seconds',
      'When the oldest pending change was queued.',
      oldestAt === Number.POSITIVE_INFINITY ? null : oldestAt / 1_000,
    ),
    counter('deliveries_total', 'Changes that were delivered.', delivered),
    gauge(
      'last_delivery_timestamp_seconds',
      'When a change was last delivered.',
      deliveredAt === 0 ? null : deliveredAt / 1_000,
    ),
    counter('outages_total', 'Outages of Plex.', figures.count),
    gauge('outage_ongoing', 'Whether Plex is away, or has not yet proven that it is back.', figures.ongoing),
    counter(
      'outage_seconds_total',
      'Length of the outages that are over, from first failure to first good answer.',
      lasted.reduce((sum, ms) => sum + ms, 0) / 1_000,
    ),
    gauge(
      'mean_time_to_recovery_seconds',
      'Mean length of the outages that are over.',
      seconds(figures.mttrMs),
    ),
    gauge(
      'mean_time_between_failures_seconds',
      'Mean time from one outage to the next, observed or not.',
      seconds(figures.mtbfMs),
    ),
    gauge('availability_ratio', 'Share of the observed time in which Plex was there.', figures.availability),
    {
      name: 'observed_seconds_total',
      type: 'counter',
      help: 'Time by what was seen of Plex; unobserved: nothing is known of it.',
      values: Object.entries({ up: upMs, down: downMs, unobserved: unobservedMs }).map(([state, ms]) => [
        { state },
        ms / 1_000,
      ]),
    },
    {
      name: 'journal_records_total',
      type: 'counter',
      help: 'Records of the control stream that are out of the ordinary.',
      values: (['voids', 'contended', 'adopted', 'drift', 'damaged', 'newer'] as const).map((kind) => [
        { kind },
        counts[kind],
      ]),
    },
  ];
}

function gauge(name: string, help: string, value: number | null): Metric {
  return { name, type: 'gauge', help, values: [[{}, value]] };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, type: 'counter', help, values: [[{}, value]] };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}

function textOf({ name, type, help, values }: Metric): string {
  const known = values.filter(([, value]) => value !== null);
  if (known.length === 0) return '';
  const full = `breakwater_${name}`;
  const lines = known.map(([labels, value]) => `${full}${labelsOf(labels)} ${value}\n`);
  return `# HELP ${full} ${escaped(help)}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
