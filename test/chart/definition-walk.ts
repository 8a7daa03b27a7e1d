// Every transition of a machine, read from its plain configuration: another way than the chart's, which asks
// XState's own nodes. For the flat machines that we have.

import type { AnyStateMachine } from 'xstate';

interface Written {
  readonly target?: string;
  readonly guard?: string;
  readonly actions?: string | readonly string[];
  readonly reenter?: boolean;
}
type On = Readonly<Record<string, Written | readonly Written[]>>;
interface Config {
  readonly on?: On;
  readonly states: Readonly<Record<string, { readonly on?: On }>>;
}

/** source, event, guard, target, actions, whether the state is entered anew. */
export function machineEvents(machine: AnyStateMachine): unknown[][] {
  const config = machine.config as unknown as Config;
  const own = Object.entries(config.states).flatMap(([state, { on }]) => written(state, on));
  return [...written('*', config.on), ...own];
}

function written(source: string, on: On = {}): unknown[][] {
  return Object.entries(on).flatMap(([event, transitions]) =>
    [transitions].flat().map((one) => {
      const { target, guard, actions = [], reenter } = one as Written;
      return [source, event, guard ?? null, target ?? source, [actions].flat(), reenter === true];
    }),
  );
}
