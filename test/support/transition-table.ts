// A transition table as tests: a row for every state and every event the machine has a type for, so that what
// is ignored is written down as well. Leaving one out does not compile.
import { expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { step } from './machine-walk.ts';

export interface Row<Context> {
  /** What is so before, besides the ordinary; named in the test's name. */
  readonly when?: string;
  readonly given?: Partial<Context>;
  readonly event: { readonly type: string };
  /** `ignored`: the same snapshot object. Else the state after, and what its context holds. */
  readonly becomes: 'ignored' | { readonly to: string; readonly context?: Partial<Context> };
}

export type Table<Value extends string, Type extends string, Context> = {
  readonly [V in Value]: { readonly [T in Type]: readonly Row<Context>[] };
};

export function testTable<Value extends string, Type extends string, Context extends object>(
  machine: AnyStateMachine,
  /** The ordinary context of each state. */
  contexts: { readonly [V in Value]: Context },
  table: Table<Value, Type, Context>,
): void {
  for (const value of Object.keys(table) as Value[]) {
    for (const [type, rows] of Object.entries<readonly Row<Context>[]>(table[value])) {
      for (const row of rows) {
        const outcome = row.becomes === 'ignored' ? 'is ignored' : `→ ${row.becomes.to}`;
        test(`${machine.id} ${value}: ${type} ${outcome}${row.when ? ` when ${row.when}` : ''}`, () => {
          const context = { ...contexts[value], ...row.given };
          const { after, isIgnored } = step(machine, { value, context }, row.event);
          expect(row.event.type).toBe(type);
          if (row.becomes === 'ignored') {
            expect(isIgnored).toBe(true);
            return;
          }
          expect(isIgnored).toBe(false);
          expect(after.value).toBe(row.becomes.to);
          expect(after.context).toEqual({ ...context, ...row.becomes.context });
        });
      }
    }
  }
  test(`the ${machine.id} table has a row for each of its states`, () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(machine.states).sort());
  });
}
