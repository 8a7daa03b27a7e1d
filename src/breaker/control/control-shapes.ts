// What each control event must look like to be heard. A record that does not is void and counted, like one of a type
// that nobody knows: the machines are given nothing that they were not made for.

import {
  type ControlEvent,
  type ControlEventType,
  HOLD_NAMES,
  type KnownServer,
  LEASE_NAMES,
} from '../../../machines/events.ts';
import { COUNTED_CLASSES } from '../../../machines/failure-classes.ts';
import type { Policy } from '../../../machines/policy.ts';
import {
  type Check,
  isAtLeastOne,
  isCount,
  isDraw,
  isFlag,
  isMs,
  isText,
  isWaitMs,
  isWallMs,
  oneOf,
  optional,
  type Shape,
  shaped,
} from '../journal/shape.ts';

type DataOf<Type extends ControlEventType> = Omit<Extract<ControlEvent, { type: Type }>, 'type'>;

const isLease = oneOf(...LEASE_NAMES);
const isHold = oneOf(...HOLD_NAMES);
const isCounted = oneOf(...COUNTED_CLASSES);
/** A batch of more jobs than this is none that anybody set. */
const MAX_RAMP = 1_000_000;

const isPolicy = shaped<Policy>({
  failureThreshold: isAtLeastOne,
  successThreshold: isAtLeastOne,
  successThresholdFlapping: isAtLeastOne,
  recoveryTimeoutMs: isWaitMs,
  recoveryTimeoutMaxMs: isWaitMs,
  maintenanceTimeoutMs: isWaitMs,
  maintenanceTimeoutMaxMs: isWaitMs,
  rampFull: (value) => isAtLeastOne(value) && (value as number) <= MAX_RAMP,
  vigilMs: isWaitMs,
});

const CONTROL_SHAPES: { readonly [Type in ControlEventType]: Shape<DataOf<Type>> } = {
  'policy.set': { policy: isPolicy, server: shaped<KnownServer>({ id: isText, under: isText }) },
  'lease.requested': { lease: isLease, forMs: isWaitMs },
  'lease.claimed': {
    lease: isLease,
    forMs: isWaitMs,
    draw: isDraw,
    isForced: optional(isFlag),
    process: optional(shaped<{ pid: number; space: string }>({ pid: isAtLeastOne, space: isText })),
  },
  'lease.renewed': { lease: isLease, epoch: isCount, forMs: isWaitMs },
  'lease.released': { lease: isLease, epoch: isCount, reason: isText, answeredAt: optional(isWallMs) },
  'lease.lost': { lease: isLease, epoch: isCount },
  'probe.succeeded': { lease: isLease, epoch: isCount, tookMs: isMs, pending: isCount },
  'probe.failed': {
    lease: isLease,
    epoch: isCount,
    class: isCounted,
    symptom: isText,
    draw: isDraw,
    retryAfterMs: optional(isMs),
  },
  'attempt.succeeded': { lease: oneOf('drain'), epoch: isCount, count: isCount },
  'attempt.failed': {
    lease: oneOf('drain'),
    epoch: isCount,
    class: isCounted,
    symptom: isText,
    draw: isDraw,
    subject: optional(isText),
    opensAfter: optional(isAtLeastOne),
    retryAfterMs: optional(isMs),
  },
  'backlog.drained': { lease: oneOf('drain'), epoch: isCount },
  'hold.placed': {
    hold: isHold,
    stance: oneOf('open', 'closed'),
    reason: isText,
    forMs: isWaitMs,
    under: optional(isText),
  },
  'hold.released': { hold: isHold, reason: isText },
};

const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(CONTROL_SHAPES).map(([type, shape]) => [type, shaped(shape as Shape<object>)]),
);

/** False for a type, lease or hold that this code does not know as well. */
export function isControlEvent(type: string, data: Readonly<Record<string, unknown>>): boolean {
  return CHECKS.get(type)?.(data) === true;
}
