/**
 * The deny list: cards that must not be approved without the ledger, small enough to be sent to every terminal and to
 * be looked up without a network.
 *
 * A Golomb-coded set as in BIP 158: each card is hashed to a number below N * 2^20, the numbers are sorted, and their
 * differences are Golomb-Rice coded with P = 20. A card on the list is always found; another card is taken for one of
 * them in one of 2^20 cases, and is then refused only while the ledger cannot be asked. A card takes about 21.6 bits.
 *
 * BIP 158 hashes with SipHash under the block's hash. Here it is SHA-256 over the list's version and the card's hash:
 * it is native and well checked in the runtime, where SipHash would be 64-bit arithmetic by hand; nothing is secret in
 * either. The version is in the hash so that a customer whose card is taken for another's is not refused for ever: with
 * the next list it is somebody else.
 */
import { type KeyObject, hash as oneShotHash } from "node:crypto";
import { CborWriter, malformed } from "./cbor.ts";
import {
  checkSignature,
  readHead,
  readSignature,
  signatureOf,
  signedBytes,
  type WriteContent,
  writeHead,
  writeSignature,
  wrongFields,
} from "./envelope.ts";

export type DenyList = {
  /** Grows with every change; a terminal keeps the newest. */
  readonly version: number;
  /** Number of cards. */
  readonly count: number;
  /** The coded set. */
  readonly set: Uint8Array;
};

/** The list of a ledger that never denied a card. */
export const NO_CARDS: DenyList = { version: 0, count: 0, set: new Uint8Array(0) };

/** Cards of one list. Their message stays below a megabyte, which is what brokers take by default. */
export const MAX_DENIED_CARDS = 300_000;

/** Bits of the remainder; one of 2^P other cards is taken for one on the list. */
const P = 20;
const M = 2 ** P;

/** Bytes that a set of `count` cards cannot exceed: N remainders and N stop bits, and the quotients sum up below N. */
const maxSetBytes = (count: number): number => Math.ceil((count * (P + 2)) / 8);

/** Largest message that carries a deny list. */
export const MAX_DENY_MESSAGE_BYTES = maxSetBytes(MAX_DENIED_CARDS) + 512;

const HASH_BYTES = 8;

/**
 * What stands for a card in a ledger's list: the first 8 bytes of SHA-256 of its token. Two of a million cards share
 * one with a chance of 3 in 10^8.
 */
export function denyHash(token: string): Uint8Array {
  return oneShotHash("sha256", token, "buffer").subarray(0, HASH_BYTES);
}

/**
 * The list of the cards with these hashes (`denyHash`), in any order; one that comes twice counts once.
 * Throws plain Error for a hash that is not 8 bytes, a version that is no whole number and too many cards.
 */
export function buildDenyList(version: number, hashes: Iterable<Uint8Array>): DenyList {
  if (!isWhole(version)) throw new Error(`deny list version ${version}`);
  const cards = new Map<string, Uint8Array>();
  for (const hash of hashes) {
    if (hash.length !== HASH_BYTES)
      throw new Error(`a card's hash has ${HASH_BYTES} bytes, not ${hash.length}`);
    cards.set(Buffer.from(hash).toString("latin1"), hash);
  }
  const count = cards.size;
  if (count > MAX_DENIED_CARDS) throw new Error(`${count} denied cards; ${MAX_DENIED_CARDS} fit in a list`);
  const placeOf = placesOf(version, count);
  const values = new Float64Array(count);
  let index = 0;
  for (const hash of cards.values()) values[index++] = placeOf(hash);
  values.sort();
  const writer = new BitWriter(maxSetBytes(count));
  let previous = 0;
  for (const value of values) {
    writer.difference(value - previous);
    previous = value;
  }
  return { version, count, set: writer.finish() };
}

/**
 * Whether a card is on the list. Never throws, and takes time in proportion to the set, some milliseconds for a
 * hundred thousand cards. In a set that cannot be read to its end every card counts as denied: such a list can clear
 * nobody, and only sales without the ledger ask.
 */
export function isDenied(list: DenyList, token: string): boolean {
  const { version, count, set } = list;
  if (count === 0) return false;
  if (!isWhole(version) || !isWhole(count)) return true;
  const wanted = placesOf(version, count)(denyHash(token));
  const reader = new BitReader(set);
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    const difference = reader.difference();
    if (difference === null) return true;
    value += difference;
    if (value >= wanted) return value === wanted;
  }
  return false;
}

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** The retained, signed message that carries a list to one terminal. `privateKey` is the ledger's Ed25519 key. */
export function encodeDenyList(terminal: string, list: DenyList, privateKey: KeyObject): Uint8Array {
  const signed = signedBytes("saypay.denied.v1", terminal, contentOf(list, true), MAX_DENY_MESSAGE_BYTES);
  const writer = new CborWriter(list.set.length + 256, MAX_DENY_MESSAGE_BYTES);
  writeHead(writer, 6, terminal);
  contentOf(list, false)(writer);
  writeSignature(writer, signatureOf(signed, privateKey));
  return writer.finish();
}

/**
 * The list in a message, when it is for this terminal, signed by one of the pinned keys, and can be read to its end.
 * Throws Fault "ledger.signature", "wire.version" or "wire.malformed".
 */
export function openDenyList(
  bytes: Uint8Array,
  terminal: string,
  ledgerKeys: readonly KeyObject[],
): DenyList {
  const message = readHead(bytes, MAX_DENY_MESSAGE_BYTES);
  const { reader, fields } = message;
  if (fields !== 6) throw wrongFields(fields);
  const version = reader.uint("version of the list");
  const count = reader.uint("number of cards");
  if (count > MAX_DENIED_CARDS) throw malformed(`more than ${MAX_DENIED_CARDS} cards`);
  const set = Uint8Array.from(reader.bytes(maxSetBytes(count), "set"));
  const signature = readSignature(reader);
  const list = { version, count, set };
  const signed = signedBytes("saypay.denied.v1", terminal, contentOf(list, true), MAX_DENY_MESSAGE_BYTES);
  checkSignature({ terminal: message.terminal, signature }, terminal, signed, ledgerKeys);
  checkSet(list);
  return list;
}

/** [version, count, set], or the three fields without a head. */
function contentOf({ version, count, set }: DenyList, withHead: boolean): WriteContent {
  return (writer) => {
    if (withHead) writer.array(3, 3, "deny list");
    writer.uint(version, "version of the list");
    writer.uint(count, "number of cards");
    writer.bytes(set, maxSetBytes(count), "set");
  };
}

/** One list has one form: all cards are there, below the range's end, and only zeros fill the last byte. */
function checkSet({ count, set }: DenyList): void {
  const reader = new BitReader(set);
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    const difference = reader.difference();
    if (difference === null) throw malformed("the set ends before its last card");
    value += difference;
  }
  if (count > 0 && value >= count * M) throw malformed("a card is beyond the set's range");
  if (!reader.isAtEnd()) throw malformed("something follows the set's last card");
}

/** A card's number below `count` * 2^20: a 64-bit hash times the range, without the low 64 bits (BIP 158). */
function placesOf(version: number, count: number): (hash: Uint8Array) => number {
  const salted = Buffer.alloc(2 * HASH_BYTES);
  salted.writeBigUInt64BE(BigInt(version));
  const range = BigInt(count * M);
  return (hash) => {
    salted.set(hash, HASH_BYTES);
    // In one call: three times as fast as a hash object for each of a hundred thousand cards.
    const spread = oneShotHash("sha256", salted, "buffer").readBigUInt64BE();
    return Number((spread * range) >> 64n);
  };
}

/** Golomb-Rice: the quotient by 2^P as that many ones and a zero, then P bits of remainder, high bits first. */
class BitWriter {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  difference(value: number): void {
    for (let ones = Math.floor(value / M); ones > 0; ones -= 1) this.#put(1);
    this.#put(0);
    for (let shift = P - 1; shift >= 0; shift -= 1) this.#put((value >>> shift) & 1);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, Math.ceil(this.#bit / 8));
  }

  #put(bit: number): void {
    const at = this.#bit >> 3;
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (bit << (7 - (this.#bit & 7)));
    this.#bit += 1;
  }
}

/** Reads what BitWriter wrote. Every step goes forward in the bytes, so reading ends whatever they hold. */
class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length * 8;
  }

  /** Null when the bytes end within it. */
  difference(): number | null {
    let ones = 0;
    while (this.#bit < this.#end && this.#next() === 1) ones += 1;
    if (this.#bit + P > this.#end) return null;
    let remainder = 0;
    for (let left = P; left > 0; ) {
      const used = this.#bit & 7;
      const take = Math.min(8 - used, left);
      const chunk = ((this.#bytes[this.#bit >> 3] ?? 0) >> (8 - used - take)) & ((1 << take) - 1);
      remainder = (remainder << take) | chunk;
      this.#bit += take;
      left -= take;
    }
    return ones * M + remainder;
  }

  /** Nothing but zeros in what is left of the last byte. */
  isAtEnd(): boolean {
    if (this.#end - this.#bit >= 8) return false;
    while (this.#bit < this.#end) if (this.#next() === 1) return false;
    return true;
  }

  #next(): number {
    const bit = ((this.#bytes[this.#bit >> 3] ?? 0) >> (7 - (this.#bit & 7))) & 1;
    this.#bit += 1;
    return bit;
  }
}
