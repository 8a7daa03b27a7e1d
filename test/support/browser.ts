// A real Chromium for the tests that look at a page. Where there is none the tests are skipped, and say so:
// in CI there must be one (`.ci/run` installs it).

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const PLACES = [
  process.env.BREAKWATER_CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Nothing that phones home, no graphics card, no sandbox (containers rarely allow one). */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const CHROMIUM: string | null = PLACES.find((place) => place !== '' && existsSync(place)) ?? null;

/** For `describe.skipIf`: true without a Chromium, and then it says so once a file. */
export function isWithoutBrowser(file: string): boolean {
  if (CHROMIUM !== null) return false;
  if (process.env.CI)
    throw new Error('no Chromium found: tests in a browser must run here; install chromium');
  process.stderr.write(
    `SKIPPED ${file}: no Chromium found (looked in ${PLACES.filter((place) => place !== '').join(', ')}); ` +
      'install chromium or set BREAKWATER_CHROMIUM to run these tests\n',
  );
  return true;
}

export async function launchBrowser(...moreFlags: readonly string[]): Promise<Browser> {
  if (CHROMIUM === null) throw new Error('no Chromium found');
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...moreFlags] });
}

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: errors, complaints on the console, and every request that left loopback. */
  readonly complaints: string[];
}

/** A fresh page that notes what it should not do. */
export async function openPage(
  browser: Browser,
  options: { readonly scheme?: 'light' | 'dark'; readonly width?: number; readonly height?: number } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? 'light',
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(?:file|data|about|blob):|^https?:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(request.url())) {
      complaints.push(`network: ${request.url()}`);
    }
  });
  return { context, page, complaints };
}
