// An independent client for the simulator's tests: bare node:http, no parsing beyond what a test asks for.
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { vi } from 'vitest';
import type { PlexSimulator } from './plex/server.ts';

/** Waits for a condition, however busy the machine is; never for a time. */
export function eventually<T>(holds: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(holds, { timeout: 20_000, interval: 5 });
}

export interface Ask {
  method?: string;
  /** 'good' sends the simulator's own token as a header; anything else is sent as it is; 'none' sends none. */
  token?: string;
  accept?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  agent?: Agent;
}

export interface Told {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

/** Rejects with the socket's error; its `code` is what the tests look at. */
export function ask(simulator: PlexSimulator, path: string, wanted: Ask = {}): Promise<Told> {
  const headers: Record<string, string> = { Accept: wanted.accept ?? '*/*', ...wanted.headers };
  if (wanted.token !== 'none') headers['X-Plex-Token'] = wanted.token ?? simulator.token;
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: simulator.port,
        path,
        method: wanted.method ?? 'GET',
        headers,
        agent: wanted.agent ?? false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            text: body.toString(),
          });
        });
      },
    );
    call.on('error', reject);
    call.end(wanted.body);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
export async function askJson(simulator: PlexSimulator, path: string, wanted: Ask = {}): Promise<any> {
  const told = await ask(simulator, path, { ...wanted, accept: 'application/json' });
  if (told.status !== 200) throw new Error(`${path}: status ${told.status}`);
  return JSON.parse(told.text).MediaContainer;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export async function itemOf(simulator: PlexSimulator, ratingKey: string): Promise<any> {
  return (await askJson(simulator, `/library/metadata/${ratingKey}`)).Metadata[0];
}

/** The attributes of every element of this name, unescaped. */
export function xmlElements(xml: string, name: string): Record<string, string>[] {
  const plain = (text: string): string =>
    text
      .replace(/&#(\d+);/g, (_all, code: string) => String.fromCodePoint(Number(code)))
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&quot;/g, '"')
      .replace(/&amp;/g, '&');
  return [...xml.matchAll(new RegExp(`<${name}((?: [\\w:-]+="[^"]*")*) ?/?>`, 'g'))].map((match) =>
    Object.fromEntries(
      [...(match[1] ?? '').matchAll(/([\w:-]+)="([^"]*)"/g)].map((pair) => [pair[1], plain(pair[2] ?? '')]),
    ),
  );
}
