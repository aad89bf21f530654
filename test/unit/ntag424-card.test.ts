/** The reading of a card without PC/SC: URL parsing, secrets, key files, and a whole dialogue with the virtual applet. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  describeStatus,
  parseResponse,
  readBinary,
  selectFile,
  selectNdefApplication,
} from "../../drivers/card-reader/apdu.ts";
import { readCard, verifySunFile } from "../../drivers/card-reader/card.ts";
import { loadCardKeys } from "../../drivers/card-reader/keys.ts";
import { encodeUriRecord, parseSunFile, parseUriRecord } from "../../drivers/card-reader/ndef.ts";
import { cardFileReadKey, sdmMac } from "../../drivers/card-reader/ntag424.ts";
import { Secret } from "../../drivers/card-reader/secret.ts";
import { pcscSettings } from "../../drivers/card-reader/settings.ts";
import { encryptPiccData, ndefFile } from "../../drivers/card-reader/virtual/applet.ts";
import { Deck } from "../../drivers/card-reader/virtual/deck.ts";

const folder = mkdtempSync(join(tmpdir(), "saypay-ntag424-"));
afterAll(() => rmSync(folder, { recursive: true }));

const KEYS = { metaReadKeyHex: "0f".repeat(16), fileReadMasterKeyHex: "a1".repeat(16) };
const keys = loadCardKeys({ keys: KEYS });
const sun = { keys, systemIdentifier: Buffer.from("Saypay"), macInputOffset: null };

describe("APDUs", () => {
  test("are those of the standard", () => {
    const digits = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    expect(digits(selectNdefApplication())).toBe("00a4040007d276000085010100");
    expect(digits(selectFile(0xe104))).toBe("00a4000c02e104");
    expect(digits(readBinary(0x0102, 16))).toBe("00b0010210");
    expect(digits(readBinary(0, 256))).toBe("00b0000000");
    expect(() => readBinary(0, 257)).toThrow(RangeError);
  });
  test("status words are told in words", () => {
    expect(parseResponse(Uint8Array.from([1, 0x90, 0x00]))).toEqual({
      data: Uint8Array.from([1]),
      status: 0x9000,
    });
    expect(parseResponse(Uint8Array.from([0x90]))).toBeNull();
    expect(describeStatus(0x6a82)).toBe("6A82 (file or application not found)");
    expect(describeStatus(0x1234)).toBe("1234 (unknown status word)");
  });
});

describe("NDEF", () => {
  const path = fc.stringMatching(/^[!-~]{0,180}$/u);
  test("a URI that was written is read", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("https://", "http://www.", "urn:nfc:", "tel:", "x-other:"),
        path,
        (prefix, rest) => {
          expect(parseUriRecord(encodeUriRecord(prefix + rest))?.uri).toBe(prefix + rest);
        },
      ),
    );
  });
  test("any bytes give a result or null, never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => [parseUriRecord(bytes), parseSunFile(bytes)]).not.toThrow();
      }),
    );
  });
  const picc = "EF963FF7828658A599F3041510671E88";
  const mac = "94EED9EE65337086";
  const urls: readonly (readonly [string, boolean])[] = [
    [`https://choose.url.com/ntag424?e=${picc}&c=${mac}`, true],
    [`https://www.example.com/?picc_data=${picc}&enc=00&cmac=${mac}`, true],
    [`https://example.com/?c=${mac}&e=${picc}#more`, true],
    [`https://example.com/?e=${picc}`, false],
    [`https://example.com/?e=${picc}&c=${mac}00`, false],
    [`https://example.com/?ee=${picc}&cc=${mac}`, false],
    ["https://example.com/", false],
  ];
  for (const [url, isSun] of urls) {
    test(`${url} is ${isSun ? "" : "not "}a SUN message`, () => {
      const file = ndefFile(url);
      const message = parseSunFile(file);
      expect(message !== null).toBe(isSun);
      if (message === null) return;
      const digits = Buffer.from(file.subarray(message.macOffset, message.macOffset + 16)).toString("ascii");
      expect(digits).toBe(mac);
      expect(Buffer.from(message.piccData).toString("hex").toUpperCase()).toBe(picc);
    });
  }
});

describe("one reading", () => {
  const stateFile = join(folder, "cards.json");
  const settings = {
    keys,
    systemIdentifier: sun.systemIdentifier,
    url: "https://c.example/?e={picc}&c={mac}",
    stateFile,
  };
  const read = async (name: string, deck: Deck) => {
    const card = deck.card(name);
    if (card === null) throw new Error(`no card ${name}`);
    card.reset();
    return readCard(async (apdu) => card.answer(apdu), sun);
  };

  test("gives token and counter; the counter grows by one and survives the process", async () => {
    const deck = new Deck(settings);
    const first = await read("genuine", deck);
    const second = await read("genuine", deck);
    const third = await read("genuine", new Deck(settings));
    expect(first).toMatchObject({ kind: "genuine", counter: 1 });
    expect(second).toMatchObject({ kind: "genuine", counter: 2 });
    expect(third).toEqual({ ...second, counter: 3 });
    expect(await read("genuine-other", deck)).toMatchObject({ kind: "genuine", counter: 1 });
  });

  test.each([
    ["wrong", "wrong-card"],
    ["forged", "unverified"],
  ])("a %s card is refused as %s", async (name, reason) => {
    expect(await read(name, new Deck(settings))).toMatchObject({ kind: "refused", reason });
  });

  test("a replayed dialogue gives the same counter again", async () => {
    const deck = new Deck(settings);
    const heard = await read("genuine", deck);
    expect(await read("replay", deck)).toEqual(heard);
  });

  test("a long URL is read in pieces, all under one counter", async () => {
    const url = `https://c.example/${"x".repeat(120)}?e={picc}&c={mac}`;
    const deck = new Deck({ ...settings, url });
    expect(await read("genuine-long", deck)).toMatchObject({ kind: "genuine", counter: 1 });
  });

  test("a chip whose answers make no sense is a wrong card, whatever it says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), async (answers) => {
        let index = 0;
        const reading = await readCard(async () => {
          const data = answers[index] ?? new Uint8Array(0);
          index += 1;
          return Uint8Array.from([...data, 0x90, 0x00]);
        }, sun);
        expect(reading).toMatchObject({ kind: "refused", reason: "wrong-card" });
      }),
    );
  });

  test("the MAC covers the file from SDMMACInputOffset to SDMMACOffset", () => {
    const data = { uid: new Secret<"card-uid">(Uint8Array.from([4, 9, 8, 7, 6, 5, 4])), counter: 7 };
    const picc = Buffer.from(encryptPiccData(data, keys.metaReadKey)).toString("hex").toUpperCase();
    const offset = 7;
    const before = ndefFile(`https://c.example/?e=${picc}&c=${"0".repeat(16)}`);
    const macOffset = parseSunFile(before)?.macOffset ?? 0;
    const fileReadKey = cardFileReadKey(keys.fileReadMaster, data.uid, sun.systemIdentifier);
    const file = (input: Uint8Array): Uint8Array => {
      const mac = Buffer.from(sdmMac(fileReadKey, data, input))
        .toString("hex")
        .toUpperCase();
      return ndefFile(`https://c.example/?e=${picc}&c=${mac}`);
    };
    const covering = file(before.subarray(offset, macOffset));
    expect(verifySunFile(covering, { ...sun, macInputOffset: offset })).toMatchObject({
      kind: "genuine",
      counter: 7,
    });
    expect(verifySunFile(covering, sun)).toMatchObject({ kind: "refused", reason: "unverified" });
    expect(verifySunFile(file(new Uint8Array(0)), sun)).toMatchObject({ kind: "genuine", counter: 7 });
  });
});

describe("secrets", () => {
  const secret = new Secret<"card-uid">(Uint8Array.from([0x04, 0xab, 0xcd]));
  test("do not get out by accident", () => {
    expect(() => JSON.stringify({ secret })).toThrow(/cannot be serialised/u);
    for (const shown of [inspect({ secret }), String(secret), inspect(structuredClone({ secret }))]) {
      expect(shown).not.toMatch(/ab|cd|171|205/iu);
    }
  });
});

describe("key files and settings", () => {
  const keyFile = join(folder, "keys.json");
  const write = (content: string, mode: number): void => {
    writeFileSync(keyFile, content);
    chmodSync(keyFile, mode);
  };
  test("a key file of its owner is read", () => {
    write(JSON.stringify(KEYS), 0o600);
    expect(loadCardKeys({ keyFile }).metaReadKey.reveal()).toEqual(keys.metaReadKey.reveal());
  });
  test.each([
    ["others may read it", JSON.stringify(KEYS), 0o640, /chmod 600/u],
    ["it is not JSON", "a1a1a1a1", 0o600, /not JSON/u],
    [
      "a key is short",
      JSON.stringify({ ...KEYS, metaReadKeyHex: "a1a1" }),
      0o600,
      /metaReadKeyHex: must be 32/u,
    ],
  ])("when %s, the mistake is told without the key", (_, content, mode, message) => {
    write(content, mode);
    expect(() => loadCardKeys({ keyFile })).toThrow(message);
    expect(() => loadCardKeys({ keyFile })).not.toThrow(/a1a1/u);
  });
  test("a missing file and missing keys are told", () => {
    expect(() => loadCardKeys({ keyFile: join(folder, "none") })).toThrow(/cannot be read/u);
    expect(pcscSettings.safeParse({}).error?.issues[0]?.message).toMatch(/either/u);
    expect(pcscSettings.safeParse({ keys: KEYS, keyFile }).success).toBe(false);
    expect(pcscSettings.parse({ keyFile })).toMatchObject({
      systemIdentifier: "Saypay",
      macInputOffset: null,
    });
  });
});
