// Names the behaviour of the machines: a digest of their definitions and of the numbers they go by.
// A record carries the era of its writer. Inside one era a fold that differs from what was recorded is a bug;
// across eras history is taken as it was recorded. A constant, because a bundle that is minified holds other texts of the same
// functions;
// test/machines/era.test.ts says what to put here when a definition changes.

export const ERA = '97fc6d6e';
