// Asking whether Plex is back: under the probe lease, so that over all processes one wait holds one probe.
// The answer is appended together with the release, and moves the machines when it is read back.

import type { ControlEvent, HoldName } from '../../machines/events.ts';
import { type CountedClass, meaningOf } from '../../machines/failure-classes.ts';
import type { ControlLog } from '../control/control-log.ts';
import { isLeaseLive } from '../control/decide.ts';
import type { Writer } from '../journal/writer.ts';
import { DEFAULT_PAUSE_MS, type Failure } from '../plex/failures.ts';
import { PROBE_TIMEOUT_MS } from '../plex/plex-client.ts';
import type { PlexIdentity } from '../plex/plex-item.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { thisProcess } from './process.ts';

/** Two requests and some air, in ms. */
const PROBE_LEASE_MS = 2 * PROBE_TIMEOUT_MS + 5_000;

/** Settings that Plex refuses are tried again after this, in ms, or as soon as they change. */
export const CONFIG_HOLD_MS = 300_000;

export type ProbeOutcome =
  | { readonly kind: 'back'; readonly identity: PlexIdentity }
  | { readonly kind: 'away'; readonly failure: Failure }
  /** Another process asks, or the wait is not over. */
  | { readonly kind: 'not-ours' };

export interface ProbeOptions {
  readonly control: ControlLog;
  readonly writer: Writer;
  readonly plex: Pick<PlexPort, 'probe'>;
  /** Jobs that wait, for the record. */
  readonly pending: number;
  /** A person asked: do not wait for the due time. */
  readonly isForced: boolean;
}

/** Claims the probe lease, asks, and records the answer. Throws when the journal cannot be written. */
export async function probeUnderLease(options: ProbeOptions): Promise<ProbeOutcome> {
  const { control, writer, plex, pending, isForced } = options;
  const claimed = {
    type: 'lease.claimed',
    lease: 'probe',
    forMs: PROBE_LEASE_MS,
    draw: writer.random(),
    process: thisProcess(),
    ...(isForced ? { isForced } : {}),
  } as const;
  const [step] = await control.appendOrThrow(claimed);
  if (step?.isVoid !== false) return { kind: 'not-ours' };
  // As of our own record: by now it may be another's, and the epoch of now theirs.
  const { epoch } = step.after.probe.context;
  const under = { lease: 'probe', epoch } as const;
  // The machine may have slept between the word and the reading of it: by now the question is another's to ask.
  const isOurs = control.state.probe.context.epoch === epoch;
  if (!isOurs || !isLeaseLive(control.state, 'probe', writer.now())) return { kind: 'not-ours' };
  const { server } = control.state.breaker.context;

  const startedAt = writer.now().mono;
  const result = await plex.probe(server.id);
  const tookMs = Math.round(writer.now().mono - startedAt);
  if (result.ok) {
    const reason = 'answered';
    await control.appendOrThrow(
      { type: 'probe.succeeded', ...under, tookMs, pending },
      { type: 'lease.released', ...under, reason },
    );
    return { kind: 'back', identity: result.value };
  }
  const { failure } = result;
  const released = { type: 'lease.released', ...under, reason: failure.symptom } as const;
  const { probe } = meaningOf(failure.class);
  if (probe === 'config') await control.appendOrThrow(holdPlaced(probe, failure, server.under), released);
  else await control.appendOrThrow({ ...failedProbe(probe, failure, writer), ...under }, released);
  return { kind: 'away', failure };
}

export function failedProbe(recordedAs: CountedClass, { symptom, retryAfterMs }: Failure, writer: Writer) {
  const failed = { type: 'probe.failed', class: recordedAs, symptom, draw: writer.random() } as const;
  return retryAfterMs === undefined ? failed : { ...failed, retryAfterMs };
}

/** `under`: the settings of now. */
export function holdPlaced(
  hold: Exclude<HoldName, 'operator'>,
  { detail, retryAfterMs }: Pick<Failure, 'detail' | 'retryAfterMs'>,
  under: string,
): ControlEvent {
  const placed = { type: 'hold.placed', hold, stance: 'open', reason: detail } as const;
  switch (hold) {
    // Nothing will work until a person acts: `under` tells when they have.
    case 'config':
      return { ...placed, forMs: CONFIG_HOLD_MS, under };
    case 'throttle':
      return { ...placed, forMs: retryAfterMs ?? DEFAULT_PAUSE_MS };
  }
}
