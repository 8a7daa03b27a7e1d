// Every line of one stream, in its order. A function is called for each, and no promise is made for it: there may be
// millions.

import type { Entry, Journal, Position, StreamName } from '../breaker/index.ts';

/** Comes to the position behind the last whole line. */
export async function eachEntry(
  journal: Journal,
  stream: StreamName,
  onEntry: (entry: Entry) => void,
): Promise<Position> {
  let position: Position = 0;
  for (;;) {
    const chunk = await journal.read(stream, position);
    if (chunk.next === position) return position;
    for (const entry of chunk.entries) onEntry(entry);
    position = chunk.next;
  }
}
