// A simulated Plex with its client, for one test: both are closed when it ends.

import { onTestFinished } from 'vitest';
import type { FailureClass } from '../../machines/failure-classes.ts';
import { PlexClient, type PlexClientOptions, type PlexResult } from '../../src/plex/plex-client.ts';
import {
  type PlexSimulator,
  type PlexSimulatorOptions,
  startPlexSimulator,
} from '../simulators/plex/server.ts';

export const TOKEN = 'a-token-that-must-not-be-seen';
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export async function startPlex(options: PlexSimulatorOptions = {}): Promise<PlexSimulator> {
  const plex = await startPlexSimulator({ token: TOKEN, ...options });
  onTestFinished(() => plex.close());
  return plex;
}

export function connect(url: string, options: Partial<PlexClientOptions> = {}): PlexClient {
  const client = new PlexClient({
    url,
    token: TOKEN,
    allowsSelfSigned: false,
    clientIdentifier: 'breakwater-test',
    hasEverWorked: false,
    // Long enough for any answer on a busy machine; tests of the deadline give their own.
    timeoutMs: 20_000,
    now: () => NOW,
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

export async function startPlexAndClient(
  options: PlexSimulatorOptions = {},
  clientOptions: Partial<PlexClientOptions> = {},
): Promise<{ plex: PlexSimulator; client: PlexClient }> {
  const plex = await startPlex(options);
  return { plex, client: connect(plex.url, clientOptions) };
}

/** The value of a result that must be good. */
export function unwrap<T>(result: PlexResult<T>): T {
  if (!result.ok) throw new Error(`Plex failed: ${result.failure.detail}`);
  return result.value;
}

/** Class and symptom of a result that must be a failure. */
export function failureOf(result: PlexResult<unknown>): { class: FailureClass; symptom: string } {
  if (result.ok) throw new Error('Plex did not fail');
  return { class: result.failure.class, symptom: result.failure.symptom };
}
