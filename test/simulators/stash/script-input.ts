// The variable `input` of a script: Go structs as its engine shows them. goja uses the JSON names and shows
// a nil list as an empty one (test/fixtures/captures/js-hooks.json); otto, before v0.26, shows Go's names (read from
// v0.25.1's source, not run). Maps stay maps in both.
import type { GraphQLSchema } from 'graphql';
import { scriptStruct } from './hook-input.ts';
import type { HookContext, PluginArgs, ServerConnection } from './stdin.ts';

export function scriptInput(
  engine: 'goja' | 'otto',
  schema: GraphQLSchema,
  connection: ServerConnection,
  args: PluginArgs,
  hook?: HookContext,
): string {
  const { host, port, cookieValue, dir, pluginDir } = connection;
  const newer = engine === 'goja';
  const cookie = {
    Name: 'session',
    Value: cookieValue,
    ...(newer ? { Quoted: false } : {}),
    Path: '',
    Domain: '',
    Expires: '0001-01-01T00:00:00Z',
    RawExpires: '',
    MaxAge: 0,
    Secure: false,
    HttpOnly: false,
    SameSite: 0,
    ...(newer ? { Partitioned: false } : {}),
    Raw: '',
    Unparsed: [],
  };
  const context = hook === undefined ? {} : { hookContext: contextOf(engine, schema, hook) };
  return JSON.stringify({
    ServerConnection: {
      Scheme: 'http',
      Host: host,
      Port: port,
      SessionCookie: cookie,
      Dir: dir,
      PluginDir: pluginDir,
    },
    Args: { ...args, ...context },
  });
}

function contextOf(engine: 'goja' | 'otto', schema: GraphQLSchema, hook: HookContext): unknown {
  const { id, type, inputType, inputFields = [] } = hook;
  const input = inputType === undefined ? (hook.input ?? null) : scriptStruct(schema, inputType, hook.input);
  const context = { id, type, input, inputFields };
  return engine === 'goja' ? context : withGoNames(context);
}

/** tag_ids is TagIds in Go, studio_id StudioID. */
function withGoNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withGoNames);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [goName(key), withGoNames(inner)]));
}

function goName(key: string): string {
  const word = (part: string): string =>
    part === 'id' || part === 'url' ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1);
  return key.split('_').map(word).join('').replace(/Id$/, 'ID');
}
