// One plugin's yml, read as strictly as Stash does: a key it does not know, or a value of the wrong shape,
// and the plugin does not load at all (facts, section 2). It reads text; plugins.ts finds the files.
import { parseDocument } from 'yaml';
import type { Features } from './versions.ts';

export type LogChoice = 'none' | 'trace' | 'debug' | 'info' | 'warning' | 'error';

export interface Operation {
  readonly name: string;
  readonly description: string;
  readonly execArgs: readonly string[];
  readonly defaultArgs: Readonly<Record<string, string>>;
}

export interface Hook extends Operation {
  readonly triggeredBy: readonly string[];
}

export interface Setting {
  readonly name: string;
  readonly type: 'STRING' | 'NUMBER' | 'BOOLEAN';
  readonly displayName: string;
  readonly description: string;
}

export interface PluginYml {
  readonly name: string;
  readonly description: string | null;
  readonly url: string | null;
  readonly version: string | null;
  readonly interface: 'raw' | 'js';
  readonly exec: readonly string[];
  readonly errLog: LogChoice;
  readonly tasks: readonly Operation[];
  readonly hooks: readonly Hook[];
  readonly settings: readonly Setting[];
  readonly requires: readonly string[] | null;
}

const LOG_CHOICES = ['none', 'trace', 'debug', 'info', 'warning', 'error'];
const TOP_KEYS = [
  'name',
  'description',
  'url',
  'version',
  'interface',
  'exec',
  'errLog',
  'tasks',
  'hooks',
  'ui',
];
const OPERATION_KEYS = ['name', 'description', 'execArgs', 'defaultArgs'];
const UI_KEYS = ['requires', 'javascript', 'css', 'assets', 'csp'];
const CSP_KEYS = ['script-src', 'style-src', 'connect-src'];

/** Throws an Error that says what Stash would not accept. */
export function readPluginYml(text: string, features: Features): PluginYml {
  // Failsafe: every scalar stays the text it was, as Go decodes into a string (version: 1.0 is "1.0").
  const document = parseDocument(text, { uniqueKeys: true, schema: 'failsafe' });
  const broken = document.errors[0];
  if (broken !== undefined) throw new Error(`yaml: ${broken.message}`);
  const keys = features.settings ? [...TOP_KEYS, 'settings'] : TOP_KEYS;
  if (document.contents === null) throw new Error('EOF');
  const top = mapOf(document.toJS(), 'the plugin', keys);
  const face = textOf(top.interface, 'interface') ?? 'raw';
  if (face === 'rpc') throw new Error('interface rpc is real, but this simulator runs only raw and js');
  if (face !== 'raw' && face !== 'js') throw new Error(`invalid interface type ${face}`);
  return {
    name: textOf(top.name, 'name') ?? '',
    description: textOf(top.description, 'description'),
    url: textOf(top.url, 'url'),
    version: textOf(top.version, 'version'),
    interface: face,
    exec: textsOf(top.exec, 'exec'),
    errLog: errLogOf(top.errLog),
    tasks: listOf(top.tasks, 'tasks').map((task) => operationOf(task, OPERATION_KEYS)),
    hooks: listOf(top.hooks, 'hooks').map((hook) => ({
      ...operationOf(hook, [...OPERATION_KEYS, 'triggeredBy']),
      triggeredBy: textsOf((hook as Record<string, unknown>).triggeredBy, 'triggeredBy'),
    })),
    settings: settingsOf(top.settings),
    requires: requiresOf(top.ui),
  };
}

function operationOf(value: unknown, keys: readonly string[]): Operation {
  const map = mapOf(value, 'an operation', keys);
  const defaults = mapOf(map.defaultArgs, 'defaultArgs');
  const texts = Object.entries(defaults).map(([key, arg]) => [key, textOf(arg, key) ?? ''] as const);
  return {
    name: textOf(map.name, 'name') ?? '',
    description: textOf(map.description, 'description') ?? '',
    execArgs: textsOf(map.execArgs, 'execArgs'),
    defaultArgs: Object.fromEntries(texts),
  };
}

/** Sorted by name, as the `plugins` query gives them. */
function settingsOf(value: unknown): Setting[] {
  const settings = Object.entries(mapOf(value, 'settings')).map(([name, given]) => {
    const map = mapOf(given, `setting ${name}`, ['type', 'displayName', 'description']);
    const type = textOf(map.type, 'type') ?? 'STRING';
    if (type !== 'STRING' && type !== 'NUMBER' && type !== 'BOOLEAN') {
      throw new Error(`invalid setting type ${type}`);
    }
    const displayName = textOf(map.displayName, 'displayName') ?? '';
    return { name, type, displayName, description: textOf(map.description, 'description') ?? '' } as const;
  });
  return settings.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function requiresOf(value: unknown): readonly string[] | null {
  if (isUnset(value)) return null;
  const ui = mapOf(value, 'ui', UI_KEYS);
  mapOf(ui.csp, 'csp', CSP_KEYS);
  mapOf(ui.assets, 'assets');
  textsOf(ui.javascript, 'javascript');
  textsOf(ui.css, 'css');
  return isUnset(ui.requires) ? null : textsOf(ui.requires, 'requires');
}

function errLogOf(value: unknown): LogChoice {
  const text = textOf(value, 'errLog');
  return text !== null && LOG_CHOICES.includes(text) ? (text as LogChoice) : 'error';
}

function mapOf(value: unknown, what: string, keys?: readonly string[]): Record<string, unknown> {
  if (isUnset(value)) return {};
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error(`yaml: unmarshal errors: ${what} is not a map`);
  }
  const unknown = keys === undefined ? undefined : Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new Error(`yaml: unmarshal errors: field ${unknown} not found in ${what}`);
  return value as Record<string, unknown>;
}

/** A key with nothing after it is the empty text here, and nothing at all in Go. */
function isUnset(value: unknown): boolean {
  return value == null || value === '';
}

function listOf(value: unknown, what: string): unknown[] {
  if (isUnset(value)) return [];
  if (!Array.isArray(value)) throw new Error(`yaml: unmarshal errors: ${what} is not a list`);
  return value;
}

function textOf(value: unknown, what: string): string | null {
  if (value == null) return null;
  if (typeof value === 'object') throw new Error(`yaml: unmarshal errors: ${what} is not text`);
  return String(value);
}

function textsOf(value: unknown, what: string): string[] {
  return listOf(value, what).map((item) => textOf(item, what) ?? '');
}
