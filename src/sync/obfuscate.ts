// Words in place of the names of files and folders, for a log that others may see. The same name is always the same words,
// so that two paths can still be compared; which name it was cannot be read from them, though somebody who guesses a
// name can see that it is the one.

import { createHash } from 'node:crypto';

const WORDS = (
  'amber anchor apple arrow aspen autumn badge basil beacon birch bison breeze bronze cabin cactus candle canyon ' +
  'cedar clover cobalt comet copper coral cotton crane crystal dahlia delta dune ember falcon fern flint forest fox ' +
  'garnet ginger glacier grove harbor hazel heron indigo iris ivory jasper juniper lagoon lantern lemon lily linen ' +
  'lotus maple marble meadow mint moss'
).split(' ');

/** Separators, drive letters and extensions stay. */
export function obfuscatePath(path: string): string {
  return path
    .split(/([\\/]+)/)
    .map((part) => (part === '' || /^[\\/]+$/.test(part) || /^[A-Za-z]:$/.test(part) ? part : wordsFor(part)))
    .join('');
}

/** Three words: two hundred thousand of them, enough to tell the files of a library apart. */
function wordsFor(name: string): string {
  const extension = /\.[A-Za-z0-9]{1,5}$/.exec(name)?.[0] ?? '';
  const digest = createHash('sha256').update(name.normalize('NFC')).digest();
  const words = [0, 1, 2].map((index) => WORDS[(digest[index] ?? 0) % WORDS.length]);
  return `${words.join('-')}${extension}`;
}
