// htmlOf: what a report says → one file that needs no network and runs nothing but its own script. Everything from
// the log is in one JSON block, and the script puts it into the page as text; no text of a log ever becomes
// markup here, and the policy below would not run it if it did.

import { createHash } from 'node:crypto';
import { CHART_CSS } from '../chart/svg.ts';
import { escaped, shownJson } from '../cli/format.ts';
import type { PageAssets } from './page-assets.ts';
import type { ReportData } from './report-data.ts';
import { shell } from './shell.ts';

export function htmlOf(data: ReportData, assets: PageAssets): string {
  const { script } = assets;
  // The page's own come last: they set what the charts leave open.
  const styles = `${CHART_CSS}\n${assets.styles}`;
  const policy = [
    `default-src 'none'`,
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(styles)}'`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    '<title>Breakwater report</title>',
    `<style>${styles}</style>`,
    '</head>',
    '<body>',
    shell(),
    `<script type="application/json" id="data">${jsonForHtml(data)}</script>`,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** JSON that cannot end the element that it stands in, nor open a comment in it. */
export function jsonForHtml(data: unknown): string {
  return shownJson(data).replace(/[<>&]/g, escaped);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
