// What a scene's edit goes by, apart from what is wanted and held: what is asked of each field, and what is ours already.

import { IMAGE_KINDS, type PlexField } from '../plex/plex-item.ts';
import type { OwnTags, Spared } from '../queue/events.ts';
import type { Known } from '../queue/queue.ts';
import { digestOfValue } from './digest.ts';
import { FIELD_OF, type FieldMode, type FieldModes } from './fields.ts';
import { isEmpty, type Wanted } from './wanted.ts';

export interface Stance {
  /** The tags that we put there before. */
  readonly own: OwnTags;
  /** The day that we wrote, as Plex has it; null: none. */
  readonly ownDate: string | null;
  /** Of what was written last, while it is not known that Plex has done it; null: it has. */
  readonly unseen: string | null;
  readonly modes: FieldModes;
  readonly spared: Spared;
}

export function stanceOf(wanted: Wanted, known: Known | undefined, modes: FieldModes): Stance {
  return {
    own: known?.own ?? {},
    ownDate: known?.ownDate ?? null,
    unseen: known?.unseen ?? null,
    modes: isEmpty(wanted) ? harmless(modes) : modes,
    spared: known?.spared ?? {},
  };
}

/** Whether a scene has nothing to say, and nothing of ours to take back. */
export function isWithheld(wanted: Wanted, known: Known | undefined): boolean {
  return isEmpty(wanted) && Object.values(known?.own ?? {}).every(({ length }) => length === 0);
}

/** What is asked of a part of the item for a scene that says `value`. */
export function modeOf(
  field: PlexField,
  value: string | readonly string[] | undefined,
  { modes, spared }: Stance,
): FieldMode {
  const until = spared[field];
  const isSpared = until === null || (until !== undefined && until === digestOfValue(value));
  return isSpared ? 'off' : modes[FIELD_OF[field]];
}

/** For a scene that lost its last value: our own tags go, and whatever a person or Plex put there stays. */
function harmless(modes: FieldModes): FieldModes {
  const entries = Object.entries(modes).map(([field, mode]) => [field, mode === 'mirror' ? 'on' : mode]);
  const pictures = IMAGE_KINDS.map((kind) => [FIELD_OF[kind], 'off']);
  return Object.fromEntries([...entries, ...pictures]) as FieldModes;
}
