// How things stand at the end of the log.

import { count, duration } from '../../cli/format.ts';
import type { ReportData } from '../report-data.ts';
import { byId, h } from './dom.ts';
import { dayAndClock, zone } from './times.ts';

type Standing = 'up' | 'down' | 'held' | 'proving' | 'unknown';

const SHAPES: Readonly<Record<Standing, string>> = {
  up: '●',
  down: '✕',
  held: '‖',
  proving: '◐',
  unknown: '○',
};

export function showNow(data: ReportData): void {
  const { standing, headline } = headlineOf(data);
  byId('headline').append(
    h('span', { class: `shape ${standing}`, 'aria-hidden': 'true' }, SHAPES[standing]),
    ` ${headline}`,
  );
  byId('sub').append(...subOf(data));
  const { queue, delivered, drainer } = data.status;
  const facts: readonly (readonly [string, string])[] = [
    ['Pending', String(queue.pending)],
    ['Deferred', String(queue.deferred)],
    ['Given up', String(queue.dead)],
    ['Delivered', delivered.count.toLocaleString('en')],
    ['Drainer', drainer.isAlive ? 'at work' : 'none'],
  ];
  byId('facts').append(...facts.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));
  byId('lists').append(...listsOf(data));
}

function headlineOf({ status, begunAt }: ReportData): { standing: Standing; headline: string } {
  if (begunAt === null) return { standing: 'unknown', headline: 'Nothing was recorded yet' };
  const [hold] = status.holds;
  if (hold !== undefined) {
    const words = hold.hold === 'throttle' ? 'Paused: Plex asked for it' : 'Held';
    return { standing: 'held', headline: words };
  }
  switch (status.breaker) {
    case 'open':
      return { standing: 'down', headline: 'Plex is away' };
    case 'half-open':
      return { standing: 'proving', headline: 'Plex answers again; the next change proves it' };
    case 'closed':
      return status.recovery === 'ramping'
        ? { standing: 'proving', headline: 'Plex is back; the backlog is being worked off' }
        : { standing: 'up', headline: 'No outage' };
  }
}

function subOf({ status, awaySince, now, begunAt }: ReportData): (Node | string)[] {
  if (begunAt === null)
    return ['The journal is empty. Breakwater writes to it with the first change in Stash.'];
  const parts: string[] = [];
  if (awaySince !== null) parts.push(`Since ${dayAndClock(awaySince)}, for ${duration(now - awaySince)}.`);
  if (status.gate.kind === 'wait') parts.push(`Asked again in ${duration(status.gate.remainingMs)}.`);
  if (status.gate.kind === 'probe') parts.push('Asked again at the next invocation.');
  for (const { hold, reason, remainingMs } of status.holds) {
    parts.push(`${reason} (${hold}, ${duration(remainingMs)} more).`);
  }
  parts.push(`As of ${dayAndClock(now)}, the end of the log. Times are ${zone()}.`);
  return [parts.join(' ')];
}

function listsOf({ status }: ReportData): Node[] {
  const waiting = status.waiting.map(({ job, detail, dueInMs }) => [
    job,
    `${detail}; again in ${duration(dueInMs)}`,
  ]);
  const dead = status.dead.map(({ job, reason, detail }) => [job, `${reason}: ${detail}`]);
  return [
    listOf('Deferred', waiting, status.queue.deferred),
    listOf('Given up', dead, status.queue.dead),
  ].filter((node) => node !== null);
}

function listOf(title: string, items: readonly (readonly string[])[], total: number): Node | null {
  if (items.length === 0) return null;
  const more = total - items.length;
  const rows = items.map(([job = '', words = '']) =>
    h('li', {}, h('span', { class: 'job' }, job.replace(':', ' ')), ' ', h('span', {}, words)),
  );
  const rest = more > 0 ? [h('li', { class: 'rest' }, `and ${count(more, 'other')}`)] : [];
  return h('details', {}, h('summary', {}, `${title}: ${total}`), h('ul', {}, ...rows, ...rest));
}
