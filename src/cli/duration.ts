// Lengths of time as a person types them: `90s`, `30m`, `2h`, `7d`.

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In ms; throws with a message that says what is expected. */
export function parseDuration(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$/.exec(text);
  const unitMs = UNITS_MS[match?.[2] ?? ''];
  if (match === null || unitMs === undefined) {
    throw new Error(`"${text}" is not a length of time; write for instance 90s, 30m, 2h or 7d`);
  }
  return Number(match[1]) * unitMs;
}
