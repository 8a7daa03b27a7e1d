// Runs in the browser, in the place of Stately's page: the package's own receiver, and what it was given.

import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';

const received: StatelyInspectionEvent[] = [];
(globalThis as unknown as { received: typeof received }).received = received;
createBrowserReceiver().subscribe((event) => received.push(event));
