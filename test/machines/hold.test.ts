// The hold's transitions as a table. When it ends is asked with a moment (test/breaker/control/decide.test.ts).
import { expect, test } from 'vitest';
import { type HoldContext, holdMachine } from '../../machines/hold.ts';
import { event } from '../support/machine-events.ts';
import { definitionOf, impuritiesOf, walk } from '../support/machine-walk.ts';
import { moment } from '../support/moments.ts';
import { type Table, testTable } from '../support/transition-table.ts';

const NOTHING: HoldContext = { stance: 'open', reason: '', under: '', ends: null };
const HELD: HoldContext = {
  stance: 'open',
  reason: 'the token is wrong',
  under: 'settings-a',
  ends: { from: moment(0), waitMs: 300_000 },
};

const placed = event('hold.placed', {}, moment(7));
const closed = event(
  'hold.placed',
  { stance: 'closed', reason: 'I know better', under: 'settings-b' },
  moment(7),
);
const now = {
  stance: 'open',
  reason: 'Plex is being moved',
  under: '',
  ends: { from: moment(7), waitMs: 60_000 },
} as const;
const nowClosed = { ...now, stance: 'closed', reason: 'I know better', under: 'settings-b' } as const;
const ignored = (one: { readonly type: string }) => [{ event: one, becomes: 'ignored' as const }];

type Type = 'hold.placed' | 'hold.released' | 'attempt.failed' | 'policy.set';
const table: Table<'free' | 'held', Type, HoldContext> = {
  free: {
    'hold.placed': [
      { event: placed, becomes: { to: 'held', context: now } },
      { when: 'it holds closed', event: closed, becomes: { to: 'held', context: nowClosed } },
    ],
    'hold.released': ignored(event('hold.released')),
    'attempt.failed': ignored(event('attempt.failed')),
    'policy.set': ignored(event('policy.set')),
  },
  held: {
    'hold.placed': [
      {
        when: 'another is in force: the newer replaces it',
        event: closed,
        becomes: { to: 'held', context: nowClosed },
      },
      {
        when: 'it does not depend on settings any more',
        event: placed,
        becomes: { to: 'held', context: now },
      },
    ],
    'hold.released': [{ event: event('hold.released'), becomes: { to: 'free', context: NOTHING } }],
    'attempt.failed': ignored(event('attempt.failed')),
    'policy.set': ignored(event('policy.set')),
  },
};

testTable(holdMachine, { free: NOTHING, held: HELD }, table);

test('the walk reaches every state and takes every transition of the hold', () => {
  const { states, transitions } = walk(holdMachine, {
    events: () => [placed, closed, event('hold.released'), event('hold.placed', {}, moment(99_999))],
    nameOf: (state) => JSON.stringify(state),
    isFarEnough: () => false,
  });
  const definition = definitionOf(holdMachine);
  expect(states).toEqual(definition.states);
  expect(transitions).toEqual(definition.transitions);
});

test('the hold is pure: no timers, no children, nothing but names in its definition', () => {
  expect(impuritiesOf(holdMachine)).toEqual([]);
});
