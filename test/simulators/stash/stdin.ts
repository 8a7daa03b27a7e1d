// The document a plugin reads on stdin: Go structs in field order, Go maps with sorted keys, and Go's
// HTML-safe escapes, so that a document here is byte for byte what a Stash of that version would send
// (test/fixtures/captures/raw) but for the cookie's value and the places.

export interface ServerConnection {
  readonly port: number;
  readonly host: string;
  readonly cookieValue: string;
  readonly dir: string;
  readonly pluginDir: string;
}

export interface HookContext {
  readonly id: number;
  readonly type: string;
  readonly input: unknown;
  /** The struct that `input` is, in the schema's words: a script sees it otherwise than a process. */
  readonly inputType?: string;
  readonly inputFields?: readonly string[];
}

export type PluginArgs = Readonly<Record<string, unknown>>;

export function stdinDocument(connection: ServerConnection, args: PluginArgs, hook?: HookContext): string {
  return goJson({
    server_connection: {
      Scheme: 'http',
      Host: connection.host,
      Port: connection.port,
      SessionCookie: {
        Name: 'session',
        Value: connection.cookieValue,
        Path: '',
        Domain: '',
        Expires: '0001-01-01T00:00:00Z',
        RawExpires: '',
        MaxAge: 0,
        Secure: false,
        HttpOnly: false,
        SameSite: 0,
        Raw: '',
        Unparsed: null,
      },
      Dir: connection.dir,
      PluginDir: connection.pluginDir,
    },
    args: hook === undefined ? sortedMap(args) : argsWithHook(args, hook),
  });
}

/** Only the top level is sorted anew: the context is a struct and keeps its order. */
function argsWithHook(args: PluginArgs, hook: HookContext): PluginArgs {
  const { id, type, input, inputFields } = hook;
  const context = {
    ...(id === 0 ? {} : { id }),
    type,
    input: input ?? null,
    ...(inputFields === undefined || inputFields.length === 0 ? {} : { inputFields }),
  };
  const entries = Object.entries(sortedMap(args) as PluginArgs).filter(([key]) => key !== 'hookContext');
  entries.push(['hookContext', context]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sortedMap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedMap);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortedMap(inner)]));
}

function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
