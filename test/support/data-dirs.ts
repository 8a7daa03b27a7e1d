// A data dir on disk that holds a golden log: a real history for what is run as a process.
import { readFileSync } from 'node:fs';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { readGolden } from '../../src/export/golden.ts';
import { entriesOf } from './streams.ts';
import { tempDir } from './temp-dir.ts';

export async function dataDirOf(history: string): Promise<string> {
  const { journal } = readGolden(
    readFileSync(new URL(`../golden/${history}.ndjson`, import.meta.url), 'utf8'),
  );
  const dir = tempDir();
  const file = new FileJournal(dir);
  for (const stream of ['control', 'queue'] as const) {
    const entries = await entriesOf(journal, stream);
    const records = entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : []));
    const result = await file.append(stream, records);
    if (!result.ok) throw new Error(result.failure.detail);
  }
  file.close();
  return dir;
}
