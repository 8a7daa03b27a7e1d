// What is synced in tests that are about something else than pictures and collections.

import { DEFAULT_MODES, DEFAULT_SYNC, type SyncOptions } from '../../src/sync/fields.ts';

export const TEXT_AND_TAGS: SyncOptions = {
  ...DEFAULT_SYNC,
  modes: { ...DEFAULT_MODES, poster: 'off', background: 'off', collections: 'off' },
};

export const NO_COVER = async () => ({ ok: true, value: { kind: 'none-yet', detail: 'none' } }) as const;

/** No other scene has a file of the name. */
export const NO_OTHERS = async () => ({ ok: true as const, value: [] });
