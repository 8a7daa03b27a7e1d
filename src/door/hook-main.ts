// The script as Stash runs it: its last value is the result.
import { type Gql, type HookInput, type HookLog, runHook } from './hook.ts';

declare var input: HookInput;
declare var gql: Gql;
declare var log: HookLog;

runHook(input, gql, log, Date.now());
