// A prober's part, said by a test: so that an outage is half over before any drainer is at work.

import type { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { VirtualWorld } from './virtual-world.ts';

const WAITED_MS = 10 * 60_000;

/** The wait is over, and Plex answers: the breaker is half-open. */
export async function probedWell(world: VirtualWorld, log: ControlLog): Promise<void> {
  await world.pass(WAITED_MS);
  await log.append({ type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0 });
  const under = { lease: 'probe', epoch: log.state.probe.context.epoch } as const;
  await log.append(
    { type: 'probe.succeeded', ...under, tookMs: 1, pending: 1 },
    { type: 'lease.released', ...under, reason: 'answered' },
  );
}
