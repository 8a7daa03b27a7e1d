// Plans that broke something once, as small as they could be made. Each stays whole from then on.

import type { Plan } from './plan.ts';

const PLAIN = {
  missing: [],
  hasCovers: false,
  isStashInit: false,
  reconcilesAtEnd: false,
  segmentBytes: null,
  keepMs: null,
  scansNewFiles: false,
  second: null,
} as const;

export const RECORDED: readonly { readonly name: string; readonly plan: Plan }[] = [
  {
    name: 'a new data folder was gone after a power loss, with a change that was noted in it',
    plan: {
      ...PLAIN,
      seed: 18,
      scenes: 3,
      vigilMinutes: 0.5,
      recoveryTimeoutSeconds: 5,
      failureThreshold: 5,
      acts: [
        { atMs: 100, does: 'edit', scenes: ['1'], isHookLost: false },
        { atMs: 5_000, does: 'power', offMs: 1_000 },
      ],
    },
  },
  {
    name: 'a hook wrote to a file that a killed one had made and not made durable',
    plan: {
      ...PLAIN,
      seed: 1781,
      scenes: 7,
      vigilMinutes: 2,
      recoveryTimeoutSeconds: 1,
      failureThreshold: 5,
      acts: [
        { atMs: 97, does: 'edit', scenes: ['5'], isHookLost: false },
        { atMs: 116, does: 'kill', steps: 21 },
        { atMs: 2244, does: 'edit', scenes: ['1', '2'], isHookLost: false },
        { atMs: 2395, does: 'power', offMs: 1_000 },
      ],
    },
  },
  {
    name: 'a release that could not be read back was said again and taken for drift',
    plan: {
      ...PLAIN,
      seed: 2213,
      scenes: 2,
      vigilMinutes: 0.2,
      recoveryTimeoutSeconds: 1,
      failureThreshold: 1,
      acts: [
        { atMs: 247, does: 'disk', fault: 'read-error', share: 0.05, forMs: 400_000 },
        { atMs: 20_276, does: 'edit', scenes: ['1'], isHookLost: false },
        { atMs: 28_114, does: 'suspend', ms: 60_000, isMonotonicRunning: true },
      ],
    },
  },
  {
    name: 'a performer of an edit that Plex applied late stayed for ever',
    plan: {
      ...PLAIN,
      seed: 2443,
      scenes: 5,
      vigilMinutes: 2,
      recoveryTimeoutSeconds: 20,
      failureThreshold: 5,
      acts: [
        { atMs: 268, does: 'Plex', faults: ['edits late'], forMs: 90_000 },
        { atMs: 1306, does: 'edit', scenes: ['3'], isHookLost: false },
        { atMs: 4401, does: 'edit', scenes: ['1', '3'], isHookLost: false },
      ],
    },
  },
  {
    name: 'an older plugin left a checkpoint of what it could read, and a newer one took it for the whole',
    plan: {
      ...PLAIN,
      seed: 204765,
      scenes: 8,
      vigilMinutes: 0,
      recoveryTimeoutSeconds: 5,
      failureThreshold: 5,
      acts: [
        { atMs: 5306, does: 'edit', scenes: ['7'], isHookLost: false },
        { atMs: 7718, does: 'upgrade', to: 2 },
        { atMs: 7863, does: 'task', mode: 'reconcile' },
        { atMs: 15_167, does: 'upgrade', to: 1 },
        { atMs: 49_368, does: 'task', mode: 'reconcile' },
      ],
    },
  },
  {
    name: 'a tag that Plex still showed after the last try was no longer ours to drop',
    plan: {
      ...PLAIN,
      seed: 404646,
      scenes: 4,
      vigilMinutes: 0.2,
      recoveryTimeoutSeconds: 20,
      failureThreshold: 2,
      acts: [
        { atMs: 133_281, does: 'Plex', faults: ['edits late'], forMs: 3_600_000 },
        { atMs: 133_281, does: 'edit', scenes: ['2', '2'], isHookLost: false },
        { atMs: 188_990, does: 'edit', scenes: ['2'], isHookLost: false },
        { atMs: 258_948, does: 'rename tag', tag: '2' },
        { atMs: 513_796, does: 'edit', scenes: ['3'], isHookLost: false },
      ],
    },
  },
  {
    name: 'held closed, a drainer asked a server that refused it again and again without a pause',
    plan: {
      ...PLAIN,
      seed: 907,
      scenes: 4,
      vigilMinutes: 1,
      recoveryTimeoutSeconds: 20,
      failureThreshold: 1,
      acts: [
        { atMs: 298_610, does: 'edit', scenes: ['4'], isHookLost: false },
        { atMs: 318_210, does: 'Plex', faults: ['login page'], forMs: 3_600_000 },
        { atMs: 319_196, does: 'edit', scenes: ['2'], isHookLost: false },
        { atMs: 391_721, does: 'task', mode: 'hold closed' },
        { atMs: 397_992, does: 'task', mode: 'drain' },
        { atMs: 548_265, does: 'edit', scenes: ['4'], isHookLost: false },
      ],
    },
  },
  {
    name: 'a claim that came into the log after a long sleep took the epoch of another for its own',
    plan: {
      ...PLAIN,
      seed: 1069,
      scenes: 7,
      isStashInit: true,
      vigilMinutes: 0.2,
      recoveryTimeoutSeconds: 60,
      failureThreshold: 5,
      segmentBytes: 6_000,
      acts: [
        { atMs: 20_172, does: 'task', mode: 'retry' },
        { atMs: 55_052, does: 'edit', scenes: ['1', '2', '3'], isHookLost: false },
        { atMs: 55_195, does: 'disk', fault: 'slow', share: 0.3, forMs: 120_000 },
        { atMs: 72_517, does: 'suspend', ms: 600_000, isMonotonicRunning: true },
        { atMs: 74_909, does: 'task', mode: 'drain' },
        { atMs: 197_831, does: 'edit', scenes: ['4'], isHookLost: false },
      ],
    },
  },
  {
    name: 'two machines whose clocks disagree took the lease from each other without end',
    plan: {
      ...PLAIN,
      seed: 182,
      scenes: 8,
      vigilMinutes: 1,
      recoveryTimeoutSeconds: 60,
      failureThreshold: 1,
      keepMs: 60_000,
      second: { isContainer: false, wallOffMs: -400_000 },
      acts: [
        { atMs: 3_243, does: 'edit', scenes: ['3'], isHookLost: false, on: 'second' },
        { atMs: 3_445, does: 'edit', scenes: ['3'], isHookLost: false },
      ],
    },
  },
  {
    name: 'a performer that an undo dropped, and Plex still showed, was no longer ours to drop',
    plan: {
      ...PLAIN,
      seed: 16534,
      scenes: 3,
      vigilMinutes: 0.5,
      recoveryTimeoutSeconds: 5,
      failureThreshold: 5,
      segmentBytes: 2_000,
      acts: [
        { atMs: 3_396_287, does: 'edit', scenes: ['3'], isHookLost: false },
        { atMs: 3_436_287, does: 'undo', scene: null, since: '1m' },
        { atMs: 3_436_291, does: 'Plex', faults: ['edits late'], forMs: 200 },
        { atMs: 3_436_387, does: 'edit', scenes: ['3'], isHookLost: false },
      ],
    },
  },
];
