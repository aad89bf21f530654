/**
 * Command APDUs (ISO/IEC 7816-4) that read the NDEF file of an NFC Forum Type 4 tag, and the status words they answer.
 * Pure. Sources: ISO/IEC 7816-4 sections 5 and 7, NFC Forum Type 4 Tag specification 2.0 section 5, data sheet
 * NT4H2421Gx section 10.9.
 */
import { NDEF_APPLICATION } from "./ntag424.ts";

/** Identifier and size of the NDEF file of an NTAG 424 DNA (data sheet 8.2.3). */
export const NDEF_FILE = 0xe104;
export const NDEF_FILE_BYTES = 256;
/** Short APDUs answer at most 256 data bytes and a two-byte status word. */
export const MAX_RESPONSE_BYTES = 258;

/** SELECT by DF name, first occurrence, with Le. */
export function selectNdefApplication(): Uint8Array {
  return Uint8Array.from([0x00, 0xa4, 0x04, 0x00, NDEF_APPLICATION.length, ...NDEF_APPLICATION, 0x00]);
}

/** SELECT an elementary file by its identifier, no answer data wanted. */
export function selectFile(identifier: number): Uint8Array {
  return Uint8Array.from([0x00, 0xa4, 0x00, 0x0c, 0x02, identifier >> 8, identifier & 0xff]);
}

/** READ BINARY of the selected file. Offset 0 to 7FFFh, length 1 to 256 bytes. */
export function readBinary(offset: number, length: number): Uint8Array {
  if (offset < 0 || offset > 0x7fff || length < 1 || length > 256) {
    throw new RangeError(`READ BINARY cannot read ${length} bytes at ${offset}`);
  }
  return Uint8Array.from([0x00, 0xb0, offset >> 8, offset & 0xff, length & 0xff]);
}

export type Response = { readonly data: Uint8Array; readonly status: number };

/** Null when the answer is too short to carry a status word. */
export function parseResponse(bytes: Uint8Array): Response | null {
  const [first, second] = bytes.subarray(-2);
  if (first === undefined || second === undefined) return null;
  return { data: bytes.subarray(0, -2), status: (first << 8) | second };
}

export const SUCCESS = 0x9000;
const STATUS_WORDS: Readonly<Record<number, string>> = {
  25217: "part of the answer may be corrupted",
  25218: "end of file reached before Le bytes were read",
  25985: "memory failure",
  26368: "wrong length",
  27010: "security status not satisfied",
  27013: "conditions of use not satisfied",
  27014: "no file is selected",
  27266: "file or application not found",
  27270: "incorrect parameters P1 P2",
  27271: "Lc does not fit P1 P2",
  27904: "instruction not supported",
  28160: "class not supported",
  36864: "success",
};

/** For logs: "6A82 (file or application not found)". */
export function describeStatus(status: number): string {
  const digits = status.toString(16).toUpperCase().padStart(4, "0");
  return `${digits} (${STATUS_WORDS[status] ?? "unknown status word"})`;
}
