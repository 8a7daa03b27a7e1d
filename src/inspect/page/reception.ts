// Receives the stream: one JSON document a line, for as long as the command runs. The token is in the fragment of the
// page's own address, which no browser sends anywhere.

import type { Message } from '../frames.ts';

export type Ended =
  /** The command has ended. */
  | { readonly kind: 'ended' }
  /** The server does not let us in; `detail` is what it answered. */
  | { readonly kind: 'refused'; readonly detail: string };

export async function receive(onMessage: (message: Message) => void): Promise<Ended> {
  const token = location.hash.slice(1);
  try {
    const response = await fetch('/stream', {
      headers: { Authorization: `Bearer ${token}` },
      cache: 'no-store',
    });
    if (!response.ok || response.body === null)
      return { kind: 'refused', detail: (await response.text()).trim() };
    await eachLine(response.body, (line) => onMessage(JSON.parse(line) as Message));
  } catch {
    // Killed, or never there: for the one who looks at the page it is the same.
  }
  return { kind: 'ended' };
}

async function eachLine(body: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  }
}
