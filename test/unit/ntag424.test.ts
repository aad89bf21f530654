import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cardFileReadKey,
  cardToken,
  decryptPiccData,
  deriveTokenKey,
  diversifyKey,
  sdmMac,
  sessionMacKey,
  verifySdmMac,
} from "../../drivers/card-reader/ntag424.ts";
import { type AesKey, type CardUid, Secret } from "../../drivers/card-reader/secret.ts";
import { encryptPiccData } from "../../drivers/card-reader/virtual/applet.ts";

const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, "hex"));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase();
const key = (digits: string): AesKey => new Secret(hex(digits));
const uidOf = (digits: string): CardUid => new Secret(hex(digits));
const ZERO = key("00".repeat(16));

describe("AN12196, the worked examples (all keys zero)", () => {
  const examples = [
    {
      picc: "EF963FF7828658A599F3041510671E88", input: "", mac: "94EED9EE65337086",
      uid: "04DE5F1EACC040", counter: 61, session: "3FB5F6E3A807A03D5E3570ACE393776F",
    },
    {
      picc: "FD91EC264309878BE6345CBE53BADF40", input: "CEE9A53E3E463EF1F459635736738962&cmac=", mac: "ECC1E7F6C6C73BF6",
      uid: "04958CAA5C5E80", counter: 8, session: null,
    },
  ]; // biome-ignore format: a table
  for (const { picc, input, mac, uid, counter, session } of examples) {
    test(`${picc} is ${uid}, counter ${counter}, MAC ${mac}`, () => {
      const data = decryptPiccData(hex(picc), ZERO);
      if (data === null) throw new Error("the PICC data was not understood");
      expect(text(data.uid.reveal())).toBe(uid);
      expect(data.counter).toBe(counter);
      if (session !== null) expect(text(sessionMacKey(ZERO, data).reveal())).toBe(session);
      expect(text(sdmMac(ZERO, data, Buffer.from(input, "ascii")))).toBe(mac);
      expect(verifySdmMac(ZERO, data, Buffer.from(input, "ascii"), hex(mac))).toBe(true);
    });
  }
});

test("AN10922, the AES-128 example", () => {
  const master = key("00112233445566778899AABBCCDDEEFF");
  const input = Buffer.concat([hex("04782E21801D803042F5"), Buffer.from("NXP Abu", "ascii")]);
  expect(text(diversifyKey(master, input).reveal())).toBe("A8DD63A3B89D54B37CA802473FDA9175");
});

test("a diversification input that the note would pad otherwise is refused", () => {
  expect(() => diversifyKey(ZERO, new Uint8Array(15))).toThrow(/16 to 31/u);
  expect(() => diversifyKey(ZERO, new Uint8Array(32))).toThrow(/16 to 31/u);
});

describe("what is not PICC data of ours", () => {
  const data = { uid: uidOf("04112233445566"), counter: 5 };
  test("another key, another length", () => {
    // The random padding decides what another key makes of it; one in 256 looks like a tag by chance.
    const refused = Array.from({ length: 64 }, () =>
      decryptPiccData(encryptPiccData(data, ZERO), key("11".repeat(16))),
    );
    expect(refused.filter((result) => result === null).length).toBeGreaterThan(48);
    expect(decryptPiccData(new Uint8Array(15), ZERO)).toBeNull();
    expect(decryptPiccData(new Uint8Array(24), ZERO)).toBeNull();
  });
});

describe("properties", () => {
  const uid = fc.uint8Array({ minLength: 7, maxLength: 7 });
  const aesKey = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const counter = fc.integer({ min: 0, max: 0xff_ffff });

  test("what a card mirrors is what the reader finds", () => {
    fc.assert(
      fc.property(uid, counter, aesKey, (uidBytes, count, keyBytes) => {
        const metaReadKey: AesKey = new Secret(keyBytes);
        const data = decryptPiccData(
          encryptPiccData({ uid: new Secret(uidBytes), counter: count }, metaReadKey),
          metaReadKey,
        );
        expect(data?.counter).toBe(count);
        expect(data?.uid.reveal()).toEqual(uidBytes);
      }),
    );
  });

  test("one changed bit of the MAC, or another counter, does not verify", () => {
    fc.assert(
      fc.property(uid, counter, aesKey, fc.nat(63), (uidBytes, count, keyBytes, bit) => {
        const fileReadKey: AesKey = new Secret(keyBytes);
        const data = { uid: new Secret<"card-uid">(uidBytes), counter: count };
        const mac = sdmMac(fileReadKey, data, new Uint8Array(0));
        const changed = mac.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(verifySdmMac(fileReadKey, data, new Uint8Array(0), mac)).toBe(true);
        expect(verifySdmMac(fileReadKey, data, new Uint8Array(0), changed)).toBe(false);
        const other = { ...data, counter: (count + 1) & 0xff_ffff };
        expect(verifySdmMac(fileReadKey, other, new Uint8Array(0), mac)).toBe(false);
      }),
    );
  });
});

describe("tokens", () => {
  const tokenKey = deriveTokenKey(key("00112233445566778899AABBCCDDEEFF"));
  test("are stable, differ by card and by key, and do not show the UID", () => {
    const one = cardToken(uidOf("04112233445566"), tokenKey);
    expect(one.token).toMatch(/^ntag424:[0-9a-f]{40}$/u);
    expect(one.token).not.toContain("112233");
    expect(one.masked).toBe(`****-${one.token.slice(-4).toUpperCase()}`);
    expect(cardToken(uidOf("04112233445566"), tokenKey)).toEqual(one);
    expect(cardToken(uidOf("04112233445567"), tokenKey).token).not.toBe(one.token);
    expect(cardToken(uidOf("04112233445566"), deriveTokenKey(ZERO)).token).not.toBe(one.token);
  });
});

test("each card has a file-read key of its own, and each system too", () => {
  const system = Buffer.from("Saypay");
  const keys = [
    cardFileReadKey(ZERO, uidOf("04112233445566"), system),
    cardFileReadKey(ZERO, uidOf("04112233445567"), system),
    cardFileReadKey(ZERO, uidOf("04112233445566"), Buffer.from("Other!")),
  ].map((diversified) => text(diversified.reveal()));
  expect(new Set(keys).size).toBe(3);
});
