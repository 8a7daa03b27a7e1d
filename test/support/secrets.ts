// Looking for secrets in whatever a run leaves behind, in the forms in which they would pass unnoticed: as they are, in
// base64 at each of its three offsets, in hexadecimal, percent-encoded, and in UTF-16.

export interface Secret {
  readonly name: string;
  readonly value: string;
}

/** `name (form)` of each secret that is in the text. */
export function secretsIn(text: string, secrets: readonly Secret[]): string[] {
  return secrets.flatMap(({ name, value }) =>
    formsOf(value)
      .filter(([, spelt]) => text.includes(spelt))
      .map(([form]) => `${name} (${form})`),
  );
}

function formsOf(value: string): [string, string][] {
  const bytes = Buffer.from(value);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [
    ['as it is', value],
    ['in an address', encodeURIComponent(value)],
    ['percent', percent],
    ['PERCENT', percent.toUpperCase()],
    ['hex', bytes.toString('hex')],
    ['UTF-16', Buffer.from(value, 'utf16le').toString('latin1')],
    ...[0, 1, 2].flatMap((offset) => base64Core(bytes, offset)),
  ];
}

/** The part of its base64 that does not depend on what stands around it. */
function base64Core(bytes: Buffer, offset: number): [string, string][] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  return (['base64', 'base64url'] as const).map((form) => {
    const whole = padded.toString(form).replace(/=+$/, '');
    const from = offset === 0 ? 0 : offset + 1;
    const to = padded.length % 3 === 0 ? whole.length : whole.length - 1;
    return [`${form} +${offset}`, whole.slice(from, to)];
  });
}
