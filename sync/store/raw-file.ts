/**
 * Every row that can be found in a journal's file and its -wal, whether or not SQLite can read them. All images of a
 * page are looked at, the one in the file and each newer one in the log, oldest first; who collects the rows decides
 * which is right.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type Overflow, PAGE_BYTES, type RawValue, readPage, searchPage } from "./raw-records.ts";
import { readWal, type Wal } from "./wal.ts";

/** Pages that are searched byte by byte because their header cannot be believed; more of them and the file is not ours. */
export const MAXIMUM_SEARCHED_PAGES = 2_000;

export type RawRow = { readonly rowid: number; readonly values: readonly RawValue[]; readonly place: Place };

/** Where a row lies, to read it again without keeping it in memory. */
export type Place = {
  /** Frame of the -wal, -1 for the file itself. */
  readonly frame: number;
  readonly page: number;
  /** Found by searching the page byte by byte. */
  readonly isSearched: boolean;
  /** The how-manieth row that is found so on that image of the page. */
  readonly index: number;
};

type Image = Pick<Place, "frame" | "page">;

const EMPTY_WAL: Wal = { bytes: Buffer.alloc(0), frames: [], changed: null };

export class RawFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #pages = 0;
  #wal = EMPTY_WAL;
  /** Frames of each page, oldest first. */
  readonly #framesOf = new Map<number, number[]>();
  /** What was read last, with its rows. */
  #last: (Omit<Place, "index"> & { readonly rows: readonly RawRow[] }) | undefined;
  /** Images whose bytes are the rest of a long row. */
  readonly #overflows = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    this.#descriptor = openSync(this.#path, "r");
    this.#pages = Math.ceil(fstatSync(this.#descriptor).size / PAGE_BYTES);
    this.#wal = readWal(this.#path);
    for (const [frame, { page }] of this.#wal.frames.entries()) {
      const frames = this.#framesOf.get(page);
      if (frames === undefined) this.#framesOf.set(page, [frame]);
      else frames.push(frame);
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** First what the pages' headers point at, then what is found by searching the pages that do not add up. */
  *rows(): Generator<RawRow> {
    const suspects: Image[] = [];
    for (const image of this.#images()) {
      const bytes = this.#bytesOf(image);
      const { isWhole } = readPage(bytes, image.page === 1, () => null);
      if (!isWhole && bytes.some((byte) => byte !== 0)) suspects.push(image);
      yield* this.#rowsOf({ ...image, isSearched: false });
    }
    const unknown = suspects.filter((image) => !this.#overflows.has(nameOf(image)));
    for (const image of unknown.slice(0, MAXIMUM_SEARCHED_PAGES))
      yield* this.#rowsOf({ ...image, isSearched: true });
  }

  /** The values of a row that `rows` gave before. */
  valuesAt(place: Place): readonly RawValue[] {
    const values = this.#rowsOf(place)[place.index]?.values;
    if (values === undefined) throw new Error("the file changed while it was read");
    return values;
  }

  *#images(): Generator<Image> {
    for (let page = 1; page <= this.#pages; page += 1) yield { frame: -1, page };
    for (const [frame, { page }] of this.#wal.frames.entries()) yield { frame, page };
  }

  #rowsOf({ frame, page, isSearched }: Omit<Place, "index">): readonly RawRow[] {
    const last = this.#last;
    if (last?.frame === frame && last.page === page && last.isSearched === isSearched) return last.rows;
    const bytes = this.#bytesOf({ frame, page });
    const overflow: Overflow = (first, length) => this.#overflow(frame, first, length);
    const cells = isSearched ? searchPage(bytes, overflow) : readPage(bytes, page === 1, overflow).cells;
    const rows: RawRow[] = [];
    for (const { rowid, values } of cells) {
      if (values === null) continue;
      rows.push({ rowid, values, place: { frame, page, isSearched, index: rows.length } });
    }
    this.#last = { frame, page, isSearched, rows };
    return rows;
  }

  #bytesOf({ frame, page }: Image): Buffer {
    const offset = this.#wal.frames[frame]?.offset;
    if (offset !== undefined) return this.#wal.bytes.subarray(offset, offset + PAGE_BYTES);
    const bytes = Buffer.alloc(PAGE_BYTES);
    if (this.#descriptor === undefined) throw new Error("the file is not open");
    readSync(this.#descriptor, bytes, 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
    return bytes;
  }

  /** The newest image of a page that a frame's transaction saw. */
  #imageFor(frame: number, page: number): Image {
    const seen = this.#wal.frames[frame]?.commit ?? -1;
    const newest = this.#framesOf.get(page)?.findLast((candidate) => candidate <= seen);
    return { frame: newest ?? -1, page };
  }

  #overflow(frame: number, first: number, length: number): Buffer | null {
    const parts: Buffer[] = [];
    let next = first;
    for (let left = length; left > 0; left -= PAGE_BYTES - 4) {
      // A page number outside the file, and above all 0, ends a broken chain.
      if (next === 0 || (next > this.#pages && !this.#framesOf.has(next))) return null;
      const image = this.#imageFor(frame, next);
      this.#overflows.add(nameOf(image));
      const bytes = this.#bytesOf(image);
      parts.push(bytes.subarray(4, 4 + Math.min(left, PAGE_BYTES - 4)));
      next = bytes.readUInt32BE(0);
    }
    return Buffer.concat(parts);
  }
}

function nameOf({ frame, page }: Image): string {
  return `${frame}:${page}`;
}
