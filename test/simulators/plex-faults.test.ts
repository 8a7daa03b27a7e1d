// Every fault over a real socket, as a client meets it; and how faults are scoped, counted and ended.
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultKinds, parseFault } from './plex/fault-input.ts';
import type { FaultKind } from './plex/faults.ts';
import { type Fault, type PlexSimulator, startPlexSimulator } from './plex/server.ts';
import { type Ask, ask, askJson, eventually, itemOf } from './plex-raw-client.ts';

let plex: PlexSimulator;
beforeEach(async () => {
  plex = await startPlexSimulator({ items: 5 });
});
afterEach(() => plex.close());

/** What came back: a status, or the code of the socket's error. */
async function outcome(path = '/library/sections', wanted: Ask = {}): Promise<number | string> {
  try {
    return (await ask(plex, path, wanted)).status;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
const outcomes = async (times: number, path?: string): Promise<(number | string)[]> => {
  const seen: (number | string)[] = [];
  for (let turn = 0; turn < times; turn++) seen.push(await outcome(path));
  return seen;
};
const turns = (expected: number | string): Promise<void> =>
  eventually(async () => expect(await outcome()).toBe(expected));

const migrations = 'Plex Media Server is currently running database migrations.';

interface Expected {
  fault: Fault;
  status: number;
  contentType: string;
  text: RegExp;
  retryAfter?: string;
}
const answering: Expected[] = [
  { fault: { kind: 'overload' }, status: 503, contentType: 'text/html', text: /Service Unavailable/ },
  {
    fault: { kind: 'overload', retryAfterSeconds: 7 },
    status: 503,
    contentType: 'text/html',
    text: /^(?!.*Maintenance)/,
    retryAfter: '7',
  },
  {
    fault: { kind: 'error500' },
    status: 500,
    contentType: 'text/html',
    text: /<h1>500 Internal Server Error/,
  },
  { fault: { kind: 'badGateway' }, status: 502, contentType: 'text/html', text: /nginx/ },
  { fault: { kind: 'gatewayTimeout' }, status: 504, contentType: 'text/html', text: /504 Gateway Time-out/ },
  {
    fault: { kind: 'tooMany', retryAfterSeconds: 3 },
    status: 429,
    contentType: 'text/html',
    text: /Too Many/,
    retryAfter: '3',
  },
  { fault: { kind: 'unauthorized' }, status: 401, contentType: 'text/html', text: /401 Unauthorized/ },
  { fault: { kind: 'forbidden' }, status: 403, contentType: 'text/html', text: /403 Forbidden/ },
  { fault: { kind: 'notFound' }, status: 404, contentType: 'text/html', text: /404 Not Found/ },
  { fault: { kind: 'loginPage' }, status: 200, contentType: 'text/html; charset=utf-8', text: /password/ },
  { fault: { kind: 'status', code: 413 }, status: 413, contentType: 'text/html', text: /Too Large/ },
  { fault: { kind: 'status', code: 418 }, status: 418, contentType: 'text/html', text: /418/ },
];

/** Kinds with a test of their own below. */
const elsewhere: FaultKind[] = [
  'refuse',
  'flapping',
  'reset',
  'resetAfter',
  'hang',
  'slow',
  'maintenance',
  'truncated',
  'garbage',
  'noContainer',
  'otherServer',
  'lateEdit',
  'tagsCapped',
  'slowDrip',
];

describe('faults which answer', () => {
  it('covers every kind there is', () => {
    const covered = new Set([...answering.map(({ fault }) => fault.kind), ...elsewhere]);
    expect([...covered].sort()).toEqual([...faultKinds].sort());
  });

  it.each(answering)(
    '$fault.kind gives $status',
    async ({ fault, status, contentType, text, retryAfter }) => {
      const id = plex.addFault(fault);
      const told = await ask(plex, '/library/metadata/1001', { accept: 'application/json' });
      expect([told.status, told.headers['content-type'], told.headers['retry-after']]).toEqual([
        status,
        contentType,
        retryAfter,
      ]);
      expect(told.text).toMatch(text);
      expect(plex.requests.at(-1)).toMatchObject({ status, faultId: id });
      plex.removeFault(id);
      expect(await outcome()).toBe(200);
      expect(plex.requests.at(-1)).not.toHaveProperty('faultId');
    },
  );

  it('has no Plex headers on a proxy answer', async () => {
    plex.addFault({ kind: 'badGateway' });
    expect((await ask(plex, '/identity')).headers).not.toHaveProperty('x-plex-protocol');
  });

  it.each([
    ['migrations', undefined, migrations],
    ['startup', 'startup', 'Plex Media Server is currently running startup maintenance tasks.'],
  ] as const)('maintenance (%s) follows Accept', async (_name, status, text) => {
    plex.addFault({ kind: 'maintenance', ...(status === undefined ? {} : { status }) });
    const xml = await ask(plex, '/identity');
    expect([xml.status, xml.headers['content-type']]).toEqual([503, 'text/xml;charset=utf-8']);
    expect(xml.text).toContain(`<Response code="503" title="Maintenance" status="${text}"/>`);
    const json = await ask(plex, '/library/sections', { accept: 'application/json', token: 'none' });
    expect([json.status, json.headers['content-type']]).toEqual([503, 'application/json']);
    expect(JSON.parse(json.text)).toEqual({ code: 503, title: 'Maintenance', status: text });
    expect(json.headers).not.toHaveProperty('retry-after');
  });

  it.each(['unauthorized', 'forbidden'] as const)(
    '%s spares /identity unless its path is named',
    async (kind) => {
      plex.addFault({ kind });
      expect(await outcome('/identity')).toBe(200);
      plex.addFault({ kind, path: '/identity' });
      expect(await outcome('/identity')).toBe(kind === 'forbidden' ? 403 : 401);
    },
  );

  it('garbage cannot be parsed in either notation', async () => {
    plex.addFault({ kind: 'garbage' });
    const json = await ask(plex, '/library/sections', { accept: 'application/json' });
    expect([json.status, json.headers['content-type']]).toEqual([200, 'application/json']);
    expect(() => JSON.parse(json.text)).toThrow();
    const xml = await ask(plex, '/library/sections');
    expect(xml.headers['content-type']).toBe('text/xml;charset=utf-8');
    expect(xml.text).not.toContain('</MediaContainer>');
  });

  it('noContainer answers 200 without one', async () => {
    plex.addFault({ kind: 'noContainer' });
    expect((await ask(plex, '/library/sections', { accept: 'application/json' })).text).toBe('{}');
    expect((await ask(plex, '/library/sections')).text).not.toContain('MediaContainer');
  });

  it('otherServer changes the identity at both places', async () => {
    const machineIdentifier = 'f'.repeat(40);
    plex.addFault({ kind: 'otherServer', machineIdentifier });
    expect((await askJson(plex, '/identity')).machineIdentifier).toBe(machineIdentifier);
    expect((await askJson(plex, '/')).machineIdentifier).toBe(machineIdentifier);
  });
});

describe('faults of the socket', () => {
  it('reset handles nothing', async () => {
    plex.addFault({ kind: 'reset', count: 1 });
    expect(await outcome('/library/metadata/1001?title.value=T', { method: 'PUT' })).toBe('ECONNRESET');
    expect(plex.library.byRatingKey('1001')?.fields.title).toBe('clip 1');
    expect(plex.requests[0]).toMatchObject({ status: null, faultId: 'fault-1' });
  });

  it('resetAfter has handled it', async () => {
    plex.addFault({ kind: 'resetAfter', count: 1 });
    expect(await outcome('/library/metadata/1001?title.value=T', { method: 'PUT' })).toBe('ECONNRESET');
    expect((await itemOf(plex, '1001')).title).toBe('T');
    expect(plex.requests[0]?.status).toBeNull();
  });

  it('hang accepts and says nothing until the server dies', async () => {
    plex.addFault({ kind: 'hang', count: 1 });
    const hanging = outcome();
    await eventually(() => expect(plex.requests).toHaveLength(1));
    expect(await outcome()).toBe(200);
    expect(plex.requests[0]?.status).toBeNull();
    await plex.down();
    expect(await hanging).toBe('ECONNRESET');
  });

  it('slow answers late, and several add up', async () => {
    plex.addFault({ kind: 'slow', ms: 40 });
    plex.addFault({ kind: 'slow', ms: 40 });
    const startedAt = performance.now();
    expect(await outcome()).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(75);
  });

  it('slow handles a request whose caller has gone, unless the server dies first', async () => {
    plex.addFault({ kind: 'slow', ms: 400, method: 'PUT' });
    const caller = new AbortController();
    const url = `${plex.url}/library/metadata/1001?title.value=T&X-Plex-Token=${plex.token}`;
    const given = fetch(url, { method: 'PUT', signal: caller.signal });
    given.catch(() => {});
    await eventually(() => expect(plex.requests).toHaveLength(1));
    caller.abort();
    await expect(given).rejects.toThrow('abort');
    await eventually(async () => expect((await itemOf(plex, '1001')).title).toBe('T'));

    const killed = outcome('/library/metadata/1002?title.value=T', { method: 'PUT' });
    await eventually(() =>
      expect(plex.requests.filter((each) => each.path.endsWith('1002'))).toHaveLength(1),
    );
    await plex.down();
    expect(await killed).toBe('ECONNRESET');
    await plex.up();
    plex.clearFaults();
    plex.addFault({ kind: 'slow', ms: 500, count: 1 }); // outlives the killed edit's own delay
    expect(await outcome()).toBe(200);
    expect((await itemOf(plex, '1002')).title).toBe('clip 2');
  });

  it.each([
    ['a listing', '/library/sections/3/all?type=1', 'GET'],
    ['an empty answer', '/library/metadata/1001?title.value=T', 'PUT'],
  ])('truncated cuts %s short of its length', async (_name, path, method) => {
    plex.addFault({ kind: 'truncated', count: 1 });
    const cut = await new Promise<{ promised: number; got: number; error: string }>((resolve) => {
      let promised = 0;
      let got = 0;
      fetchRaw(
        path,
        method,
        (length) => (promised = length),
        (bytes) => (got += bytes),
        (error) => resolve({ promised, got, error }),
      );
    });
    expect(cut.error).toBe('ECONNRESET'); // node's word for a body that ends early
    expect(cut.got).toBeLessThan(cut.promised);
    expect(await outcome()).toBe(200);
  });

  it('slowDrip sends the body in small pieces', async () => {
    plex.addFault({ kind: 'slowDrip', bytesPerSecond: 8000 });
    const startedAt = performance.now();
    const told = await ask(plex, '/library/sections');
    expect(performance.now() - startedAt).toBeGreaterThan((told.body.length / 8000) * 1000 * 0.5);
    expect(told.text).toContain('</MediaContainer>');
    expect(told.body.length).toBe(Number(told.headers['content-length']));
  });
});

describe('faults of edits', () => {
  it('lateEdit answers first and applies later', async () => {
    plex.addFault({ kind: 'lateEdit', ms: 300 });
    expect(await outcome('/library/metadata/1001?title.value=T', { method: 'PUT' })).toBe(200);
    expect((await itemOf(plex, '1001')).title).toBe('clip 1');
    await eventually(async () => expect((await itemOf(plex, '1001')).title).toBe('T'));
  });

  it('tagsCapped keeps only so many of a kind', async () => {
    plex.addFault({ kind: 'tagsCapped', max: 2 });
    const query = [0, 1, 2].map((index) => `genre[${index}].tag.tag=g${index}`).join('&');
    await outcome(`/library/metadata/1001?${query}`, { method: 'PUT' });
    expect((await itemOf(plex, '1001')).Genre).toHaveLength(2);
  });
});

describe('the listener', () => {
  it('refuses while down and kills idle keep-alive sockets', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await outcome('/identity', { agent })).toBe(200);
    await plex.down();
    expect(await outcome()).toBe('ECONNREFUSED');
    expect(['ECONNREFUSED', 'ECONNRESET']).toContain(await outcome('/identity', { agent }));
    await plex.up();
    expect(await outcome('/identity', { agent })).toBe(200);
    agent.destroy();
  });

  it('down twice and up once is up', async () => {
    await plex.down();
    await plex.down();
    await plex.up();
    await plex.up();
    expect(await outcome()).toBe(200);
  });

  it('refuse closes at once and ends by time or by removal', async () => {
    plex.addFault({ kind: 'refuse', durationMs: 300 });
    expect(await outcome()).toBe('ECONNREFUSED');
    await turns(200);
    expect(plex.listFaults()).toEqual([]);
    const id = plex.addFault({ kind: 'refuse' });
    expect(await outcome()).toBe('ECONNREFUSED');
    plex.removeFault(id);
    await turns(200);
  });

  it('stays closed until the last reason is gone', async () => {
    await plex.down();
    const id = plex.addFault({ kind: 'refuse' });
    await plex.up();
    expect(await outcome()).toBe('ECONNREFUSED');
    plex.removeFault(id);
    await turns(200);
  });

  it('flaps, and is up when the cycles are used up', async () => {
    const socket = connect(plex.port, '127.0.0.1');
    await once(socket, 'connect');
    plex.addFault({ kind: 'flapping', upMs: 10, downMs: 300, count: 1 });
    await once(socket, 'close');
    expect(await outcome()).toBe('ECONNREFUSED');
    await turns(200);
    expect(plex.listFaults()).toEqual([]);
  });

  it('flaps over and over', async () => {
    plex.addFault({ kind: 'flapping', upMs: 40, downMs: 40 });
    for (let cycle = 0; cycle < 3; cycle++) {
      await turns('ECONNREFUSED');
      await turns(200);
    }
  });

  it('stops flapping when told to, in whichever phase', async () => {
    plex.addFault({ kind: 'flapping', upMs: 1, downMs: 600_000 });
    await turns('ECONNREFUSED');
    plex.clearFaults();
    await turns(200);
  });

  it('restarts: refused, migrations, startup tasks, up', async () => {
    const look = async (): Promise<string> => {
      try {
        const told = await ask(plex, '/identity', { accept: 'application/json' });
        return told.status === 503 ? JSON.parse(told.text).status.split(' ').at(-1) : String(told.status);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? 'unknown';
      }
    };
    const phases = ['ECONNREFUSED', 'migrations.', 'tasks.', '200'];
    // A busy machine may sleep through a phase: the order must hold every time, completeness once.
    for (const windowMs of [150, 600, 2400]) {
      const seen: string[] = [];
      let isUp = false;
      const restarted = plex.restart({ downMs: windowMs, maintenanceMs: 2 * windowMs }).then(() => {
        isUp = true;
      });
      while (!isUp) seen.push(await look());
      await restarted;
      seen.push(await look());
      const order = seen.map((word) => phases.indexOf(word)).filter((at) => at >= 0);
      expect(order).toEqual([...order].sort());
      if (new Set(order).size === phases.length) return;
    }
    expect.fail('a phase was never seen');
  });

  it('answers maintenance before it looks at the token', async () => {
    const restarted = plex.restart({ downMs: 0, maintenanceMs: 1000 });
    await turns(503);
    expect(await outcome('/library', { token: 'none' })).toBe(503);
    await restarted;
    expect(await outcome('/library', { token: 'none' })).toBe(401);
  });

  it('closes in the middle of anything', async () => {
    plex.addFault({ kind: 'flapping', upMs: 1, downMs: 1 });
    plex.addFault({ kind: 'hang' });
    const hanging = outcome();
    const restarted = plex.restart({ downMs: 60_000 });
    await plex.close();
    await restarted;
    expect(['ECONNRESET', 'ECONNREFUSED']).toContain(await hanging);
    expect(await outcome()).toBe('ECONNREFUSED');
  });
});

describe('scope', () => {
  it.each<[string, Fault, (number | string)[]]>([
    ['count', { kind: 'error500', count: 2 }, [500, 500, 200, 200]],
    ['skip', { kind: 'error500', skip: 2 }, [200, 200, 500, 500]],
    ['everyNth', { kind: 'error500', everyNth: 2 }, [200, 500, 200, 500]],
    ['all three', { kind: 'error500', skip: 1, everyNth: 2, count: 1 }, [200, 200, 500, 200, 200]],
    ['other path', { kind: 'error500', path: '/library/metadata' }, [200]],
    ['own path', { kind: 'error500', path: '/library/sec' }, [500]],
    ['expression', { kind: 'error500', path: '/sections$/' }, [500]],
    ['other expression', { kind: 'error500', path: '/^.metadata/' }, [200]],
    ['other method', { kind: 'error500', method: 'put' }, [200]],
    ['own method', { kind: 'error500', method: 'get' }, [500]],
    ['other key', { kind: 'error500', keys: ['1001'] }, [200]],
    ['count 0', { kind: 'error500', count: 0 }, [200, 200]],
  ])('%s', async (_name, fault, expected) => {
    plex.addFault(fault);
    expect(await outcomes(expected.length)).toEqual(expected);
  });

  it.each([
    ['/library/metadata/1001', 'GET', 404],
    ['/library/metadata/1002,1001', 'GET', 404],
    ['/library/metadata/1001/posters', 'GET', 404],
    ['/library/sections/3/all?type=1&id=1002,1001&title.value=T', 'PUT', 404],
    ['/library/metadata/1002', 'GET', 200],
    ['/library/sections/3/all?type=1', 'GET', 200],
  ])('keys hit %s by %s: %d', async (path, method, status) => {
    plex.addFault({ kind: 'notFound', keys: ['1001'] });
    expect(await outcome(path, { method })).toBe(status);
  });

  it('ends after its duration', async () => {
    plex.addFault({ kind: 'error500', durationMs: 300 });
    expect(await outcome()).toBe(500);
    await turns(200);
  });

  it('lets the oldest decide and adds up the rest', async () => {
    plex.addFault({ kind: 'slow', ms: 30 });
    const decisive = plex.addFault({ kind: 'error500' });
    plex.addFault({ kind: 'badGateway' });
    const startedAt = performance.now();
    expect(await outcome()).toBe(500);
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    expect(plex.requests[0]?.faultId).toBe(decisive);
    plex.clearFaults();
    expect(await outcome()).toBe(200);
  });

  it('throws on a path expression that does not compile', () => {
    expect(() => plex.addFault({ kind: 'error500', path: '/(/' })).toThrow();
    expect(plex.listFaults()).toEqual([]);
  });
});

describe('faults from JSON', () => {
  it.each([
    [{ kind: 'slow', ms: 5, path: '/x', count: 1, keys: ['1'] }, 'fault'],
    [{ kind: 'maintenance' }, 'fault'],
    [{ kind: 'maintenance', status: 'nap' }, 'refused'],
    [{ kind: 'slow' }, 'refused'],
    [{ kind: 'slow', ms: -1 }, 'refused'],
    [{ kind: 'slow', ms: '5' }, 'refused'],
    [{ kind: 'nonsense' }, 'refused'],
    [{ kind: 'toString' }, 'refused'],
    [{ kind: 'reset', colour: 'red' }, 'refused'],
    [{ kind: 'reset', keys: [1] }, 'refused'],
    [{ kind: 'reset', everyNth: 0 }, 'refused'],
    [{ kind: 'status', code: 42 }, 'refused'],
    [{ kind: 'slowDrip', bytesPerSecond: 0 }, 'refused'],
    [[], 'refused'],
    [null, 'refused'],
  ])('%j is %s', (input, kind) => {
    expect(parseFault(input).kind).toBe(kind);
  });
});

function fetchRaw(
  path: string,
  method: string,
  onLength: (bytes: number) => void,
  onBytes: (bytes: number) => void,
  onEnd: (error: string) => void,
): void {
  void import('node:http').then(({ request }) => {
    const headers = { 'X-Plex-Token': plex.token };
    const call = request(
      { host: '127.0.0.1', port: plex.port, path, method, headers, agent: false },
      (response) => {
        onLength(Number(response.headers['content-length']));
        response.on('data', (chunk: Buffer) => onBytes(chunk.length));
        response.on('error', (error: NodeJS.ErrnoException) => onEnd(error.code ?? 'unknown'));
        response.on('end', () => onEnd('none'));
      },
    );
    call.on('error', (error: NodeJS.ErrnoException) => onEnd(error.code ?? 'unknown'));
    call.end();
  });
}
