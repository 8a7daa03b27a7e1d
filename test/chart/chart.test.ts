// A drawing tells what the machine does: no state, no transition more or less.

import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { ANYWHERE, chartOf, edgeKey, edgeTaken } from '../../src/chart/chart.ts';
import { definitionOf } from '../../src/chart/definition.ts';
import { DRAWN, DRAWN_NAMES } from '../../src/chart/machines.ts';
import { mermaidOf } from '../../src/chart/mermaid.ts';
import { machinesText } from '../../src/cli/machines.ts';
import { machineEvents } from './definition-walk.ts';

describe.each(DRAWN_NAMES)('%s', (name) => {
  const chart = chartOf(DRAWN[name]);

  test('every transition of the definition is on one edge, with its guard and actions', () => {
    const drawn = chart.edges.flatMap(({ source, target, transitions }) =>
      transitions.map(({ event, guard, actions, isReentry }) => [
        source,
        event,
        guard,
        target,
        actions,
        isReentry,
      ]),
    );
    expect(drawn.toSorted(byText)).toEqual(machineEvents(DRAWN[name]).toSorted(byText));
  });

  test('there is one edge between two states, however many events take it', () => {
    const keys = chart.edges.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('Mermaid names every state and every event', () => {
    const mermaid = mermaidOf(chart);
    for (const state of chart.states) expect(mermaid).toMatch(new RegExp(`\\b${state.name}\\b`));
    for (const { transitions } of chart.edges) {
      for (const { event } of transitions) expect(mermaid).toContain(event);
    }
  });

  test('its JSON makes the same chart again', () => {
    const again = createMachine(JSON.parse(definitionOf(DRAWN[name])) as object);
    expect(chartOf(again)).toEqual(chart);
  });
});

test('the breaker, edge by edge', () => {
  const edges = chartOf(DRAWN.breaker).edges.map(
    ({ key, transitions }) =>
      `${key}: ${transitions.map(({ event, guard }) => `${event} ${guard ?? ''}`.trim()).join(', ')}`,
  );
  expect(edges).toEqual([
    '*→*: policy.set',
    'closed→open: attempt.failed trips, probe.failed',
    'closed→closed: attempt.failed counts, attempt.succeeded hasFailures',
    'open→halfOpen: probe.succeeded isProbe',
    'halfOpen→closed: attempt.succeeded isProven',
    'halfOpen→halfOpen: attempt.succeeded, attempt.failed counts',
    'halfOpen→open: attempt.failed isOutage, attempt.failed trips, probe.failed',
  ]);
});

test('the edge that an event took is found by its states, also where the state stayed', () => {
  const { edges } = chartOf(DRAWN.breaker);
  const key = (from: string, to: string, event: string) => edgeTaken(edges, from, to, event)?.key ?? null;
  expect(key('closed', 'open', 'probe.failed')).toBe(edgeKey('closed', 'open'));
  expect(key('closed', 'closed', 'attempt.failed')).toBe(edgeKey('closed', 'closed'));
  expect(key('open', 'open', 'policy.set')).toBe(edgeKey(ANYWHERE, ANYWHERE));
  expect(key('closed', 'halfOpen', 'probe.succeeded')).toBeNull();
  expect(key('closed', 'open', 'backlog.drained')).toBeNull();
});

describe('what it cannot draw it refuses', () => {
  test('states inside states', () => {
    const nested = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { initial: 'b', states: { b: {} } } },
    });
    expect(() => chartOf(nested)).toThrow(/m\.a holds states of its own/);
  });

  test('transitions without an event', () => {
    const eager = createMachine({ id: 'm', initial: 'a', states: { a: { always: 'b' }, b: {} } });
    expect(() => chartOf(eager)).toThrow(/m\.a has a transition without an event/);
  });
});

describe('the verb', () => {
  test('lists, and prints one or all as JSON', () => {
    expect(machinesText(undefined, 'list')).toContain('breaker   closed · open · halfOpen\n');
    expect(Object.keys(JSON.parse(machinesText(undefined, 'json')) as object)).toEqual(DRAWN_NAMES);
    expect(JSON.parse(machinesText('lease', 'json'))).toMatchObject({ id: 'lease', initial: 'free' });
  });

  test('refuses a name that is not there, and several machines in one SVG', () => {
    expect(() => machinesText('toString', 'json')).toThrow(
      /there is no machine "toString"; there are breaker/,
    );
    expect(() => machinesText(undefined, 'svg')).toThrow(/say which one/);
    expect(machinesText('hold', 'svg')).toMatch(/^<svg /);
  });
});

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
