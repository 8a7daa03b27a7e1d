// Where Stash is and how to be let in: from the document that Stash gives a plugin, or from a person's shell.
// Holds secrets: it is handed on by environment only, and is never printed or written.

export interface StashConnection {
  /** `http://127.0.0.1:9999` */
  readonly origin: string;
  readonly credential:
    | { readonly kind: 'none' }
    | { readonly kind: 'cookie'; readonly name: string; readonly value: string }
    | { readonly kind: 'apiKey'; readonly value: string };
}

export function headersOf(connection: StashConnection): Record<string, string> {
  const { credential } = connection;
  switch (credential.kind) {
    case 'none':
      return {};
    case 'cookie':
      return { cookie: `${credential.name}=${credential.value}` };
    case 'apiKey':
      return { ApiKey: credential.value };
  }
}

/** What must not be seen; empty when there is none. */
export function secretOf({ credential }: StashConnection): string {
  return credential.kind === 'none' ? '' : credential.value;
}
