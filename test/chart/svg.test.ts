// The drawing: the same bytes for the same machine, everything in it once, and nothing on top of anything.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf } from '../../src/chart/chart.ts';
import { type Box, layoutOf } from '../../src/chart/layout.ts';
import { DRAWN, DRAWN_NAMES } from '../../src/chart/machines.ts';
import { CHART_CSS, svgOf } from '../../src/chart/svg.ts';
import { isWithoutBrowser, launchBrowser, openPage } from '../support/browser.ts';

describe.each(DRAWN_NAMES)('%s', (name) => {
  const chart = chartOf(DRAWN[name]);
  const svg = svgOf(chart, { hasStyle: true });

  test('the same machine gives the same bytes, whatever was drawn before', () => {
    for (const other of DRAWN_NAMES) svgOf(chartOf(DRAWN[other]), { hasStyle: false });
    expect(svgOf(chartOf(DRAWN[name]), { hasStyle: true })).toBe(svg);
  });

  test('every state and every edge is in it once, by its name', () => {
    const attributes = (attribute: string) =>
      [...svg.matchAll(new RegExp(`<g [^>]*${attribute}="([^"]+)"`, 'g'))].map(([, value]) => value);
    expect(attributes('data-state').sort()).toEqual(chart.states.map((state) => state.name).sort());
    expect(attributes('data-edge').sort()).toEqual(chart.edges.map(({ key }) => key).sort());
  });

  test('it needs nothing from outside and runs nothing', () => {
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|url\(|<script|\son\w+=|@import/,
    );
  });

  test('no box stands on another, and all are inside', () => {
    const { states, edges, anywhere, width, height } = layoutOf(chart);
    const boxes = [
      ...states.map(({ box }) => box),
      ...edges.map(({ label }) => label),
      ...(anywhere === null ? [] : [anywhere.box]),
    ];
    boxes.forEach((box, at) => {
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(
        true,
      );
      for (const other of boxes.slice(at + 1))
        expect(overlap(box, other), JSON.stringify([box, other])).toBe(0);
    });
  });
});

test('names and descriptions are text, whatever they hold', () => {
  const machine = createMachine({
    id: 'x"><script>',
    initial: 'a',
    states: { a: { description: '</title><script>', on: { '<b>&': 'a' } } },
  });
  const svg = svgOf(chartOf(machine), { hasStyle: false });
  expect(svg).not.toMatch(/<script|<b>|&(?!#)/);
  expect(svg).toContain('&#60;b&#62;&#38;');
});

describe.skipIf(isWithoutBrowser('test/chart/svg.test.ts'))('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  test.each(DRAWN_NAMES)('%s: no text leaves the box that was reckoned for it', async (name) => {
    const { page, context } = await openPage(browser);
    await page.setContent(`<style>${CHART_CSS}</style>${svgOf(chartOf(DRAWN[name]), { hasStyle: false })}`);
    const outside = await page.evaluate(`(() => {
      const out = [];
      for (const text of document.querySelectorAll('.chart text')) {
        const group = text.closest('.state, .everywhere') ?? text.parentNode;
        const box = group.querySelector(':scope > .box, :scope > .chip').getBBox();
        const t = text.getBBox();
        const fits = t.x >= box.x && t.x + t.width <= box.x + box.width && t.y >= box.y - 1 && t.y + t.height <= box.y + box.height + 1;
        if (!fits) out.push(text.textContent);
      }
      return out;
    })()`);
    expect(outside).toEqual([]);
    await context.close();
  });

  test('what is lit is thicker, in light and in dark, and readable (4.5 to 1)', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page, context } = await openPage(browser, { scheme });
      await page.setContent(
        `<style>${CHART_CSS}</style>${svgOf(chartOf(DRAWN.breaker), { hasStyle: false })}`,
      );
      const seen = (await page.evaluate(`(() => {
        const rgb = (text) => text.match(/\\d+/g).slice(0, 3).map(Number);
        const style = (selector) => getComputedStyle(document.querySelector(selector));
        const before = style('[data-state=open] > .box').strokeWidth;
        document.querySelector('[data-state=open]').classList.add('is-current');
        const edge = document.querySelector('[data-edge="closed→open"]');
        edge.classList.add('is-last');
        edge.querySelector('[data-event="probe.failed"]').classList.add('is-taken');
        return {
          widths: [before, style('[data-state=open] > .box').strokeWidth],
          pairs: [
            [rgb(style('[data-state=closed] .name').fill), rgb(style('[data-state=closed] > .box').fill)],
            [rgb(style('[data-state=open] .name').fill), rgb(style('[data-state=open] > .box').fill)],
            [rgb(style('.is-taken').fill), rgb(style('.chip').fill)],
            [rgb(style('.guard').fill), rgb(style('.chip').fill)],
          ],
        };
      })()`)) as { widths: string[]; pairs: [number[], number[]][] };
      expect(seen.widths).toEqual(['1.5px', '3px']);
      for (const [ink, ground] of seen.pairs) expect(contrast(ink, ground), scheme).toBeGreaterThan(4.5);
      await context.close();
    }
  });
});

function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return wide > 0 && high > 0 ? wide * high : 0;
}

/** WCAG's contrast ratio of two sRGB colours. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [lighter, darker] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
