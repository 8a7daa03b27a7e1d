// A disk behind a page cache. What is written is seen by all at once and is on the disk only after a sync of the file;
// a name is there for good only after a sync of its folder. A power loss keeps of the rest what the dice say: some
// writes whole, some in part, some not, in any order. A sync that fails drops what it should have written: it stays in
// the cache, and no later sync writes it.

import type { Dice } from './dice.ts';

const SECTOR_BYTES = 512;

export class Inode {
  /** As processes see it. */
  cache: Buffer = Buffer.alloc(0);
  size = 0;
  #durable: Buffer = Buffer.alloc(0);
  #durableSize = 0;
  /** Written and not yet on the disk, in the order of the writes. */
  #dirty: { readonly from: number; readonly to: number }[] = [];
  /** Failed syncs; each open descriptor is told of each once. */
  failures = 0;

  get isDirty(): boolean {
    return this.#dirty.length > 0;
  }

  get bytes(): Buffer {
    return this.cache.subarray(0, this.size);
  }

  append(bytes: Uint8Array): void {
    const from = this.size;
    this.cache = grown(this.cache, from + bytes.length);
    this.cache.set(bytes, from);
    this.size += bytes.length;
    if (bytes.length > 0) this.#dirty.push({ from, to: this.size });
  }

  sync(): void {
    for (const { from, to } of this.#dirty) this.#persist(from, to);
    this.#dirty = [];
  }

  failSync(isDropped: boolean): void {
    this.failures += 1;
    if (isDropped) this.#dirty = [];
  }

  /** What is there after the power came back. */
  losePower(dice: Dice): void {
    for (const { from, to } of this.#dirty) {
      switch (dice.weighted({ lost: 3, whole: 3, cut: 2, sectors: 2 })) {
        case 'lost':
          break;
        case 'whole':
          this.#persist(from, to);
          break;
        case 'cut':
          this.#persist(from, dice.between(from, to));
          break;
        case 'sectors':
          for (let at = from; at < to; at += SECTOR_BYTES - (at % SECTOR_BYTES)) {
            if (dice.chance(0.5)) this.#persist(at, Math.min(to, at + SECTOR_BYTES - (at % SECTOR_BYTES)));
          }
      }
    }
    this.#dirty = [];
    this.cache = Buffer.from(this.#durable.subarray(0, this.#durableSize));
    this.size = this.#durableSize;
  }

  /** A hole before `from` reads as zeros. */
  #persist(from: number, to: number): void {
    if (to <= from) return;
    this.#durable = grown(this.#durable, to);
    this.cache.copy(this.#durable, from, from, to);
    this.#durableSize = Math.max(this.#durableSize, to);
  }
}

type Naming = { readonly path: string } & (
  | { readonly kind: 'link'; readonly node: Inode | 'folder' }
  /** Both names change or none. */
  | { readonly kind: 'rename'; readonly node: Inode | 'folder'; readonly from: string }
  | { readonly kind: 'unlink' }
);

export class Disk {
  readonly #names = new Map<string, Inode | 'folder'>();
  readonly #durableNames = new Map<string, Inode | 'folder'>();
  /** Not yet on the disk, by folder. */
  readonly #namings = new Map<string, Naming[]>();

  constructor(root: string) {
    this.#names.set(root, 'folder');
    this.#durableNames.set(root, 'folder');
  }

  find(path: string): Inode | 'folder' | undefined {
    return this.#names.get(path);
  }

  file(path: string): Inode | undefined {
    const found = this.#names.get(path);
    return found === 'folder' ? undefined : found;
  }

  list(folder: string): string[] {
    const prefix = `${folder}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  files(): [string, Inode][] {
    return [...this.#names].filter((entry): entry is [string, Inode] => entry[1] !== 'folder');
  }

  link(path: string, node: Inode | 'folder'): void {
    this.#names.set(path, node);
    this.#name({ path, kind: 'link', node });
  }

  unlink(path: string): void {
    this.#names.delete(path);
    this.#name({ path, kind: 'unlink' });
  }

  rename(from: string, to: string): void {
    const node = this.#names.get(from);
    if (node === undefined) throw new Error(`${from} is not there`);
    this.#names.delete(from);
    this.#names.set(to, node);
    this.#name({ path: to, kind: 'rename', node, from });
  }

  syncFolder(folder: string): void {
    for (const naming of this.#namings.get(folder) ?? []) this.#settle(naming);
    this.#namings.delete(folder);
  }

  losePower(dice: Dice): void {
    for (const namings of this.#namings.values()) {
      for (const naming of namings.slice(0, dice.between(0, namings.length))) this.#settle(naming);
    }
    this.#namings.clear();
    this.#names.clear();
    for (const [path, node] of this.#durableNames) {
      if (!this.#isReachable(path)) this.#durableNames.delete(path);
      else this.#names.set(path, node);
    }
    for (const node of new Set(this.#names.values())) if (node !== 'folder') node.losePower(dice);
  }

  #isReachable(path: string): boolean {
    const folder = folderOf(path);
    return folder === '' || (this.#durableNames.has(folder) && this.#isReachable(folder));
  }

  #name(naming: Naming): void {
    const folder = folderOf(naming.path);
    this.#namings.set(folder, [...(this.#namings.get(folder) ?? []), naming]);
  }

  #settle(naming: Naming): void {
    switch (naming.kind) {
      case 'link':
        this.#durableNames.set(naming.path, naming.node);
        return;
      case 'rename':
        this.#durableNames.set(naming.path, naming.node);
        this.#durableNames.delete(naming.from);
        return;
      case 'unlink':
        this.#durableNames.delete(naming.path);
    }
  }
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function grown(buffer: Buffer, size: number): Buffer {
  if (size <= buffer.length) return buffer;
  const larger = Buffer.alloc(Math.max(size, buffer.length * 2, 4096));
  buffer.copy(larger);
  return larger;
}
