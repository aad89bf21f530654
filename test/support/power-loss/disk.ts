/**
 * A disk that can lose its power. It takes a recorded run operation by operation, knows at each point what is promised
 * to be durable, and gives what may be found there after a cut.
 *
 * The rules, as hard as a real disk with a journalling file system may be, and no harder:
 * - fsync and fdatasync of a file make its bytes and its size durable; fsync of a folder makes its names durable, and
 *   nothing else does (POSIX.1-2024, fsync; fsync(2) says the same of the entry in the folder).
 * - A sector is written whole or not at all, in 512 or in 4,096 bytes, and this also when the write began or ended
 *   inside it: SQLite calls it powersafe overwrite (sqlite.org/psow.html) and counts on it.
 * - Of what was not synced any subset of sectors may be there, in any order and each in any of the versions that it had
 *   since the last sync. A file may have any of the sizes that it had since then; where it grew and nothing was written
 *   yet, it holds zeros, or whatever was there before. It becomes shorter at once or not at all, as on every journalling
 *   file system (SQLite counts on it where it empties its log).
 * - Names that were made, moved or removed since the folder was synced may be so or not, each by itself; a move is
 *   whole or not at all.
 * - A file that is written through a shared mapping may be gone or hold anything. Only SQLite's -shm is allowed to be:
 *   it is an index that is built again, never data.
 *
 * Pure: the same operations and the same random numbers give the same disk.
 */
import type { DiskOperation } from "./record.ts";

/** 0 (inclusive) to 1 (exclusive), deterministic for a seed. */
export type Random = () => number;

/** Mulberry32, a known small generator; good enough to choose sectors. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

export type DiskImage = ReadonlyMap<string, Uint8Array>;

type Change =
  | { readonly kind: "bytes"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "size"; readonly size: number };

type NameChange =
  | { readonly kind: "made"; readonly path: string; readonly file: DiskFile }
  | { readonly kind: "removed"; readonly path: string }
  | { readonly kind: "moved"; readonly from: string; readonly to: string };

type Names = Map<string, DiskFile>;

const SECTOR_BYTES = [512, 4_096];
/** How much of what was not synced reaches the disk in one cut: from none to nearly all. */
const KEPT_SHARES = [0, 0.1, 0.5, 0.9, 0.99];
/** Of the cuts in which unwritten room holds old bytes instead of zeros. */
const STALE_SHARE = 0.25;
/** Of the cuts in which the mapped index is gone. */
const INDEX_GONE_SHARE = 0.5;
const FIRST_ROOM_BYTES = 65_536;

export class Disk {
  readonly #openings = new Map<string, DiskFile | { readonly folder: string }>();
  readonly #names: Names = new Map();
  readonly #durableNames: Names = new Map();
  #nameChanges: NameChange[] = [];

  /** With these files on it, all durable. */
  constructor(files: DiskImage = new Map()) {
    for (const [path, bytes] of files) {
      const file = new DiskFile();
      file.change({ kind: "bytes", offset: 0, bytes });
      file.settle();
      this.#names.set(path, file);
      this.#durableNames.set(path, file);
    }
  }

  /** Throws when the record is not consistent with itself. */
  apply(operation: DiskOperation): void {
    switch (operation.kind) {
      case "open":
        return this.#open(operation);
      case "close":
        this.#openings.delete(operation.opening);
        return;
      case "write":
        return this.#file(operation.opening).change({
          kind: "bytes",
          offset: operation.offset,
          bytes: operation.bytes,
        });
      case "resize":
        return this.#file(operation.opening).change({ kind: "size", size: operation.size });
      case "extend": {
        const file = this.#file(operation.opening);
        if (operation.size > file.size) file.change({ kind: "size", size: operation.size });
        return;
      }
      case "sync":
        return this.#sync(operation.opening);
      case "move":
        return this.#rename({ kind: "moved", from: operation.from, to: operation.to });
      case "link": {
        const file = this.#names.get(operation.from);
        if (file === undefined) throw new Error(`the record names ${operation.from} before it is there`);
        return this.#rename({ kind: "made", path: operation.to, file });
      }
      case "remove":
        return this.#rename({ kind: "removed", path: operation.path });
      case "map":
        this.#file(operation.opening).mapped = true;
        return;
    }
  }

  /** What a process sees now: every file as if it had been synced. Mapped files are left out. */
  visible(): DiskImage {
    const files = [...this.#names].filter(([, file]) => !file.mapped);
    return new Map(files.map(([path, file]) => [path, file.visible()]));
  }

  /** What may be found when the power goes now. Throws when a file other than SQLite's -shm is mapped for writing. */
  cut(random: Random): DiskImage {
    const how: Cut = {
      random,
      sectorBytes: pick(random, SECTOR_BYTES),
      kept: pick(random, KEPT_SHARES),
      stale: random() < STALE_SHARE,
    };
    const names = new Map(this.#durableNames);
    for (const change of this.#nameChanges) if (random() < how.kept) applyName(names, change);
    const image = new Map<string, Uint8Array>();
    // A file has one content, also under two names.
    const contents = new Map<DiskFile, Uint8Array | null>();
    for (const [path, file] of names) {
      const known = contents.get(file);
      const found = known ?? (file.mapped ? indexAfter(path, file, how) : file.after(how));
      contents.set(file, found);
      if (found !== null) image.set(path, found);
    }
    return image;
  }

  /** How many writes and sizes are not durable now; those of a mapped file never are. */
  get unsynced(): number {
    const files = [...new Set([...this.#names.values(), ...this.#durableNames.values()])];
    return files.reduce((sum, file) => sum + (file.mapped ? 0 : file.unsynced), 0);
  }

  #open({ opening, path, created, truncated }: Extract<DiskOperation, { kind: "open" }>): void {
    let file = this.#names.get(path);
    if (file === undefined && !created) return void this.#openings.set(opening, { folder: path });
    if (file === undefined) {
      file = new DiskFile();
      this.#rename({ kind: "made", path, file });
    }
    if (truncated && file.size > 0) file.change({ kind: "size", size: 0 });
    this.#openings.set(opening, file);
  }

  #rename(change: NameChange): void {
    applyName(this.#names, change);
    this.#nameChanges.push(change);
  }

  #sync(opening: string): void {
    const opened = this.#openings.get(opening);
    if (opened === undefined) throw new Error("the record syncs what was never opened");
    if (opened instanceof DiskFile) return opened.settle();
    const isHere = (change: NameChange): boolean =>
      parentOf(change.kind === "moved" ? change.to : change.path) === opened.folder;
    for (const change of this.#nameChanges) if (isHere(change)) applyName(this.#durableNames, change);
    this.#nameChanges = this.#nameChanges.filter((change) => !isHere(change));
  }

  #file(opening: string): DiskFile {
    const opened = this.#openings.get(opening);
    if (opened instanceof DiskFile) return opened;
    throw new Error("the record writes a file that it never saw opened: begin it with an empty folder");
  }
}

type Cut = {
  readonly random: Random;
  readonly sectorBytes: number;
  readonly kept: number;
  readonly stale: boolean;
};

class DiskFile {
  mapped = false;
  /** What is durable, in a buffer with room to grow; behind the durable size it holds zeros. */
  #durable: Uint8Array = new Uint8Array(FIRST_ROOM_BYTES);
  #durableSize = 0;
  #changes: Change[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get unsynced(): number {
    return this.#changes.length;
  }

  change(change: Change): void {
    const reach = change.kind === "size" ? change.size : change.offset + change.bytes.length;
    // A write that makes the file longer is two changes to the disk: the bytes and the size.
    this.#changes.push(change);
    if (change.kind === "bytes" && reach > this.#size) this.#changes.push({ kind: "size", size: reach });
    this.#size = change.kind === "size" ? reach : Math.max(this.#size, reach);
  }

  settle(): void {
    if (this.#size > this.#durable.length) {
      const larger = new Uint8Array(Math.max(this.#size, this.#durable.length * 2));
      larger.set(this.#durable);
      this.#durable = larger;
    }
    for (const change of this.#changes) applyBytes(this.#durable, 0, change);
    this.#durableSize = this.#size;
    this.#changes = [];
  }

  visible(): Uint8Array {
    const sizes = this.#changes.flatMap((change) => (change.kind === "size" ? [change.size] : []));
    const all = new Uint8Array(Math.max(this.#size, this.#durableSize, ...sizes));
    all.set(this.#durable.subarray(0, this.#durableSize));
    for (const change of this.#changes) applyBytes(all, 0, change);
    return all.subarray(0, this.#size);
  }

  after({ random, sectorBytes, kept, stale }: Cut): Uint8Array {
    const durable = this.#durable.subarray(0, this.#durableSize);
    if (this.#changes.length === 0) return durable.slice();
    const { size, changes } = this.#reached(random() < kept ? null : random);
    const sectors = Math.ceil(Math.max(size, durable.length) / sectorBytes);
    const found = new Uint8Array(sectors * sectorBytes);
    if (stale) fillWithAnything(found.subarray(durable.length), random);
    found.set(durable);
    for (const [sector, touching] of changesBySector(changes, durable.length, sectorBytes, found.length)) {
      const versions = random() < kept ? touching.length : Math.floor(random() * touching.length);
      // A file that became shorter lost what was behind its end, whatever was written there since.
      const least = touching.findLastIndex(({ kind }) => kind === "size") + 1;
      const made = Math.max(versions, least);
      if (made === 0) continue;
      const from = sector * sectorBytes;
      const piece = found.subarray(from, from + sectorBytes);
      // What lies behind the old end was zeros in memory when the sector was written.
      piece.fill(0, Math.min(sectorBytes, Math.max(0, durable.length - from)));
      for (const change of touching.slice(0, made)) applyBytes(piece, from, change);
    }
    return found.subarray(0, size);
  }

  /**
   * How far the file's sizes came, all of the way without `random`; they reach the disk in their order. What was
   * written after a file became shorter cannot be there when the shortening is not.
   */
  #reached(random: Random | null): { readonly size: number; readonly changes: readonly Change[] } {
    const at = this.#changes.flatMap(({ kind }, index) => (kind === "size" ? [index] : []));
    if (random === null || at.length === 0) return { size: this.#size, changes: this.#changes };
    const last = pick(random, [-1, ...at]);
    let size = this.#durableSize;
    for (const change of this.#changes.slice(0, last + 1)) if (change.kind === "size") size = change.size;
    let seen = size;
    for (const [index, change] of this.#changes.entries()) {
      if (index <= last || change.kind !== "size") continue;
      if (change.size < seen) return { size, changes: this.#changes.slice(0, index) };
      seen = change.size;
    }
    return { size, changes: this.#changes };
  }
}

/** The changes that touch each sector, in their order. A file that grows touches none: the room is there or not. */
function changesBySector(
  changes: readonly Change[],
  durableSize: number,
  sectorBytes: number,
  end: number,
): ReadonlyMap<number, Change[]> {
  const found = new Map<number, Change[]>();
  let size = durableSize;
  for (const change of changes) {
    const shrinks = change.kind === "size" && change.size < size;
    if (change.kind === "size") size = change.size;
    if (change.kind === "size" && !shrinks) continue;
    const from = change.kind === "size" ? change.size : change.offset;
    const to = change.kind === "size" ? end : Math.min(end, change.offset + change.bytes.length);
    for (let sector = Math.floor(from / sectorBytes); sector * sectorBytes < to; sector += 1) {
      const list = found.get(sector);
      if (list === undefined) found.set(sector, [change]);
      else list.push(change);
    }
  }
  return found;
}

/** Applies a change to the piece of a file that begins at `from`. */
function applyBytes(piece: Uint8Array, from: number, change: Change): void {
  if (change.kind === "size") {
    piece.fill(0, Math.min(piece.length, Math.max(0, change.size - from)));
    return;
  }
  const start = Math.max(from, change.offset);
  const end = Math.min(from + piece.length, change.offset + change.bytes.length);
  if (start < end) piece.set(change.bytes.subarray(start - change.offset, end - change.offset), start - from);
}

function applyName(names: Names, change: NameChange): void {
  switch (change.kind) {
    case "made":
      names.set(change.path, change.file);
      return;
    case "removed":
      names.delete(change.path);
      return;
    case "moved": {
      const file = names.get(change.from);
      if (file === undefined) return;
      names.delete(change.from);
      names.set(change.to, file);
      return;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Null: the index is gone. */
function indexAfter(path: string, file: DiskFile, { random }: Cut): Uint8Array | null {
  if (!path.endsWith("-shm"))
    throw new Error(`${path} is written through a mapping, which no sync makes durable`);
  if (random() < INDEX_GONE_SHARE) return null;
  const found = new Uint8Array(file.size);
  fillWithAnything(found, random);
  return found;
}

/** Random bytes, repeated for speed: nobody looks whether one sector resembles another. */
function fillWithAnything(bytes: Uint8Array, random: Random): void {
  const head = Math.min(bytes.length, 509);
  for (let at = 0; at < head; at += 1) bytes[at] = random() * 256;
  for (let at = head; at < bytes.length; at += head)
    bytes.copyWithin(at, 0, Math.min(head, bytes.length - at));
}
