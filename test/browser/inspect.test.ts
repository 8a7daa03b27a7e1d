// `inspect` in a real browser: the viewer, the relay to Stately's inspector, and who is not let in. Stately's page is
// played by the package's own receiver at Stately's own address; nothing leaves this machine.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { evolveWatched } from '../../src/breaker/control/evolve.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { isWithoutBrowser, launchBrowser, openPage, type Watched } from '../support/browser.ts';
import { HOSTILE_REASON, writeOutage } from '../support/outage-journal.ts';
import { RunningCommand } from '../support/running-command.ts';
import { entriesOf, foldAll } from '../support/streams.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Delivery } from './live-actors.ts';

const STATELY = 'https://stately.ai/inspect';
const here = fileURLToPath(new URL('.', import.meta.url));

describe.skipIf(isWithoutBrowser('test/browser/inspect.test.ts'))('inspect', () => {
  let browser: Browser;
  let receiver: string;
  let liveActors: string;
  beforeAll(async () => {
    // The last is a name that was made to point to this machine, as DNS rebinding does.
    browser = await launchBrowser('--host-resolver-rules=MAP rebound.example 127.0.0.1');
    [receiver, liveActors] = await Promise.all([bundled('receiver.ts'), bundled('live-actors.ts')]);
  });
  afterAll(() => browser?.close());

  const opened: BrowserContext[] = [];
  afterEach(async () => {
    for (const context of opened.splice(0)) await context.close();
  });

  async function watched(): Promise<Watched> {
    const one = await openPage(browser);
    opened.push(one.context);
    await one.context.route(`${STATELY}**`, (route) =>
      route.fulfill({ contentType: 'text/html', body: `<title>Stately</title><script>${receiver}</script>` }),
    );
    return one;
  }

  /** A data dir with an outage in it, and the viewer of it. `{9}` stands for the position of the ninth record. */
  async function viewing(...words: readonly string[]) {
    const data = tempDir();
    const journal = new FileJournal(data);
    onTestFinished(() => journal.close());
    const world = await writeOutage(journal);
    const { steps } = foldAll(await entriesOf(journal));
    const placed = words.map((word) =>
      word.replace(/{(\d+)}/, (_, at) => `control@${steps[at - 1]?.position}`),
    );
    const command = new RunningCommand('inspect', '--data', data, ...placed);
    onTestFinished(async () => void (await command.end('SIGKILL')));
    const [url = ''] = await command.printed(/http:\S+/);
    const one = await watched();
    await one.page.goto(url);
    await one.page.locator('#where', { hasText: /\d of \d/ }).waitFor();
    return { ...one, ...world, command, url, steps };
  }

  async function openStately(page: Page): Promise<Page> {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#stately')]);
    await popup.waitForFunction('window.received !== undefined');
    return popup;
  }

  test('the package’s receiver gets what live actors of the same machines would have sent it', async () => {
    const { page, steps } = await viewing('--speed', 'max');
    const deliveries: Delivery[] = [];
    for (const { event, before } of steps) {
      if (event === null) continue;
      evolveWatched(before, event, ({ name, source, event }) => deliveries.push({ name, source, event }));
    }
    expect(deliveries.length).toBeGreaterThan(30);

    const live = await watched();
    await live.context.route('https://live.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<script>${liveActors}</script>` }),
    );
    await live.page.goto('https://live.example/');
    const [livePopup] = await Promise.all([
      live.page.waitForEvent('popup'),
      live.page.evaluate(`window.runLive(${JSON.stringify(deliveries)})`),
    ]);
    const wanted = 3 * 7 + 2 * deliveries.length;
    const fromLive = await receivedBy(livePopup, wanted);

    const fromLog = await receivedBy(await openStately(page), wanted);
    expect(named(fromLog)).toEqual(named(fromLive));
    expect(fromLog.map(({ _version }) => _version)).toEqual(fromLive.map(({ _version }) => _version));
    // The times are those of the log.
    const times = new Set(steps.map(({ record }) => String(record.at)));
    expect(fromLog.slice(21).every(({ createdAt }) => times.has(createdAt))).toBe(true);
  });

  test('Stately gets each record when the viewer comes to it, and all of it again when its page is loaded anew', async () => {
    const { page, steps } = await viewing('--step');
    const popup = await openStately(page);
    expect(await receivedBy(popup, 21)).toHaveLength(21);
    await page.bringToFront();
    await page.keyboard.press('ArrowRight');
    const first = await receivedBy(popup, 25);
    expect(first.slice(21).map(({ type, event }) => `${type} ${event?.type}`)).toEqual([
      '@xstate.event policy.set',
      '@xstate.snapshot policy.set',
      '@xstate.event policy.set',
      '@xstate.snapshot policy.set',
    ]);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
    await popup.reload();
    expect(await receivedBy(popup, 25)).toEqual(first);
    expect(steps[0]?.record.type).toBe('policy.set');
  });

  test('only Stately’s own page is fed: not one that says it is connected, nor one that took its place', async () => {
    const { page, context } = await viewing('--speed', 'max');
    const popup = await openStately(page);
    await receivedBy(popup, 22);
    const before = (await popup.evaluate('window.received.length')) as number;
    await page.evaluate(`window.postMessage({ type: '@statelyai.connected' }, '*')`);
    await page.keyboard.press('Home');
    await page.keyboard.press('End');
    expect(await popup.evaluate('window.received.length')).toBe(before);
    const thief = `<script>window.received = []; addEventListener('message', ({ data }) => received.push(data));
      opener.postMessage({ type: '@statelyai.connected' }, '*')</script>`;
    await context.route('http://evil.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: thief }),
    );
    // Hears after the relay does; then the last word to that window, so that all before it has arrived.
    await page.evaluate(`void addEventListener('message', ({ origin, source }) => {
      if (origin === 'http://evil.example') source.postMessage('last word', '*');
    })`);
    // By itself: a navigation from outside would cut it off from its opener.
    await popup.evaluate(`location.href = 'http://evil.example/'`);
    await popup.waitForFunction(`window.received?.includes('last word')`);
    expect(await popup.evaluate('window.received')).toEqual(['last word']);
  });

  test('it shows every machine in its state, the edge that was taken, and what changed', async () => {
    const { page, complaints } = await viewing('--speed', 'max');
    // Times as in the report and at the shell, whatever the language of the browser.
    await page
      .locator('#where', { hasText: /^36 of 36 · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d$/ })
      .waitFor();
    expect(await page.locator('#actors button').allInnerTexts().then(states)).toEqual({
      breaker: 'closed',
      recovery: 'idle',
      drain: 'free',
      probe: 'free',
      operator: 'held',
      config: 'held',
      throttle: 'free',
    });
    const opening = (await page.locator('#records li').allInnerTexts()).findIndex((row) =>
      row.includes('→ open'),
    );
    await page.locator('#records li').nth(opening).click();
    expect(await page.locator('#actors [aria-pressed=true] .name').innerText()).toBe('breaker');
    expect(await page.locator('#chart .is-current').getAttribute('data-state')).toBe('open');
    expect(await page.locator('#chart .is-last').getAttribute('data-edge')).toBe('closed→open');
    expect(await page.locator('#chart .is-taken').getAttribute('data-event')).toBe('probe.failed');
    expect(await page.locator('#context .is-new').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^● penalty: 1$/)]),
    );
    await page.keyboard.press('2');
    expect(await page.locator('#chart .is-current').getAttribute('data-state')).toBe('waiting');
    expect(complaints).toEqual([]);
  });

  test('it plays, pauses and steps by keyboard', async () => {
    const { page } = await viewing('--step');
    const where = () => page.locator('#where').innerText();
    expect(await where()).toMatch(/^0 of 36 /);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await where()).toMatch(/^2 of 36 /);
    await page.keyboard.press('ArrowLeft');
    expect(await where()).toMatch(/^1 of 36 /);
    await page.selectOption('#speed', 'max');
    await page.keyboard.press('Space');
    await page.locator('#where', { hasText: /^36 of 36/ }).waitFor();
    expect(await page.locator('#play').innerText()).toBe('Play');
    await page.keyboard.press('Home');
    expect(await where()).toMatch(/^0 of 36 /);
  });

  test('what a person or a server wrote is text, whatever it looks like', async () => {
    const { page, complaints } = await viewing('--speed', 'max');
    await page.locator('#records li', { hasText: 'hold.placed' }).nth(1).click();
    await page.keyboard.press('5');
    expect(await page.locator('#event').innerText()).toContain('<script>window.wasRun = true</script>');
    expect(await page.locator('#context').innerText()).toContain(JSON.stringify(HOSTILE_REASON).slice(1, 30));
    expect(await page.evaluate('window.wasRun')).toBeUndefined();
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('Enter at the command steps the page', async () => {
    const { page, command } = await viewing('--step');
    command.press('\n\n\n');
    await page.locator('#where', { hasText: /^3 of 36/ }).waitFor();
  });

  test('--at begins there and waits', async () => {
    const { page } = await viewing('--at', '{9}');
    expect(await page.locator('#where').innerText()).toMatch(/^9 of 36 /);
    expect(await page.locator('#play').innerText()).toBe('Play');
  });

  test('--from and --outage show a stretch, which opens in the state of then', async () => {
    const { page } = await viewing('--step', '--from', '{9}', '--to', '{12}');
    expect(await page.locator('#where').innerText()).toMatch(/^0 of 4 /);
    expect(states(await page.locator('#actors button').allInnerTexts())).toMatchObject({ breaker: 'open' });
    const { command, steps } = await viewing('--outage', '1');
    const [printed] = await command.printed(/^\d+ records\n/);
    const drained = steps.findIndex(({ record }) => record.type === 'backlog.drained');
    expect(printed).toBe(`${drained + 1} records\n`);
  });

  test('--live shows what is written while it looks', async () => {
    const { page, log, clock } = await viewing('--live');
    expect(await page.locator('#said').innerText()).toMatch(/^Live/);
    clock.advance(1_000);
    await log.appendOrThrow({ type: 'hold.released', hold: 'operator', reason: 'by hand' });
    await page.locator('#where', { hasText: /^37 of 37/ }).waitFor();
    expect(states(await page.locator('#actors button').allInnerTexts())).toMatchObject({ operator: 'free' });
  });

  test('Ctrl-C ends it: exit code 0, and the page says so and keeps what it has', async () => {
    const { page, command, url } = await viewing('--speed', 'max');
    expect(await command.end()).toBe(0);
    expect(command.stderr).toBe('');
    await page.waitForFunction(
      `document.querySelector('#said').textContent.startsWith('The command has ended')`,
    );
    await page.keyboard.press('Home');
    expect(await page.locator('#where').innerText()).toMatch(/^0 of 36 /);
    await expect(fetch(url)).rejects.toThrow();
  });

  describe('who is not let in', () => {
    test('a page without the token, or with a wrong one', async () => {
      const { url } = await viewing('--step');
      const { page } = await watched();
      for (const wrong of [url.replace(/#.*/, ''), `${url}x`]) {
        await page.goto('about:blank');
        await page.goto(wrong);
        await page.locator('#said', { hasText: /^Not let in/ }).waitFor();
        expect(await page.locator('#actors').innerText()).toBe('');
      }
    });

    test('another origin, even with the token', async () => {
      const { url } = await viewing('--step');
      const [address, token] = url.split('#') as [string, string];
      const { page, context } = await watched();
      await context.route('http://evil.example/', (route) =>
        route.fulfill({ contentType: 'text/html', body: `<iframe src="${address}"></iframe>` }),
      );
      await page.goto('http://evil.example/');
      const outcomes = await page.evaluate(`Promise.all([
        fetch('${address}stream', { headers: { Authorization: 'Bearer ${token}' } }),
        fetch('${address}stream'),
        fetch('${address}', { mode: 'no-cors' }),
      ].map((asked) => asked.then(() => 'answered', () => 'refused')))`);
      expect(outcomes).toEqual(['refused', 'refused', 'refused']);
    });

    test('a name that was made to point here', async () => {
      const { url } = await viewing('--step');
      const { page } = await watched();
      const answer = await page.goto(url.replace('127.0.0.1', 'rebound.example'));
      expect(answer?.status()).toBe(403);
      expect(await page.content()).not.toContain('<main');
    });
  });
});

interface Received {
  readonly type: string;
  readonly _version: string;
  readonly createdAt: string;
  readonly sessionId: string;
  readonly name?: string;
  readonly event?: { readonly type: string };
  readonly [field: string]: unknown;
}

/** What the page received, once that is so many at least. */
async function receivedBy(popup: Page, count: number): Promise<readonly Received[]> {
  await popup.waitForFunction(`window.received?.length >= ${count}`);
  return (await popup.evaluate('window.received')) as readonly Received[];
}

/** With the actors' names in the place of session ids, and without the times. */
function named(events: readonly Received[]): unknown[] {
  const names = new Map<string, string>();
  for (const { sessionId, name } of events) if (name !== undefined) names.set(sessionId, name);
  const nameOf = (id: unknown) => (id === undefined ? undefined : names.get(String(id)));
  return events.map(({ createdAt, sessionId, rootId, sourceId, ...rest }) => ({
    ...rest,
    sessionId: nameOf(sessionId),
    rootId: nameOf(rootId),
    sourceId: nameOf(sourceId),
  }));
}

function states(buttons: readonly string[]): Record<string, string> {
  return Object.fromEntries(buttons.map((text) => [text.split('\n')[0], text.split('\n').at(-1)]));
}

async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${here}${file}`],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    logLevel: 'error',
  });
  return (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script');
}
