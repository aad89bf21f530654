/**
 * What every message has around its content: the version, the terminal and, from the ledger, a signature.
 *
 * The ledger signs [purpose, terminal, content] with Ed25519 (RFC 8032). The purpose keeps a signature from being taken
 * for one of another kind of message, the terminal keeps a message from being replayed to another terminal.
 */
import { type KeyObject, sign, verify } from "node:crypto";
import { Fault } from "../../daemon/core/fault.ts";
import { CborReader, CborWriter, MAX_MESSAGE_BYTES, malformed } from "./cbor.ts";
import { MAX_ID_BYTES } from "./limits.ts";
import { isTerminalId } from "./topics.ts";

export const WIRE_VERSION = 1;

/** RFC 8032 section 5.1.6: an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

export type Purpose = "saypay.answer.v1" | "saypay.greeted.v1" | "saypay.recalled.v1" | "saypay.denied.v1";

/** Writes one content. */
export type WriteContent = (writer: CborWriter) => void;

/** Begins a message of `fields` fields, the version and the terminal among them. */
export function writeHead(writer: CborWriter, fields: number, terminal: string): void {
  writer.array(fields, fields, "message");
  writer.uint(WIRE_VERSION, "version");
  if (!isTerminalId(terminal)) throw malformed("the terminal id has characters that are not allowed");
  writer.text(terminal, MAX_ID_BYTES, "terminal");
}

/** A message whose version and terminal were read, and how many fields it has, those two among them. */
export type OpenedMessage = {
  readonly reader: CborReader;
  readonly fields: number;
  readonly terminal: string;
};

/**
 * Checks the version before anything else, because another version may have another shape.
 * Throws Fault "wire.version" or "wire.malformed".
 */
export function readHead(bytes: Uint8Array, maxBytes: number = MAX_MESSAGE_BYTES): OpenedMessage {
  const reader = new CborReader(bytes, maxBytes);
  const fields = reader.array(23, "message");
  const version = reader.uint("version");
  if (version !== WIRE_VERSION) {
    throw new Fault(
      "wire.version",
      `the message has version ${version}, this program speaks ${WIRE_VERSION}`,
      { retry: "unsafe" },
    );
  }
  const terminal = reader.text(MAX_ID_BYTES, "terminal");
  if (!isTerminalId(terminal)) throw malformed("the terminal id has characters that are not allowed");
  return { reader, fields, terminal };
}

export function wrongFields(fields: number): Fault {
  return malformed(`a message of ${fields} fields is not known`);
}

export function writeSignature(writer: CborWriter, signature: Uint8Array): void {
  writer.bytes(signature, SIGNATURE_BYTES, "signature");
}

/** The signature is the last field. */
export function readSignature(reader: CborReader): Uint8Array {
  const signature = reader.bytes(SIGNATURE_BYTES, "signature");
  reader.end();
  if (signature.length !== SIGNATURE_BYTES) throw malformed("the signature is too short");
  return signature;
}

/** What the ledger signs: [purpose, terminal, content]. */
export function signedBytes(
  purpose: Purpose,
  terminal: string,
  write: WriteContent,
  maxBytes: number = MAX_MESSAGE_BYTES,
): Uint8Array {
  const writer = new CborWriter(512, maxBytes);
  writer.array(3, 3, "signed content");
  writer.text(purpose, MAX_ID_BYTES, "purpose");
  writer.text(terminal, MAX_ID_BYTES, "terminal");
  write(writer);
  return writer.finish();
}

export function signatureOf(signed: Uint8Array, privateKey: KeyObject): Uint8Array {
  return sign(null, signed, privateKey);
}

/** Throws Fault "ledger.signature" unless the message is for this terminal and one of the keys signed it. */
export function checkSignature(
  message: { readonly terminal: string; readonly signature: Uint8Array },
  terminal: string,
  signed: Uint8Array,
  ledgerKeys: readonly KeyObject[],
): void {
  if (message.terminal !== terminal) {
    throw new Fault("ledger.signature", `the message is for terminal ${message.terminal}`, {
      retry: "unsafe",
    });
  }
  if (!ledgerKeys.some((key) => verify(null, signed, key, message.signature))) {
    throw new Fault("ledger.signature", "no pinned ledger key made this signature", { retry: "unsafe" });
  }
}
