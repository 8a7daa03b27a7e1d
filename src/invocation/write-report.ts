// The report as a file: written whole or not at all, readable by its owner only. Where it goes is said by the data dir
// or, at the command line, by the person; never by what Stash sends.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../breaker/index.ts';
import { count } from '../cli/format.ts';
import { parseTime } from '../cli/point.ts';
import { htmlOf } from '../report/html.ts';
import { pageAssets } from '../report/page-assets.ts';
import { reportOf } from '../report/report.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** `now`: a time as people write it (ISO 8601); empty: the newest record. */
export async function writeReport(world: World, now: string): Promise<TaskResult> {
  const { journal, reportPath } = world.dir;
  const data = await reportOf(journal, now === '' ? null : parseTime(now, world.writer.now().at));
  const html = htmlOf(data, await pageAssets());
  mkdirSync(dirname(reportPath), { recursive: true, mode: 0o700 });
  (world.saveReport ?? replaceFile)(reportPath, html, 0o600);
  const { records, figures } = data;
  const bytes = Buffer.byteLength(html);
  const tells = `${count(records.records, 'event')}, ${count(figures.count, 'outage')}, ${Math.ceil(bytes / 1024)} kB`;
  return {
    isOk: true,
    lines: [`The report is in ${reportPath} (${tells}). Open it in a browser; it needs no network.`],
    document: { path: reportPath, bytes, events: records.records, outages: figures.count, now: data.now },
  };
}
