// How Stash writes a moment: Go's RFC 3339 in the server's own zone, whole seconds. The `updated_at`
// filter compares these strings as they are, so the zone is part of the behaviour (facts, section 3).

const MS_PER_SECOND = 1000;
const MINUTES_PER_HOUR = 60;

/** Milliseconds, cut to the second as the database keeps them. */
export function wholeSecond(atMs: number): number {
  return Math.floor(atMs / MS_PER_SECOND) * MS_PER_SECOND;
}

export function rfc3339(atMs: number): string {
  const minutesEast = -new Date(atMs).getTimezoneOffset();
  const local = new Date(atMs + minutesEast * 60_000).toISOString().slice(0, 19);
  if (minutesEast === 0) return `${local}Z`;
  const size = Math.abs(minutesEast);
  const hours = String(Math.floor(size / MINUTES_PER_HOUR)).padStart(2, '0');
  const minutes = String(size % MINUTES_PER_HOUR).padStart(2, '0');
  return `${local}${minutesEast < 0 ? '-' : '+'}${hours}:${minutes}`;
}

export function epochSeconds(atMs: number): number {
  return Math.floor(atMs / MS_PER_SECOND);
}
