// A program of its own that asks a hostile server, once for each way in which it is hostile: port, names of the ways.
// Bundled by the test that starts it with little memory. Prints one JSON line for each.
import { PlexClient } from '../../src/plex/plex-client.ts';
import { StashClient } from '../../src/stash/stash-client.ts';

const [port, ...ways] = process.argv.slice(2) as [string, ...string[]];
const origin = `http://127.0.0.1:${port}`;
/** Longer than it takes to refuse 32 MB; a drip has no end. */
const TIMEOUT_MS = 20_000;

for (const way of ways) {
  // What the two clients have in common is the same code; the half minute of Stash's deadline is not waited for here.
  const isSlow = way.startsWith('slow') || way === 'endless-hints';
  const plex = new PlexClient({
    url: `${origin}/${way}`,
    token: 'canary-token',
    allowsSelfSigned: false,
    clientIdentifier: 'test',
    hasEverWorked: true,
    timeoutMs: isSlow ? 500 : TIMEOUT_MS,
    now: () => Date.now(),
  });
  const stash = new StashClient({
    origin,
    credential: { kind: 'cookie', name: way, value: 'canary-cookie' },
  });
  const startedAt = performance.now();
  const asked = await plex.sections();
  const fromPlex = asked.ok
    ? `ok ${JSON.stringify(asked.value).slice(0, 200)}`
    : `${asked.failure.class} ${asked.failure.symptom}`;
  const plexMs = performance.now() - startedAt;
  const answered = isSlow ? null : await stash.scenesAfter(0, 100);
  const fromStash =
    answered === null
      ? 'not asked'
      : answered.ok
        ? `ok ${answered.value.scenes.length}`
        : answered.failure.kind;
  const isPolluted = Object.hasOwn(Object.prototype, 'polluted');
  process.stdout.write(`${JSON.stringify({ way, fromPlex, fromStash, plexMs, isPolluted })}\n`);
  await Promise.all([plex.close(), stash.close()]);
}
process.stdout.write(`${JSON.stringify({ way: 'end', maxRssKb: process.resourceUsage().maxRSS })}\n`);
