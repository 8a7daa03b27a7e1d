// Each row of the failure tables, produced on a real socket and read back through PlexClient. What loopback cannot
// produce (a dead network) is made by failing the name look-up of the system with that code; the few codes that
// cannot be had at will are named in `TABLE_ONLY`, with the reason.

import dns from 'node:dns';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type FailureClass, isCounted } from '../../machines/failure-classes.ts';
import { DEFAULT_PAUSE_MS } from '../../src/breaker/control/failure.ts';
import { MAX_ANSWER_BYTES } from '../../src/http/http-session.ts';
import { MAX_JSON_BYTES } from '../../src/http/json.ts';
import {
  type Asked,
  BODY_ROWS,
  NETWORK_ROWS,
  ofBody,
  ofNetwork,
  ofStatus,
  retryAfterMs,
  STATUS_ROWS,
} from '../../src/plex/failures.ts';
import type { PlexClient, PlexClientOptions, PlexResult } from '../../src/plex/plex-client.ts';
import { itemOf } from '../../src/plex/plex-item.ts';
import type { Fault } from '../simulators/plex/server.ts';
import { blackhole, httpServer, rawHttp, rawServer, selfSignedServer } from '../support/bare-servers.ts';
import { connect, failureOf, NOW, startPlex, startPlexAndClient, TOKEN } from '../support/plex-fixture.ts';

/** Long enough to connect in, on a busy machine: it is the answer that must be late. */
const DEADLINE_MS = 500;

type Answered = PlexResult<unknown>;
type AskedHere = Exclude<Asked, 'image'>;

interface Row {
  readonly class: FailureClass;
  readonly symptom: string;
  readonly says: string;
  readonly opensAfter?: number;
}

interface Case {
  readonly name: string;
  readonly row: Row;
  produce(): Promise<Answered>;
}

const ITEM = itemOf({ ratingKey: '1001', librarySectionID: 3 })!;

const ASK: Readonly<Record<AskedHere, (client: PlexClient) => Promise<Answered>>> = {
  probe: (client) => client.probe(''),
  sections: (client) => client.sections(),
  search: (client) => client.findByFile('3', 'clip 1.mp4'),
  item: (client) => client.items(['1001']),
  edit: (client) => client.edit(ITEM, new URLSearchParams({ 'title.value': 'new' })),
};
const EVERYTHING = Object.keys(ASK) as AskedHere[];

async function withFault(fault: Fault, asked: AskedHere): Promise<Answered> {
  const { plex, client } = await startPlexAndClient({ items: 1 });
  plex.addFault(fault);
  return ASK[asked](client);
}

/** The system's look-up of names fails with this code: what comes after it is all real. */
async function withSystemError(code: string, hasEverWorked: boolean): Promise<Answered> {
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: unknown,
    callback: (error: Error) => void,
  ) => {
    process.nextTick(callback, Object.assign(new Error(`system ${code}`), { code }));
  }) as never);
  onTestFinished(() => spy.mockRestore());
  return connect('http://plex.invalid:32400', { hasEverWorked }).sections();
}

async function fromRaw(
  answer: string | Buffer,
  options: Partial<PlexClientOptions> = {},
  isEnd = true,
): Promise<Answered> {
  const { port } = await rawServer((socket) => {
    socket.write(answer);
    if (isEnd) socket.end();
  });
  return connect(`http://127.0.0.1:${port}`, options).sections();
}

const SYSTEM_CODES = ['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ETIMEDOUT', 'EAI_AGAIN', 'EPIPE'] as const;

/** Rows that no server can bring about at will through HttpSession. */
const TABLE_ONLY: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'has a test of its own: a connection that nobody takes',
  BODY_CUT: 'has a test of its own: an answer that ends before its length',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'a body that ends early comes as BODY_CUT',
  UND_ERR_HEADERS_OVERFLOW: 'undici allows itself 16 KiB; the row is for a proxy gone mad',
};

const NETWORK_CASES: readonly Case[] = [
  {
    name: 'nothing listens',
    row: NETWORK_ROWS.ECONNREFUSED!,
    produce: async () => {
      const { plex, client } = await startPlexAndClient();
      await plex.down();
      return client.sections();
    },
  },
  ...SYSTEM_CODES.map((code) => ({
    name: code,
    row: NETWORK_ROWS[code]!,
    produce: () => withSystemError(code, true),
  })),
  {
    name: 'a name that is gone, where Plex has worked',
    row: NETWORK_ROWS.ENOTFOUND!,
    produce: () => connect('http://breakwater.invalid:32400', { hasEverWorked: true }).sections(),
  },
  {
    name: 'reset on a fresh socket',
    row: NETWORK_ROWS.ECONNRESET!,
    produce: () => withFault({ kind: 'reset' }, 'sections'),
  },
  {
    name: 'closed on a fresh socket without a word',
    row: NETWORK_ROWS.UND_ERR_SOCKET!,
    produce: () => fromRaw(''),
  },
  {
    name: 'reset after the edit was done',
    row: NETWORK_ROWS.ECONNRESET!,
    produce: () => withFault({ kind: 'resetAfter', method: 'PUT' }, 'edit'),
  },
  {
    name: 'headers never come',
    row: NETWORK_ROWS.DEADLINE!,
    produce: async () => {
      const { plex, client } = await startPlexAndClient({}, { timeoutMs: DEADLINE_MS });
      plex.addFault({ kind: 'hang' });
      return client.sections();
    },
  },
  {
    name: 'the body stalls',
    row: NETWORK_ROWS.DEADLINE!,
    produce: () =>
      fromRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Media', { timeoutMs: DEADLINE_MS }, false),
  },
  {
    name: 'the body trickles for longer than the deadline',
    row: NETWORK_ROWS.DEADLINE!,
    produce: async () => {
      const { plex, client } = await startPlexAndClient({}, { timeoutMs: DEADLINE_MS });
      plex.addFault({ kind: 'slowDrip', bytesPerSecond: 20 });
      return client.sections();
    },
  },
  {
    name: 'an answer that is not HTTP',
    row: NETWORK_ROWS.HTTP_PARSER!,
    produce: () => fromRaw('SSH-2.0-OpenSSH_9.6\r\n'),
  },
  {
    name: 'a chunk that is none',
    row: NETWORK_ROWS.HTTP_PARSER!,
    produce: () => fromRaw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}'),
  },
  {
    name: 'one byte too large',
    row: NETWORK_ROWS.UND_ERR_RES_EXCEEDED_MAX_SIZE!,
    produce: () => fromServerWith(sectionsOfLength(MAX_ANSWER_BYTES + 1)),
  },
  {
    name: 'one byte more than JSON may have',
    row: NETWORK_ROWS.UND_ERR_RES_EXCEEDED_MAX_SIZE!,
    produce: () => fromServerWith(sectionsOfLength(MAX_JSON_BYTES + 1)),
  },
];

const STATUS_CASES: readonly Case[] = [
  ...(['migrations', 'startup'] as const).flatMap((status) =>
    EVERYTHING.map((asked) => ({
      name: `503 maintenance (${status}) to ${asked}`,
      row: statusRow('maintenance'),
      produce: () => withFault({ kind: 'maintenance', status }, asked),
    })),
  ),
  {
    name: '503 maintenance in XML',
    row: statusRow('maintenance'),
    produce: () =>
      fromRaw(
        rawHttp(
          '<?xml version="1.0"?><Response code="503" title="Maintenance" status="Plex Media Server is currently running database migrations."/>',
          'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/xml',
        ),
      ),
  },
  ...EVERYTHING.flatMap((asked): Case[] => [
    {
      name: `503 with another body to ${asked}`,
      row: statusRow('overload'),
      produce: () => withFault({ kind: 'overload' }, asked),
    },
    {
      name: `429 to ${asked}`,
      row: statusRow('too-many'),
      produce: () => withFault({ kind: 'tooMany', retryAfterSeconds: 7 }, asked),
    },
    {
      name: `502 to ${asked}`,
      row: statusRow('bad-gateway', 'a proxy does not reach Plex'),
      produce: () => withFault({ kind: 'badGateway' }, asked),
    },
    {
      name: `504 to ${asked}`,
      row: statusRow('bad-gateway', 'a proxy waits in vain for Plex'),
      produce: () => withFault({ kind: 'gatewayTimeout' }, asked),
    },
    {
      name: `401 to ${asked}`,
      row: statusRow('unauthorized'),
      produce: () => withFault({ kind: 'unauthorized' }, asked),
    },
    {
      name: `403 to ${asked}`,
      row: statusRow('forbidden'),
      produce: () => withFault({ kind: 'forbidden' }, asked),
    },
    ...[301, 302, 307, 399].map((code) => ({
      name: `${code} to ${asked}`,
      row: statusRow('redirect'),
      produce: () => withFault({ kind: 'status', code }, asked),
    })),
    ...[400, 405, 409, 413, 414, 431, 499].map((code) => ({
      name: `${code} to ${asked}`,
      row: statusRow(refusalOf(code, asked)),
      produce: () => withFault({ kind: 'status', code }, asked),
    })),
    {
      name: `408 to ${asked}`,
      row: statusRow('timeout'),
      produce: () => withFault({ kind: 'status', code: 408 }, asked),
    },
    ...[501, 505, 599].map((code) => ({
      name: `${code} to ${asked}`,
      row: statusRow('error-500', 'Plex failed at this request'),
      produce: () => withFault({ kind: 'status', code }, asked),
    })),
  ]),
  ...(['probe', 'sections', 'search'] as const).map((asked) => ({
    name: `404 to ${asked}`,
    row: statusRow('no-section'),
    produce: () => withFault({ kind: 'notFound' }, asked),
  })),
  {
    name: '404 to edit',
    row: statusRow('gone'),
    produce: () => withFault({ kind: 'notFound' }, 'edit'),
  },
  ...(['probe', 'sections'] as const).map((asked) => ({
    name: `500 to ${asked}`,
    row: statusRow('error-500', 'Plex fails even at simple questions'),
    produce: () => withFault({ kind: 'error500' }, asked),
  })),
  ...(['search', 'item', 'edit'] as const).map((asked) => ({
    name: `500 to ${asked}`,
    row: statusRow('error-500', 'Plex failed at this request'),
    produce: () => withFault({ kind: 'error500' }, asked),
  })),
];

const BODY_CASES: readonly Case[] = [
  ...(['probe', 'sections', 'search', 'item'] as const).flatMap((asked): Case[] => [
    {
      name: `a log-in page to ${asked}`,
      row: BODY_ROWS.html,
      produce: () => withFault({ kind: 'loginPage' }, asked),
    },
    {
      name: `half a document to ${asked}`,
      row: BODY_ROWS.garbage,
      produce: () => withFault({ kind: 'garbage' }, asked),
    },
    {
      name: `no MediaContainer to ${asked}`,
      row: BODY_ROWS.noContainer,
      produce: () => withFault({ kind: 'noContainer' }, asked),
    },
  ]),
  {
    name: 'an empty answer',
    row: BODY_ROWS.garbage,
    produce: () => fromRaw(rawHttp('')),
  },
  {
    name: 'XML where JSON was asked for',
    row: BODY_ROWS.garbage,
    produce: () => fromRaw(rawHttp('<?xml version="1.0"?><MediaContainer size="0"/>')),
  },
  ...['null', '[]', '"text"', '{"MediaContainer":[]}', '{"MediaContainer":null}'].map((body) => ({
    name: `${body} as an answer`,
    row: BODY_ROWS.noContainer,
    produce: () => fromRaw(rawHttp(body)),
  })),
  ...[202, 206].map((status) => ({
    name: `a success that is none of Plex's (${status})`,
    row: BODY_ROWS.garbage,
    produce: () => fromRaw(rawHttp('{}', `HTTP/1.1 ${status} Odd`)),
  })),
  {
    name: 'another server at the address',
    row: BODY_ROWS.otherServer,
    produce: async () => {
      const { plex, client } = await startPlexAndClient();
      plex.addFault({ kind: 'otherServer', machineIdentifier: 'b'.repeat(40) });
      return client.probe('a'.repeat(40));
    },
  },
];

const CASES = [...NETWORK_CASES, ...STATUS_CASES, ...BODY_CASES];

describe('a symptom on the wire has the class that its row says', () => {
  test.each(CASES)('$name', async ({ row, produce }) => {
    const result = await produce();

    expect(result.ok).toBe(false);
    const { failure } = result as Extract<Answered, { ok: false }>;
    expect(failure).toMatchObject({ class: row.class, symptom: row.symptom });
    expect(failure.detail.startsWith(`${row.says} (`)).toBe(true);
    expect(failure.opensAfter).toBe(row.opensAfter);
    expect(JSON.stringify(failure)).not.toContain(TOKEN);
  });

  test('each row was produced, but for those that cannot be had at will', () => {
    const produced = new Set(CASES.map(({ row }) => row));
    const left = [
      ...Object.entries(NETWORK_ROWS).filter(([code, row]) => !produced.has(row) && !(code in TABLE_ONLY)),
      ...STATUS_ROWS.filter((row) => !produced.has(row)),
      ...Object.values(BODY_ROWS).filter((row) => !produced.has(row)),
    ];
    expect(left).toEqual([]);
  });

  test.each(Object.keys(TABLE_ONLY))('%s, by the table alone', (code) => {
    const { class: its, symptom } = NETWORK_ROWS[code]!;
    expect(ofNetwork(code, true)).toMatchObject({ class: its, symptom });
  });

  test('a code that nobody knows is an outage: the connection did not work', () => {
    expect(ofNetwork('ESOMETHINGNEW', true)).toMatchObject({ class: 'outage', symptom: 'network' });
  });
});

describe('a name that cannot be looked up', () => {
  test.each(['ENOTFOUND', 'EAI_AGAIN'])('%s before Plex ever worked is a wrong address', async (code) => {
    expect(failureOf(await withSystemError(code, false))).toEqual({
      class: 'config',
      symptom: 'name-not-found',
    });
  });

  test('a host under .invalid, before Plex ever worked', async () => {
    const result = await connect('http://breakwater.invalid:32400').sections();
    expect(failureOf(result)).toEqual({ class: 'config', symptom: 'name-not-found' });
  });

  test('an answer in this very run counts as having worked', async () => {
    const plex = await startPlex();
    let isKnown = true;
    const spy = vi.spyOn(dns, 'lookup').mockImplementation(((
      _host: string,
      options: { all?: boolean },
      callback: (error: Error | null, ...found: unknown[]) => void,
    ) => {
      if (!isKnown) process.nextTick(callback, Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));
      else if (options.all) process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }]);
      else process.nextTick(callback, null, '127.0.0.1', 4);
    }) as never);
    onTestFinished(() => spy.mockRestore());
    const client = connect(`http://plex.invalid:${plex.port}`);
    expect((await client.sections()).ok).toBe(true);

    await plex.down();
    isKnown = false;
    expect(failureOf(await client.sections())).toEqual({ class: 'outage', symptom: 'name-not-found' });
  });
});

describe('TLS', () => {
  const BAD_TLS = { class: 'config', symptom: 'tls' };
  const answer = JSON.stringify({ MediaContainer: { Directory: [] } });

  test('a certificate that nobody signed is refused', async () => {
    const { port } = await selfSignedServer((_request, response) => response.end(answer));
    expect(failureOf(await connect(`https://127.0.0.1:${port}`).sections())).toEqual(BAD_TLS);
  });

  test('and accepted when the settings say so', async () => {
    const { port } = await selfSignedServer((_request, response) => response.end(answer));
    const client = connect(`https://127.0.0.1:${port}`, { allowsSelfSigned: true });
    expect(await client.sections()).toEqual({ ok: true, value: [] });
  });

  test('https to a port that speaks http', async () => {
    const plex = await startPlex();
    expect(failureOf(await connect(plex.url.replace('http', 'https')).sections())).toEqual(BAD_TLS);
  });

  test('http to a port that speaks https cannot be told from a server that hangs up', async () => {
    const { port } = await selfSignedServer((_request, response) => response.end(answer));
    const result = await connect(`http://127.0.0.1:${port}`).sections();
    expect(failureOf(result)).toEqual({ class: 'outage', symptom: 'reset' });
  });

  test.each([
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'EPROTO',
  ])('%s', (code) => {
    expect(ofNetwork(code, true)).toMatchObject(BAD_TLS);
    expect(ofNetwork(code, false)).toMatchObject(BAD_TLS);
  });
});

describe('a socket that was closed while it was idle', () => {
  const SECTIONS = rawHttp('{"MediaContainer":{"Directory":[]}}');

  test('is replaced, and the request goes once more', async () => {
    const server = await rawServer((socket, request, connection) => {
      if (connection === 1 && request === 2) socket.resetAndDestroy();
      else socket.write(SECTIONS);
    });
    const client = connect(`http://127.0.0.1:${server.port}`);

    expect((await client.sections()).ok).toBe(true);
    expect((await client.sections()).ok).toBe(true);
    expect(client.sent).toBe(3);
    expect(server.connections).toHaveLength(2);
  });

  test('also for an edit, which is idempotent', async () => {
    const { plex, client } = await startPlexAndClient({ items: 1 });
    await client.sections();
    plex.addFault({ kind: 'resetAfter', method: 'PUT', count: 1 });

    expect((await ASK.edit(client)).ok).toBe(true);
    expect(plex.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2);
  });

  test('is given one more chance, not two', async () => {
    const server = await rawServer((socket, _request, connection) => {
      if (connection === 1 && socket.bytesWritten === 0) socket.write(SECTIONS);
      else socket.resetAndDestroy();
    });
    const client = connect(`http://127.0.0.1:${server.port}`);
    await client.sections();

    expect(failureOf(await client.sections())).toEqual({ class: 'outage', symptom: 'reset' });
    expect(client.sent).toBe(3);
  });

  test('a fresh one that is reset is no stale one: nothing is repeated', async () => {
    const server = await rawServer((socket) => socket.resetAndDestroy());
    const client = connect(`http://127.0.0.1:${server.port}`);

    expect(failureOf(await client.sections())).toEqual({ class: 'outage', symptom: 'reset' });
    expect(client.sent).toBe(1);
  });

  test('after a failure no socket is trusted: the next failure is not taken for a stale socket', async () => {
    const { plex, client } = await startPlexAndClient();
    await client.sections();
    plex.addFault({ kind: 'reset', count: 3 });
    await client.sections();
    const before = client.sent;

    expect(failureOf(await client.sections())).toEqual({ class: 'outage', symptom: 'reset' });
    expect(client.sent).toBe(before + 1);
    expect((await client.sections()).ok).toBe(true);
  });

  test('a restart of Plex between two requests is not noticed', async () => {
    const { plex, client } = await startPlexAndClient();
    await client.sections();
    await plex.down();
    await plex.up();
    expect((await client.sections()).ok).toBe(true);
  });
});

describe('what has no failure', () => {
  test('an answer of exactly the greatest size', async () => {
    expect((await fromServerWith(sectionsOfLength(MAX_JSON_BYTES))).ok).toBe(true);
  });

  test('an item that is gone: the server is fine, and the item is left out', async () => {
    const { client } = await startPlexAndClient({ items: 1 });
    expect(await client.items(['4711'])).toEqual({ ok: true, value: [] });
  });
});

describe('the pause that a server asks for', () => {
  test('Retry-After in seconds, over the wire', async () => {
    const result = await withFault({ kind: 'tooMany', retryAfterSeconds: 7 }, 'item');
    expect(result).toMatchObject({ ok: false, failure: { class: 'throttled', retryAfterMs: 7_000 } });
  });

  test('Retry-After as a date, over the wire, by the clock that was given', async () => {
    const date = new Date(NOW + 90_000).toUTCString();
    const result = await fromRaw(rawHttp('', `HTTP/1.1 503 Busy\r\nRetry-After: ${date}`));
    expect(result).toMatchObject({ ok: false, failure: { class: 'throttled', retryAfterMs: 90_000 } });
  });

  test('a throttled request without one waits for the default', () => {
    expect(ofStatus(429, 'item', '', undefined, NOW).retryAfterMs).toBe(DEFAULT_PAUSE_MS);
    expect(ofStatus(503, 'item', '', 'soon', NOW).retryAfterMs).toBe(DEFAULT_PAUSE_MS);
  });

  test('maintenance and proxies may name one; nobody else is given one', () => {
    const maintenance = '{"code":503,"title":"Maintenance","status":"…"}';
    expect(ofStatus(503, 'probe', maintenance, '11', NOW)).toMatchObject({
      class: 'maintenance',
      retryAfterMs: 11_000,
    });
    expect(ofStatus(503, 'probe', maintenance, undefined, NOW).retryAfterMs).toBeUndefined();
    expect(ofStatus(502, 'probe', '', '5', NOW).retryAfterMs).toBe(5_000);
    expect(ofStatus(401, 'probe', '', undefined, NOW).retryAfterMs).toBeUndefined();
  });

  test.each([
    [undefined, null],
    ['', null],
    ['soon', null],
    ['30 s', null],
    ['0', 0],
    [' 120 ', 120_000],
    ['999999999', 999_999_999_000],
    [new Date(NOW + 1_000).toUTCString(), 1_000],
    [new Date(NOW - 60_000).toUTCString(), 0],
  ])('%j is %j ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });

  test.each(['-5', '1.5'])('%j is neither seconds nor a date', (header) => {
    expect(retryAfterMs(header, NOW)).toBe(null);
  });
});

describe('invariant 4', () => {
  test('only outage, maintenance and transient are ever given to the breaker', () => {
    const classes = [...Object.values(NETWORK_ROWS), ...STATUS_ROWS, ...Object.values(BODY_ROWS)].map(
      (row) => row.class,
    );
    const counted = new Set(classes.filter(isCounted));
    expect(counted).toEqual(new Set(['outage', 'maintenance', 'transient']));
    expect(['throttled', 'config', 'missing', 'rejected'].some((its) => isCounted(its as FailureClass))).toBe(
      false,
    );
  });

  test.each(Object.keys(BODY_ROWS) as (keyof typeof BODY_ROWS)[])(
    '%s says which status it came with',
    (kind) => {
      expect(ofBody(kind).detail).toMatch(/\(HTTP 200\)$/);
    },
  );
});

describe('the table of facts', () => {
  interface Fact {
    readonly symptom: string;
    readonly class: FailureClass;
    /** Names of cases above that show it, or where else it is shown. */
    readonly shownBy: readonly string[] | string;
    /** Why our class is another than the table's. */
    readonly differs?: string;
    /** The class is the table's, but the table would have the breaker open or count. */
    readonly neverOpens?: string;
  }

  /** What Stash2Plex makes of each symptom, row by row; its classes in our words (auth is config, not-found missing, job-permanent rejected). */
  const FACTS: readonly Fact[] = [
    { symptom: 'ECONNREFUSED', class: 'outage', shownBy: ['nothing listens'] },
    { symptom: 'EHOSTUNREACH', class: 'outage', shownBy: ['EHOSTUNREACH', 'EHOSTDOWN'] },
    { symptom: 'ENETUNREACH', class: 'outage', shownBy: ['ENETUNREACH'] },
    { symptom: 'connect time-out, told by the system', class: 'outage', shownBy: ['ETIMEDOUT'] },
    {
      symptom: 'connect time-out, told by our deadline',
      class: 'outage',
      shownBy: 'known bug: a connection that nobody takes',
    },
    {
      symptom: 'ENOTFOUND / EAI_AGAIN, it has worked',
      class: 'outage',
      shownBy: ['a name that is gone, where Plex has worked', 'EAI_AGAIN'],
    },
    {
      symptom: 'ENOTFOUND / EAI_AGAIN, it has never worked',
      class: 'config',
      shownBy: 'a name that cannot be looked up',
    },
    {
      symptom: 'ECONNRESET/EPIPE/socket closed on a reused socket',
      class: 'outage',
      shownBy: 'a socket that was closed while it was idle: retried, no failure at all',
    },
    {
      symptom: 'the same on a fresh socket',
      class: 'outage',
      shownBy: ['reset on a fresh socket', 'closed on a fresh socket without a word', 'EPIPE'],
    },
    {
      symptom: '503 with title Maintenance (XML or JSON)',
      class: 'maintenance',
      shownBy: ['503 maintenance (migrations) to probe', '503 maintenance in XML'],
    },
    {
      symptom: '503 any other body',
      class: 'throttled',
      shownBy: ['503 with another body to item'],
      neverOpens: 'invariant 4: throttled is a pause, not a failure',
    },
    { symptom: '502', class: 'outage', shownBy: ['502 to item'] },
    { symptom: '504', class: 'outage', shownBy: ['504 to item'] },
    {
      symptom: 'headers/body time-out on read',
      class: 'transient',
      shownBy: ['headers never come', 'the body stalls'],
    },
    { symptom: '429', class: 'throttled', shownBy: ['429 to item'] },
    { symptom: '401', class: 'config', shownBy: ['401 to probe', '401 to edit'] },
    { symptom: '403', class: 'config', shownBy: ['403 to edit'] },
    {
      symptom: '404 on /library/metadata/{id}',
      class: 'missing',
      shownBy: ['404 to edit'],
    },
    {
      symptom: '404 on section PUT while /library/metadata/{id} is 200',
      class: 'missing',
      shownBy: 'test/plex/plex-client.test.ts: the item form comes first, the section form is the fall-back',
    },
    {
      symptom: '404 on /library/sections/{id}',
      class: 'config',
      shownBy: ['404 to search', '404 to sections'],
    },
    { symptom: '200 without MediaContainer', class: 'config', shownBy: ['no MediaContainer to sections'] },
    {
      symptom: '200 and no item for the file',
      class: 'missing',
      shownBy: 'test/sync/deliver.test.ts: no failure, a delivery of kind missing',
    },
    {
      symptom: '400, 405, 413, 414, 431',
      class: 'rejected',
      shownBy: ['400 to edit', '405 to edit', '413 to edit', '414 to edit', '431 to edit'],
    },
    {
      symptom: '500 on one job',
      class: 'transient',
      shownBy: ['500 to edit', '500 to item', '500 to search'],
    },
    { symptom: '500 on the probe', class: 'outage', shownBy: ['500 to probe'] },
    {
      symptom: '500 on several different jobs in a row',
      class: 'outage',
      shownBy: ['500 to edit'],
      differs: 'a client cannot see it: each is transient, and the breaker opens on several subjects',
    },
    {
      symptom: '200 with unparsable body, HTML in place of JSON',
      class: 'transient',
      shownBy: ['half a document to item', 'XML where JSON was asked for', 'an empty answer'],
    },
    {
      symptom: '200 with truncated body',
      class: 'transient',
      shownBy: 'known bug: an answer that ends before its length',
    },
    { symptom: 'log-in page of a proxy', class: 'config', shownBy: ['a log-in page to item'] },
    {
      symptom: 'TLS certificate error, wrong scheme',
      class: 'config',
      shownBy: 'TLS',
      neverOpens: 'invariant 4: config is a hold until a person changes something',
    },
    {
      symptom: 'other machineIdentifier',
      class: 'config',
      shownBy: ['another server at the address'],
      neverOpens: 'invariant 4: config is a hold until a person changes something',
    },
    {
      symptom: '200 on edit but read-back differs',
      class: 'transient',
      shownBy: 'test/sync/deliver.test.ts: no failure, `unmet` fields of a delivery',
    },
  ];

  const byName = new Map(CASES.map((each) => [each.name, each.row]));
  const shown = FACTS.flatMap((fact) =>
    typeof fact.shownBy === 'string' ? [] : fact.shownBy.map((name) => ({ ...fact, name })),
  );

  test.each(shown)('$symptom is $class: $name', ({ name, class: expected, differs }) => {
    const row = byName.get(name);
    expect(row, 'no case of this name').toBeDefined();
    if (differs === undefined) expect(row!.class).toBe(expected);
    else expect(row!.class).not.toBe(expected);
  });

  test.each(FACTS.filter(({ neverOpens }) => neverOpens !== undefined))(
    '$symptom never opens the breaker: $neverOpens',
    ({ class: its }) => expect(isCounted(its)).toBe(false),
  );
});

describe('known bugs', () => {
  test('a connection that nobody takes is an outage, not a slow answer', async () => {
    const { port } = await blackhole();
    const result = await connect(`http://127.0.0.1:${port}`, { timeoutMs: 200 }).sections();
    expect(failureOf(result)).toEqual({ class: 'outage', symptom: 'connect-timeout' });
  });

  test('an answer that ends before its length is garbage (transient), not a broken connection', async () => {
    expect(failureOf(await withFault({ kind: 'truncated' }, 'sections'))).toEqual({
      class: 'transient',
      symptom: 'garbage',
    });
  });
});

/** A refused edit is about one scene; a refused question is about all of them. */
function refusalOf(code: number, asked: string): string {
  if (asked !== 'edit') return 'refused-request';
  return [413, 414, 431].includes(code) ? 'too-large' : 'rejected';
}

function statusRow(symptom: string, says?: string): Row {
  const row = STATUS_ROWS.find(
    (each) => each.symptom === symptom && (says === undefined || each.says === says),
  );
  if (row === undefined) throw new Error(`no row for ${symptom}`);
  return row;
}

/** A good answer of this many bytes. */
function sectionsOfLength(bytes: number): Buffer {
  const start = '{"MediaContainer":{"Directory":[]}';
  return Buffer.concat([Buffer.from(start), Buffer.alloc(bytes - start.length - 1, ' '), Buffer.from('}')]);
}

async function fromServerWith(body: Buffer): Promise<Answered> {
  const { port } = await httpServer((_request, response) => response.end(body));
  return connect(`http://127.0.0.1:${port}`).sections();
}
