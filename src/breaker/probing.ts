// Asking whether the server is back: under the probe lease, so that over all processes one wait holds one probe.
// The answer is appended together with the release, and moves the machines when it is read back.

import type { ControlEvent, HoldName } from '../../machines/events.ts';
import { type CountedClass, meaningOf } from '../../machines/failure-classes.ts';
import type { ControlLog } from './control/control-log.ts';
import { isLeaseLive, PROBE_LEASE_MS } from './control/decide.ts';
import { DEFAULT_PAUSE_MS, type Failure } from './control/failure.ts';
import type { Writer } from './journal/writer.ts';
import { thisProcess } from './process.ts';

/** Settings that the server refuses are tried again after this, in ms, or as soon as they change. */
const CONFIG_HOLD_MS = 300_000;

/** What asks the server. `known`: the id of the one that these settings were used with; empty: none yet. */
export type Probe<Identity> = (
  known: string,
) => Promise<
  { readonly ok: true; readonly value: Identity } | { readonly ok: false; readonly failure: Failure }
>;

export type ProbeOutcome<Identity> =
  | { readonly kind: 'back'; readonly identity: Identity }
  | { readonly kind: 'away'; readonly failure: Failure }
  /** Another process asks, or the wait is not over. */
  | { readonly kind: 'not-ours' };

export interface ProbeOptions<Identity> {
  readonly control: ControlLog;
  readonly writer: Writer;
  readonly probe: Probe<Identity>;
  /** Jobs that wait, for the record. */
  readonly pending: number;
  /** A person asked: do not wait for the due time. */
  readonly isForced: boolean;
}

/** Claims the probe lease, asks, and records the answer. Throws when the journal cannot be written. */
export async function probeUnderLease<Identity>(
  options: ProbeOptions<Identity>,
): Promise<ProbeOutcome<Identity>> {
  const { control, writer, probe, pending, isForced } = options;
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
  const result = await probe(server.id);
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
  const { probe: recordedAs } = meaningOf(failure.class);
  const event =
    recordedAs === 'config'
      ? holdPlaced(recordedAs, failure, server.under)
      : { ...failedProbe(recordedAs, failure, writer), ...under };
  await control.appendOrThrow(event, released);
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
