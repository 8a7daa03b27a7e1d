// The lock around each append to a folder on a network file system (network.ts): an empty file that is handed on by being
// renamed, for of several who rename the same name one succeeds, there as well.
//
//   take    append-lock.7.free → append-lock.8.held
//   give    append-lock.8.held → append-lock.8.free
//   break   append-lock.8.held → append-lock.9.held, by who saw the same name at BREAK_AFTER_LOOKS looks in a row
//   make    append-lock, a mark that stays; then append-lock.0.free, by who made the mark
//
// What holds:
// - No number comes twice, so who acts on what he saw too long ago finds nothing to rename: of several who break a lock
//   one has it, and a holder whose lock was broken gives nothing back. No clock is read or compared.
// - Of several who make the same mark one succeeds, and he alone makes the file. Where none was seen for as long as it
//   takes to break one, who made the mark died just then, or was a person, or somebody took the file away: then it takes
//   another mark to make it, `append-lock.anew.1`, and so on. Without one a second `append-lock.0.free` could be made while
//   the first is held, and whoever saw the first would take the second.
// - A holder that was killed or lost its power costs the next one 5 s.
// - Nobody waits for longer than MAX_LOOKS looks. Then, or when the lock itself fails, he appends without it.
//
// What does not: who appends without it, and who stood still for 5 s while he held or made it and then goes on, may write
// where another does. Then it is as it is without any lock, for that one append: a record may be overwritten, also one that
// was acknowledged, and what is left of it is a damaged line. The same goes for mounts that show a folder as it was seconds
// ago (sshfs without dir_cache=no, NFS with nocto), or do not rename in one step (most that stand for an object store).

import { type Disk, failureOf } from './disk.ts';
import { LOCK_MARK } from './network.ts';

const NAME = /^append-lock\.(\d+)\.(free|held)$/;

/** Between two looks, in ms. What a look itself takes comes on top. */
const LOOK_EVERY_MS = 20;
/** 5 s: a holder needs milliseconds. */
export const BREAK_AFTER_LOOKS = 250;
/** 8 s: one lock to break, and some others to wait for. */
export const MAX_LOOKS = 400;

export class AppendLock {
  readonly #disk: Disk;
  #isAsked = false;
  #held: number | null = null;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Whether it is to be given back: it was asked for, and maybe given. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Waits for it, and no longer than is said above; once, until it is given back. */
  async take(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    await ifItWorks(async () => {
      this.#held = await this.#wait();
    });
  }

  async giveBack(): Promise<void> {
    const held = this.#held;
    this.#isAsked = false;
    this.#held = null;
    if (held !== null) await ifItWorks(() => this.#disk.move(nameOf(held, 'held'), nameOf(held, 'free')));
  }

  /** The number under which it is ours; null: it was not to be had. */
  async #wait(): Promise<number | null> {
    let seen: string | null = null;
    let unchanged = 0;
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const names = await this.#disk.list();
      const newest = newestIn(names);
      const name = newest?.name ?? nextMark(names);
      unchanged = name === seen ? unchanged + 1 : 0;
      seen = name;
      const isLeft = unchanged >= BREAK_AFTER_LOOKS;
      if (newest === null) {
        const mayMake = name === LOCK_MARK || isLeft;
        if (mayMake && (await this.#disk.make(name))) await this.#disk.make(nameOf(0, 'free'));
      } else if (newest.isFree || isLeft) {
        const next = newest.number + 1;
        if (await this.#disk.move(name, nameOf(next, 'held'))) return next;
      }
      await this.#disk.pause(LOOK_EVERY_MS);
    }
    return null;
  }
}

/** A lock that fails keeps nobody from appending, and what was appended is safe whatever becomes of the lock. */
async function ifItWorks(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failureOf(error);
  }
}

/** There is one, unless somebody copied files. */
function newestIn(names: readonly string[]) {
  let newest: { readonly name: string; readonly number: number; readonly isFree: boolean } | null = null;
  for (const name of names) {
    const [, digits, state] = NAME.exec(name) ?? [];
    const number = Number(digits ?? -1);
    if (number > (newest?.number ?? -1)) newest = { name, number, isFree: state === 'free' };
  }
  return newest;
}

/** The first that was not made yet. */
function nextMark(names: readonly string[]): string {
  let mark = LOCK_MARK;
  for (let n = 1; names.includes(mark); n++) mark = `${LOCK_MARK}.anew.${n}`;
  return mark;
}

function nameOf(number: number, state: 'free' | 'held'): string {
  return `${LOCK_MARK}.${number}.${state}`;
}
