// What Stash put on stdin → what is asked of us. Nothing here trusts a shape: the document comes from another
// program, and a plugin that dies on one leaves an error in somebody's save.

import { type JobKind, type JobName, LIBRARY_JOB } from '../queue/events.ts';
import type { StashConnection } from '../stash/connection.ts';

export type Input =
  | { readonly kind: 'hook'; readonly trigger: string; readonly job: JobName; readonly from: Origin }
  /** A hook that concerns nothing that is synced. */
  | { readonly kind: 'ignored'; readonly trigger: string }
  | { readonly kind: 'task'; readonly args: Readonly<Record<string, unknown>>; readonly from: Origin }
  | { readonly kind: 'invalid'; readonly problem: string };

export interface Origin {
  readonly connection: StashConnection;
  /** Stash's config folder, as it was given: may be relative. */
  readonly dir: string;
}

type Json = Readonly<Record<string, unknown>>;

/** A document larger than this is refused, in bytes; a cover image in a hook is some MB. */
export const MAX_INPUT_BYTES = 256 * 1024 * 1024;

/** Which hooks make which kind of job. What is not here changes no scene that can still be asked for. */
const JOB_KINDS: Readonly<Record<string, JobKind>> = {
  'Scene.Create.Post': 'scene',
  'Scene.Update.Post': 'scene',
  // Delivering a destroyed scene finds it gone, and forgets it.
  'Scene.Destroy.Post': 'scene',
  'Tag.Update.Post': 'tag',
  'Tag.Merge.Post': 'tag',
  'Performer.Update.Post': 'performer',
  'Studio.Update.Post': 'studio',
  'Group.Update.Post': 'group',
  'Movie.Update.Post': 'group',
  'Tag.Destroy.Post': 'library',
  'Performer.Destroy.Post': 'library',
  'Studio.Destroy.Post': 'library',
  'Group.Destroy.Post': 'library',
  'Movie.Destroy.Post': 'library',
};

export const HOOK_TRIGGERS: readonly string[] = Object.keys(JOB_KINDS);

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
  const context = args.hookContext;
  return isObject(context) ? hookOf(context, origin) : { kind: 'task', args, from: origin };
}

function hookOf(context: Json, from: Origin): Input {
  const trigger = typeof context.type === 'string' ? context.type : '';
  if (trigger === '') return invalid('the hook has no type');
  const kind = Object.hasOwn(JOB_KINDS, trigger) ? JOB_KINDS[trigger] : undefined;
  if (kind === undefined) return { kind: 'ignored', trigger };
  const id = idOf(context.id);
  if (id === null) return invalid(`the ${trigger} hook names no id`);
  return { kind: 'hook', trigger, job: kind === 'library' ? LIBRARY_JOB : `${kind}:${id}`, from };
}

/** Stash's ids are positive integers; the document has them as numbers. */
function idOf(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text) ? text : null;
}

function originOf(value: unknown): Origin | null {
  if (!isObject(value)) return null;
  // An object could answer to `Number` with anything, a throw included.
  const port = typeof value.Port === 'object' ? Number.NaN : Number(value.Port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return null;
  const scheme = value.Scheme === 'https' ? 'https' : 'http';
  const dir = typeof value.Dir === 'string' && value.Dir !== '' ? value.Dir : '.';
  return {
    // Most hooks speak to nobody, and to check these costs them more than all else in here.
    get connection() {
      const origin = `${scheme}://${hostOf(value.Host)}:${port}`;
      return { origin, credential: credentialOf(value.SessionCookie) };
    },
    dir,
  };
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
