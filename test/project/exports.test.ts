// What nobody imports is no interface: a value that only its own file uses is not exported.

import { expect, test } from 'vitest';
import { filesIn, textOf } from './files.ts';

const EXPORTED = /^export (?:async )?(?:function\*?|const|(?:abstract )?class) (\w+)/gm;

test('every value that is exported is used by another file', () => {
  const files = filesIn(['machines', 'src', 'test'], /\.ts$/);
  const texts = new Map(files.map((file) => [file, textOf(file)]));
  const words = new Map([...texts].map(([file, text]) => [file, new Set(text.match(/\w+/g))]));
  const unused = [...texts]
    .filter(([file]) => !file.startsWith('test/'))
    .flatMap(([file, text]) => [...text.matchAll(EXPORTED)].map(([, name]) => ({ file, name: name ?? '' })))
    .filter(({ file, name }) => ![...words].some(([other, its]) => other !== file && its.has(name)));
  expect(unused).toEqual([]);
});
