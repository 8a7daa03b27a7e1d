// The simulator's own clockwork: every pending timer is known, so that closing leaves none behind.
export class Timers {
  readonly #pending = new Map<NodeJS.Timeout, () => void>();
  #isStopped = false;

  /** Runs `work` after `delayMs`; the returned function calls it off. After `stop` nothing runs any more. */
  after(delayMs: number, work: () => void): () => void {
    if (this.#isStopped) return () => {};
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      work();
    }, delayMs);
    this.#pending.set(timer, () => {});
    return () => this.#cancel(timer);
  }

  /** Resolves after `delayMs`, or when the timers are stopped. */
  pause(delayMs: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending.delete(timer);
        resolve();
      }, delayMs);
      this.#pending.set(timer, resolve);
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const [timer, release] of this.#pending) {
      clearTimeout(timer);
      release();
    }
    this.#pending.clear();
  }

  #cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#pending.delete(timer);
  }
}
