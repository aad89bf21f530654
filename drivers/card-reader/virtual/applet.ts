/**
 * What an NTAG 424 DNA answers, as far as a reader that is not authenticated can see: SELECT, READ BINARY, secure unique
 * NFC messages in AES mode with real keys. Data sheet NT4H2421Gx rev. 3.0: 8.2.3 (files), 9.3 (SDM), 10.9 (ISO commands).
 *
 * Not modelled: authentication, file and key changes, LRP, the read counter limit. Those answer "instruction not
 * supported", so that nothing can take this for a card that was personalised over the air.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { NDEF_FILE, NDEF_FILE_BYTES } from "../apdu.ts";
import { encodeUriRecord } from "../ndef.ts";
import { COUNTER_LIMIT, NDEF_APPLICATION, type PiccData, sdmMac } from "../ntag424.ts";
import type { AesKey, CardUid } from "../secret.ts";

/** ATR that a PC/SC reader builds for this chip: its ATS 06 77 77 71 02 80 has one historical byte, 80h. */
export const TYPE_4_ATR = Uint8Array.from([0x3b, 0x81, 0x80, 0x01, 0x80, 0x80]);

export interface VirtualCard {
  readonly atr: Uint8Array;
  /** The field came or went: selections are forgotten. */
  reset(): void;
  /** One command APDU to one response APDU. */
  answer(apdu: Uint8Array): Uint8Array;
}

/** SDMReadCtr, kept in the chip's memory across fields and processes. */
export interface ReadCounter {
  value(): number;
  /** Adds one, durably, and returns the new value. */
  increase(): number;
}

export type AppletSettings = {
  readonly uid: CardUid;
  readonly metaReadKey: AesKey;
  /** Already diversified: a card never holds a master. */
  readonly fileReadKey: AesKey;
  readonly counter: ReadCounter;
  /** URL with `{picc}` and `{mac}` where the mirrors go. */
  readonly url: string;
};

const CAPABILITY_FILE = 0xe103;
/** Data sheet 8.2.3.1, delivery state: version 2.0, MLe 256, MLc 255, NDEF file E104h, proprietary file E105h. */
const CAPABILITY_BYTES = Uint8Array.from([
  0x00,
  0x17,
  0x20,
  0x01,
  0x00,
  0x00,
  0xff,
  0x04,
  0x06,
  0xe1,
  0x04,
  NDEF_FILE_BYTES >> 8,
  0x00,
  0x00,
  0x00,
  0x05,
  0x06,
  0xe1,
  0x05,
  0x00,
  0x80,
  0x82,
  0x83,
]);

export const ANSWER = {
  success: 0x9000,
  wrongLength: 0x6700,
  noFileSelected: 0x6986,
  notFound: 0x6a82,
  wrongParameters: 0x6a86,
  instructionUnknown: 0x6d00,
  classUnknown: 0x6e00,
} as const;

export function respond(status: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Uint8Array.from([...data, status >> 8, status & 0xff]);
}

export class Ntag424Applet implements VirtualCard {
  readonly atr = TYPE_4_ATR;
  readonly #settings: AppletSettings;
  #applicationSelected = false;
  #file: number | null = null;
  /** The NDEF file as mirrored for the current run of READ BINARY commands; null when the next one starts a new run. */
  #mirrored: Uint8Array | null = null;

  constructor(settings: AppletSettings) {
    this.#settings = settings;
  }

  reset(): void {
    this.#applicationSelected = false;
    this.#file = null;
    this.#mirrored = null;
  }

  answer(apdu: Uint8Array): Uint8Array {
    const [cla, ins, p1, p2] = apdu;
    if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined)
      return respond(ANSWER.wrongLength);
    // PC/SC part 3, 3.2.2.1.3: GET DATA is answered by the reader, which this program stands for as well.
    if (cla === 0xff && ins === 0xca) return respond(ANSWER.success, this.#settings.uid.reveal());
    if (cla !== 0x00) return respond(ANSWER.classUnknown);
    if (ins === 0xb0) return this.#readBinary(p1, p2, apdu);
    // Any other command ends the run: the next read raises the counter and pads afresh (9.3.1, 9.3.4).
    this.#mirrored = null;
    return ins === 0xa4 ? this.#select(p1, apdu) : respond(ANSWER.instructionUnknown);
  }

  #select(p1: number, apdu: Uint8Array): Uint8Array {
    const length = apdu[4] ?? 0;
    const name = apdu.subarray(5, 5 + length);
    if (name.length !== length) return respond(ANSWER.wrongLength);
    if (p1 === 0x04) {
      const known = Buffer.from(NDEF_APPLICATION).equals(name);
      this.#file = null;
      this.#applicationSelected = known;
      return respond(known ? ANSWER.success : ANSWER.notFound);
    }
    if (p1 !== 0x00 && p1 !== 0x02) return respond(ANSWER.wrongParameters);
    const identifier = ((name[0] ?? 0) << 8) | (name[1] ?? 0);
    const known = this.#applicationSelected && (identifier === CAPABILITY_FILE || identifier === NDEF_FILE);
    if (length !== 2 || !known) return respond(ANSWER.notFound);
    this.#file = identifier;
    return respond(ANSWER.success);
  }

  #readBinary(p1: number, p2: number, apdu: Uint8Array): Uint8Array {
    if (this.#file === null) return respond(ANSWER.noFileSelected);
    if ((p1 & 0x80) !== 0) return respond(ANSWER.wrongParameters);
    if (apdu.length !== 5) return respond(ANSWER.wrongLength);
    if (this.#file === NDEF_FILE && this.#mirrored === null) {
      if (this.#settings.counter.value() >= COUNTER_LIMIT) return respond(ANSWER.wrongLength);
      this.#mirrored = mirrorNdefFile(this.#settings, this.#settings.counter.increase());
    }
    const file = this.#file === NDEF_FILE ? (this.#mirrored ?? new Uint8Array(0)) : CAPABILITY_BYTES;
    const offset = (p1 << 8) | p2;
    if (offset >= file.length) return respond(ANSWER.wrongParameters);
    const length = (apdu[4] ?? 0) === 0 ? Math.min(256, file.length - offset) : (apdu[4] ?? 0);
    if (offset + length > file.length) return respond(ANSWER.wrongLength);
    return respond(ANSWER.success, file.subarray(offset, offset + length));
  }
}

/** The NDEF file with fresh mirrors. The MAC covers no file bytes (SDMMACInputOffset = SDMMACOffset). */
function mirrorNdefFile(settings: AppletSettings, counter: number): Uint8Array {
  const data: PiccData = { uid: settings.uid, counter };
  const picc = encryptPiccData(data, settings.metaReadKey);
  const mac = sdmMac(settings.fileReadKey, data, new Uint8Array(0));
  const url = settings.url.replace("{picc}", upperHex(picc)).replace("{mac}", upperHex(mac));
  return ndefFile(url);
}

/** A whole NDEF file: NLEN, message, and the file's unused rest. */
export function ndefFile(url: string): Uint8Array {
  const message = encodeUriRecord(url);
  const file = new Uint8Array(NDEF_FILE_BYTES);
  file.set([message.length >> 8, message.length & 0xff, ...message]);
  return file;
}

/** PICCDataTag C7h || UID || SDMReadCtr || random padding under AES-CBC with a zero IV (9.3.4.1). */
export function encryptPiccData(data: PiccData, metaReadKey: AesKey): Uint8Array {
  const counter = [data.counter & 0xff, (data.counter >> 8) & 0xff, data.counter >> 16];
  const plain = Uint8Array.from([0xc7, ...data.uid.reveal(), ...counter, ...randomBytes(5)]);
  const cipher = createCipheriv("aes-128-cbc", metaReadKey.reveal(), new Uint8Array(16));
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

function upperHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}
