// What nobody imports is no interface: a value that only its own file uses is not exported.

import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const EXPORTED = /^export (?:async )?(?:function\*?|const|(?:abstract )?class) (\w+)/gm;

test('every value that is exported is used by another file', () => {
  const texts = new Map(
    ['machines', 'src', 'test'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => [`${folder}/${name}`, readFileSync(path.join(root, folder, name), 'utf8')] as const),
    ),
  );
  const words = new Map([...texts].map(([file, text]) => [file, new Set(text.match(/\w+/g))]));
  const unused = [...texts]
    .filter(([file]) => !file.startsWith('test/'))
    .flatMap(([file, text]) => [...text.matchAll(EXPORTED)].map(([, name]) => ({ file, name: name ?? '' })))
    .filter(({ file, name }) => ![...words].some(([other, its]) => other !== file && its.has(name)));
  expect(unused).toEqual([]);
});
