// The script and styles of the page. In the plugin's bundle this file is replaced by the two texts themselves
// (src/build/build.mjs), because an update may replace the files under a running process; from source it makes them.

export interface PageAssets {
  readonly script: string;
  readonly styles: string;
}

/** Not a literal: what is only there in a checkout is not looked for when types are checked or files bundled. */
const BUILDER = new URL('../build/report-page.mjs', import.meta.url).href;

export async function pageAssets(): Promise<PageAssets> {
  const { buildReportPage } = (await import(BUILDER)) as { buildReportPage(): PageAssets };
  return buildReportPage();
}
