// The pictures in src/README.md: Mermaid blocks between two markers, written from the machines. `npm run docs`
// puts them there; test/chart/readme.test.ts fails when they are stale.

import { chartOf } from './chart.ts';
import { DRAWN, DRAWN_NAMES, type DrawnName } from './machines.ts';
import { mermaidOf } from './mermaid.ts';

export const MACHINES_BEGIN = '<!-- machines -->';
export const MACHINES_END = '<!-- /machines -->';

const CAPTIONS: Readonly<Record<DrawnName, string>> = {
  breaker: 'may work be attempted?',
  recovery: 'when is Plex asked again, and how fast does work resume?',
  lease: 'who may act? Used twice: `drain` and `probe`',
  hold: 'what overrules the breaker? Used three times: `operator`, `config` and `throttle`',
};

/** The README with its pictures as the machines are now. Throws when it has no place for them. */
export function withMachines(readme: string): string {
  const begin = readme.indexOf(MACHINES_BEGIN);
  const end = readme.indexOf(MACHINES_END);
  if (begin < 0 || end < begin) {
    throw new Error(
      `the README has no place for the drawings: put ${MACHINES_BEGIN} and ${MACHINES_END} into it`,
    );
  }
  const pictures = DRAWN_NAMES.map(pictureOf).join('\n\n');
  return `${readme.slice(0, begin + MACHINES_BEGIN.length)}\n\n${pictures}\n\n${readme.slice(end)}`;
}

function pictureOf(name: DrawnName): string {
  const mermaid = mermaidOf(chartOf(DRAWN[name])).trimEnd();
  return `**${name}**: ${CAPTIONS[name]}\n\n\`\`\`mermaid\n${mermaid}\n\`\`\``;
}
