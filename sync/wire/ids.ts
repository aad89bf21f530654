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

export function writeId(writer: CborWriter, value: string, what: string): void {
  if (!UUID.test(value)) {
    writer.text(value, MAX_ID_BYTES, what);
    return;
  }
  const suffix = value.slice(UUID_LENGTH);
  if (suffix !== "") writer.array(2, 2, what);
  writer.bytes(Buffer.from(value.slice(0, UUID_LENGTH).replaceAll("-", ""), "hex"), 16, what);
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
  const fields = reader.isArray(what) ? reader.array(2, what) : 0;
  if (fields === 1) {
    const value = base + reader.text(MAX_ID_BYTES, what);
    if (base === "" || Buffer.byteLength(value) > MAX_ID_BYTES) throw malformed(`${what} continues nothing`);
    return value;
  }
  const value = fields === 0 ? readPlain(reader, what) : readPair(reader, fields, what);
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
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
