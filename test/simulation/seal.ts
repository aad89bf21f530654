/**
 * How the ledger seals its answers in a world: by Ed25519 as in production where journals are kept whole, else by a
 * 64-bit keyed hash repeated to the length of a signature, because a world exchanges so many messages that signing and
 * checking them would be a quarter of its time. Either way an answer that was changed on its way is refused.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { Fault } from "../../daemon/core/fault.ts";
import {
  type DownContent,
  decodeDown,
  encodeDown,
  encodeGreeted,
  encodeSigned,
  openDown,
} from "../../sync/wire.ts";

const SIGNATURE_BYTES = 64;
/** Written before a byte string of 64 bytes (RFC 8949 section 3.1). */
const HEAD_BYTES = 2;

/** A key for worlds only: the same in every run, so that signatures are too. */
export const SIGNING_KEY: KeyObject = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 7)]),
  format: "der",
  type: "pkcs8",
});
export const LEDGER_KEYS: readonly KeyObject[] = [createPublicKey(SIGNING_KEY)];

export type Seal = {
  readonly seal: (terminal: string, content: DownContent) => Uint8Array;
  readonly open: (bytes: Uint8Array, terminal: string) => DownContent;
};

export const REAL_SEAL: Seal = {
  seal: (terminal, content) =>
    content.kind === "answer"
      ? encodeDown(terminal, content.answer, SIGNING_KEY)
      : encodeGreeted(terminal, content, SIGNING_KEY),
  open: (bytes, terminal) => openDown(bytes, terminal, LEDGER_KEYS),
};

export const CHEAP_SEAL: Seal = {
  seal: (terminal, content) => {
    const bytes = encodeSigned({ terminal, content, signature: new Uint8Array(SIGNATURE_BYTES) });
    bytes.set(hashOf(bytes), bytes.length - SIGNATURE_BYTES);
    return bytes;
  },
  open: (bytes, terminal) => {
    const message = decodeDown(bytes);
    if (message.terminal !== terminal || !sameBytes(message.signature, hashOf(bytes)))
      throw new Fault("ledger.signature", "nobody sealed this answer", { retry: "unsafe" });
    return message.content;
  },
};

/** FNV-1a in two words over everything but the signature. */
function hashOf(bytes: Uint8Array): Uint8Array {
  let a = 0x811c_9dc5;
  let b = 0x1234_5678;
  for (let at = 0; at < bytes.length - SIGNATURE_BYTES - HEAD_BYTES; at += 1) {
    a = Math.imul(a ^ (bytes[at] ?? 0), 0x0100_0193);
    b = (Math.imul(b, 0x85eb_ca6b) + a) | 0;
  }
  const hash = new Uint8Array(SIGNATURE_BYTES);
  const words = new DataView(hash.buffer);
  for (let at = 0; at < SIGNATURE_BYTES; at += 8) {
    words.setInt32(at, a);
    words.setInt32(at + 4, b);
  }
  return hash;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, at) => byte === right[at]);
}
