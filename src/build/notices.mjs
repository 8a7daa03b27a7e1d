// The notices of the packages that are in what ships, whose licences ask for them.
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const PACKAGE = /^(.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;
const TEXT = /^(licen[cs]e|copying|notice)\b/i;

/** What packages have taken in from others, which no bundler can see. */
const TAKEN_IN = {
  undici:
    'It contains llhttp (https://github.com/nodejs/llhttp), under the MIT licence as well.\nCopyright Fedor Indutny, 2018.',
};

/** Folders of the packages of which something is in an output. */
export function packagesIn(metafiles) {
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((one) => Object.entries(one.inputs)),
  );
  const folders = inputs.flatMap(
    ([file, { bytesInOutput }]) => (bytesInOutput > 0 && PACKAGE.exec(file)?.[1]) || [],
  );
  return [...new Set(folders)].sort();
}

/** Throws where a package does not say under which licence it is. */
export function noticesOf(metafiles, root) {
  const notices = packagesIn(metafiles).map((folder) => {
    const dir = path.resolve(root, folder);
    const { name, version, license, author } = JSON.parse(
      readFileSync(path.join(dir, 'package.json'), 'utf8'),
    );
    const texts = readdirSync(dir).filter((file) => TEXT.test(file));
    if (!license) throw new Error(`${name} says no licence: it cannot be in what ships`);
    const by = typeof author === 'string' ? author : (author?.name ?? '');
    const text = texts.map((file) => readFileSync(path.join(dir, file), 'utf8').trim()).join('\n\n');
    const parts = [`${name} ${version} (${license})`, text || `${license} ${by}`.trim(), TAKEN_IN[name]];
    return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
  });
  return [`Breakwater contains these packages, or parts of them.\n`, ...notices].join(
    `\n${'-'.repeat(80)}\n\n`,
  );
}
