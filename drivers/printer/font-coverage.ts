/**
 * Which characters a TrueType or OpenType font file has glyphs for: reads the `cmap` table, formats 4 and 12
 * (OpenType 1.9, "cmap - Character to Glyph Index Mapping Table"). Drawing programs replace a missing glyph with an
 * empty box without a word; a receipt needs to know beforehand.
 */

/** Code point ranges, both ends included. */
type Range = readonly [first: number, last: number];

/** Tables, encodings and groups beyond these counts are a damaged file. */
const MAX_TABLES = 256;
const MAX_GROUPS = 70_000;

/** A test for code points. Throws a RangeError when the file is not a readable font. */
export function fontCoverage(file: Buffer): (codePoint: number) => boolean {
  const cmap = findTable(file, "cmap");
  const ranges = readBestSubtable(file, cmap);
  return (codePoint) => {
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle];
      if (range === undefined) return false;
      if (codePoint < range[0]) high = middle - 1;
      else if (codePoint > range[1]) low = middle + 1;
      else return true;
    }
    return false;
  };
}

/** Offset of a table; of a collection (.ttc) the first font counts. */
function findTable(file: Buffer, tag: string): number {
  const start = file.toString("latin1", 0, 4) === "ttcf" ? file.readUInt32BE(12) : 0;
  const count = Math.min(file.readUInt16BE(start + 4), MAX_TABLES);
  for (let index = 0; index < count; index += 1) {
    const record = start + 12 + index * 16;
    if (file.toString("latin1", record, record + 4) === tag) return file.readUInt32BE(record + 8);
  }
  throw new RangeError(`the font has no ${tag} table`);
}

function readBestSubtable(file: Buffer, cmap: number): readonly Range[] {
  const count = Math.min(file.readUInt16BE(cmap + 2), MAX_TABLES);
  let format4: number | undefined;
  for (let index = 0; index < count; index += 1) {
    const record = cmap + 4 + index * 8;
    const subtable = cmap + file.readUInt32BE(record + 4);
    const platform = file.readUInt16BE(record);
    if (platform !== 0 && platform !== 3) continue;
    const format = file.readUInt16BE(subtable);
    if (format === 12) return readFormat12(file, subtable);
    if (format === 4) format4 = subtable;
  }
  if (format4 === undefined) throw new RangeError("the font has no Unicode character map");
  return readFormat4(file, format4);
}

function readFormat12(file: Buffer, at: number): readonly Range[] {
  const groups = Math.min(file.readUInt32BE(at + 12), MAX_GROUPS);
  return Array.from({ length: groups }, (_, index): Range => {
    const group = at + 16 + index * 12;
    return [file.readUInt32BE(group), file.readUInt32BE(group + 4)];
  });
}

/** Segments may contain holes: a code point whose glyph index is 0 is missing. */
function readFormat4(file: Buffer, at: number): readonly Range[] {
  const segments = file.readUInt16BE(at + 6) / 2;
  const ends = at + 14;
  const starts = ends + segments * 2 + 2;
  const deltas = starts + segments * 2;
  const offsets = deltas + segments * 2;
  const ranges: Range[] = [];
  for (let index = 0; index < segments; index += 1) {
    const first = file.readUInt16BE(starts + index * 2);
    const last = file.readUInt16BE(ends + index * 2);
    const offsetAt = offsets + index * 2;
    const offset = file.readUInt16BE(offsetAt);
    if (offset === 0) {
      ranges.push([first, last]);
      continue;
    }
    for (let code = first; code <= last && code !== 0xffff; code += 1) {
      const glyph = file.readUInt16BE(offsetAt + offset + (code - first) * 2);
      if (glyph === 0) continue;
      const open = ranges.at(-1);
      if (open !== undefined && open[1] === code - 1) ranges[ranges.length - 1] = [open[0], code];
      else ranges.push([code, code]);
    }
  }
  return ranges;
}
