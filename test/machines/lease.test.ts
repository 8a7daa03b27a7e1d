// The lease's transitions as a table, and what its epochs promise.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LeaseContext, leaseMachine } from '../../machines/lease.ts';
import { event } from '../support/machine-events.ts';
import { definitionOf, impuritiesOf, type PlainState, step, walk } from '../support/machine-walk.ts';
import { moment } from '../support/moments.ts';
import { type Table, testTable } from '../support/transition-table.ts';

const FREE: LeaseContext = { epoch: 3, owner: '', ends: null, holder: null };
const ASKED: LeaseContext = {
  epoch: 3,
  owner: 'hook',
  ends: { from: moment(0), waitMs: 10_000 },
  holder: null,
};
const holder = { pid: 17, space: 'host-a' };
const HELD: LeaseContext = { epoch: 3, owner: 'drainer', ends: { from: moment(0), waitMs: 15_000 }, holder };

type Value = 'free' | 'asked' | 'held';
type Type =
  | `lease.${'requested' | 'claimed' | 'renewed' | 'released' | 'lost'}`
  | 'probe.failed'
  | 'policy.set';

const endsAt = (ms: number, waitMs: number) => ({ from: moment(ms), waitMs });
const claim = (ms: number, change = {}) => event('lease.claimed', change, moment(ms), 'two');
const request = (ms: number) => event('lease.requested', {}, moment(ms), 'two');
const taken = (ms: number) => ({ epoch: 4, owner: 'two', ends: endsAt(ms, 15_000), holder: null });
const asked = (ms: number) => ({ owner: 'two', ends: endsAt(ms, 10_000), holder: null });
const nobody = { owner: '', ends: null, holder: null };
const ignored = (one: { readonly type: string }) => [{ event: one, becomes: 'ignored' as const }];
const ofEpoch = (epoch: number) => ({ epoch });

const deaf = { 'probe.failed': ignored(event('probe.failed')), 'policy.set': ignored(event('policy.set')) };
const unheld = {
  'lease.renewed': ignored(event('lease.renewed', ofEpoch(3))),
  'lease.released': ignored(event('lease.released', ofEpoch(3))),
  'lease.lost': ignored(event('lease.lost', ofEpoch(3))),
};

const table: Table<Value, Type, LeaseContext> = {
  free: {
    ...deaf,
    ...unheld,
    'lease.requested': [{ event: request(5), becomes: { to: 'asked', context: asked(5) } }],
    'lease.claimed': [
      { event: claim(5), becomes: { to: 'held', context: taken(5) } },
      {
        when: 'it names its process',
        event: claim(5, { process: holder }),
        becomes: { to: 'held', context: { ...taken(5), holder } },
      },
    ],
  },
  asked: {
    ...deaf,
    ...unheld,
    'lease.requested': [
      { when: 'the one who was asked may still come', event: request(9_999), becomes: 'ignored' },
      {
        when: 'nobody came in time',
        event: request(10_000),
        becomes: { to: 'asked', context: asked(10_000) },
      },
    ],
    'lease.claimed': [
      { when: 'anybody comes', event: claim(1), becomes: { to: 'held', context: taken(1) } },
      { when: 'it was late', event: claim(99_999), becomes: { to: 'held', context: taken(99_999) } },
    ],
  },
  held: {
    ...deaf,
    'lease.requested': [
      { when: 'it is held', event: request(14_999), becomes: 'ignored' },
      {
        when: 'the holder is overdue',
        event: request(15_000),
        becomes: { to: 'asked', context: asked(15_000) },
      },
    ],
    'lease.claimed': [
      { when: 'it is held', event: claim(14_999), becomes: 'ignored' },
      {
        when: 'a person asked, but it is held',
        event: claim(14_999, { isForced: true }),
        becomes: 'ignored',
      },
      {
        when: 'nothing says until when it is held, as after damage',
        given: { ends: null },
        event: claim(1),
        becomes: { to: 'held', context: taken(1) },
      },
      {
        when: 'the holder is overdue',
        event: claim(15_000),
        becomes: { to: 'held', context: taken(15_000) },
      },
    ],
    'lease.renewed': [
      {
        event: event('lease.renewed', ofEpoch(3), moment(9_000), 'drainer'),
        becomes: { to: 'held', context: { ends: endsAt(9_000, 20_000) } },
      },
      { when: 'of an old epoch', event: event('lease.renewed', ofEpoch(2)), becomes: 'ignored' },
      { when: 'of an epoch to come', event: event('lease.renewed', ofEpoch(4)), becomes: 'ignored' },
    ],
    'lease.released': [
      { event: event('lease.released', ofEpoch(3)), becomes: { to: 'free', context: nobody } },
      { when: 'of an old epoch', event: event('lease.released', ofEpoch(2)), becomes: 'ignored' },
    ],
    'lease.lost': [
      { event: event('lease.lost', ofEpoch(3)), becomes: { to: 'free', context: nobody } },
      { when: 'of an old epoch', event: event('lease.lost', ofEpoch(2)), becomes: 'ignored' },
    ],
  },
};

testTable(leaseMachine, { free: FREE, asked: ASKED, held: HELD }, table);

describe('the walk', () => {
  const times = [moment(0), moment(15_000)];
  const { states, transitions, visited } = walk(leaseMachine, {
    events: ({ context }) => {
      const { epoch } = context as LeaseContext;
      return times.flatMap((at) => [
        event('lease.requested', {}, at, 'hook'),
        event('lease.claimed', {}, at, 'one'),
        event('lease.claimed', { process: holder }, at, 'two'),
        ...[epoch, epoch - 1].flatMap((of) => [
          event('lease.renewed', { epoch: of }, at),
          event('lease.released', { epoch: of }, at),
          event('lease.lost', { epoch: of }, at),
        ]),
      ]);
    },
    nameOf: (state) => JSON.stringify(state),
    isFarEnough: ({ context }) => (context as LeaseContext).epoch > 2,
  });

  test('reaches every state and takes every transition of the lease', () => {
    const definition = definitionOf(leaseMachine);
    expect(states).toEqual(definition.states);
    expect(transitions).toEqual(definition.transitions);
  });

  test('has an owner and an end unless it is free', () => {
    for (const { value, context } of visited as (PlainState & { context: LeaseContext })[]) {
      expect(context.owner === '').toBe(value === 'free');
      expect(context.ends === null).toBe(value === 'free');
      if (value !== 'held') expect(context.holder).toBe(null);
    }
  });
});

test('an epoch is granted once and never comes back, whatever is written', () => {
  const what = fc.constantFrom(
    'lease.requested',
    'lease.claimed',
    'lease.renewed',
    'lease.released',
    'lease.lost',
  );
  const word = fc.record({ what, ms: fc.integer({ min: 0, max: 20_000 }), back: fc.nat({ max: 1 }) });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      let state: PlainState = { value: 'free', context: { ...FREE, epoch: 0 } };
      let ms = 0;
      for (const word of words) {
        ms += word.ms;
        const { epoch } = state.context as LeaseContext;
        const said = event(word.what, { epoch: epoch - word.back }, moment(ms), `inv-${ms}`);
        const next = step(leaseMachine, state, said).after;
        const grown = (next.context as LeaseContext).epoch - epoch;
        expect(grown).toBe(
          word.what === 'lease.claimed' && JSON.stringify(next) !== JSON.stringify(state) ? 1 : 0,
        );
        state = next;
      }
    }),
  );
});

test('the lease is pure: no timers, no children, nothing but names in its definition', () => {
  expect(impuritiesOf(leaseMachine)).toEqual([]);
});
