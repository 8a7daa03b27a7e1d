// What is printed when the story is over: the tables, what Breakwater says of it all, and the verdict.

import { join, relative } from 'node:path';
import { count } from '../../src/cli/format.ts';
import type { OutageReport } from '../../src/cli/outages.ts';
import { type Edit, fileOf, itemOf, newestEdits, supersededEdits } from './edits.ts';
import type { Screen } from './screen.ts';
import { seconds } from './screen.ts';
import { breakwater, commandLine, nodeStartMs, type Stage } from './stage.ts';
import type { Outage, Story } from './story.ts';
import { claimsOf, hookTimes, isProbe } from './verdict.ts';

/** Gives whether all that was claimed is true. */
export async function tellEnding(
  stage: Stage,
  story: Story,
  outage: Outage,
  screen: Screen,
  isKept: boolean,
): Promise<boolean> {
  const { plex, stash } = stage;
  const asJson = await breakwater(stage, 'outages', '--json');
  const report = asJson.exitCode === 0 ? (JSON.parse(asJson.stdout) as OutageReport) : null;
  tellEdits(stage, story.edits, screen);
  tellOutage(outage, report, screen);
  tellRequests(outage, story, screen);
  const { median, p95, max } = hookTimes(stash.runs);
  const nodeMs = Math.round(await nodeStartMs());
  const hooks = stash.runs.filter(({ kind }) => kind === 'hook');
  const wakes = stash.runs.filter(({ kind }) => kind === 'task');
  screen.heading('How long a save in Stash waited for Breakwater');
  const away = hookTimes(stash.runs.filter(({ startedAt }) => startedAt >= outage.beganAt));
  const up = hookTimes(stash.runs.filter(({ startedAt }) => startedAt < outage.beganAt));
  screen.text(
    `${hooks.length} hooks: median ${ms(median)}, 95th percentile ${ms(p95)}, longest ${ms(max)}. Node takes ${nodeMs} ms here just to start and do nothing. Median with Plex up ${ms(up.median)}, with Plex away ${ms(away.median)}: a hook runs inside Stash, starts no process and never talks to Plex. It makes sure that Breakwater looks afterwards, which it did ${count(wakes.length, 'time')}.`,
  );
  await tellBreakwater(stage, story, screen, isKept);
  const hasReport = await tellReport(stage, screen);
  const claims = claimsOf(plex, story.edits, outage, report, story.watch.liveDrainers.length);
  screen.heading('Verdict');
  for (const { isTrue, text } of claims) {
    screen.text(`${isTrue ? '✓' : '✗'} ${text}`, isTrue ? 'good' : 'bad', 2, 2);
  }
  const isGood = claims.every(({ isTrue }) => isTrue) && hasReport;
  screen.blank();
  screen.text(
    isGood ? 'Nothing was lost.' : 'Not as it should be; see the marks above.',
    isGood ? 'good' : 'bad',
    2,
  );
  return isGood;
}

function tellEdits({ plex }: Stage, edits: readonly Edit[], screen: Screen): void {
  screen.heading('The edits, and what Plex has now');
  screen.row(row('scene', 'saved in Stash', 'in Plex', 'Plex was', 'arrived after'), 'quiet');
  for (const { scene, input, plexWas, savedAt, arrivedAt } of newestEdits(edits)) {
    const title = itemOf(plex, scene)?.fields.title ?? `(no ${fileOf(scene).split('/').pop()})`;
    const arrived = arrivedAt === null ? 'never ✗' : `${seconds(arrivedAt - savedAt).padStart(7)} ✓`;
    screen.row(
      row(String(scene), input.title, title, plexWas, arrived),
      arrivedAt === null ? 'bad' : 'plain',
    );
  }
  for (const { scene, input, plexWas, arrivedAt } of supersededEdits(edits)) {
    const fate =
      arrivedAt === null
        ? 'was overtaken while waiting: only the newest goes'
        : `had arrived while Plex was ${plexWas}`;
    screen.text(`scene ${scene}, "${input.title}" ${fate}`, 'quiet', 2, 2);
  }
}

function tellOutage({ beganAt, endedAt }: Outage, report: OutageReport | null, screen: Screen): void {
  const found = report?.outages[0];
  const clock = (instant: { readonly at: number } | null | undefined) =>
    (instant ? screen.clock(instant.at) : '?').padStart(6);
  screen.heading('The outage, as it was and as Breakwater knows it');
  screen.row(
    `  began ${screen.clock(beganAt).padStart(6)}   between ${clock(found?.lastGood)}, last good answer, and ${clock(found?.firstFailed)}, first failure`,
  );
  screen.row(
    `  ended ${screen.clock(endedAt).padStart(6)}   between ${clock(found?.lastFailed)}, last failure, and ${clock(found?.firstGood)}, first good answer`,
  );
  screen.text(
    'Breakwater claims no more than it saw: the truth lies between two of its answers.',
    'quiet',
    2,
  );
}

function tellRequests({ requests }: Outage, { watch }: Story, screen: Screen): void {
  screen.heading('What Plex was asked during the outage');
  const refused = watch.steps.flatMap(({ event, isVoid }) =>
    !isVoid && event !== null && 'symptom' in event && event.symptom === 'refused' ? [event.type] : [],
  );
  const probes = refused.filter((type) => type === 'probe.failed').length;
  const deliveries = count(refused.length - probes, 'delivery', 'deliveries');
  const lines: [number, string][] = [
    [refused.length, `refused by the closed port: ${deliveries}, then ${count(probes, 'probe')}`],
  ];
  const kinds = new Map<string, number>();
  for (const request of requests) {
    const meaning = isProbe(request) ? 'a probe' : 'NOT a probe';
    const kind = `${request.method} ${request.path}, answered ${request.status ?? 'never'}: ${meaning}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  lines.push(...[...kinds].map(([kind, times]): [number, string] => [times, kind]));
  lines.push([requests.filter(({ method }) => method !== 'GET').length, 'an edit']);
  for (const [times, text] of lines) screen.row(`  ${String(times).padStart(3)} × ${text}`);
  screen.text('(What a closed port refused Plex cannot know; that line is from the journal.)', 'quiet', 2);
}

async function tellBreakwater(stage: Stage, story: Story, screen: Screen, isKept: boolean): Promise<void> {
  screen.heading('Breakwater in its own words');
  const data = isKept ? stage.data : 'DIR';
  for (const verb of ['outages', 'status']) {
    const { stdout, stderr } = await breakwater(stage, verb);
    screen.row(`$ ${commandLine(stage, verb, data)}`, 'strong');
    for (const line of `${stdout}${stderr}`.trimEnd().split('\n')) screen.text(line, 'plain', 2, 3);
    screen.blank();
  }
  const size = `${Math.ceil((await story.watch.bytes()) / 1024)} kB`;
  if (isKept) {
    screen.text(
      `The journal (${size}) is kept: control.ndjson and queue.ndjson, one JSON event a line. For instance:`,
    );
    screen.row(`$ jq -c '[.at, .inv, .type]' ${stage.data}/control.ndjson`, 'strong');
    screen.text(`Remove ${stage.dir} when you have seen enough.`);
    return;
  }
  screen.text(
    `All of this is read from the journal (${size} here): control.ndjson and queue.ndjson, one JSON event a line. It was in a temporary folder; to keep it and look inside: npm run demo -- --keep`,
  );
}

/** Whether it was written; it stays when all else is cleared away. */
async function tellReport(stage: Stage, screen: Screen): Promise<boolean> {
  const file = join(__dirname, '..', 'demo-report.html');
  const { exitCode, stderr } = await breakwater(stage, 'report', '-o', file);
  screen.heading('The report');
  if (exitCode === 0) {
    screen.text(
      `Open ${relative(process.cwd(), file)} in a browser: the outage, the machines at every moment, every event. It needs no network.`,
    );
  } else screen.text(`✗ it was not written: ${stderr.trim()}`, 'bad');
  return exitCode === 0;
}

function row(scene: string, wanted: string, has: string, was: string, after: string): string {
  return `${scene.padStart(5)}  ${wanted.padEnd(22)}  ${has.padEnd(22)}  ${was.padEnd(9)} ${after}`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
