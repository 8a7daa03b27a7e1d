// What the demo claims in the end, each claim with the evidence that decides it. Pure: it is given what Plex and
// Stash saw and what Breakwater's own `outages` says.

import type { OutageReport } from '../../src/cli/outages.ts';
import type { PlexSimulator, RecordedRequest } from '../simulators/plex/server.ts';
import type { PluginRun } from '../simulators/stash/server.ts';
import { type Edit, isInPlex, newestEdits, supersededEdits, wasSent } from './edits.ts';
import type { Outage } from './story.ts';

export interface Claim {
  readonly isTrue: boolean;
  readonly text: string;
}

/** What Breakwater may ask in an outage: is Plex there, and does it let us in. */
const PROBE_PATHS: readonly string[] = ['/identity', '/library/sections'];

/** One process reads the clock a little after the other acts, in ms. */
const CLOCK_SLACK_MS = 100;

export function missingEdits(plex: PlexSimulator, edits: readonly Edit[]): Edit[] {
  return newestEdits(edits).filter((edit) => !isInPlex(plex, edit));
}

export function isProbe({ method, path }: RecordedRequest): boolean {
  return method === 'GET' && PROBE_PATHS.includes(path);
}

/** Of runs that have ended, in ms. */
export function hookTimes(runs: readonly PluginRun[]): { median: number; p95: number; max: number } {
  const sorted = runs
    .filter(({ kind, endedAt }) => kind === 'hook' && endedAt !== null)
    .map(({ durationMs }) => durationMs)
    .sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}

export function claimsOf(
  plex: PlexSimulator,
  edits: readonly Edit[],
  outage: Outage,
  report: OutageReport | null,
  leftRunning: number,
): Claim[] {
  const missing = missingEdits(plex, edits);
  const strangers = outage.requests.filter((request) => !isProbe(request)).length;
  // Only what was overtaken while Plex was away: an edit that had arrived before was sent, of course.
  const overtaken = supersededEdits(edits).filter(({ plexWas }) => plexWas !== 'up');
  const sentLate = overtaken.filter((edit) => wasSent(plex, edit)).length;
  return [
    missing.length === 0
      ? {
          isTrue: true,
          text: `all edits arrived: ${newestEdits(edits).length} scenes are in Plex as they were last saved`,
        }
      : {
          isTrue: false,
          text: `not all edits arrived; missing: ${named(missing)}`,
        },
    claim(
      strangers === 0,
      'during the outage Plex was asked by probes only',
      `${strangers} requests during the outage were no probes`,
    ),
    claim(
      sentLate === 0,
      'no overtaken edit was ever sent to Plex',
      `${sentLate} overtaken edits were sent to Plex`,
    ),
    claim(
      report !== null && isBracketed(report, outage),
      'Breakwater recorded one outage, and its bounds hold the true ones',
      'Breakwater did not record this as one outage with bounds that hold',
    ),
    claim(
      leftRunning === 0,
      'no process of Breakwater is left running',
      `${leftRunning} processes are left running`,
    ),
  ];
}

/** Whether there is one outage that truly began and ended between the observations that bound it. */
export function isBracketed({ outages }: OutageReport, { beganAt, endedAt }: Outage): boolean {
  const [only, ...others] = outages;
  if (only === undefined || others.length > 0 || only.lastGood === null || only.firstGood === null) {
    return false;
  }
  const isWithin = (from: number, at: number, to: number) =>
    from <= at + CLOCK_SLACK_MS && at <= to + CLOCK_SLACK_MS;
  return (
    isWithin(only.lastGood.at, beganAt, only.firstFailed.at) &&
    isWithin(only.lastFailed.at, endedAt, only.firstGood.at)
  );
}

function named(edits: readonly Edit[]): string {
  return edits.map(({ scene, input }) => `scene ${scene} "${input.title}"`).join(', ');
}

function claim(isTrue: boolean, ifTrue: string, ifFalse: string): Claim {
  return { isTrue, text: isTrue ? ifTrue : ifFalse };
}
