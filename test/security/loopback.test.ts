// Whatever listens listens on loopback: the simulators, the ports by which their faults are planted, and anything in the
// product that ever serves. Looked up in the kernel, not in our own words.

import { readdirSync, readFileSync } from 'node:fs';
import * as net from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startControlServer } from '../simulators/plex/control.ts';
import { startPlexSimulator } from '../simulators/plex/server.ts';
import { startStashControl } from '../simulators/stash/control.ts';
import { startStashSimulator } from '../simulators/stash/server.ts';

/** An address of this machine that is not loopback; null on one without a network. */
const outer = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal);

function reach(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test('the simulators and their control ports answer on loopback only', async () => {
  const plex = await startPlexSimulator({});
  const stash = await startStashSimulator({});
  const plexControl = await startControlServer(plex, 0);
  const stashControl = await startStashControl(stash);
  onTestFinished(async () => {
    await Promise.all([plexControl.close(), stashControl.close()]);
    await Promise.all([plex.close(), stash.close()]);
  });
  const ports = [plex.url, stash.url, plexControl.url, stashControl.url].map((url) =>
    Number(new URL(url).port),
  );
  for (const port of ports) {
    expect(await reach('127.0.0.1', port)).toBe(true);
    if (outer !== undefined) expect(await reach(outer.address, port)).toBe(false);
    expect(listenersOf(port).filter((address) => address !== '0100007F')).toEqual([]);
  }
});

test('nothing in the product listens anywhere else', () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const serving = files.filter((name) => /\.listen\(/.test(readFileSync(`${src}${name}`, 'utf8')));
  for (const name of serving) {
    const code = readFileSync(`${src}${name}`, 'utf8');
    // A listener that is given its host by another file is one of the two above.
    if (/simulators\/(plex|stash)\/listener\.ts$/.test(name)) continue;
    expect(code, name).toMatch(/127\.0\.0\.1|LOOPBACK/);
  }
});

/** The addresses on which the port is listened to, as the kernel lists them. */
function listenersOf(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => {
    try {
      const lines = readFileSync(table, 'latin1').split('\n');
      return lines.flatMap((line) => {
        const [, local = '', , state] = line.trim().split(/\s+/);
        return state === '0A' && local.endsWith(`:${hex}`) ? (local.split(':')[0] ?? []) : [];
      });
    } catch {
      return [];
    }
  });
}
