// A long control log as years of use would leave it, written without a drainer: outages with their probes and canaries
// follow each other, with quiet sessions and failures that came to nothing in between. Each record has the
// witness that its writer would have computed, so that all of them agree.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { ERA } from '../../machines/era.ts';
import type { ControlEvent, StampedControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { evolve } from '../../src/breaker/control/evolve.ts';
import { type ControlState, INITIAL_STATE } from '../../src/breaker/control/state.ts';
import { transitionOf } from '../../src/breaker/control/witness.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { seeded } from '../support/seeded.ts';

const START_AT = Date.UTC(2026, 0, 1);
const LINES_PER_WRITE = 2_000;

/** What is said, and how long after what was said before, in ms. */
type Said = readonly [afterMs: number, event: ControlEvent];

/** Writes `records` records into `dir`. */
export function writeControlLog(dir: string, records: number): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fd = openSync(`${dir}/control.ndjson`, 'w', 0o600);
  const random = seeded(11);
  let [state, position, at, sessions] = [INITIAL_STATE, 0, START_AT, 0];
  let lines: string[] = [];
  let written = 0;
  while (written < records) {
    sessions += 1;
    const inv = `drain-${sessions.toString(16).padStart(8, '0')}`;
    for (const [afterMs, event] of session(state, sessions, random)) {
      if (written === records) break;
      at += afterMs;
      const now = { at, mono: at - START_AT, boot: 'bench-boot' };
      const { type, ...data } = event;
      const after = evolve(state, { ...event, moment: now, by: inv } as StampedControlEvent);
      const witness = { seen: position, ...transitionOf(state, after), era: ERA };
      const line = encodeLine(makeRecord({ inv, now: () => now, random }, type, data, witness));
      lines.push(line);
      position += Buffer.byteLength(line) + 2;
      state = after;
      written += 1;
      if (lines.length === LINES_PER_WRITE || written === records) {
        writeSync(fd, joinLines(lines));
        lines = [];
      }
    }
  }
  closeSync(fd);
}

/** One drainer's stay; every third meets an outage. */
function session(before: ControlState, number: number, random: () => number): Said[] {
  const drain = { lease: 'drain', epoch: before.drain.context.epoch + 1 } as const;
  let probeEpoch = before.probe.context.epoch;
  const draw = random();
  const failed = { class: 'outage', symptom: 'refused', draw } as const;
  const said: Said[] = [
    [3_600_000, { type: 'lease.requested', lease: 'drain', forMs: 10_000 }],
    [
      40,
      {
        type: 'lease.claimed',
        lease: 'drain',
        forMs: 180_000,
        draw,
        process: { pid: 4_711, space: 'bench' },
      },
    ],
  ];
  if (number === 1) {
    said.push([5, { type: 'policy.set', policy: DEFAULT_POLICY, server: { id: 'bench', under: 'bench' } }]);
  }
  if (number % 3 !== 0) {
    said.push(
      [2_000, { type: 'attempt.failed', ...drain, ...failed, class: 'transient', subject: 'scene:12' }],
      [300, { type: 'probe.succeeded', ...drain, tookMs: 12, pending: 3 }],
      [400, { type: 'attempt.succeeded', ...drain, count: 3 }],
      [50_000, { type: 'lease.renewed', ...drain, forMs: 180_000 }],
      [50_000, { type: 'lease.renewed', ...drain, forMs: 180_000 }],
    );
  } else {
    said.push(
      [900, { type: 'attempt.failed', ...drain, ...failed, subject: 'scene:7' }],
      [20, { type: 'probe.failed', ...drain, ...failed }],
    );
    for (let probe = 0; probe < 5; probe++) {
      probeEpoch += 1;
      const asking = { lease: 'probe', epoch: probeEpoch } as const;
      said.push([300_000, { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw }]);
      if (probe < 4) said.push([8, { type: 'probe.failed', ...asking, ...failed }]);
      else said.push([8, { type: 'probe.succeeded', ...asking, tookMs: 8, pending: 40 }]);
      said.push([0, { type: 'lease.released', ...asking, reason: 'refused' }]);
      said.push([1, { type: 'lease.renewed', ...drain, forMs: 180_000 }]);
    }
    for (const count of [1, 1, 2, 4, 8, 16, 32]) {
      said.push([700, { type: 'attempt.succeeded', ...drain, count }]);
    }
    said.push([100, { type: 'backlog.drained', ...drain }]);
  }
  said.push([2_000, { type: 'lease.released', ...drain, reason: 'idle' }]);
  return said;
}
