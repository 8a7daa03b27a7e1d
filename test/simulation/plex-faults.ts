// What goes wrong with a Plex, as it is on the wire, and whether that says anything of its health: a table of its own,
// written from what the symptoms mean and not from the code that tells them apart.

export const PLEX_FAULTS = {
  refused: { says: 'down' },
  unreachable: { says: 'down' },
  'reset before': { says: 'down' },
  /** What was asked is done, and the answer lost. */
  'reset after': { says: 'down' },
  hang: { says: 'down' },
  maintenance: { says: 'down' },
  'bad gateway': { says: 'down' },
  'gateway timeout': { says: 'down' },
  'error 500': { says: 'down' },
  garbage: { says: 'down' },
  'edits fail': { says: 'down' },
  overload: { says: 'nothing' },
  'too many': { says: 'nothing' },
  unauthorized: { says: 'nothing' },
  forbidden: { says: 'nothing' },
  'login page': { says: 'nothing' },
  'other server': { says: 'nothing' },
  'library gone': { says: 'nothing' },
  'edits rejected': { says: 'nothing' },
  /** It answers at once and does it later. */
  'edits late': { says: 'nothing' },
} as const satisfies Readonly<Record<string, { readonly says: 'down' | 'nothing' }>>;

export type PlexFault = keyof typeof PLEX_FAULTS;

export const PLEX_FAULT_NAMES = Object.keys(PLEX_FAULTS) as readonly PlexFault[];
