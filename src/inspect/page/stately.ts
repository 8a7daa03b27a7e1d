// The relay to Stately's inspector: the package's own sender, with the window that it opens narrowed to Stately's
// origin. By itself the package posts to whatever page that window has come to, and believes any page that says
// "connected".

import { createBrowserInspector, type StatelyInspectionEvent } from '@statelyai/inspect';

const STATELY_URL = 'https://stately.ai/inspect';

export interface Relay {
  send(event: StatelyInspectionEvent): void;
}

/** Null when the browser blocked the window. */
export function openStately(): Relay | null {
  const { origin } = new URL(STATELY_URL);
  let opened: Window | null = null;
  const narrowed = {
    open: (url: string, name: string) => {
      opened = window.open(url, name);
      return opened && { postMessage: (data: unknown) => opened?.postMessage(data, origin) };
    },
    addEventListener: (type: 'message', listener: (event: MessageEvent) => void) =>
      window.addEventListener(type, (event) => {
        if (event.origin === origin && event.source === opened) listener(event);
      }),
  };
  const inspector = createBrowserInspector({
    url: STATELY_URL,
    window: narrowed as unknown as Window,
    autoStart: false,
    // They come from JSON.
    serialize: (event) => event,
    // It sends all that it holds whenever a page connects; by default it would have dropped the actors by then.
    maxDeferredEvents: Number.POSITIVE_INFINITY,
  });
  inspector.start();
  return opened === null ? null : inspector.adapter;
}
