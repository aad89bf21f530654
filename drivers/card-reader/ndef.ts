/**
 * The NDEF file of an NTAG 424 DNA: one URI record, and the mirrored parameters in its URL.
 * Pure; any input gives a result or null, never an exception. Sources: NFC Forum NDEF 1.0 (record layout), URI RTD 1.0
 * (prefix table), Type 4 Tag 2.0 section 5.2 (NLEN).
 */

/** URI RTD 1.0, table 3. */
const URI_PREFIXES = [
  "", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:", "ftp://anonymous:anonymous@",
  "ftp://ftp.", "ftps://", "sftp://", "smb://", "nfs://", "ftp://", "dav://", "news:", "telnet://", "imap:",
  "rtsp://", "urn:", "pop:", "sip:", "sips:", "tftp:", "btspp://", "btl2cap://", "btgoep://", "tcpobex://",
  "irdaobex://", "file://", "urn:epc:id:", "urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:", "urn:nfc:",
] as const; // biome-ignore format: a table reads better in few lines

const SHORT_RECORD = 0x10;
const ID_PRESENT = 0x08;
const TYPE_NAME_MASK = 0x07;
const WELL_KNOWN = 0x01;
const CHUNKED = 0x20;
const URI_TYPE = 0x55;

export type UriRecord = {
  readonly uri: string;
  /** Where the URI's own characters (without the prefix that one code byte stands for) begin in the message. */
  readonly textOffset: number;
  readonly prefixLength: number;
};

/** The first record of an NDEF message, when it is one URI record of printable ASCII. */
export function parseUriRecord(message: Uint8Array): UriRecord | null {
  const [header, typeLength] = message;
  if (header === undefined || typeLength !== 1) return null;
  if ((header & TYPE_NAME_MASK) !== WELL_KNOWN || (header & CHUNKED) !== 0) return null;
  const isShort = (header & SHORT_RECORD) !== 0;
  const lengthBytes = isShort ? 1 : 4;
  let offset = 2 + lengthBytes;
  if (message.length < offset) return null;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const payloadLength = isShort ? view.getUint8(2) : view.getUint32(2);
  let idLength = 0;
  if ((header & ID_PRESENT) !== 0) {
    idLength = message[offset] ?? 0;
    offset += 1;
  }
  if (message[offset] !== URI_TYPE) return null;
  const payloadOffset = offset + 1 + idLength;
  const payload = message.subarray(payloadOffset, payloadOffset + payloadLength);
  const prefix = URI_PREFIXES[payload[0] ?? 0xff];
  if (payload.length !== payloadLength || prefix === undefined) return null;
  const text = payload.subarray(1);
  if (text.some((byte) => byte < 0x21 || byte > 0x7e)) return null;
  const uri = prefix + Buffer.from(text).toString("ascii");
  return { uri, textOffset: payloadOffset + 1, prefixLength: prefix.length };
}

/** Encodes one URI record (short form, up to 255 payload bytes): what a personalisation tool writes. */
export function encodeUriRecord(uri: string): Uint8Array {
  const code = URI_PREFIXES.reduce(
    (best, prefix, index) =>
      uri.startsWith(prefix) && prefix.length > (URI_PREFIXES[best] ?? "").length ? index : best,
    0,
  );
  const text = Buffer.from(uri.slice((URI_PREFIXES[code] ?? "").length), "ascii");
  if (text.length > 254)
    throw new RangeError("A short URI record holds at most 254 characters after its prefix");
  return Uint8Array.from([0xd1, 0x01, text.length + 1, URI_TYPE, code, ...text]);
}

export type SunMessage = {
  readonly piccData: Uint8Array;
  readonly mac: Uint8Array;
  /** The first byte of the MAC's digits, counted from the start of the NDEF file: SDMMACOffset. */
  readonly macOffset: number;
};

/** The names of the two parameters in the URL; AN12196 writes both `picc_data` and `e`, both `cmac` and `c`. */
const PICC_DATA_NAMES = ["picc_data", "e"];
const MAC_NAMES = ["cmac", "c"];
const NLEN_BYTES = 2;

/** Reads the mirrors out of a whole NDEF file (NLEN and message). Null when this is no SUN message. */
export function parseSunFile(file: Uint8Array): SunMessage | null {
  if (file.length < NLEN_BYTES) return null;
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint16(0);
  if (length > file.length - NLEN_BYTES) return null;
  const record = parseUriRecord(file.subarray(NLEN_BYTES, NLEN_BYTES + length));
  if (record === null) return null;
  const piccData = hexParameter(record.uri, PICC_DATA_NAMES, 32);
  const mac = hexParameter(record.uri, MAC_NAMES, 16);
  if (piccData === null || mac === null) return null;
  return {
    piccData: piccData.bytes,
    mac: mac.bytes,
    macOffset: NLEN_BYTES + record.textOffset + mac.offset - record.prefixLength,
  };
}

function hexParameter(
  uri: string,
  names: readonly string[],
  digits: number,
): { bytes: Uint8Array; offset: number } | null {
  for (const name of names) {
    const match = new RegExp(`[?&]${name}=([0-9A-Fa-f]{${digits}})(?=&|#|$)`, "u").exec(uri);
    const value = match?.[1];
    if (match === null || value === undefined) continue;
    return {
      bytes: Uint8Array.from(Buffer.from(value, "hex")),
      offset: match.index + match[0].length - digits,
    };
  }
  return null;
}
