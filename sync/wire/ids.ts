/**
 * Ids on the wire. A sale's id is a random UUID, the charge's key is the sale's id and a suffix, the request's id is
 * the key and a suffix (daemon/core/event.ts, payment.ts). Written plainly they would be a third of an ordinary
 * message; so a lower-case UUID goes as its 16 bytes, and an id that continues another goes as its suffix.
 *
 *   id        bytes(16) | [bytes(16), suffix] | text           UUID, UUID and more, anything else
 *   relative  [suffix] | id                                    continues the base, or does not
 *
 * The shortest form that applies is the only one that is read.
 */
import { type CborReader, type CborWriter, malformed } from "./cbor.ts";
import { MAX_ID_BYTES } from "./limits.ts";

const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** "00" to "ff". */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function writeId(writer: CborWriter, value: string, what: string): void {
  if (!UUID.test(value)) {
    writer.text(value, MAX_ID_BYTES, what);
    return;
  }
  const suffix = value.slice(UUID_LENGTH);
  if (suffix !== "") writer.array(2, 2, what);
  writer.bytes(uuidBytes(value), 16, what);
  if (suffix !== "") writer.text(suffix, MAX_ID_BYTES - UUID_LENGTH, what);
}

export function readId(reader: CborReader, what: string): string {
  return reader.isArray(what) ? readPair(reader, reader.array(2, what), what) : readPlain(reader, what);
}

export function writeRelativeId(writer: CborWriter, value: string, base: string, what: string): void {
  if (!continues(value, base)) {
    writeId(writer, value, what);
    return;
  }
  if (Buffer.byteLength(value) > MAX_ID_BYTES)
    throw malformed(`${what} is longer than ${MAX_ID_BYTES} bytes`);
  writer.array(1, 1, what);
  writer.text(value.slice(base.length), MAX_ID_BYTES, what);
}

export function readRelativeId(reader: CborReader, base: string, what: string): string {
  const fields = reader.isArray(what) ? reader.array(2, what) : null;
  if (fields === 1) {
    const value = base + reader.text(MAX_ID_BYTES, what);
    if (base === "" || Buffer.byteLength(value) > MAX_ID_BYTES) throw malformed(`${what} continues nothing`);
    return value;
  }
  const value = fields === null ? readPlain(reader, what) : readPair(reader, fields, what);
  if (continues(value, base)) throw malformed(`${what} is not in its shortest form`);
  return value;
}

function continues(value: string, base: string): boolean {
  return base !== "" && value.startsWith(base);
}

function readPair(reader: CborReader, fields: number, what: string): string {
  if (fields !== 2) throw malformed(`${what} has ${fields} parts`);
  const uuid = readUuid(reader, what);
  const suffix = reader.text(MAX_ID_BYTES - UUID_LENGTH, what);
  if (suffix === "") throw malformed(`${what} is not in its shortest form`);
  return uuid + suffix;
}

function readPlain(reader: CborReader, what: string): string {
  if (reader.isBytes(what)) return readUuid(reader, what);
  const text = reader.text(MAX_ID_BYTES, what);
  if (UUID.test(text)) throw malformed(`${what} is not in its shortest form`);
  return text;
}

function readUuid(reader: CborReader, what: string): string {
  const bytes = reader.bytes(16, what);
  if (bytes.length !== 16) throw malformed(`${what} is no UUID`);
  let text = "";
  for (const [index, byte] of bytes.entries()) {
    text += index === 4 || index === 6 || index === 8 || index === 10 ? `-${HEX[byte]}` : HEX[byte];
  }
  return text;
}

/** The 16 bytes of a text that begins with a UUID. */
function uuidBytes(value: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let at = 0;
  for (let index = 0; index < UUID_LENGTH; index += 1) {
    const digit = hexDigit(value.charCodeAt(index));
    if (digit === HYPHEN) continue;
    bytes[at >> 1] = ((bytes[at >> 1] ?? 0) << 4) | digit;
    at += 1;
  }
  return bytes;
}

const HYPHEN = 0x2d - 0x30;

/** Value of a lower-case hexadecimal digit; the hyphen lands below zero. */
function hexDigit(code: number): number {
  return code > 0x39 ? code - 0x61 + 10 : code - 0x30;
}
