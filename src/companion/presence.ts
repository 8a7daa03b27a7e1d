// Which companion looks after a data folder: the one whose line is in `alive`. It is written anew every second, so that the
// launcher, Docker's health check and another companion see that it lives. Nothing depends on there being only one: what
// it does goes by the drain lease, and a wish is taken by a rename. Two would only do the same work twice.

import * as fs from 'node:fs';
import { replaceFile } from '../breaker/index.ts';
import { rest } from '../invocation/rest.ts';
import type { World } from '../invocation/world.ts';
import { companionFolder, readBounded, writeAgain } from './folder.ts';

export interface Companion {
  readonly pid: number;
  /** Of Breakwater, and of Node. */
  readonly version: string;
  readonly node: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Its name in the journal. */
  readonly inv: string;
}

/** One that was not written for so long is nobody's, in ms: the launcher and the health check go by this. */
const ALIVE_MS = 60_000;
/** The same for who can watch it meanwhile, in ms. */
const SILENT_MS = 4_000;
const LOOK_EVERY_MS = 250;
const MAX_BYTES = 4_096;

type Waiting = Pick<World, 'sleep' | 'ending' | 'writer' | 'log'>;

export class Presence {
  readonly #path: string;
  readonly #line: string;

  constructor(folder: string, self: Companion) {
    this.#path = `${folder}/alive`;
    this.#line = `${JSON.stringify(self)}\n`;
  }

  /** Waits until there is no other, and says so where that takes long. False: it was told to end meanwhile. */
  async begin(world: Waiting): Promise<boolean> {
    const now = () => world.writer.now();
    let seen = stampOf(this.#path);
    let changedAt = now().mono;
    for (let isSaid = false; !world.ending?.aborted; await rest(world, LOOK_EVERY_MS)) {
      const stamp = stampOf(this.#path);
      const isOther = stamp !== seen && stamp !== null;
      if (stamp !== seen) changedAt = now().mono;
      seen = stamp;
      if (stamp === null || now().at - stamp > ALIVE_MS || now().mono - changedAt > SILENT_MS) {
        replaceFile(this.#path, this.#line, 0o600);
        return true;
      }
      if (isOther && !isSaid) {
        const who = nameOf(this.#read());
        world.log.line('warning', `Another companion looks after this folder (${who}): this one waits.`);
        isSaid = true;
      }
    }
    return false;
  }

  /** False: another has taken over. */
  goOn(): boolean {
    const line = this.#read();
    try {
      if (line === this.#line) writeAgain(this.#path, line);
      else if (line === null) replaceFile(this.#path, this.#line, 0o600);
    } catch {
      // A full disk: until that passes it counts as silent.
    }
    return line === this.#line || line === null;
  }

  end(): void {
    if (this.#read() === this.#line) fs.rmSync(this.#path, { force: true });
  }

  #read(): string | null {
    return lineOf(this.#path);
  }
}

export type Seen =
  | { readonly kind: 'alive'; readonly who: string }
  | { readonly kind: 'silent'; readonly sinceMs: number }
  | { readonly kind: 'none' };

/** `now`: wall ms. */
export function companionSeen(data: string, now: number): Seen {
  const path = `${companionFolder(data)}/alive`;
  const stamp = stampOf(path);
  if (stamp === null) return { kind: 'none' };
  return now - stamp > ALIVE_MS
    ? { kind: 'silent', sinceMs: now - stamp }
    : { kind: 'alive', who: nameOf(lineOf(path)) };
}

/** When it was written, wall ms; null: it is not there. */
function stampOf(path: string): number | null {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** Null: there is none that can be read. */
function lineOf(path: string): string | null {
  try {
    return readBounded(path, MAX_BYTES);
  } catch {
    return null;
  }
}

function nameOf(line: string | null): string {
  try {
    const { pid, version, startedAt } = JSON.parse(line ?? '') as Record<string, unknown>;
    return `pid ${Number(pid)}, Breakwater ${String(version).slice(0, 20)}, since ${String(startedAt).slice(0, 30)}`;
  } catch {
    return 'it does not say who it is';
  }
}
