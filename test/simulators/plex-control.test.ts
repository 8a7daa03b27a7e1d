// The control endpoint, which works while the simulator is down, and the simulator as a command.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PlexSimulator, startPlexSimulator } from './plex/server.ts';
import { ask, askJson, eventually } from './plex-raw-client.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
async function call(base: string, how: string, body?: unknown): Promise<{ status: number; body: any }> {
  const [method = 'GET', path = '/'] = how.split(' ');
  const init =
    body === undefined
      ? { method }
      : { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const told = await fetch(base + path, init);
  return { status: told.status, body: await told.json() };
}

describe('the control endpoint', () => {
  let plex: PlexSimulator;
  beforeEach(async () => {
    plex = await startPlexSimulator({ items: 2, control: true });
  });
  afterEach(() => plex.close());
  const control = (how: string, body?: unknown) => call(plex.controlUrl, how, body);

  it('adds, lists and removes faults', async () => {
    const { id } = (await control('POST /faults', { kind: 'error500' })).body;
    expect((await ask(plex, '/identity')).status).toBe(500);
    expect((await control('GET /faults')).body).toMatchObject([{ id, action: { kind: 'error500' } }]);
    expect((await control(`DELETE /faults/${id}`)).status).toBe(200);
    expect((await ask(plex, '/identity')).status).toBe(200);
    expect((await control(`DELETE /faults/${id}`)).status).toBe(404);
    await control('POST /faults', { kind: 'error500' });
    await control('DELETE /faults');
    expect((await ask(plex, '/identity')).status).toBe(200);
  });

  it.each([
    ['POST /faults', { kind: 'nonsense' }, 400],
    ['POST /faults', { kind: 'reset', path: '/(/' }, 400],
    ['POST /faults', '{', 400],
    ['POST /items', { title: 'no file' }, 400],
    ['POST /items', { file: '/a.mp4', section: '9' }, 400],
    ['POST /quirks', { nonsense: true }, 400],
    ['GET /nowhere', undefined, 404],
    ['GET /items/9', undefined, 404],
    ['DELETE /items/9', undefined, 404],
    ['PUT /faults', {}, 404],
  ])('answers %s %j with %d and a reason', async (how, body, status) => {
    const told = await control(how, body);
    expect([told.status, typeof told.body.error]).toEqual([status, 'string']);
  });

  it('takes the simulator down and up again while it stays there itself', async () => {
    await control('POST /down');
    await expect(ask(plex, '/identity')).rejects.toThrow('ECONNREFUSED');
    expect((await control('GET /')).body).toMatchObject({ url: plex.url, items: 2 });
    await control('POST /up');
    expect((await ask(plex, '/identity')).status).toBe(200);
  });

  it('restarts without waiting', async () => {
    await control('POST /restart', { downMs: 20, maintenanceMs: 40 });
    await eventually(async () => expect((await ask(plex, '/identity')).status).toBe(200));
  });

  it('shows and clears the request log', async () => {
    await ask(plex, '/library?a=1');
    const { body } = await control('GET /requests');
    expect(body).toMatchObject([
      { method: 'GET', path: '/library', status: 200, query: { a: '1' }, tokenSeen: true },
    ]);
    await control('DELETE /requests');
    expect((await control('GET /requests')).body).toEqual([]);
  });

  it('makes, shows and removes items, and places files', async () => {
    const made = (await control('POST /items', { file: '/media/scenes/n.mp4', title: 'N' })).body;
    expect(made).toMatchObject({ ratingKey: '1003', section: '3', title: 'N', locked: [], poster: 'none' });
    expect((await askJson(plex, '/library/metadata/1003')).Metadata[0].title).toBe('N');
    expect((await control('GET /items')).body).toHaveLength(3);
    expect((await control('GET /items/1003')).body.file).toBe('/media/scenes/n.mp4');
    await control('DELETE /items/1003');
    expect((await ask(plex, '/library/metadata/1003')).status).toBe(404);
    await control('POST /files', { file: '/media/scenes/later.mp4' });
    expect(plex.library.unscanned).toHaveLength(1);
  });

  it('switches quirks', async () => {
    expect((await control('POST /quirks', { isEditLocking: true })).body.isEditLocking).toBe(true);
    expect((await control('GET /quirks')).body).toEqual(plex.library.quirks);
  });

  it('is there only when asked for', async () => {
    const plain = await startPlexSimulator();
    expect(plain.controlUrl).toBe('');
    await plain.close();
  });
});

describe('the command', () => {
  let folder = '';
  let script = '';
  const running: ChildProcess[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sim-plex-'));
    script = join(folder, 'sim-plex.cjs');
    const entry = new URL('./plex/main.ts', import.meta.url).pathname;
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: script,
      logLevel: 'error',
    });
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  function start(...args: string[]): {
    child: ChildProcess;
    ended: Promise<number>;
    out: () => string;
    err: () => string;
  } {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => (out += chunk));
    child.stderr?.on('data', (chunk) => (err += chunk));
    const ended = once(child, 'close').then(([code]) => code as number);
    return { child, ended, out: () => out, err: () => err };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'says where it is, serves, and ends cleanly on %s',
    async (signal) => {
      const run = start('--token', 't', '--items', '7', '--root', '/r/', '--tag-mode', 'replace');
      await eventually(() => expect(run.out()).toContain('\n'));
      const [, url = '', controlUrl = ''] = /^plex simulator on (\S+) control (\S+)\n$/.exec(run.out()) ?? [];
      const told = await fetch(`${url}/library/sections/3/all?type=1&X-Plex-Token=t`, {
        headers: { Accept: 'application/json' },
      });
      const { MediaContainer } = (await told.json()) as { MediaContainer: { size: number } };
      expect(MediaContainer.size).toBe(7);
      expect((await call(controlUrl, 'GET /items')).body[6]).toMatchObject({
        ratingKey: '1007',
        file: '/r/clip 7.mp4',
      });
      run.child.kill(signal);
      expect(await run.ended).toBe(0);
      expect(run.err()).toBe('');
    },
  );

  it.each([
    [['--port', 'x'], '--port is a number'],
    [['--port', '70000'], '--port is a number'],
    [['--items', '-1'], ''],
    [['--tag-mode', 'merge'], '--tag-mode is append or replace'],
    [['--nonsense'], '--nonsense'],
    [['word'], 'word'],
  ])('refuses %j with code 2', async (args, reason) => {
    const run = start(...args);
    expect(await run.ended).toBe(2);
    expect(run.err()).toContain(reason);
    expect(run.err()).toContain('usage: sim-plex');
  });

  it('ends with code 1 when its port or its control port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    for (const option of ['--port', '--control-port']) {
      const run = start(option, port);
      expect(await run.ended).toBe(1);
      expect(run.err()).toContain('EADDRINUSE');
    }
    await new Promise((resolve) => taken.close(resolve));
  });

  it('shows its usage', async () => {
    const run = start('--help');
    expect(await run.ended).toBe(0);
    expect(run.out()).toContain('usage: sim-plex');
  });
});
