// The files of this repository, by their paths below its root.

import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Those below these folders whose names end like this. */
export function filesIn(folders: readonly string[], name: RegExp): string[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => name.test(file))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
  );
}

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}
