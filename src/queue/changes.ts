// What a delivery changed in Plex: the values before and after. The journal keeps it, so that it can be
// explained and undone.

export interface FieldChange {
  readonly field: string;
  readonly before: string | readonly string[] | null;
  readonly after: string | readonly string[] | null;
  /** One of the two was too long to be kept whole. */
  readonly isCut?: true;
}
