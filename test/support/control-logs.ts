// Random control logs: several writers on clocks that step and reboot, who speak with the current epoch or an
// old one, as the holder of the lease or not. A stroke says what is said; which epoch and which owner that is
// follows from the state it lands on.
import fc from 'fast-check';
import type { ControlEvent, StampedControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import type { Moment } from '../../machines/time.ts';
import { evolve } from '../../src/breaker/control/evolve.ts';
import { type ControlState, INITIAL_STATE } from '../../src/breaker/control/state.ts';
import { FakeClock } from './fake-writer.ts';

/** An event without the epoch, which is filled in where it lands. */
type Unplaced<E> = E extends { readonly epoch: number } ? Omit<E, 'epoch'> : E;
type Said = Unplaced<ControlEvent>;

export interface Stroke {
  readonly afterMs: number;
  readonly clock: 'runs' | 'reboots' | { readonly steppedMs: number };
  /** Who speaks: whoever holds the lease in question, or an invocation of its own. */
  readonly by: 'holder' | 'one' | 'two' | 'three';
  /** How many epochs old the word is. */
  readonly old: number;
  readonly said: Said;
}

const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const forMs = fc.constantFrom(0, 5_000, 15_000, 120_000);
const counted = fc.constantFrom('outage' as const, 'maintenance' as const, 'transient' as const);
const drain = fc.constant('drain' as const);
const probe = fc.constant('probe' as const);
const lease = fc.constantFrom('drain' as const, 'probe' as const);
const hold = fc.constantFrom('operator' as const, 'config' as const, 'throttle' as const);
const text = fc.constantFrom('', 'refused', 'timeout');

function type<Type extends string>(name: Type) {
  return fc.constant(name);
}

const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 1, arbitrary: policySet() },
  { weight: 2, arbitrary: fc.record({ type: type('lease.requested'), lease, forMs }) },
  { weight: 6, arbitrary: claimOf(probe) },
  { weight: 4, arbitrary: claimOf(drain) },
  { weight: 1, arbitrary: fc.record({ type: type('lease.renewed'), lease, forMs }) },
  { weight: 3, arbitrary: fc.record({ type: type('lease.released'), lease, reason: text }) },
  { weight: 1, arbitrary: fc.record({ type: type('lease.lost'), lease }) },
  { weight: 6, arbitrary: probeResult(probe) },
  { weight: 2, arbitrary: probeResult(drain) },
  {
    weight: 6,
    arbitrary: fc.record({ type: type('attempt.succeeded'), lease: drain, count: fc.nat({ max: 12 }) }),
  },
  { weight: 6, arbitrary: attemptFailed() },
  { weight: 2, arbitrary: fc.record({ type: type('backlog.drained'), lease: drain }) },
  { weight: 1, arbitrary: fc.record({ type: type('hold.released'), hold, reason: text }) },
  { weight: 2, arbitrary: holdPlaced() },
);

function policySet() {
  const policy = fc.constantFrom(
    DEFAULT_POLICY,
    { ...DEFAULT_POLICY, failureThreshold: 2, rampFull: 5 },
    { ...DEFAULT_POLICY, failureThreshold: 3, successThreshold: 2, recoveryTimeoutMs: 10_000 },
  );
  const server = fc.record({ id: text, under: text });
  return fc.record({ type: type('policy.set'), policy, server });
}

function claimOf(name: fc.Arbitrary<'drain' | 'probe'>) {
  const process = fc.constantFrom({ pid: 1, space: 'a' }, { pid: 2, space: 'b' });
  return fc.record(
    { type: type('lease.claimed'), lease: name, forMs, draw, isForced: fc.boolean(), process },
    { requiredKeys: ['type', 'lease', 'forMs', 'draw'] },
  );
}

function probeResult(name: fc.Arbitrary<'drain' | 'probe'>): fc.Arbitrary<Said> {
  const retryAfterMs = fc.constantFrom(1_000, 100_000, 5_000_000);
  return fc.oneof(
    fc.record({ type: type('probe.succeeded'), lease: name, tookMs: fc.nat(), pending: fc.nat() }),
    fc.record(
      { type: type('probe.failed'), lease: name, class: counted, symptom: text, draw, retryAfterMs },
      { requiredKeys: ['type', 'lease', 'class', 'symptom', 'draw'] },
    ),
  );
}

function attemptFailed() {
  return fc.record(
    {
      type: type('attempt.failed'),
      lease: drain,
      class: counted,
      symptom: text,
      draw,
      subject: fc.constantFrom('scene:1', 'scene:2'),
      opensAfter: fc.constantFrom(1, 2, 9),
      retryAfterMs: fc.constantFrom(1_000, 100_000),
    },
    { requiredKeys: ['type', 'lease', 'class', 'symptom', 'draw'] },
  );
}

function holdPlaced() {
  return fc.record(
    {
      type: type('hold.placed'),
      hold,
      stance: fc.constantFrom('open' as const, 'closed' as const),
      reason: text,
      forMs,
      under: text,
    },
    { requiredKeys: ['type', 'hold', 'stance', 'reason', 'forMs'] },
  );
}

const stroke: fc.Arbitrary<Stroke> = fc.record({
  afterMs: fc.oneof(fc.constantFrom(0, 999, 1_000, 60_000, 300_000), fc.nat({ max: 400_000 })),
  clock: fc.oneof(
    { weight: 20, arbitrary: fc.constant('runs' as const) },
    { weight: 1, arbitrary: fc.constant('reboots' as const) },
    { weight: 1, arbitrary: fc.record({ steppedMs: fc.integer({ min: -4_000_000, max: 4_000_000 }) }) },
  ),
  by: fc.oneof(
    { weight: 6, arbitrary: fc.constant('holder' as const) },
    { weight: 1, arbitrary: fc.constantFrom('one' as const, 'two' as const, 'three' as const) },
  ),
  old: fc.oneof(
    { weight: 9, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 1, 2) },
  ),
  said: said as fc.Arbitrary<Said>,
});

/** A log of a few dozen events. */
export const strokes = (maxLength = 80) => fc.array(stroke, { maxLength, size: 'max' });

/** How the stroke reads where it lands on `state`. */
export function landed(stroke: Stroke, state: ControlState, moment: Moment): StampedControlEvent {
  const { said, by, old } = stroke;
  const held = 'lease' in said ? state[said.lease].context : null;
  const owner = held === null || held.owner === '' ? 'one' : held.owner;
  const writer = by === 'holder' && said.type !== 'lease.claimed' ? owner : by === 'holder' ? 'one' : by;
  const isResult = ![
    'policy.set',
    'lease.requested',
    'lease.claimed',
    'hold.placed',
    'hold.released',
  ].includes(said.type);
  const placed = isResult && held !== null ? { ...said, epoch: held.epoch - old } : said;
  return { ...placed, moment, by: writer } as StampedControlEvent;
}

export function moveClock(clock: FakeClock, { afterMs, clock: move }: Stroke): void {
  clock.advance(afterMs);
  if (move === 'reboots') clock.reboot();
  else if (move !== 'runs') clock.stepWall(move.steppedMs);
}

export interface Passed {
  readonly event: StampedControlEvent;
  readonly before: ControlState;
  readonly after: ControlState;
}

/** The log that the strokes make, with the state around each event. */
export function play(log: readonly Stroke[]): {
  readonly passed: readonly Passed[];
  readonly clock: FakeClock;
} {
  const clock = new FakeClock();
  const passed: Passed[] = [];
  let state = INITIAL_STATE;
  for (const one of log) {
    moveClock(clock, one);
    const event = landed(one, state, clock.now());
    const before = state;
    state = evolve(before, event);
    passed.push({ event, before, after: state });
  }
  return { passed, clock };
}
