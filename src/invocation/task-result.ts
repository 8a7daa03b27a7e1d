// What an operation that a person asked for comes to.

export interface TaskResult {
  /** Whether it went as wished; an honest exit code. */
  readonly isOk: boolean;
  readonly lines: readonly string[];
  readonly document: unknown;
  /** What is for a file or for another program, as it is; the command line prints or writes it in place of the lines. */
  readonly file?: OutputFile;
}

export interface OutputFile {
  readonly text: string;
  /** Permissions. */
  readonly mode: number;
}

/** It did not go as wished: `detail` for a person, `symptom` for a program. */
export function failed(detail: string, symptom: string, problems: readonly string[] = []): TaskResult {
  return { isOk: false, lines: [detail, ...problems], document: { symptom, detail, problems } };
}
