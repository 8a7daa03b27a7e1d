// Reads a fault from outside JSON (the control endpoint). Every kind and its numbers are in one table, so a kind added
// to the union does not compile until it is here. A wrong input is a value with a reason, never a throw.
import type { Fault, FaultKind } from './faults.ts';

export type FaultInput =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'refused'; readonly reason: string };

type Presence = 'needed' | 'optional';
type ValueRule = 'number' | 'text' | 'phase';

const ownMembers: Record<FaultKind, Readonly<Record<string, readonly [Presence, ValueRule]>>> = {
  refuse: {},
  reset: {},
  resetAfter: {},
  hang: {},
  slow: { ms: ['needed', 'number'] },
  maintenance: { status: ['optional', 'phase'] },
  overload: { retryAfterSeconds: ['optional', 'number'] },
  error500: {},
  badGateway: {},
  gatewayTimeout: {},
  tooMany: { retryAfterSeconds: ['needed', 'number'] },
  unauthorized: {},
  forbidden: {},
  notFound: {},
  truncated: {},
  loginPage: {},
  garbage: {},
  otherServer: { machineIdentifier: ['needed', 'text'] },
  lateEdit: { ms: ['optional', 'number'] },
  tagsCapped: { max: ['needed', 'number'] },
  noContainer: {},
  slowDrip: { bytesPerSecond: ['needed', 'number'] },
  flapping: { upMs: ['needed', 'number'], downMs: ['needed', 'number'] },
  status: { code: ['needed', 'number'] },
};

export const faultKinds = Object.keys(ownMembers) as FaultKind[];

const scopeNumbers = ['count', 'everyNth', 'durationMs', 'skip'];
const scopeTexts = ['path', 'method'];

export function parseFault(input: unknown): FaultInput {
  if (!isRecord(input)) return refused('a fault is a JSON object with a `kind`');
  const kind = input.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(ownMembers, kind)) {
    return refused(`unknown kind ${JSON.stringify(kind)}; kinds are ${faultKinds.join(', ')}`);
  }
  const members = ownMembers[kind as FaultKind];
  for (const [name, [presence, rule]] of Object.entries(members)) {
    const value = input[name];
    if (value === undefined && presence === 'optional') continue;
    if (!isValid(value, rule)) return refused(`${kind} needs \`${name}\` as ${ruleWords[rule]}`);
  }
  for (const [name, value] of Object.entries(input)) {
    if (name === 'kind' || Object.hasOwn(members, name)) continue;
    if (scopeNumbers.includes(name) && isValid(value, 'number')) continue;
    if (scopeTexts.includes(name) && isValid(value, 'text')) continue;
    if (name === 'keys' && Array.isArray(value) && value.every((key) => typeof key === 'string')) continue;
    return refused(`\`${name}\` is not known for ${kind}, or has a value of the wrong type`);
  }
  if (input.everyNth === 0) return refused('`everyNth` starts at 1');
  if (kind === 'status' && !(Number(input.code) >= 200 && Number(input.code) <= 599)) {
    return refused('`code` is a status from 200 to 599');
  }
  if (kind === 'slowDrip' && input.bytesPerSecond === 0) return refused('`bytesPerSecond` starts at 1');
  return { kind: 'fault', fault: input as unknown as Fault };
}

const ruleWords: Record<ValueRule, string> = {
  number: 'a number of 0 or more',
  text: 'a text',
  phase: "'migrations' or 'startup'",
};

function isValid(value: unknown, rule: ValueRule): boolean {
  if (rule === 'number') return typeof value === 'number' && Number.isFinite(value) && value >= 0;
  if (rule === 'text') return typeof value === 'string' && value !== '';
  return value === 'migrations' || value === 'startup';
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function refused(reason: string): FaultInput {
  return { kind: 'refused', reason };
}
