// A verb that stays until it is told to end: the built command as a process, with what it has printed so far.

import { type ChildProcess, spawn } from 'node:child_process';
import { BUNDLE } from './live-world.ts';

export class RunningCommand {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stdout = '';
  #stderr = '';
  readonly #waiting = new Set<() => void>();

  constructor(...words: readonly string[]) {
    this.#child = spawn(process.execPath, [BUNDLE, ...words], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (chunk) => {
      this.#stdout += String(chunk);
      this.#wake();
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#stderr += String(chunk);
    });
    this.#child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it printed, as soon as that matches. Throws when it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stdout);
      if (found !== null) return found;
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Its exit code. */
  end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#ended;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
