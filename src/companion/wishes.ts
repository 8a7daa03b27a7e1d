// Wishes: what Stash asks of the plugin where its container has no Node. The launcher there puts the document of Stash into
// the companion's folder and waits; here it is read, done and answered. The protocol is told in folder.ts.

import * as fs from 'node:fs';
import { replaceFile } from '../breaker/index.ts';
import { refusal } from '../door/answer.ts';
import { type Input, MAX_INPUT_BYTES, parseInput } from '../door/input.ts';
import { type Answer, forwardOnly, type Log, silentLog, stashLogTo } from '../invocation/stash-log.ts';
import { openForAppending, readBounded } from './folder.ts';

/** Does what is wished; `log` is Stash's. */
export type Perform = (args: TaskWish['args'], log: Log) => Promise<Answer>;
type TaskWish = Extract<Input, { kind: 'task' }>;

const WISH = /^(wish-[A-Za-z0-9_-]{1,64})\.(json|taken|log|out|tmp)$/;
/** Others wait in the folder. */
const MAX_AT_ONCE = 8;
/** The launcher takes a wish back after 30 s: one that is older has lost its launcher, in ms. */
const WITHDRAWN_MS = 60_000;
/** What a killed launcher has left is removed after this, in ms. */
const LEFT_OVER_MS = 3_600_000;

export class Wishes {
  readonly #folder: string;
  readonly #perform: Perform;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<void>>();

  /** `now`: wall ms. */
  constructor(folder: string, perform: Perform, now: () => number) {
    this.#folder = folder;
    this.#perform = perform;
    this.#now = now;
  }

  /** A companion that died has left its wishes in the middle, and their launchers wait. */
  answerForDead(): void {
    for (const { id, kind } of this.#list()) {
      if (kind !== 'taken' || this.#running.has(id)) continue;
      this.#answer(id, {
        error: 'The companion ended in the middle of this: look at "Status", or run it again',
      });
    }
  }

  /** Takes up what is there; those that it took up go on beside it. */
  takeUp(): void {
    for (const { id, kind } of this.#list()) {
      if (kind !== 'json' || this.#running.size >= MAX_AT_ONCE) continue;
      if (this.#ageMs(`${id}.json`) > WITHDRAWN_MS) this.#remove(`${id}.json`);
      else if (this.#move(`${id}.json`, `${id}.taken`)) this.#begin(id);
    }
  }

  /** Those under way have come to their end, whatever that is. */
  async finished(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Answers for those that do not come to an end, with this. */
  giveUp(error: string): void {
    for (const id of this.#running.keys()) this.#answer(id, { error });
  }

  sweep(): void {
    for (const { id, name } of this.#list()) {
      if (!this.#running.has(id) && this.#ageMs(name) > LEFT_OVER_MS) this.#remove(name);
    }
  }

  #begin(id: string): void {
    const done = this.#run(id).finally(() => this.#running.delete(id));
    this.#running.set(id, done);
  }

  async #run(id: string): Promise<void> {
    const fd = openForAppending(this.#path(`${id}.log`));
    const log = fd === null ? silentLog : forwardOnly(stashLogTo(fd));
    try {
      const input = this.#read(id);
      const answer =
        input.kind === 'task' ? await this.#perform(input.args, log) : refusal(log, input.problem);
      this.#answer(id, answer);
    } catch (error) {
      this.#answer(id, refusal(log, (error as Error).message));
    } finally {
      if (fd !== null) fs.closeSync(fd);
    }
  }

  #read(id: string): Input {
    try {
      const text = readBounded(this.#path(`${id}.taken`), MAX_INPUT_BYTES);
      if (Buffer.byteLength(text) <= MAX_INPUT_BYTES) return parseInput(text);
      return { kind: 'invalid', problem: `the wish is over ${MAX_INPUT_BYTES} bytes` };
    } catch (error) {
      return { kind: 'invalid', problem: `the wish cannot be read (${codeOf(error)})` };
    }
  }

  /** Unless nobody waits for it any more, or it was answered. */
  #answer(id: string, answer: Answer): void {
    const names = new Set(this.#list().map(({ name }) => name));
    if (!names.has(`${id}.taken`) || names.has(`${id}.out`)) return;
    try {
      replaceFile(this.#path(`${id}.out`), `${JSON.stringify(answer)}\n`, 0o600);
    } catch {
      // A full disk: the launcher gives up when this companion does.
    }
  }

  #list(): { readonly id: string; readonly kind: string; readonly name: string }[] {
    let names: string[];
    try {
      names = fs.readdirSync(this.#folder);
    } catch {
      return [];
    }
    return names.flatMap((name) => {
      const [, id, kind] = WISH.exec(name) ?? [];
      return id === undefined || kind === undefined ? [] : [{ id, kind, name }];
    });
  }

  #ageMs(name: string): number {
    const mtimeMs = fs.lstatSync(this.#path(name), { throwIfNoEntry: false })?.mtimeMs;
    return mtimeMs === undefined ? 0 : this.#now() - mtimeMs;
  }

  /** False: somebody else was first. */
  #move(from: string, to: string): boolean {
    try {
      fs.renameSync(this.#path(from), this.#path(to));
      return true;
    } catch {
      return false;
    }
  }

  #remove(name: string): void {
    try {
      fs.rmSync(this.#path(name), { force: true, recursive: true });
    } catch {
      // Not ours: it costs room and no more.
    }
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'it is no plain file';
}
