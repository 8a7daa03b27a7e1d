// What can be taken out of the journal: tables, metrics, a golden log. The text is the whole of it; where it goes is the
// command line's business, so nobody who can start a task of ours can have a file written.

import { plainJson } from '../cli/format.ts';
import { parseOutageNumber } from '../cli/point.ts';
import { goldenLog } from '../export/golden.ts';
import { toPrometheus } from '../export/prometheus.ts';
import { type Table, toCsv, toJson } from '../export/table.ts';
import { eventTable, outageTable, queueTable, TABLES, type TableName } from '../export/tables.ts';
import { QueueLog } from '../queue/queue-log.ts';
import { openHistory } from './outage-history.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export interface ExportWish {
  /** `csv`, `json` or `prometheus`; empty: `json`. */
  readonly format: string;
  /** Which table; empty: `outages`. */
  readonly what: string;
  readonly isGolden: boolean;
  /** Only of a golden log: no further than the end of this outage; empty: all of it. */
  readonly outage: string;
}

/** Titles and paths may be in it. */
const PRIVATE = 0o600;
/** Numbers only, and read by another user's collector. */
const PUBLIC = 0o644;

export async function exportLog(world: World, wish: ExportWish): Promise<TaskResult> {
  if (wish.isGolden) return golden(world, wish.outage);
  if (wish.outage !== '') throw new Error('--outage goes with --golden');
  const format = wish.format || 'json';
  if (format === 'prometheus') return prometheus(world);
  const what = TABLES.find((name) => name === (wish.what || 'outages'));
  if (what === undefined) throw new Error(`"${wish.what}" is no table; it is one of ${TABLES.join(', ')}`);
  switch (format) {
    case 'csv': {
      const text = toCsv(await tableOf(world, what));
      return exported(text, PRIVATE, { format, what, text });
    }
    case 'json': {
      const document = toJson(what, await tableOf(world, what));
      return exported(`${plainJson(document)}\n`, PRIVATE, document);
    }
    default:
      throw new Error(`"${format}" is no format; it is one of csv, json, prometheus`);
  }
}

async function golden({ dir }: World, outage: string): Promise<TaskResult> {
  const text = await goldenLog(dir.journal, outage === '' ? null : parseOutageNumber(outage));
  if (text === null) throw new Error(`there is no outage #${outage}; "outages" lists them`);
  return exported(text, PRIVATE, { format: 'golden', what: 'log', text });
}

async function prometheus(world: World): Promise<TaskResult> {
  const { control, history } = await openHistory(world.dir.journal, world.writer);
  const { queue } = await openWholeQueue(world);
  const { counts } = control.fold;
  const text = toPrometheus({ control: control.state, counts, history, queue, now: world.writer.now() });
  return exported(text, PUBLIC, { format: 'prometheus', what: 'metrics', text });
}

async function tableOf(world: World, what: TableName): Promise<Table> {
  switch (what) {
    case 'outages':
      return outageTable((await openHistory(world.dir.journal, world.writer)).history);
    case 'events':
      return eventTable(world.dir.journal);
    case 'queue':
      return queueTable((await openWholeQueue(world)).queue);
  }
}

function openWholeQueue({ dir, writer }: World): Promise<QueueLog> {
  return QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read());
}

/** The lines are for a log, where the text itself has no business. */
function exported(text: string, mode: number, document: object): TaskResult {
  return { isOk: true, lines: [`${text.length} characters exported.`], file: { text, mode }, document };
}
