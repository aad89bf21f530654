/**
 * SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4), read without SQLite.
 *
 * SQLite believes the log up to the first frame whose checksum is wrong and forgets the rest, which is right after a
 * power cut: what was not synced may be torn. It is wrong when a bit was flipped in what was synced: then sales would
 * vanish in silence. The two are told apart by a transaction that comes after the bad frame and says of itself that it
 * waited for the disk (seal.synced) and was followed by another: everything before it was on disk. A flip in the
 * last transaction, and a log that was cut short, look like a power cut; the ledger, which has seen more, says so when
 * it is greeted.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { damaged, HASH_BYTES } from "./chain.ts";
import { PAGE_BYTES, readCell } from "./raw-records.ts";

const FILE_HEADER_BYTES = 100;
/** No reserved bytes, and the payload fractions that the format prescribes. */
const HEADER_FRACTIONS = Buffer.from([0, 64, 32, 32]);

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
/** Little-endian checksums; with the lowest bit set they are big-endian. */
const MAGIC = 0x37_7f_06_82;

/** A row of `seal`: how many columns, which are hashes, and which says that its transaction waited for the disk. */
const SEAL_COLUMNS = 9;
const HASH_COLUMNS = [4, 6, 8];
const SYNCED_COLUMN = 1;

export type Wal = {
  readonly bytes: Buffer;
  /** Frames that were committed, oldest first; those after a power cut's torn end are left out. */
  readonly frames: readonly WalFrame[];
  /** The first frame that was changed after it was synced, null when none was. */
  readonly changed: number | null;
};

export type WalFrame = {
  readonly page: number;
  /** Where the page's content begins. */
  readonly offset: number;
  /** Number of the frame that commits this one's transaction. */
  readonly commit: number;
};

type Sum = readonly [number, number];

export function hasWal(path: string): boolean {
  return existsSync(`${path}-wal`);
}

/**
 * What SQLite would not notice, looked at before it opens the file: it takes an empty file for a new one and removes
 * the log, and it forgets what comes after a changed frame. Throws Fault "journal.damaged".
 */
export function checkBeside(path: string): void {
  const { bytes, changed } = readWal(path);
  const isEmpty = statSync(path).size === 0;
  if (isEmpty && bytes.length > 0) throw damaged(path, "it is empty, but its -wal is not");
  // A power cut while SQLite made the file leaves its rollback journal, by which the opening takes the first page back.
  const isHalfMade = existsSync(`${path}-journal`);
  if (!isEmpty && !isHalfMade && !isOurs(headerOf(path)))
    throw damaged(path, "this is no SQLite file of ours");
  if (changed !== null) throw damaged(path, `its -wal was changed in frame ${changed + 1}`);
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header;
}

/** What never changes in the header (section 1.3). SQLite takes some of it for a file that it may only read. */
function isOurs(header: Buffer): boolean {
  const isWritable = [18, 19].every((at) => header[at] === 1 || header[at] === 2);
  return (
    header.toString("latin1", 0, 16) === "SQLite format 3\0" &&
    header.readUInt16BE(16) === PAGE_BYTES &&
    isWritable &&
    header.subarray(20, 24).equals(HEADER_FRACTIONS)
  );
}

/** A log that is absent or empty has no frames. */
export function readWal(path: string): Wal {
  const bytes =
    hasWal(path) && statSync(`${path}-wal`).isFile() ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
  const count = Math.max(0, Math.floor((bytes.length - HEADER_BYTES) / FRAME_BYTES));
  if (count === 0) return { bytes, frames: [], changed: null };
  const isBigEndian = (bytes.readUInt32BE(0) & 1) === 1;
  const start = sumOf(bytes, 0, HEADER_BYTES - 8, [0, 0], isBigEndian);
  const isHeaderGood = bytes.readUInt32BE(0) >>> 1 === MAGIC >>> 1 && isSum(bytes, HEADER_BYTES - 8, start);
  // The salts of this round of the log; a damaged header leaves the word to its frames.
  const salts = isHeaderGood ? bytes.subarray(16, 24) : saltsOf(bytes, Math.min(1, count - 1));
  const good = judge(bytes, count, salts, isBigEndian);
  const firstBad = isHeaderGood ? [...good, false].indexOf(false) : 0;
  const believed = lastCommit(bytes, firstBad);
  const vouched = lastSynced(bytes, good, firstBad);
  const end = Math.max(believed, vouched);
  return { bytes, frames: framesUpTo(bytes, end), changed: vouched > believed ? firstBad : null };
}

/** Which frames of this round carry a right checksum, counted on from the one that is written before them. */
function judge(bytes: Buffer, count: number, salts: Buffer, isBigEndian: boolean): readonly boolean[] {
  const good: boolean[] = [];
  let before: Sum = readSum(bytes, HEADER_BYTES - 8);
  for (let frame = 0; frame < count; frame += 1) {
    const at = HEADER_BYTES + frame * FRAME_BYTES;
    const head = sumOf(bytes, at, 8, before, isBigEndian);
    const sum = sumOf(bytes, at + FRAME_HEADER_BYTES, PAGE_BYTES, head, isBigEndian);
    good.push(saltsOf(bytes, frame).equals(salts) && isSum(bytes, at + 16, sum));
    before = readSum(bytes, at + 16);
  }
  return good;
}

/** The last of the frames before `end` that commits a transaction, -1 when none does. */
function lastCommit(bytes: Buffer, end: number): number {
  for (let frame = end - 1; frame >= 0; frame -= 1) if (isCommit(bytes, frame)) return frame;
  return -1;
}

/**
 * The last commit after a bad frame that was on disk for certain, -1 when there is none: a transaction that is whole,
 * says that it waited for the disk, and is followed by another, which its writer began when the waiting was over.
 */
function lastSynced(bytes: Buffer, good: readonly boolean[], from: number): number {
  let last = -1;
  let isWhole = false;
  let waited = false;
  for (let frame = from; frame < good.length; frame += 1) {
    if (good[frame] === false) {
      isWhole = false;
      waited = false;
      continue;
    }
    waited ||= isWhole && isSyncedSeal(pageOf(bytes, frame));
    if (!isCommit(bytes, frame)) continue;
    if (waited && good[frame + 1] === true) last = frame;
    isWhole = true;
    waited = false;
  }
  return last;
}

/** A page that holds the seal, written by a transaction that waited for the disk. */
function isSyncedSeal(page: Buffer): boolean {
  if (page[0] !== 0x0d || page.readUInt16BE(3) !== 1) return false;
  const values = readCell(page, page.readUInt16BE(8), "table", () => null)?.local;
  const isSeal = HASH_COLUMNS.every((column) => {
    const value = values?.[column];
    return Buffer.isBuffer(value) && value.length === HASH_BYTES;
  });
  return isSeal && values?.length === SEAL_COLUMNS && values[SYNCED_COLUMN] === 1;
}

function framesUpTo(bytes: Buffer, end: number): readonly WalFrame[] {
  const frames: WalFrame[] = [];
  let commit = end;
  for (let frame = end; frame >= 0; frame -= 1) {
    if (isCommit(bytes, frame)) commit = frame;
    frames.push({
      page: bytes.readUInt32BE(pageOffset(frame) - FRAME_HEADER_BYTES),
      offset: pageOffset(frame),
      commit,
    });
  }
  return frames.reverse();
}

function pageOf(bytes: Buffer, frame: number): Buffer {
  return bytes.subarray(pageOffset(frame), pageOffset(frame) + PAGE_BYTES);
}

function pageOffset(frame: number): number {
  return HEADER_BYTES + frame * FRAME_BYTES + FRAME_HEADER_BYTES;
}

/** A commit frame says how many pages the file has after it. */
function isCommit(bytes: Buffer, frame: number): boolean {
  return bytes.readUInt32BE(pageOffset(frame) - FRAME_HEADER_BYTES + 4) > 0;
}

function saltsOf(bytes: Buffer, frame: number): Buffer {
  const at = pageOffset(frame) - FRAME_HEADER_BYTES + 8;
  return bytes.subarray(at, at + 8);
}

function readSum(bytes: Buffer, at: number): Sum {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function isSum(bytes: Buffer, at: number, [first, second]: Sum): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}

/** The log's checksum, section 4.2 of the format. */
function sumOf(bytes: Buffer, at: number, length: number, [first, second]: Sum, isBigEndian: boolean): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let s0 = first;
  let s1 = second;
  for (let offset = at; offset < at + length; offset += 8) {
    s0 = (s0 + view.getUint32(offset, !isBigEndian) + s1) >>> 0;
    s1 = (s1 + view.getUint32(offset + 4, !isBigEndian) + s0) >>> 0;
  }
  return [s0, s1];
}
