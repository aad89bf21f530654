/**
 * Records of an SQLite file read from the bytes of a page (sqlite.org/fileformat2.html, sections 1.6 and 2.1), for
 * files that SQLite itself cannot read any more. Nothing here is trusted: what a record says is taken when its own
 * hash proves it, so a wrong guess costs time and no more.
 */

/** Every journal is made with pages of this size and no reserved bytes; a file of another size is not opened. */
export const PAGE_BYTES = 4_096;

export type RawValue = string | number | Buffer | null;

/** Content of the overflow pages from one on, this many bytes; null when the chain is broken. */
export type Overflow = (firstPage: number, length: number) => Buffer | null;

export type RawCell = {
  /** The row's key in a table, 0 in an index. */
  readonly rowid: number;
  /** Bytes that the cell takes on its page. */
  readonly size: number;
  /** The leading values that lie on this page whole. */
  readonly local: readonly RawValue[];
  /** All values, null when the overflow chain is broken. */
  readonly values: readonly RawValue[] | null;
};

/** How the cells of a page are laid out; interior pages of a table hold no rows. */
export type CellKind = "table" | "index" | "index-interior" | "interior";

const KINDS: ReadonlyMap<number, CellKind> = new Map([
  [0x0d, "table"],
  [0x0a, "index"],
  [0x02, "index-interior"],
  [0x05, "interior"],
]);

/** A record of the journal has at most this many columns; a longer header is not one of ours. */
const MAXIMUM_COLUMNS = 12;
/** Far above any state or deny list, far below what would exhaust the memory of a small machine. */
const MAXIMUM_PAYLOAD_BYTES = 64 * 1024 * 1024;
const FILE_HEADER_BYTES = 100;
const MINIMUM_CELL_BYTES = 4;

export type PageCells = {
  readonly cells: readonly RawCell[];
  /** Every byte of the page is accounted for, so no cell can have been overlooked. */
  readonly isWhole: boolean;
};

/** The cells that a page's header points at. */
export function readPage(page: Buffer, isFirst: boolean, overflow: Overflow): PageCells {
  const start = isFirst ? FILE_HEADER_BYTES : 0;
  const kind = KINDS.get(page.readUInt8(start));
  if (kind === undefined) return { cells: [], isWhole: false };
  const isInterior = kind === "interior" || kind === "index-interior";
  const count = page.readUInt16BE(start + 3);
  const pointers = start + (isInterior ? 12 : 8);
  const cellsEnd = pointers + 2 * count;
  const contentStart = page.readUInt16BE(start + 5) || 65_536;
  if (cellsEnd > contentStart || contentStart > PAGE_BYTES) return { cells: [], isWhole: false };
  const cells: RawCell[] = [];
  let used = contentStart + page.readUInt8(start + 7) + freeBytes(page, page.readUInt16BE(start + 1));
  for (let index = 0; index < count; index += 1) {
    const cell = readCell(page, page.readUInt16BE(pointers + 2 * index), kind, overflow);
    if (cell === null) return { cells, isWhole: false };
    used += cell.size;
    cells.push(cell);
  }
  return { cells, isWhole: used === PAGE_BYTES };
}

/** Every cell that could begin anywhere on a page whose header cannot be believed. */
export function* searchPage(page: Buffer, overflow: Overflow): Generator<RawCell> {
  for (let offset = 0; offset < PAGE_BYTES - MINIMUM_CELL_BYTES; offset += 1) {
    for (const kind of ["table", "index"] as const) {
      const cell = readCell(page, offset, kind, overflow);
      if (cell !== null && cell.local.length > 0) yield cell;
    }
  }
}

export function readCell(page: Buffer, at: number, kind: CellKind, overflow: Overflow): RawCell | null {
  if (at + MINIMUM_CELL_BYTES > PAGE_BYTES) return null;
  if (kind === "interior") {
    const key = readVarint(page, at + 4);
    return key && { rowid: key.value, size: key.end - at, local: [], values: null };
  }
  const length = readVarint(page, kind === "index-interior" ? at + 4 : at);
  if (length === null || length.value > MAXIMUM_PAYLOAD_BYTES) return null;
  const key = kind === "table" ? readVarint(page, length.end) : { value: 0, end: length.end };
  if (key === null) return null;
  const held = localBytes(length.value, kind);
  const end = key.end + held;
  const isSpilled = held < length.value;
  if (end + (isSpilled ? 4 : 0) > PAGE_BYTES) return null;
  const types = readTypes(page.subarray(key.end, end));
  if (types === null) return null;
  const here = page.subarray(key.end, end);
  const local = readValues(here, types);
  const size = Math.max(MINIMUM_CELL_BYTES, end + (isSpilled ? 4 : 0) - at);
  if (!isSpilled) {
    const values = local.length === types.columns.length ? local : null;
    return { rowid: key.value, size, local, values };
  }
  const rest = overflow(page.readUInt32BE(end), length.value - held);
  const values = rest && readValues(Buffer.concat([here, rest]), types);
  return { rowid: key.value, size, local, values };
}

/** How much of a payload lies on the page itself, section 1.6. */
function localBytes(payload: number, kind: CellKind): number {
  const usable = PAGE_BYTES;
  const maximum = kind === "table" ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (payload <= maximum) return payload;
  const minimum = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = minimum + ((payload - minimum) % (usable - 4));
  return wanted <= maximum ? wanted : minimum;
}

/** Bytes in the list of free blocks; wrong when the list is damaged, and then the page does not add up. */
function freeBytes(page: Buffer, first: number): number {
  let total = 0;
  let at = first;
  while (at > 0 && at + 4 <= PAGE_BYTES && total < PAGE_BYTES) {
    total += page.readUInt16BE(at + 2);
    at = page.readUInt16BE(at);
  }
  return total;
}

type Types = { readonly columns: readonly number[]; readonly bodyAt: number };

/** The serial types at the front of a record, null when this is no record of a journal. */
function readTypes(payload: Buffer): Types | null {
  const header = readVarint(payload, 0);
  if (header === null || header.value > payload.length) return null;
  const columns: number[] = [];
  let at = header.end;
  while (at < header.value) {
    const type = readVarint(payload, at);
    if (type === null || columns.length === MAXIMUM_COLUMNS) return null;
    columns.push(type.value);
    at = type.end;
  }
  return at === header.value ? { columns, bodyAt: at } : null;
}

/** As many of the values as these bytes hold. */
function readValues(payload: Buffer, { columns, bodyAt }: Types): readonly RawValue[] {
  const values: RawValue[] = [];
  let at = bodyAt;
  for (const type of columns) {
    const end = at + sizeOf(type);
    if (end > payload.length) break;
    values.push(readValue(payload.subarray(at, end), type));
    at = end;
  }
  return values;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function sizeOf(type: number): number {
  return type < 12 ? (INTEGER_BYTES[type] ?? 0) : (type - 12) >> 1;
}

function readValue(bytes: Buffer, type: number): RawValue {
  if (type >= 12) return type % 2 === 1 ? bytes.toString("utf8") : Buffer.from(bytes);
  if (type === 8 || type === 9) return type - 8;
  // A journal holds no floating point.
  if (bytes.length === 0 || type === 7) return null;
  return bytes.length === 8 ? Number(bytes.readBigInt64BE(0)) : bytes.readIntBE(0, bytes.length);
}

/** SQLite's variable-length integer: seven bits a byte, the ninth byte whole. */
function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return null;
    if (index === 8) return { value: value * 256 + byte, end: at + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return null;
}
