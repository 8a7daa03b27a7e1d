// What an operation that a person asked for comes to.

export interface TaskResult {
  /** Whether it went as wished; an honest exit code. */
  readonly isOk: boolean;
  readonly lines: readonly string[];
  readonly document: unknown;
  /** Plex was away when a drain ended. */
  readonly isAway?: boolean;
}

/** It did not go as wished: `detail` for a person, `symptom` for a program. */
export function failed(detail: string, symptom: string, problems: readonly string[] = []): TaskResult {
  return { isOk: false, lines: [detail, ...problems], document: { plex: symptom, detail, problems } };
}
