// What the launcher loads first. The main bundle is in a syntax that an old Node cannot read, so whether this one can is
// asked before it is loaded.
import { isRefusedAsTooOld } from './node-version.ts';

declare function require(file: string): unknown;

if (!isRefusedAsTooOld(process)) {
  // undici's parser is WebAssembly that Node 20 compiles twice, the second time to run faster than a few requests need:
  // half the processor time of a wake. Node 22 is quicker without this.
  if (process.version.indexOf('v20.') === 0) {
    (require('node:v8') as typeof import('node:v8')).setFlagsFromString('--liftoff-only');
  }
  require('./breakwater-main.cjs');
}
