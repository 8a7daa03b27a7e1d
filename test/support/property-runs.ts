// How often a property is tried: a little in every run, a lot with BREAKWATER_LONG=1. fast-check prints the seed
// and the path of what it finds.

export const PROPERTY_RUNS = { numRuns: process.env.BREAKWATER_LONG === '1' ? 20_000 : 300 };
