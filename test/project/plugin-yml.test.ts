// What Stash shows of the plugin: each description is read by itself, in an order that Stash chooses.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

interface Described {
  readonly name?: string;
  readonly displayName?: string;
  readonly description: string;
}

interface Plugin extends Described {
  readonly tasks?: readonly Described[];
  readonly hooks?: readonly Described[];
  readonly settings?: Readonly<Record<string, Described>>;
}

const FILES = ['breakwater.yml', 'breakwater-hooks.yml'];

test.each(FILES)('%s: every description stands alone', (file) => {
  const yml: Plugin = parse(readFileSync(new URL(`../../src/door/${file}`, import.meta.url), 'utf8'));
  const all = [yml, ...(yml.tasks ?? []), ...(yml.hooks ?? []), ...Object.values(yml.settings ?? {})];
  for (const { name, displayName, description } of all) {
    expect(description, displayName ?? name).toMatch(/^[A-Z].{15,}/);
    // It would mean the one that stands before it in this file.
    expect(description, displayName ?? name).not.toMatch(/^The same|\bas above\b|^\w+ (them|those|it)\b/);
  }
});
