import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import {
  decodeDown,
  decodeUp,
  encodeGreeted,
  encodeGreeting,
  encodeSigned,
  encodeUp,
  type Greeting,
  type GreetingAnswer,
  MAX_ID_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_OPENINGS,
  openDown,
  RECALL_PAGE,
  type RecallAnswer,
  type RecallQuestion,
  recallPage,
} from "../../sync/wire.ts";
import { anyId, QUERY } from "../support/messages.ts";

const ledger = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const open = (bytes: Uint8Array): unknown => openDown(bytes, "t1", [ledger.publicKey]);
const signed = (word: GreetingAnswer | RecallAnswer): Uint8Array =>
  encodeGreeted("t1", word, ledger.privateKey);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "none";
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fromHex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const count = fc.nat(Number.MAX_SAFE_INTEGER);
const anyGreeting: fc.Arbitrary<Greeting> = fc
  .record({
    kind: fc.constant("greeting" as const),
    nonce: anyId,
    journalId: anyId,
    predecessor: fc.option(anyId),
    boots: count,
    earlier: fc.array(anyId, { maxLength: MAX_OPENINGS - 1 }),
    bootNonce: anyId,
    lastOutboxPosition: count,
  })
  .map(({ earlier, ...word }) => ({ ...word, openings: [...earlier, word.bootNonce] }));
const anyQuestion: fc.Arbitrary<RecallQuestion> = fc.record({
  kind: fc.constant("recall" as const),
  nonce: anyId,
  afterSequence: count,
});
const VERDICTS = ["welcome", "copied", "restored", "replaced", "unknown-terminal"] as const;
const anyGreeted: fc.Arbitrary<GreetingAnswer> = fc.record({
  kind: fc.constant("greeted" as const),
  nonce: anyId,
  verdict: fc.constantFrom(...VERDICTS),
});
const anySale: fc.Arbitrary<RecalledSale> = fc.record({
  saleId: anyId,
  sequence: count,
  key: anyId,
  amount: fc.record({
    minor: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    currency: fc.constantFrom("KRW", "USD"),
  }),
  state: fc.constantFrom("approved" as const, "declined" as const, "reversed" as const, "pending" as const),
  refundedMinor: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  timeMs: count,
});
const anyRecalled: fc.Arbitrary<RecallAnswer> = fc
  .record({
    nonce: anyId,
    sales: fc.array(anySale, { maxLength: 5 }),
    beyond: fc.nat(1_000),
    more: fc.boolean(),
  })
  .map(({ nonce, sales, beyond, more }) => {
    const ordered = sales.toSorted((a, b) => a.sequence - b.sequence);
    const lastSequence = Math.min((ordered.at(-1)?.sequence ?? 0) + beyond, Number.MAX_SAFE_INTEGER);
    return { kind: "recalled", nonce, lastSequence, sales: ordered, more: more && sales.length > 0 };
  });

describe("round trip", () => {
  test("greetings and recalls come back as they were sent", () => {
    fc.assert(
      fc.property(fc.oneof(anyGreeting, anyQuestion), (word) => {
        expect(decodeUp(encodeGreeting("t1", word))).toEqual({ version: 1, terminal: "t1", ...word });
      }),
    );
  });

  test("the ledger's words come back as they were signed", () => {
    fc.assert(
      fc.property(fc.oneof(anyGreeted, anyRecalled), (word) => {
        expect(open(signed(word))).toEqual(word);
      }),
    );
  });

  test("one value has one byte form", () => {
    const edits = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.oneof(anyGreeting, anyQuestion), edits, (word, [at, value]) => {
        const bytes = encodeGreeting("t1", word);
        bytes[at % bytes.length] = value;
        let read: ReturnType<typeof decodeUp>;
        try {
          read = decodeUp(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          return;
        }
        if (read.kind === "request") throw new Error("a greeting became a request");
        expect(hex(encodeGreeting(read.terminal, read))).toBe(hex(bytes));
      }),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.oneof(anyGreeted, anyRecalled), edits, (word, [at, value]) => {
        const bytes = encodeSigned({ terminal: "t1", content: word, signature: new Uint8Array(64) });
        bytes[at % bytes.length] = value;
        let read: ReturnType<typeof decodeDown>;
        try {
          read = decodeDown(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          return;
        }
        expect(hex(encodeSigned(read))).toBe(hex(bytes));
      }),
      { numRuns: 3_000 },
    );
  });
});

const GREETING: Greeting = {
  kind: "greeting",
  nonce: "n",
  journalId: "j",
  predecessor: null,
  boots: 7,
  bootNonce: "b",
  openings: ["b"],
  lastOutboxPosition: 300,
};
const SALE: RecalledSale = {
  saleId: "s",
  sequence: 4,
  key: "s/1",
  amount: { minor: 500n, currency: "KRW" },
  state: "approved",
  refundedMinor: 100n,
  timeMs: 9,
};
const PAGE: RecallAnswer = { kind: "recalled", nonce: "n", lastSequence: 5, sales: [SALE], more: true };

/** Byte forms that must never change: deployed terminals and ledgers depend on them. */
describe("golden bytes", () => {
  test.each<[string, Greeting | RecallQuestion, string]>([
    ["greeting", GREETING, "83 01 62 7431 86 01 61 6e 61 6a 07 81 61 62 19 012c"],
    [
      "greeting of a successor",
      { ...GREETING, predecessor: "p" },
      "83 01 62 7431 87 01 61 6e 61 6a 07 81 61 62 19 012c 61 70",
    ],
    [
      "greeting after openings that did not reach the ledger",
      { ...GREETING, openings: ["00112233-4455-6677-8899-aabbccddeeff", "a", "b"] },
      "83 01 62 7431 86 01 61 6e 61 6a 07 83 50 00112233445566778899aabbccddeeff 61 61 61 62 19 012c",
    ],
    ["recall", { kind: "recall", nonce: "n", afterSequence: 40 }, "83 01 62 7431 83 02 61 6e 18 28"],
  ])("%s", (_name, word, bytes) => {
    expect(hex(encodeGreeting("t1", word))).toBe(hex(fromHex(bytes)));
  });

  test.each<[string, GreetingAnswer | RecallAnswer, string]>([
    ["welcome", { kind: "greeted", nonce: "n", verdict: "welcome" }, "85 01 62 7431 01 82 61 6e 01 40"],
    ["copied", { kind: "greeted", nonce: "n", verdict: "copied" }, "85 01 62 7431 01 82 61 6e 02 40"],
    ["restored", { kind: "greeted", nonce: "n", verdict: "restored" }, "85 01 62 7431 01 82 61 6e 03 40"],
    ["replaced", { kind: "greeted", nonce: "n", verdict: "replaced" }, "85 01 62 7431 01 82 61 6e 04 40"],
    [
      "unknown",
      { kind: "greeted", nonce: "n", verdict: "unknown-terminal" },
      "85 01 62 7431 01 82 61 6e 05 40",
    ],
    [
      "recalled",
      PAGE,
      "85 01 62 7431 02 84 61 6e 05 01 81 87 61 73 81 62 2f31 04 82 19 01f4 63 4b5257 01 18 64 09 40",
    ],
  ])("%s", (_name, content, bytes) => {
    expect(hex(encodeSigned({ terminal: "t1", content, signature: new Uint8Array(0) }))).toBe(
      hex(fromHex(bytes)),
    );
  });
});

describe("signature", () => {
  const welcome: GreetingAnswer = { kind: "greeted", nonce: "n", verdict: "welcome" };

  test.each<[string, () => unknown]>([
    ["another key", () => open(encodeGreeted("t1", welcome, other.privateKey))],
    ["another terminal", () => open(encodeGreeted("t2", welcome, ledger.privateKey))],
    [
      "a page under another nonce",
      () => open(encodeSigned({ ...decodeDown(signed(PAGE)), content: { ...PAGE, nonce: "m" } })),
    ],
    [
      "a verdict that was changed",
      () =>
        open(encodeSigned({ ...decodeDown(signed(welcome)), content: { ...welcome, verdict: "copied" } })),
    ],
    [
      // ["saypay.answer.v1", "t1", ["n", 1]]: the same content under the purpose of an answer.
      "a signature of another purpose",
      () => {
        const bytes = fromHex("83 70 7361797061792e616e737765722e7631 62 7431 82 61 6e 01");
        return open(
          encodeSigned({ terminal: "t1", content: welcome, signature: sign(null, bytes, ledger.privateKey) }),
        );
      },
    ],
  ])("refuses %s", (_name, run) => {
    expect(codeOf(run)).toBe("ledger.signature");
  });

  test("a flipped bit anywhere is refused", () => {
    const bytes = signed(PAGE);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(["ledger.signature", "wire.malformed", "wire.version"]).toContain(codeOf(() => open(changed)));
      }),
    );
  });
});

describe("what does not fit is refused", () => {
  test.each<[string, string]>([
    ["an unknown word", "83 01 62 7431 83 03 61 6e 01"],
    ["a greeting of five fields", "83 01 62 7431 85 01 61 6e 61 6a 07 81 61 62"],
    ["a greeting of eight fields", "83 01 62 7431 88 01 61 6e 61 6a 07 81 61 62 01 61 70 01"],
    ["a greeting without an opening", "83 01 62 7431 86 01 61 6e 61 6a 07 80 01"],
    ["a greeting with an opening and no list", "83 01 62 7431 86 01 61 6e 61 6a 07 61 62 01"],
    ["a greeting with a number for an opening", "83 01 62 7431 86 01 61 6e 61 6a 07 82 61 62 07 01"],
    ["a greeting with fewer openings than it says", "83 01 62 7431 86 01 61 6e 61 6a 07 82 61 62 01"],
    [
      "more openings than a greeting names",
      `83 01 62 7431 86 01 61 6e 61 6a 07 98 41 ${"61 62".repeat(65)} 01`,
    ],
    ["a list of openings that never ends", "83 01 62 7431 86 01 61 6e 61 6a 07 9f 61 62 ff 01"],
    ["a recall of four fields", "83 01 62 7431 84 02 61 6e 01 01"],
    ["a greeting with bytes behind it", "83 01 62 7431 83 02 61 6e 01 00"],
    ["a message of four fields", "84 01 62 7431 83 02 61 6e 01 40"],
    ["no word at all", "83 01 62 7431 80"],
  ])("up: %s", (_name, bytes) => {
    expect(codeOf(() => decodeUp(fromHex(bytes)))).toBe("wire.malformed");
  });

  const sale = "87 61 73 81 62 2f31 04 82 19 01f4 63 4b5257 01 18 64 09";
  const end = `58 40 ${"00".repeat(64)}`;
  test.each<[string, string]>([
    ["an unknown kind", `85 01 62 7431 03 82 61 6e 01 ${end}`],
    ["an unknown verdict", `85 01 62 7431 01 82 61 6e 06 ${end}`],
    ["a greeted of three fields", `85 01 62 7431 01 83 61 6e 01 01 ${end}`],
    ["a page that is neither the last nor another", `85 01 62 7431 02 84 61 6e 05 02 81 ${sale} ${end}`],
    ["an empty page that says that more follow", `85 01 62 7431 02 84 61 6e 05 01 80 ${end}`],
    ["sales out of order", `85 01 62 7431 02 84 61 6e 05 00 82 ${sale} ${sale.replace("04", "03")} ${end}`],
    ["a sale beyond the last sequence", `85 01 62 7431 02 84 61 6e 03 00 81 ${sale} ${end}`],
    [
      "a sale in an unknown state",
      `85 01 62 7431 02 84 61 6e 05 00 81 ${sale.replace("57 01", "57 05")} ${end}`,
    ],
    ["a sale of six fields", `85 01 62 7431 02 84 61 6e 05 00 81 86 ${sale.slice(3, -3)} ${end}`],
    ["more sales than a page holds", `85 01 62 7431 02 84 61 6e 05 00 98 29 ${sale.repeat(41)} ${end}`],
    ["a message of six fields", `86 01 62 7431 01 82 61 6e 01 ${end} 01`],
  ])("down: %s", (_name, bytes) => {
    expect(codeOf(() => decodeDown(fromHex(bytes)))).toBe("wire.malformed");
  });

  test.each<[string, () => unknown]>([
    ["a page over its size", () => signed({ ...PAGE, sales: Array(RECALL_PAGE + 1).fill(SALE) })],
    ["a page that is empty and says that more follow", () => signed({ ...PAGE, sales: [] })],
    ["sales out of order", () => signed({ ...PAGE, sales: [SALE, { ...SALE, sequence: 3 }] })],
    [
      "a nonce that is too long",
      () => encodeGreeting("t1", { ...GREETING, nonce: "x".repeat(MAX_ID_BYTES + 1) }),
    ],
    ["a journal that was never opened", () => encodeGreeting("t1", { ...GREETING, openings: [] })],
    [
      "openings of which the present one is not the last",
      () => encodeGreeting("t1", { ...GREETING, openings: ["b", "a"] }),
    ],
    [
      "more openings than a greeting names",
      () => encodeGreeting("t1", { ...GREETING, openings: Array(MAX_OPENINGS + 1).fill("b") }),
    ],
    [
      "an opening that is too long",
      () => encodeGreeting("t1", { ...GREETING, openings: ["x".repeat(MAX_ID_BYTES + 1), "b"] }),
    ],
    ["a negative count of boots", () => encodeGreeting("t1", { ...GREETING, boots: -1 })],
    ["a terminal that is no topic level", () => encodeGreeting("a/b", GREETING)],
  ])("encoding refuses %s", (_name, run) => {
    expect(codeOf(run)).toBe("wire.malformed");
  });

  test("any bytes behind a good head give a word or a Fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const allowed = ["none", "wire.malformed"];
        expect(allowed).toContain(codeOf(() => decodeUp(Buffer.concat([fromHex("83 01 62 7431"), rest]))));
        for (const kind of ["01", "02"])
          expect(allowed).toContain(
            codeOf(() => decodeDown(Buffer.concat([fromHex(`85 01 62 7431 ${kind}`), rest]))),
          );
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a greeting fits in a message with the longest ids, and in a small one with the nonces of a store", () => {
  const largest = "x".repeat(MAX_ID_BYTES);
  const long: Greeting = {
    ...GREETING,
    nonce: largest,
    journalId: largest,
    predecessor: largest,
    bootNonce: largest,
    openings: Array(MAX_OPENINGS).fill(largest),
  };
  expect(encodeGreeting("t1", long).length).toBeLessThan(MAX_MESSAGE_BYTES / 4);
  const openings = Array.from({ length: MAX_OPENINGS }, () => randomUUID());
  const usual: Greeting = { ...GREETING, openings, bootNonce: openings.at(-1) ?? "" };
  expect(encodeGreeting("t1", usual).length).toBeLessThan(1_200);
});

/** What a program from before greetings checks: the number of fields, right after the version. */
test("a receiver of the older version refuses greetings and their answers by the number of their fields", () => {
  const fields = (bytes: Uint8Array): number => (bytes[0] ?? 0) & 0x1f;
  expect(fields(encodeUp({ terminal: "t1", requestId: "r", position: 1, request: QUERY }))).toBe(5);
  expect([fields(encodeGreeting("t1", GREETING)), fields(signed(PAGE))]).toEqual([3, 5]);
});

describe("a page of recalled sales", () => {
  const sales = (...sequences: number[]): RecalledSale[] =>
    sequences.map((sequence, index) => ({ ...SALE, key: `k${index}`, sequence }));
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  test.each<[string, number[], number, boolean]>([
    ["nothing was found", [], 0, false],
    ["all fits", upTo(RECALL_PAGE), RECALL_PAGE, false],
    ["one too many", upTo(RECALL_PAGE + 1), RECALL_PAGE, true],
    ["the sale at the cut has two charges", [...upTo(RECALL_PAGE), RECALL_PAGE], RECALL_PAGE - 1, true],
    ["a sale with more charges than a page", Array(RECALL_PAGE + 1).fill(1), RECALL_PAGE, true],
  ])("%s", (_what, sequences, length, more) => {
    const page = recallPage("n", 100, sales(...sequences));
    expect([page.sales.length, page.more]).toEqual([length, more]);
    expect(open(signed(page))).toEqual(page);
  });

  test("fits in a message with the longest ids and the largest numbers", () => {
    const id = (letter: string): string => letter.repeat(MAX_ID_BYTES);
    const largest: RecalledSale = {
      saleId: id("a"),
      key: id("b"),
      sequence: Number.MAX_SAFE_INTEGER,
      amount: { minor: -(2n ** 63n), currency: "KRW" },
      state: "approved",
      refundedMinor: 2n ** 63n - 1n,
      timeMs: Number.MAX_SAFE_INTEGER,
    };
    const page: RecallAnswer = {
      kind: "recalled",
      nonce: id("n"),
      lastSequence: Number.MAX_SAFE_INTEGER,
      sales: Array(RECALL_PAGE).fill(largest),
      more: true,
    };
    expect(signed(page).length).toBeLessThan(MAX_MESSAGE_BYTES / 2);
  });
});
