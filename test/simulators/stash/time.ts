// The server's clock and how Stash writes a moment: Go's RFC 3339 in the server's own zone, whole seconds
// in the database. The `updated_at` filter compares these strings as they are, so the zone is part of the
// behaviour (facts, section 3). The clock can be stepped, as a clock that is put right would be.

const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
const MINUTES_PER_HOUR = 60;
/** No zone changes its offset between two of these. */
const OFFSET_STEP_MS = 15 * MS_PER_MINUTE;

export class Clock {
  readonly #zone: string | undefined;
  #steppedMs = 0;

  /** `zone` is a name like America/New_York; without one it is the zone of this process. */
  constructor(zone?: string) {
    this.#zone = zone;
    if (zone !== undefined) minutesEast(0, zone);
  }

  /** Milliseconds since 1970, as the simulated server believes. */
  now(): number {
    return Date.now() + this.#steppedMs;
  }

  /** With a fraction, as Go's clock has one. */
  exact(): number {
    return performance.timeOrigin + performance.now() + this.#steppedMs;
  }

  step(ms: number): void {
    this.#steppedMs += ms;
  }

  /** As the database keeps it: no fraction. */
  text(atMs: number): string {
    return rfc3339(atMs, this.#zone);
  }

  /** As Go writes a moment that was never in the database: with its fraction, without trailing zeros. */
  exactText(atMs: number): string {
    const micros = Math.floor((atMs % MS_PER_SECOND) * MS_PER_SECOND);
    const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`.replace(/0+$/, '');
    return this.text(atMs).replace(/(?<=T[\d:]{8})/, fraction);
  }
}

/** Milliseconds, cut to the second as the database keeps them. */
export function wholeSecond(atMs: number): number {
  return Math.floor(atMs / MS_PER_SECOND) * MS_PER_SECOND;
}

export function rfc3339(atMs: number, zone?: string): string {
  const east = zone === undefined ? -new Date(atMs).getTimezoneOffset() : minutesEast(atMs, zone);
  const local = new Date(atMs + east * MS_PER_MINUTE).toISOString().slice(0, 19);
  if (east === 0) return `${local}Z`;
  const size = Math.abs(east);
  const hours = String(Math.floor(size / MINUTES_PER_HOUR)).padStart(2, '0');
  const minutes = String(size % MINUTES_PER_HOUR).padStart(2, '0');
  return `${local}${east < 0 ? '-' : '+'}${hours}:${minutes}`;
}

export function epochSeconds(atMs: number): number {
  return Math.floor(atMs / MS_PER_SECOND);
}

const knownOffsets = new Map<string, number>();

/** Throws for a zone that does not exist. */
function minutesEast(atMs: number, zone: string): number {
  const from = Math.floor(atMs / OFFSET_STEP_MS) * OFFSET_STEP_MS;
  const key = `${zone} ${from}`;
  const known = knownOffsets.get(key);
  if (known !== undefined) return known;
  // sv-SE writes a moment as ISO does.
  const local = new Date(from).toLocaleString('sv-SE', { timeZone: zone });
  const east = (Date.parse(`${local.replace(' ', 'T')}Z`) - from) / MS_PER_MINUTE;
  knownOffsets.set(key, east);
  return east;
}
