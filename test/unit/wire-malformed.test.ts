import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import {
  decodeDown,
  decodeUp,
  encodeDown,
  encodeUp,
  MAX_ID_BYTES,
  MAX_LINES,
  MAX_MESSAGE_BYTES,
  MAX_OPTIONS,
  MAX_TEXT_BYTES,
} from "../../sync/wire.ts";
import { APPROVED, AUTHORISE, HONOUR, QUERY, REFUND, REVERSE } from "../support/messages.ts";

const ledger = generateKeyPairSync("ed25519");
const UP = {
  terminal: "counter-1",
  requestId: `${AUTHORISE.key}:authorise`,
  position: 913,
  request: AUTHORISE,
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "none";
}

const fromHex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("what does not fit is refused", () => {
  test("any bytes give a message or a wire Fault", () => {
    const allowed = ["none", "wire.malformed", "wire.version"];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(allowed).toContain(codeOf(() => decodeUp(bytes)));
        expect(allowed).toContain(codeOf(() => decodeDown(bytes)));
      }),
      { numRuns: 1_000 },
    );
  });

  test("mutated, cut and spliced messages give a message or a wire Fault", () => {
    const seeds = [AUTHORISE, QUERY, REVERSE, HONOUR, REFUND].map((request) => encodeUp({ ...UP, request }));
    seeds.push(encodeDown("counter-1", APPROVED, ledger.privateKey));
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(255), fc.constantFrom("set", "cut", "insert")), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), edits, (seed, changes) => {
        const bytes = [...seed];
        for (const [at, value, how] of changes) {
          const where = at % Math.max(1, bytes.length);
          if (how === "set") bytes[where] = value;
          else bytes.splice(where, how === "cut" ? value % 8 : 0, ...(how === "insert" ? [value] : []));
        }
        const damaged = Uint8Array.from(bytes);
        for (const decode of [decodeUp, decodeDown]) {
          expect(["none", "wire.malformed", "wire.version"]).toContain(codeOf(() => decode(damaged)));
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("whatever of the damaged is read has the bytes that it would be written in, so that a value has one form", () => {
    const seeds = [QUERY, REVERSE, REFUND].map((request) => encodeUp({ ...UP, request }));
    const edit = fc.tuple(fc.nat(120), fc.nat(255), fc.constantFrom("set", "cut", "insert"));
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(edit, { minLength: 1, maxLength: 2 }),
        (seed, changes) => {
          const bytes = [...seed];
          for (const [at, value, how] of changes) {
            const where = at % bytes.length;
            if (how === "set") bytes[where] = value;
            else bytes.splice(where, how === "cut" ? 1 : 0, ...(how === "insert" ? [value] : []));
          }
          const damaged = Uint8Array.from(bytes);
          fc.pre(codeOf(() => decodeUp(damaged)) === "none");
          const read = decodeUp(damaged);
          if (read.kind === "request") expect(Buffer.from(encodeUp(read))).toEqual(Buffer.from(damaged));
        },
      ),
      { numRuns: 300, maxSkipsPerRun: 1_000 },
    );
  });

  const q = "83 02 61 73 61 6b";
  test.each<[string, string, string]>([
    ["nothing", "", "wire.malformed"],
    ["another version", "85 02", "wire.version"],
    ["another version of another shape", "82 18 63 f6", "wire.version"],
    ["a text as version", "85 61 31", "wire.malformed"],
    ["a map", "a1 01 02", "wire.malformed"],
    ["too few fields", `84 01 62 7431 01 ${q} 61 72`, "wire.malformed"],
    ["bytes after the end", `85 01 62 7431 01 ${q} 61 72 00`, "wire.malformed"],
    ["a topic wildcard as terminal", `85 01 61 2b 01 ${q} 61 72`, "wire.malformed"],
    ["a length in two bytes that needs one", `85 01 78 02 7431 01 ${q} 61 72`, "wire.malformed"],
    ["a number in three bytes that needs two", `85 01 62 7431 19 0001 ${q} 61 72`, "wire.malformed"],
    ["a number in five bytes that needs three", `85 01 62 7431 1a 00000001 ${q} 61 72`, "wire.malformed"],
    [
      "a number in nine bytes that needs five",
      `85 01 62 7431 1b 0000000000000001 ${q} 61 72`,
      "wire.malformed",
    ],
    ["a number that is not exact", `85 01 62 7431 1b 0020000000000000 ${q} 61 72`, "wire.malformed"],
    ["a negative position", `85 01 62 7431 20 ${q} 61 72`, "wire.malformed"],
    ["a text of unknown length", `85 01 7f 62 7431 ff 01 ${q} 61 72`, "wire.malformed"],
    ["a reserved head", `85 01 7c 01 ${q} 61 72`, "wire.malformed"],
    ["a text that claims four gigabytes", "85 01 7a ffffffff", "wire.malformed"],
    ["a text that ends too early", "85 01 65 7431", "wire.malformed"],
    ["a head that ends too early", "85 01 62 7431 19 01", "wire.malformed"],
    ["a text that is not UTF-8", `85 01 62 7431 01 ${q} 62 c328`, "wire.malformed"],
    ["a continuation byte that continues nothing", `85 01 62 7431 01 ${q} 62 a280`, "wire.malformed"],
    ["an overlong character of two bytes", `85 01 62 7431 01 ${q} 62 c1bf`, "wire.malformed"],
    ["an overlong character of three bytes", `85 01 62 7431 01 ${q} 63 e09fbf`, "wire.malformed"],
    ["a surrogate in UTF-8", `85 01 62 7431 01 ${q} 63 eda080`, "wire.malformed"],
    ["a character cut short", `85 01 62 7431 01 ${q} 62 ec95`, "wire.malformed"],
    ["a long text that is not UTF-8", `85 01 62 7431 01 ${q} 78 18 ${"ff".repeat(24)}`, "wire.malformed"],
    [
      "a very long text that is not UTF-8",
      `85 01 62 7431 01 ${q} 78 41 ${"ff".repeat(65)}`,
      "wire.malformed",
    ],
    ["an unknown request", "85 01 62 7431 01 83 06 61 73 61 6b 61 72", "wire.malformed"],
    ["an unknown reason", "85 01 62 7431 01 84 03 61 73 61 6b 04 61 72", "wire.malformed"],
    ["an honour of four fields", "85 01 62 7431 01 84 04 61 73 61 6b 01 61 72", "wire.malformed"],
    ["a refund without a time", "85 01 62 7431 01 84 05 61 73 61 6b 82 01 63 4b5257 61 72", "wire.malformed"],
    ["a refund of a bare number", "85 01 62 7431 01 85 05 61 73 61 6b 01 01 61 72", "wire.malformed"],
    ["a query of four fields", "85 01 62 7431 01 84 02 61 73 61 6b 01 61 72", "wire.malformed"],
  ])("%s", (_name, bytes, code) => {
    expect(codeOf(() => decodeUp(fromHex(bytes)))).toBe(code);
  });

  const uuid = "0123456789abcdef0123456789abcdef";
  const uuidText = Buffer.from("01234567-89ab-cdef-0123-456789abcdef").toString("hex");
  test.each<[string, string]>([
    ["a UUID as text", `83 02 78 24 ${uuidText} 61 6b 61 72`],
    ["15 bytes of UUID", `83 02 4f ${uuid.slice(2)} 61 6b 61 72`],
    ["17 bytes of UUID", `83 02 51 ${uuid}00 61 6b 61 72`],
    ["a UUID with an empty suffix", `83 02 82 50 ${uuid} 60 61 6b 61 72`],
    ["an id of one part", `83 02 81 61 73 61 6b 61 72`],
    ["an id of no parts", `83 02 80 61 6b 61 72`],
    ["a key of no parts before the key", "83 02 61 73 80 61 6b 61 72"],
    ["a request id of no parts before it", "83 02 61 73 61 6b 80 61 72"],
    ["a key that continues an empty id", "83 02 60 81 61 6b 61 72"],
    ["a key that repeats the sale", "83 02 61 73 62 736b 61 72"],
    ["a request id that repeats a UUID", `83 02 50 ${uuid} 82 50 ${uuid} 61 6b 61 72`],
    ["a request id of three parts", `83 02 61 73 61 6b 83 61 72 61 72 61 72`],
    ["a continued id that is too long", `83 02 61 73 81 78 c0 ${"61".repeat(192)} 61 72`],
  ])("%s", (_name, rest) => {
    expect(codeOf(() => decodeUp(fromHex(`85 01 62 7431 01 ${rest}`)))).toBe("wire.malformed");
  });

  const head = "8a 01 61 73 61 6b 01";
  const card = "83 61 63 61 6d 01";
  test.each<[string, string]>([
    ["a currency in small letters", `${head} 82 01 63 6b7277 01 ${card} 01 01 80`],
    ["VAT in the long form without need", `${head} 82 01 63 4b5257 82 01 63 4b5257 ${card} 01 01 80`],
    ["an amount of text", `${head} 82 61 31 63 4b5257 01 ${card} 01 01 80`],
    ["an amount over 64 bits", `${head} 82 1b ffffffffffffffff 63 4b5257 01 ${card} 01 01 80`],
    ["an amount that ends", `${head} 82`],
    ["a line of three fields", `${head} 82 01 63 4b5257 01 ${card} 01 01 81 83 61 69 61 6e 01`],
    ["empty options", `${head} 82 01 63 4b5257 01 ${card} 01 01 81 85 61 69 61 6e 01 01 80`],
    [
      "an option without a value",
      `${head} 82 01 63 4b5257 01 ${card} 01 01 81 85 61 69 61 6e 01 01 81 61 61`,
    ],
    [
      "options out of order",
      `${head} 82 01 63 4b5257 01 ${card} 01 01 81 85 61 69 61 6e 01 01 84 61 62 61 78 61 61 61 79`,
    ],
    [
      "the same option twice",
      `${head} 82 01 63 4b5257 01 ${card} 01 01 81 85 61 69 61 6e 01 01 84 61 61 61 78 61 61 61 79`,
    ],
  ])("%s", (_name, bytes) => {
    expect(codeOf(() => decodeUp(fromHex(`85 01 62 7431 01 ${bytes} 61 72`)))).toBe("wire.malformed");
  });

  test.each<[string, string]>([
    ["an unknown outcome", "84 01 62 7431 83 61 6b 61 72 81 09 40"],
    ["a refunded without a gateway", "84 01 62 7431 83 61 6b 61 72 83 07 82 01 63 4b5257 01 40"],
    [
      "a total in the long form without need",
      `84 01 62 7431 83 61 6b 61 72 84 07 ${"82 01 63 4b5257 ".repeat(2)} 61 67 40`,
    ],
    ["an unknown refund refusal", "84 01 62 7431 83 61 6b 61 72 82 08 05 40"],
    ["a pending with a field", "84 01 62 7431 83 61 6b 61 72 82 03 01 40"],
    ["a signature that is too short", "84 01 62 7431 83 61 6b 61 72 81 03 41 00"],
    ["a signature that is too long", `84 01 62 7431 83 61 6b 61 72 81 03 58 41 ${"00".repeat(65)}`],
  ])("%s", (_name, bytes) => {
    expect(codeOf(() => decodeDown(fromHex(bytes)))).toBe("wire.malformed");
  });

  test("a message over the limit", () => {
    expect(codeOf(() => decodeUp(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).toBe("wire.malformed");
  });

  const line = { itemId: "a", name: "a", quantity: 1, options: {}, amount: AUTHORISE.amount };
  const many = Object.fromEntries(Array.from({ length: MAX_OPTIONS + 1 }, (_, n) => [`o${n}`, "v"]));
  test.each<[string, Partial<typeof UP>]>([
    ["a continued request id that is too long", { requestId: AUTHORISE.key + "x".repeat(MAX_ID_BYTES) }],
    ["a request id that is too long", { requestId: "x".repeat(MAX_ID_BYTES + 1) }],
    ["a terminal that is no topic level", { terminal: "a/b" }],
    ["a position that is no whole number", { position: 1.5 }],
    ["a negative position", { position: -1 }],
    ["a lone surrogate", { requestId: "\ud800" }],
    ["a currency that is none", { request: { ...AUTHORISE, amount: { minor: 1n, currency: "won" } } }],
    ["an amount over 64 bits", { request: { ...AUTHORISE, amount: { minor: 2n ** 63n, currency: "KRW" } } }],
    [
      "an amount under 64 bits",
      { request: { ...AUTHORISE, vat: { minor: -(2n ** 63n) - 1n, currency: "KRW" } } },
    ],
    [
      "a name that is too long",
      { request: { ...AUTHORISE, lines: [{ ...line, name: "차".repeat(MAX_TEXT_BYTES) }] } },
    ],
    ["too many lines", { request: { ...AUTHORISE, lines: Array(MAX_LINES + 1).fill(line) } }],
    ["too many options", { request: { ...AUTHORISE, lines: [{ ...line, options: many }] } }],
    [
      "too long a message",
      {
        request: {
          ...AUTHORISE,
          lines: Array(MAX_LINES).fill({ ...line, name: "n".repeat(MAX_TEXT_BYTES) }),
        },
      },
    ],
  ])("encoding refuses %s", (_name, change) => {
    expect(codeOf(() => encodeUp({ ...UP, ...change }))).toBe("wire.malformed");
  });

  test("a message of exactly the limit encodes, a longer one does not", () => {
    const names = [...Array(124).fill(MAX_TEXT_BYTES), 256];
    const sized = (last: number): (() => Uint8Array) => {
      const lines = [...names, last].map((length) => ({ ...line, name: "n".repeat(length) }));
      return () => encodeUp({ ...UP, request: { ...AUTHORISE, lines } });
    };
    const fitting = 256 + MAX_MESSAGE_BYTES - sized(256)().length;
    expect(sized(fitting)().length).toBe(MAX_MESSAGE_BYTES);
    for (let over = 1; over < 12; over += 1) expect(codeOf(sized(fitting + over))).toBe("wire.malformed");
  });
});
