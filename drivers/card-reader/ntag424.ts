/**
 * NTAG 424 DNA secure unique NFC messages (SUN, in the data sheet "secure dynamic messaging", SDM), AES mode only.
 * Pure: bytes in, bytes out. Sources: NXP data sheet NT4H2421Gx rev. 3.0, section 9.3; application note AN12196
 * section 3 (Secure Dynamic Messaging, with its worked numbers) and AN10922 section 2.2 (AES-128 key diversification).
 *
 * Assumes the PICC data carries UID and read counter (PICCDataTag C7h) and both masters are AES-128 keys. The LRP mode
 * of the chip is not supported: its PICC data is 24 bytes long and is refused by length.
 */
import { createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { cmac } from "@noble/ciphers/aes.js";
import { type AesKey, type CardUid, Secret, type TokenKey } from "./secret.ts";

export const AES_KEY_BYTES = 16;
export const UID_BYTES = 7;
export const PICC_DATA_BYTES = 16;
export const MAC_BYTES = 8;
/** SDMReadCtr has 24 bits (data sheet, 9.3.1). */
export const COUNTER_LIMIT = 0xff_ffff;
/** ISO DF name of the NDEF application; part of the diversification input. */
export const NDEF_APPLICATION = Uint8Array.from([0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01]);

/** UID mirrored, counter mirrored, 7-byte UID (data sheet, table 21). */
const PICC_DATA_TAG = 0xc7;
const SV2_PREFIX = Uint8Array.from([0x3c, 0xc3, 0x00, 0x01, 0x00, 0x80]);
const DIVERSIFICATION_CONSTANT = 0x01;
/** Below this the note pads to two blocks, which a standard CMAC does not; we always stay above. */
const DIVERSIFICATION_MIN_BYTES = 16;
const DIVERSIFICATION_MAX_BYTES = 31;
const TOKEN_BYTES = 20;

export type PiccData = { readonly uid: CardUid; readonly counter: number };

/**
 * Decrypts the mirrored PICC data (data sheet 9.3.4.1: AES-CBC, zero IV, no padding; counter LSB first).
 * Null when the plain text is not PICC data, which means that the card was written under another key.
 */
export function decryptPiccData(encrypted: Uint8Array, metaReadKey: AesKey): PiccData | null {
  if (encrypted.length !== PICC_DATA_BYTES) return null;
  const decipher = createDecipheriv("aes-128-cbc", metaReadKey.reveal(), new Uint8Array(16));
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(encrypted), decipher.final()]);
  if (plain[0] !== PICC_DATA_TAG) return null;
  const uid: CardUid = new Secret(plain.subarray(1, 1 + UID_BYTES));
  return { uid, counter: plain.readUIntLE(1 + UID_BYTES, 3) };
}

/** SDM session key for the MAC: CMAC(SDMFileReadKey, SV2), SV2 = 3CC3 0001 0080 || UID || SDMReadCtr (9.3.9.1). */
export function sessionMacKey(fileReadKey: AesKey, data: PiccData): AesKey {
  const counter = Uint8Array.from([data.counter, data.counter >> 8, data.counter >> 16]);
  const sv2 = Buffer.concat([SV2_PREFIX, data.uid.reveal(), counter]);
  return new Secret(cmac(sv2, fileReadKey.reveal()));
}

/** SDMMAC: the bytes at odd places (counting from 0) of CMAC(session key, input) (9.3.8, 9.1.3 MACt). 8 bytes. */
export function sdmMac(fileReadKey: AesKey, data: PiccData, input: Uint8Array): Uint8Array {
  const full = cmac(input, sessionMacKey(fileReadKey, data).reveal());
  return full.filter((_, index) => index % 2 === 1);
}

/** Compares in constant time, so that the time of an answer tells a forger nothing. */
export function verifySdmMac(
  fileReadKey: AesKey,
  data: PiccData,
  input: Uint8Array,
  mac: Uint8Array,
): boolean {
  return mac.length === MAC_BYTES && timingSafeEqual(sdmMac(fileReadKey, data, input), mac);
}

/**
 * AN10922: CMAC(master, 01h || M). M is 16 to 31 bytes, where the note's padding to two blocks and that of RFC 4493
 * are the same.
 */
export function diversifyKey(master: AesKey, input: Uint8Array): AesKey {
  if (input.length < DIVERSIFICATION_MIN_BYTES || input.length > DIVERSIFICATION_MAX_BYTES) {
    throw new RangeError(`Diversification input must have 16 to 31 bytes, not ${input.length}`);
  }
  return new Secret(cmac(Uint8Array.from([DIVERSIFICATION_CONSTANT, ...input]), master.reveal()));
}

/** The file-read key of one card: M = UID || ISO DF name || system identifier (2 to 17 bytes). */
export function cardFileReadKey(master: AesKey, uid: CardUid, systemIdentifier: Uint8Array): AesKey {
  return diversifyKey(master, Buffer.concat([uid.reveal(), NDEF_APPLICATION, systemIdentifier]));
}

/** One key for one purpose: the token key is derived (HKDF-SHA-256, RFC 5869), so it never meets AES. */
export function deriveTokenKey(fileReadMaster: AesKey): TokenKey {
  const info = "saypay card token, version 1";
  return new Secret(new Uint8Array(hkdfSync("sha256", fileReadMaster.reveal(), new Uint8Array(0), info, 32)));
}

/**
 * What the rest of the system knows a card by: the same card always gives the same token, no one without the key can
 * go back to the UID or try UIDs. `masked` is for people: the last four digits.
 */
export function cardToken(uid: CardUid, key: TokenKey): { readonly token: string; readonly masked: string } {
  const digest = createHmac("sha256", key.reveal()).update(uid.reveal()).digest().subarray(0, TOKEN_BYTES);
  const digits = digest.toString("hex");
  return { token: `ntag424:${digits}`, masked: `****-${digits.slice(-4).toUpperCase()}` };
}
