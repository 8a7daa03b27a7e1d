// The script and the styles of the report's page, each as one text.
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

export function buildReportPage() {
  const outputs = {};
  const [script, styles] = ['page.ts', 'page.css'].map((entry) => {
    const { outputFiles, metafile } = buildSync({
      entryPoints: [`src/report/page/${entry}`],
      absWorkingDir: root,
      bundle: true,
      minify: true,
      format: 'iife',
      target: entry.endsWith('.css') ? ['chrome115', 'firefox115', 'safari16'] : 'es2022',
      charset: 'ascii',
      legalComments: 'none',
      logLevel: 'warning',
      metafile: true,
      write: false,
    });
    Object.assign(outputs, metafile.outputs);
    // It stands in an element of its own: the end of the element may not be in it.
    const text = outputFiles[0].text.trim();
    if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`${entry} holds what would end its element`);
    return text;
  });
  return { script, styles, metafile: { outputs } };
}
