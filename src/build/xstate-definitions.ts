// Stands in for XState in the bundle that a hook loads to fold a tail (build.mjs): to load XState and have it read our
// machines took longer than the fold. The definitions stay the one source; what is left out is everything that
// src/control/flat-machine.ts does not ask for. That refuses what it cannot step, and what is imported from XState
// and not here does not build. test/build/xstate-definitions.test.ts holds both ways equal.

interface Parts {
  /** For the compiler alone. */
  readonly types?: object;
  readonly guards?: object;
  readonly actions?: object;
}

interface Config {
  readonly id: string;
  readonly states: object;
}

export function assign(assignment: unknown) {
  return { type: 'xstate.assign', assignment };
}

export function setup({ types: _, guards = {}, actions = {}, ...more }: Parts) {
  const [other] = Object.keys(more);
  if (other !== undefined) throw new Error(`a machine is set up with ${other}: this needs XState itself`);
  return {
    createMachine: (config: Config) => ({
      id: config.id,
      config,
      states: config.states,
      implementations: { guards, actions },
    }),
  };
}
