// Times as the page shows them: in the reader's own time zone, which the page names once.

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const LONG_DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

export function day(at: number): string {
  return DAY.format(at);
}

export function longDay(at: number): string {
  return LONG_DAY.format(at);
}

export function month(at: number): string {
  return MONTH.format(at);
}

export function clock(at: number): string {
  return CLOCK.format(at);
}

export function dayAndClock(at: number): string {
  return `${day(at)}, ${clock(at)}`;
}

export function zone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
