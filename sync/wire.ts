/**
 * The messages between terminal and ledger: version 1, as CBOR arrays (see wire/cbor.ts for the subset and why).
 *
 *   up    [1, terminal, position, request, requestId]
 *   down  [1, terminal, [key, requestId, outcome], signature]
 *
 * request  [1, saleId, key, sequence, [minor, currency], vat, [token, masked, counter], mode, timeMs, lines]  authorise
 *          [2, saleId, key]                                                                               query
 *          [3, saleId, key, reason]                                                                       reverse
 *          [4, saleId, key]                                                                               honour
 *          [5, saleId, key, [minor, currency], timeMs]                                                    refund
 * outcome  [1, authorisation, gateway, [minor, currency]]  approved     [2, reason, gateway]  declined
 *          [3] pending   [4] reversed   [5] not-found   [6, reason] refused
 *          [7, [minor, currency], total, gateway]  refunded     [8, reason]  refund-refused
 *
 * Ids have a short form for what continues another id (wire/ids.ts). The VAT, the line amounts and the total are a bare
 * integer when they are in the currency of the amount before them, else [minor, currency].
 * Assumptions: the first field is the version, and a receiver answers in the version in which it was asked; numbers in
 * the tables below never change their meaning, new ones are added; a reader that meets one it does not know refuses the
 * message, so that a new word never turns into a wrong one.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { LedgerAnswer, LedgerRequest } from "../daemon/core/clearing.ts";
import { Fault } from "../daemon/core/fault.ts";
import {
  readAnswer,
  readAuthorise,
  readRequest,
  writeAnswer,
  writeAuthorise,
  writeRefunded,
  writeRequest,
} from "./wire/body.ts";
import { CborReader, CborWriter, malformed } from "./wire/cbor.ts";
import { readRelativeId, writeRelativeId } from "./wire/ids.ts";
import { MAX_ID_BYTES } from "./wire/limits.ts";
import { isTerminalId } from "./wire/topics.ts";

export { MAX_MESSAGE_BYTES } from "./wire/cbor.ts";
export * from "./wire/limits.ts";
export * from "./wire/topics.ts";

export const WIRE_VERSION = 1;

/** RFC 8032 section 5.1.6: an Ed25519 signature. */
const SIGNATURE_BYTES = 64;

export type AuthoriseRequest = Extract<LedgerRequest, { kind: "authorise" }>;
export type RefundRequest = Extract<LedgerRequest, { kind: "refund" }>;

/** Terminal to ledger. */
export type UpMessage = {
  readonly version: typeof WIRE_VERSION;
  readonly terminal: string;
  /** Id of the outbox row, the same at every resend. */
  readonly requestId: string;
  /** Position of the row in the terminal's outbox: the order in which the terminal asked. */
  readonly position: number;
  readonly request: LedgerRequest;
};

/** Ledger to terminal. */
export type DownMessage = {
  readonly version: typeof WIRE_VERSION;
  readonly terminal: string;
  readonly answer: LedgerAnswer;
  /** Ed25519 over `signedBytes`. */
  readonly signature: Uint8Array;
};

/** Throws Fault "wire.malformed" when the request does not keep the limits (a text too long, a negative count). */
export function encodeUp(message: Omit<UpMessage, "version">): Uint8Array {
  const writer = new CborWriter();
  writer.array(5, 5, "message");
  writer.uint(WIRE_VERSION, "version");
  writeTerminal(writer, message.terminal);
  writer.uint(message.position, "position");
  writeRequest(writer, message.request);
  writeRelativeId(writer, message.requestId, message.request.key, "request id");
  return writer.finish();
}

/** Throws Fault "wire.version" or "wire.malformed" and nothing else. */
export function decodeUp(bytes: Uint8Array): UpMessage {
  const reader = open(bytes, 5);
  const terminal = readTerminal(reader);
  const position = reader.uint("position");
  const request = readRequest(reader);
  const requestId = readRelativeId(reader, request.key, "request id");
  reader.end();
  return { version: WIRE_VERSION, terminal, requestId, position, request };
}

/** Signs an answer for one terminal. `privateKey` is the ledger's Ed25519 key. */
export function encodeDown(terminal: string, answer: LedgerAnswer, privateKey: KeyObject): Uint8Array {
  const signature = sign(null, signedBytes(terminal, answer), privateKey);
  return encodeSigned({ terminal, answer, signature });
}

/** The bytes of an answer that is signed already. */
export function encodeSigned(message: Omit<DownMessage, "version">): Uint8Array {
  const writer = new CborWriter();
  writer.array(4, 4, "message");
  writer.uint(WIRE_VERSION, "version");
  writeTerminal(writer, message.terminal);
  writeAnswer(writer, message.answer);
  writer.bytes(message.signature, SIGNATURE_BYTES, "signature");
  return writer.finish();
}

/** Reads without checking the signature: `openDown` is what a terminal uses. Faults as `decodeUp`. */
export function decodeDown(bytes: Uint8Array): DownMessage {
  const reader = open(bytes, 4);
  const terminal = readTerminal(reader);
  const answer = readAnswer(reader);
  const signature = reader.bytes(SIGNATURE_BYTES, "signature");
  reader.end();
  if (signature.length !== SIGNATURE_BYTES) throw malformed("the signature is too short");
  return { version: WIRE_VERSION, terminal, answer, signature };
}

/**
 * The answer in a message, when it is for this terminal and signed by one of the pinned keys (more than one while the
 * ledger changes its key). Throws Fault "ledger.signature", "wire.version" or "wire.malformed".
 */
export function openDown(
  bytes: Uint8Array,
  terminal: string,
  ledgerKeys: readonly KeyObject[],
): LedgerAnswer {
  const message = decodeDown(bytes);
  if (message.terminal !== terminal) {
    throw new Fault("ledger.signature", `the answer is for terminal ${message.terminal}`, {
      retry: "unsafe",
    });
  }
  const signed = signedBytes(terminal, message.answer);
  if (!ledgerKeys.some((key) => verify(null, signed, key, message.signature))) {
    throw new Fault("ledger.signature", "no pinned ledger key made this signature", { retry: "unsafe" });
  }
  return message.answer;
}

/**
 * What the ledger signs: ["saypay.answer.v1", terminal, answer]. The first text keeps a signature from being taken for
 * one of another purpose, the terminal keeps an answer from being replayed to another terminal.
 */
export function signedBytes(terminal: string, answer: LedgerAnswer): Uint8Array {
  const writer = new CborWriter();
  writer.array(3, 3, "signed answer");
  writer.text("saypay.answer.v1", MAX_ID_BYTES, "purpose");
  writer.text(terminal, MAX_ID_BYTES, "terminal");
  writeAnswer(writer, answer);
  return writer.finish();
}

/**
 * SHA-256 of ["saypay.authorise.v1", request]: what a ledger keeps beside (terminal, key) and compares when the key
 * comes again. Hashed is the whole authorise request: key, sale, sequence, amount, VAT, card (token, masked digits,
 * counter), mode, lines and time. Not hashed are the terminal, the request id and the outbox position, which belong to
 * the sending. Mode and time are in the hash because a resend sends the journalled row again, unchanged: another mode
 * or time under the same key is another request.
 */
export function bodyHash(request: AuthoriseRequest): Uint8Array {
  return createHash("sha256").update(bodyBytes(request)).digest();
}

/**
 * SHA-256 of ["saypay.refund.v1", saleId, key, [minor, currency]]: what a ledger keeps beside a refund's key and
 * compares when the key comes again. The time is not hashed, because only another sale or amount makes another refund
 * (daemon/core/clearing.ts); the purpose keeps the hash from ever equalling an authorisation's.
 */
export function refundHash(request: Pick<RefundRequest, "saleId" | "key" | "amount">): Uint8Array {
  const writer = new CborWriter();
  writer.array(4, 4, "body");
  writer.text("saypay.refund.v1", MAX_ID_BYTES, "purpose");
  writeRefunded(writer, request);
  return createHash("sha256").update(writer.finish()).digest();
}

/** The bytes that `bodyHash` hashes; `bodyFromBytes` reads them, so a ledger may store them as evidence. */
export function bodyBytes(request: AuthoriseRequest): Uint8Array {
  const writer = new CborWriter();
  writer.array(2, 2, "body");
  writer.text("saypay.authorise.v1", MAX_ID_BYTES, "purpose");
  writeAuthorise(writer, request);
  return writer.finish();
}

/** Reads what `bodyBytes` wrote. Throws Fault "wire.malformed". */
export function bodyFromBytes(bytes: Uint8Array): AuthoriseRequest {
  const reader = new CborReader(bytes);
  reader.tuple(2, "body");
  if (reader.text(MAX_ID_BYTES, "purpose") !== "saypay.authorise.v1")
    throw malformed("not an authorise body");
  const request = readAuthorise(reader);
  reader.end();
  return request;
}

/**
 * The ledger's public keys from PEM (SPKI): one, or two after each other while the ledger changes its key.
 * Throws Fault "settings.invalid" for anything that is not Ed25519.
 */
export function readLedgerKeys(pem: string): readonly KeyObject[] {
  const blocks = pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [pem];
  return blocks.map((block) => ed25519(() => createPublicKey(block), "public"));
}

/** The ledger's private key from PEM (PKCS 8). Throws Fault "settings.invalid" for anything that is not Ed25519. */
export function readLedgerPrivateKey(pem: string): KeyObject {
  return ed25519(() => createPrivateKey(pem), "private");
}

function ed25519(read: () => KeyObject, which: "public" | "private"): KeyObject {
  const advice = `the ledger's ${which} key must be an Ed25519 key in PEM form (openssl genpkey -algorithm ed25519)`;
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new Fault("settings.invalid", advice, { cause });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new Fault("settings.invalid", advice);
  return key;
}

/** Checks the version before anything else, because another version may have another shape. */
function open(bytes: Uint8Array, fields: number): CborReader {
  const reader = new CborReader(bytes);
  const found = reader.array(23, "message");
  const version = reader.uint("version");
  if (version !== WIRE_VERSION) {
    throw new Fault(
      "wire.version",
      `the message has version ${version}, this program speaks ${WIRE_VERSION}`,
      { retry: "unsafe" },
    );
  }
  if (found !== fields) throw malformed(`message has ${found} fields instead of ${fields}`);
  return reader;
}

function writeTerminal(writer: CborWriter, terminal: string): void {
  if (!isTerminalId(terminal)) throw malformed("the terminal id has characters that are not allowed");
  writer.text(terminal, MAX_ID_BYTES, "terminal");
}

function readTerminal(reader: CborReader): string {
  const terminal = reader.text(MAX_ID_BYTES, "terminal");
  if (!isTerminalId(terminal)) throw malformed("the terminal id has characters that are not allowed");
  return terminal;
}
