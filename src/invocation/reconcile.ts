// A reconciliation that a person asks for: put on the journal for the drainer (which is this process, where nobody else
// is at work), or as a dry run, which shows field by field what would change and writes nothing anywhere.

import { count } from '../cli/format.ts';
import { gapLines, gapSummary, skippedLines } from '../cli/reconciliation.ts';
import type { PlexResult } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { type GapCounts, type ReconcileScope, sum } from '../queue/reconciliation.ts';
import { countGaps, type Gap, type Skipped } from '../reconcile/gaps.ts';
import { type FileIndex, reconcilePage } from '../reconcile/page.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { chosenLibraries } from '../sync/libraries.ts';
import { SectionIndex } from '../sync/section-index.ts';
import { openQueue } from './operator.ts';
import { readingPlex } from './reading-plex.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** Gaps, and skipped scenes, that a document lists one by one; the counts have them all. */
const MAX_LISTED = 1_000;

export async function requestReconciliation(world: World, scope: ReconcileScope): Promise<QueueLog> {
  const log = await openQueue(world);
  await log.appendOrThrow({ type: 'reconcile.requested', scope, cause: 'task' });
  return log;
}

/** The same code as the real thing, without the journal. */
export function dryRun(world: World, scope: ReconcileScope): Promise<TaskResult> {
  return readingPlex(world, async (plex, settings, problems) => {
    const { pathRules, sync, plexLibraries } = settings;
    const sections = await plex.sections();
    const chosen = sections.ok ? chosenLibraries(sections.value, plexLibraries) : sections;
    const libraries =
      chosen.ok && scope.libraries.length > 0 ? chosenLibraries(chosen.value, scope.libraries) : chosen;
    if (!libraries.ok) return failed(libraries.failure.detail, libraries.failure.symptom, problems);
    const options = { stash: world.stash, plex, pathRules, sync, libraries: async () => libraries };
    return compareAll(world, scope, { ...options, index: indexOnce(plex, libraries.value) });
  });
}

async function compareAll(
  world: World,
  scope: ReconcileScope,
  options: Parameters<typeof reconcilePage>[3],
): Promise<TaskResult> {
  const { queue } = await openQueue(world);
  const listed: Gap[] = [];
  const skipped: Skipped[] = [];
  let counts: GapCounts = { kinds: {}, fields: {}, libraries: {} };
  let checked = 0;
  let cursor = 0;
  for (;;) {
    const page = await reconcilePage(scope, cursor, queue, options);
    if (page.kind !== 'page') return failed(page.failure.detail, page.kind);
    checked += page.checked;
    cursor = page.lastId;
    counts = sum(counts, countGaps(page.gaps, page.skipped));
    listed.push(...page.gaps.slice(0, MAX_LISTED - listed.length));
    skipped.push(...page.skipped.slice(0, MAX_LISTED - skipped.length));
    world.log.progress(checked / Math.max(1, checked + page.left));
    if (page.isLast) break;
  }
  const total = Object.values(counts.kinds).reduce((sofar, some) => sofar + some, 0);
  const lines = [...listed.flatMap(gapLines), ...skippedLines(skipped)];
  if (total > listed.length) lines.push(`and ${total - listed.length} more`);
  const head = `${count(checked, 'scene')} compared, nothing written. ${gapSummary(counts)}`;
  return { isOk: true, lines: [...lines, head], document: { checked, counts, gaps: listed, skipped } };
}

function indexOnce(plex: PlexPort, sections: readonly PlexSection[]): () => Promise<PlexResult<FileIndex>> {
  let built: Promise<PlexResult<FileIndex>> | null = null;
  return () => {
    built ??= SectionIndex.build(plex, sections);
    return built;
  };
}
