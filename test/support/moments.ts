// Moments for tests: `ms` after the start on both clocks of one boot, and on the clocks of another.
import type { Moment } from '../../machines/time.ts';
import { START_AT } from './fake-writer.ts';

export function moment(ms: number): Moment {
  return { at: START_AT + ms, mono: 1_000 + ms, boot: 'boot-1' };
}

/** On another boot, where the monotonic clock says nothing about the first one's. */
export function momentOfOtherBoot(ms: number): Moment {
  return { at: START_AT + ms, mono: 5, boot: 'boot-2' };
}
