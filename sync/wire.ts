/**
 * The messages between terminal and ledger: version 1, as CBOR arrays (see wire/cbor.ts for the subset and why).
 *
 *   up    [1, terminal, position, request, requestId]             a row of the outbox
 *         [1, terminal, [1, nonce, journalId, boots, openings, lastOutboxPosition, predecessor?]]       greeting
 *         [1, terminal, [2, nonce, afterSequence]]                                                      recall
 *   down  [1, terminal, [key, requestId, outcome], signature]     the answer to a row
 *         [1, terminal, 1, [nonce, verdict], signature]                                                 greeted
 *         [1, terminal, 2, [nonce, lastSequence, more, sales], signature]                               recalled
 *   deny  [1, terminal, version, count, set, signature]           retained, wire/deny-list.ts
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
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import type { LedgerAnswer, LedgerRequest } from "../daemon/core/clearing.ts";
import { Fault } from "../daemon/core/fault.ts";
import {
  readAnswer,
  readAuthorise,
  readRequest,
  writeAnswer,
  writeAuthorise,
  writeRequest,
} from "./wire/body.ts";
import { CborReader, CborWriter, malformed } from "./wire/cbor.ts";
import {
  checkSignature,
  readHead,
  readSignature,
  signatureOf,
  signedBytes,
  WIRE_VERSION,
  writeHead,
  writeSignature,
  wrongFields,
} from "./wire/envelope.ts";
import {
  type Greeting,
  type GreetingAnswer,
  type RecallAnswer,
  type RecallQuestion,
  readLedgerWord,
  readTerminalWord,
  writeLedgerWord,
  writeTerminalWord,
} from "./wire/greeting.ts";
import { readRelativeId, writeRelativeId } from "./wire/ids.ts";
import { MAX_ID_BYTES } from "./wire/limits.ts";

export { MAX_MESSAGE_BYTES } from "./wire/cbor.ts";
export * from "./wire/deny-list.ts";
export { WIRE_VERSION } from "./wire/envelope.ts";
export {
  type Greeting,
  type GreetingAnswer,
  RECALL_DAYS,
  RECALL_PAGE,
  type RecallAnswer,
  type RecallQuestion,
  recallPage,
} from "./wire/greeting.ts";
export * from "./wire/limits.ts";
export * from "./wire/topics.ts";

export type AuthoriseRequest = Extract<LedgerRequest, { kind: "authorise" }>;

/** One row of a terminal's outbox. */
export type RequestMessage = {
  readonly version: typeof WIRE_VERSION;
  readonly terminal: string;
  readonly kind: "request";
  /** Id of the outbox row, the same at every resend. */
  readonly requestId: string;
  /** Position of the row in the terminal's outbox: the order in which the terminal asked. */
  readonly position: number;
  readonly request: LedgerRequest;
};

/** Terminal to ledger. */
export type UpMessage =
  | RequestMessage
  | ({ readonly version: typeof WIRE_VERSION; readonly terminal: string } & (Greeting | RecallQuestion));

/** What the ledger says to a terminal on its `down` topic. */
export type DownContent =
  | { readonly kind: "answer"; readonly answer: LedgerAnswer }
  | GreetingAnswer
  | RecallAnswer;

/** Ledger to terminal. */
export type DownMessage = {
  readonly version: typeof WIRE_VERSION;
  readonly terminal: string;
  readonly content: DownContent;
  /** Ed25519 over `signedContent`. */
  readonly signature: Uint8Array;
};

/** Throws Fault "wire.malformed" when the request does not keep the limits (a text too long, a negative count). */
export function encodeUp(message: Omit<RequestMessage, "version" | "kind">): Uint8Array {
  const writer = new CborWriter();
  writeHead(writer, 5, message.terminal);
  writer.uint(message.position, "position");
  writeRequest(writer, message.request);
  writeRelativeId(writer, message.requestId, message.request.key, "request id");
  return writer.finish();
}

/** A greeting or a question for what the ledger remembers. Throws Fault "wire.malformed" as `encodeUp`. */
export function encodeGreeting(terminal: string, word: Greeting | RecallQuestion): Uint8Array {
  const writer = new CborWriter();
  writeHead(writer, 3, terminal);
  writeTerminalWord(writer, word);
  return writer.finish();
}

/** Throws Fault "wire.version" or "wire.malformed" and nothing else. */
export function decodeUp(bytes: Uint8Array): UpMessage {
  const { reader, fields, terminal } = readHead(bytes);
  if (fields === 3) {
    const word = readTerminalWord(reader);
    reader.end();
    return { version: WIRE_VERSION, terminal, ...word };
  }
  if (fields !== 5) throw wrongFields(fields);
  const position = reader.uint("position");
  const request = readRequest(reader);
  const requestId = readRelativeId(reader, request.key, "request id");
  reader.end();
  return { version: WIRE_VERSION, terminal, kind: "request", requestId, position, request };
}

/** Signs an answer for one terminal. `privateKey` is the ledger's Ed25519 key. */
export function encodeDown(terminal: string, answer: LedgerAnswer, privateKey: KeyObject): Uint8Array {
  return encodeContent(terminal, { kind: "answer", answer }, privateKey);
}

/** Signs the answer to a greeting or to a recall for one terminal. */
export function encodeGreeted(
  terminal: string,
  answer: GreetingAnswer | RecallAnswer,
  privateKey: KeyObject,
): Uint8Array {
  return encodeContent(terminal, answer, privateKey);
}

function encodeContent(terminal: string, content: DownContent, privateKey: KeyObject): Uint8Array {
  const signature = signatureOf(signedContent(terminal, content), privateKey);
  return encodeSigned({ terminal, content, signature });
}

/** The bytes of a message that is signed already. */
export function encodeSigned(message: Omit<DownMessage, "version">): Uint8Array {
  const { terminal, content, signature } = message;
  const writer = new CborWriter();
  writeHead(writer, content.kind === "answer" ? 4 : 5, terminal);
  if (content.kind !== "answer") writer.uint(LEDGER_WORDS[content.kind], "kind");
  writeContent(writer, content);
  writeSignature(writer, signature);
  return writer.finish();
}

/** Reads without checking the signature: `openDown` is what a terminal uses. Faults as `decodeUp`. */
export function decodeDown(bytes: Uint8Array): DownMessage {
  const { reader, fields, terminal } = readHead(bytes);
  if (fields !== 4 && fields !== 5) throw wrongFields(fields);
  const content: DownContent =
    fields === 4 ? { kind: "answer", answer: readAnswer(reader) } : readLedgerContent(reader);
  return { version: WIRE_VERSION, terminal, content, signature: readSignature(reader) };
}

/**
 * What the ledger says in a message, when it is for this terminal and signed by one of the pinned keys (more than one
 * while the ledger changes its key). Throws Fault "ledger.signature", "wire.version" or "wire.malformed".
 */
export function openDown(bytes: Uint8Array, terminal: string, ledgerKeys: readonly KeyObject[]): DownContent {
  const message = decodeDown(bytes);
  checkSignature(message, terminal, signedContent(terminal, message.content), ledgerKeys);
  return message.content;
}

/** What the ledger signs, each kind of message under its own purpose. */
function signedContent(terminal: string, content: DownContent): Uint8Array {
  return signedBytes(PURPOSES[content.kind], terminal, (writer) => writeContent(writer, content));
}

const PURPOSES = {
  answer: "saypay.answer.v1",
  greeted: "saypay.greeted.v1",
  recalled: "saypay.recalled.v1",
} as const satisfies Record<DownContent["kind"], string>;

/** Numbers of the ledger's other words than an answer. They never change their meaning. */
const LEDGER_WORDS = { greeted: 1, recalled: 2 } as const;

function writeContent(writer: CborWriter, content: DownContent): void {
  if (content.kind === "answer") writeAnswer(writer, content.answer);
  else writeLedgerWord(writer, content);
}

function readLedgerContent(reader: CborReader): GreetingAnswer | RecallAnswer {
  const number = reader.uint("kind");
  if (number === LEDGER_WORDS.greeted) return readLedgerWord(reader, "greeted");
  if (number === LEDGER_WORDS.recalled) return readLedgerWord(reader, "recalled");
  throw malformed(`kind ${number} is not known`);
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
