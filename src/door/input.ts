// What Stash put on stdin → what is asked of us. Nothing here trusts a shape: the document comes from another program, and
// what a person reads of a wrong one is one clear line.

import type { StashConnection } from '../stash/connection.ts';

export type Input =
  | { readonly kind: 'task'; readonly args: Readonly<Record<string, unknown>>; readonly from: Origin }
  | { readonly kind: 'invalid'; readonly problem: string };

export interface Origin {
  readonly connection: StashConnection;
  /** Stash's config folder, as it was given: may be relative. */
  readonly dir: string;
}

type Json = Readonly<Record<string, unknown>>;

/** A document larger than this is refused, in bytes: what Stash sends to a task is a few hundred. */
export const MAX_INPUT_BYTES = 1024 * 1024;

export function parseInput(text: string): Input {
  if (text.trim() === '') return invalid('nothing came on stdin; Stash sends one JSON document there');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return invalid(`stdin is not a whole JSON document (${text.length} characters): was it cut short?`);
  }
  if (!isObject(document)) return invalid('stdin is JSON but not the object that Stash sends');
  const args = isObject(document.args) ? document.args : {};
  const origin = originOf(document.server_connection);
  if (origin === null) return invalid('stdin lacks server_connection; this is not what Stash sends');
  // Until its plugins are reloaded after an upgrade, Stash calls us for hooks as the yml of before said.
  if (isObject(args.hookContext)) {
    return { kind: 'task', args: { mode: 'wake', scope: 'changes', beside: true }, from: origin };
  }
  const { session, ...rest } = args;
  const credential = sessionOf(session) ?? origin.connection.credential;
  return { kind: 'task', args: rest, from: { ...origin, connection: { ...origin.connection, credential } } };
}

/** What the hook handed on to be let in with: Stash gives a task that a script has started a cookie of nobody. */
function sessionOf(session: unknown): StashConnection['credential'] | null {
  if (!isObject(session)) return null;
  const { apiKey } = session;
  if (typeof apiKey === 'string' && /^[\x21-\x7e]+$/.test(apiKey)) return { kind: 'apiKey', value: apiKey };
  const cookie = credentialOf(session);
  return cookie.kind === 'none' ? null : cookie;
}

function originOf(value: unknown): Origin | null {
  if (!isObject(value)) return null;
  const { Port: given } = value;
  const port = typeof given === 'number' || typeof given === 'string' ? Number(given) : Number.NaN;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return null;
  const scheme = value.Scheme === 'https' ? 'https' : 'http';
  const dir = typeof value.Dir === 'string' && value.Dir !== '' ? value.Dir : '.';
  const origin = `${scheme}://${hostOf(value.Host)}:${port}`;
  return { connection: { origin, credential: credentialOf(value.SessionCookie) }, dir };
}

/** `Host` is the address that Stash binds to; "every address" is reached through loopback. */
function hostOf(value: unknown): string {
  const host = typeof value === 'string' ? value.replace(/^\[|\]$/g, '') : '';
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  if (!/^[A-Za-z0-9._:%-]+$/.test(host)) return '127.0.0.1';
  const named = host.includes(':') ? `[${host}]` : host;
  return URL.canParse(`http://${named}`) ? named : '127.0.0.1';
}

function credentialOf(cookie: unknown): StashConnection['credential'] {
  if (!isObject(cookie)) return { kind: 'none' };
  const { Name: name, Value: value } = cookie;
  const isUsable =
    typeof name === 'string' && typeof value === 'string' && /^[\x21-\x3a\x3c-\x7e]+$/.test(value);
  return isUsable && /^[A-Za-z0-9_-]+$/.test(name) ? { kind: 'cookie', name, value } : { kind: 'none' };
}

function invalid(problem: string): Input {
  return { kind: 'invalid', problem };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
