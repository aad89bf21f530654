/**
 * The part of CBOR that Saypay's messages use, in RFC 8949 section 4.2.1 deterministic form: integers in the shortest
 * head, text, byte strings and arrays of known length. Nothing else is written and nothing else is read, so one value
 * has exactly one byte form. Signatures and body hashes are made over these bytes, and they must stay the same for as
 * long as a ledger keeps its keys; a general CBOR library promises neither (cbor-x writes every bigint in nine bytes
 * and times as floating point).
 *
 * Reading follows the message's known shape and never builds a tree from what the bytes claim, so a length that lies
 * allocates nothing. Whatever does not fit is Fault "wire.malformed".
 */
import { Fault } from "../../daemon/core/fault.ts";

/** Largest message on the wire; an order of 200 lines with long names fits. */
export const MAX_MESSAGE_BYTES = 65_536;

const tooLong = (maxBytes: number): Fault => malformed(`the message is longer than ${maxBytes} bytes`);

/** Amounts are signed 64-bit, because that is what ledgers store. */
export const MAX_INT64 = 2n ** 63n - 1n;

/** RFC 8949 section 3.1: major types. */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;

export function malformed(detail: string, cause?: unknown): Fault {
  return new Fault("wire.malformed", detail, { retry: "unsafe", ...(cause === undefined ? {} : { cause }) });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to this length a loop beats a call into the runtime's converter, by a factor of two to three. */
const SHORT_TEXT = 64;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Writes one message. The buffer grows up to `maxBytes`. */
export class CborWriter {
  readonly #maxBytes: number;
  #buffer: Buffer;
  #length = 0;

  constructor(expectedBytes = 512, maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes;
    this.#buffer = Buffer.allocUnsafe(expectedBytes);
  }

  /** Non-negative safe integer. */
  uint(value: number, what: string): void {
    if (!Number.isSafeInteger(value) || value < 0)
      throw malformed(`${what} must be a whole number of 0 or more`);
    this.#head(UNSIGNED, value);
  }

  /** Signed 64-bit integer. */
  int64(value: bigint, what: string): void {
    if (value > MAX_INT64 || value < -MAX_INT64 - 1n) throw malformed(`${what} does not fit in 64 bits`);
    const major = value < 0n ? NEGATIVE : UNSIGNED;
    const magnitude = value < 0n ? -1n - value : value;
    if (magnitude <= 0xffff_ffffn) {
      this.#head(major, Number(magnitude));
      return;
    }
    this.#reserve(9);
    this.#buffer[this.#length] = (major << 5) | 27;
    this.#buffer.writeBigUInt64BE(magnitude, this.#length + 1);
    this.#length += 9;
  }

  /** UTF-8 text of at most `maxBytes`. A lone surrogate is refused: it has no UTF-8 form that reads back the same. */
  text(value: string, maxBytes: number, what: string): void {
    if (this.#shortText(value, maxBytes)) return;
    if (LONE_SURROGATE.test(value)) throw malformed(`${what} is not well-formed Unicode`);
    const size = Buffer.byteLength(value);
    if (size > maxBytes) throw malformed(`${what} is longer than ${maxBytes} bytes`);
    this.#head(TEXT, size);
    this.#reserve(size);
    this.#buffer.write(value, this.#length, "utf8");
    this.#length += size;
  }

  bytes(value: Uint8Array, maxBytes: number, what: string): void {
    if (value.length > maxBytes) throw malformed(`${what} is longer than ${maxBytes} bytes`);
    this.#head(BYTES, value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** The items follow. */
  array(length: number, maxLength: number, what: string): void {
    if (length > maxLength) throw malformed(`${what} has more than ${maxLength} entries`);
    this.#head(ARRAY, length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    if (this.#length > this.#maxBytes) throw tooLong(this.#maxBytes);
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.#length);
  }

  /** False, with nothing written, for what is long, too long or beyond the basic plane. */
  #shortText(value: string, maxBytes: number): boolean {
    const most = value.length * 3 + 2;
    if (value.length > SHORT_TEXT || this.#length + most > this.#maxBytes) return false;
    this.#reserve(most);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    let at = start;
    for (let index = 0; index < value.length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit < 0x80) {
        buffer[at++] = unit;
      } else if (unit < 0x800) {
        buffer[at++] = 0xc0 | (unit >> 6);
        buffer[at++] = 0x80 | (unit & 0x3f);
      } else if (unit >= 0xd800 && unit <= 0xdfff) {
        return false;
      } else {
        buffer[at++] = 0xe0 | (unit >> 12);
        buffer[at++] = 0x80 | ((unit >> 6) & 0x3f);
        buffer[at++] = 0x80 | (unit & 0x3f);
      }
    }
    const size = at - start;
    if (size > maxBytes) return false;
    if (size < 24) {
      buffer[start - 1] = (TEXT << 5) | size;
    } else {
      buffer.copyWithin(start + 1, start, at++);
      buffer[start - 1] = (TEXT << 5) | 24;
      buffer[start] = size;
    }
    this.#length = at;
    return true;
  }

  #head(major: number, value: number): void {
    this.#reserve(9);
    const type = major << 5;
    const at = this.#length;
    if (value < 24) {
      this.#buffer[at] = type | value;
      this.#length = at + 1;
    } else if (value <= 0xff) {
      this.#buffer[at] = type | 24;
      this.#buffer[at + 1] = value;
      this.#length = at + 2;
    } else if (value <= 0xffff) {
      this.#buffer[at] = type | 25;
      this.#buffer.writeUInt16BE(value, at + 1);
      this.#length = at + 3;
    } else if (value <= 0xffff_ffff) {
      this.#buffer[at] = type | 26;
      this.#buffer.writeUInt32BE(value, at + 1);
      this.#length = at + 5;
    } else {
      this.#buffer[at] = type | 27;
      this.#buffer.writeUInt32BE(Math.floor(value / 2 ** 32), at + 1);
      this.#buffer.writeUInt32BE(value % 2 ** 32, at + 5);
      this.#length = at + 9;
    }
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    // The slack of nine bytes lets a message end exactly at the limit although heads reserve their longest form.
    if (needed > this.#maxBytes + 9) throw tooLong(this.#maxBytes);
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Reads one message in the order in which it was written. Every method throws Fault "wire.malformed" only. */
export class CborReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array, maxBytes: number = MAX_MESSAGE_BYTES) {
    if (bytes.length > maxBytes) throw tooLong(maxBytes);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  uint(what: string): number {
    return this.#smallHead(UNSIGNED, what);
  }

  int64(what: string): bigint {
    const major = this.#peekMajor(what);
    if (major !== UNSIGNED && major !== NEGATIVE) throw malformed(`${what} is not an integer`);
    const magnitude = this.#head(major, what);
    const value = typeof magnitude === "bigint" ? magnitude : BigInt(magnitude);
    if (value > MAX_INT64) throw malformed(`${what} does not fit in 64 bits`);
    return major === NEGATIVE ? -1n - value : value;
  }

  text(maxBytes: number, what: string): string {
    const size = this.#length(TEXT, maxBytes, what);
    const start = this.#at;
    this.#at += size;
    if (size <= SHORT_TEXT) {
      const short = shortText(this.#buffer, start, size);
      if (short !== undefined) return short;
    }
    try {
      return utf8.decode(this.#buffer.subarray(start, start + size));
    } catch (error) {
      throw malformed(`${what} is not UTF-8`, error);
    }
  }

  bytes(maxBytes: number, what: string): Uint8Array {
    const size = this.#length(BYTES, maxBytes, what);
    this.#at += size;
    return Uint8Array.prototype.slice.call(this.#buffer, this.#at - size, this.#at);
  }

  /** Length of an array; its items come next. */
  array(maxLength: number, what: string): number {
    const length = this.#smallHead(ARRAY, what);
    if (length > maxLength) throw malformed(`${what} has more than ${maxLength} entries`);
    return length;
  }

  /** An array that must have this length. */
  tuple(length: number, what: string): void {
    const found = this.#smallHead(ARRAY, what);
    if (found !== length) throw malformed(`${what} has ${found} fields instead of ${length}`);
  }

  /** True when an array comes next; lets a field have a short and a long form. */
  isArray(what: string): boolean {
    return this.#peekMajor(what) === ARRAY;
  }

  /** True when a byte string comes next. */
  isBytes(what: string): boolean {
    return this.#peekMajor(what) === BYTES;
  }

  /** Nothing may follow the message. */
  end(): void {
    if (this.#at !== this.#buffer.length) throw malformed("bytes follow the message");
  }

  #length(major: number, maxBytes: number, what: string): number {
    const size = this.#smallHead(major, what);
    if (size > maxBytes) throw malformed(`${what} is longer than ${maxBytes} bytes`);
    if (size > this.#buffer.length - this.#at) throw malformed(`${what} ends too early`);
    return size;
  }

  #smallHead(major: number, what: string): number {
    const value = this.#head(major, what);
    if (typeof value === "bigint") throw malformed(`${what} is too large`);
    return value;
  }

  #peekMajor(what: string): number {
    const first = this.#buffer[this.#at];
    if (first === undefined) throw malformed(`${what} is missing`);
    return first >> 5;
  }

  /** A number where it is a safe integer, else a bigint. A head longer than needed is refused: one value, one form. */
  #head(major: number, what: string): number | bigint {
    const first = this.#buffer[this.#at];
    if (first === undefined) throw malformed(`${what} is missing`);
    if (first >> 5 !== major) throw malformed(`${what} is of another type`);
    const info = first & 0x1f;
    if (info < 24) {
      this.#at += 1;
      return info;
    }
    if (info > 27) throw malformed(`${what} has no definite length`);
    const width = 1 << (info - 24);
    const at = this.#at + 1;
    if (at + width > this.#buffer.length) throw malformed(`${what} ends too early`);
    this.#at = at + width;
    if (width === 8) return this.#wide(at, what);
    const value = this.#buffer.readUIntBE(at, width);
    const shortest = width === 1 ? 24 : width === 2 ? 0x100 : 0x1_0000;
    if (value < shortest) throw malformed(`${what} is not in its shortest form`);
    return value;
  }

  #wide(at: number, what: string): number | bigint {
    const value = this.#buffer.readUInt32BE(at) * 2 ** 32 + this.#buffer.readUInt32BE(at + 4);
    if (value <= 0xffff_ffff) throw malformed(`${what} is not in its shortest form`);
    return value <= Number.MAX_SAFE_INTEGER ? value : this.#buffer.readBigUInt64BE(at);
  }
}

/**
 * The text, or undefined when it is not of one to three well-formed bytes a character (RFC 3629 section 4): then the
 * runtime's decoder decides.
 */
function shortText(buffer: Buffer, start: number, size: number): string | undefined {
  const end = start + size;
  let text = "";
  for (let at = start; at < end; ) {
    const first = buffer[at++] ?? 0;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const length = first >= 0xe0 ? 2 : 1;
    // 0x80 to 0xbf begin no character, 0xc0 and 0xc1 only overlong ones.
    if (first < 0xc2 || first >= 0xf0 || at + length > end) return undefined;
    let unit = first & (length === 2 ? 0x0f : 0x1f);
    for (let more = 0; more < length; more += 1) {
      const next = buffer[at++] ?? 0;
      if (next >> 6 !== 0b10) return undefined;
      unit = (unit << 6) | (next & 0x3f);
    }
    if ((length === 2 && unit < 0x800) || (unit >= 0xd800 && unit <= 0xdfff)) return undefined;
    text += String.fromCharCode(unit);
  }
  return text;
}
