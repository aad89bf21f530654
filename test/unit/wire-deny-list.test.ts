import { createHash, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import {
  buildDenyList,
  type DenyList,
  denyHash,
  encodeDenyList,
  isDenied,
  MAX_DENIED_CARDS,
  MAX_DENY_MESSAGE_BYTES,
  NO_CARDS,
  openDenyList,
} from "../../sync/wire.ts";

const ledger = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const build = (version: number, tokens: readonly string[]): DenyList =>
  buildDenyList(version, tokens.map(denyHash));
const card = (number: number): string => `ntag424:04${number.toString(16).padStart(12, "0").toUpperCase()}`;
const cards = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => card(from + index));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "none";
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("the set", () => {
  test("holds every card that was put in, whatever they are", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.string(), { maxLength: 60 }), (version, tokens) => {
        const list = build(version, tokens);
        expect(list.count).toBe(new Set(tokens).size);
        for (const token of tokens) expect(isDenied(list, token)).toBe(true);
      }),
    );
  });

  test("does not depend on the order or on repetitions", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 40 }), (tokens) => {
        const list = build(3, tokens);
        expect(build(3, tokens.toReversed())).toEqual(list);
        expect(build(3, [...tokens, ...tokens])).toEqual(list);
      }),
    );
  });

  test("of nobody denies nobody", () => {
    expect(build(4, [])).toEqual({ version: 4, count: 0, set: new Uint8Array(0) });
    expect([isDenied(build(4, []), card(1)), isDenied(NO_CARDS, card(1))]).toEqual([false, false]);
  });

  test("golden bytes: deployed terminals look up what this ledger codes", () => {
    expect(hex(denyHash("ntag424:04DE5F1EACC040"))).toBe("4dabe00e59513bab");
    expect(hex(build(7, cards(1, 3)).set)).toBe("6e8b53cfc0cca594");
  });

  test.each<[string, () => unknown]>([
    ["a hash of another length", () => buildDenyList(1, [new Uint8Array(7)])],
    ["a negative version", () => buildDenyList(-1, [])],
    ["a version between two", () => buildDenyList(1.5, [])],
    [
      "more cards than a list holds",
      () => {
        const hash = (index: number): Uint8Array => {
          const bytes = Buffer.alloc(8);
          bytes.writeUInt32BE(index);
          return bytes;
        };
        buildDenyList(
          1,
          Array.from({ length: MAX_DENIED_CARDS + 1 }, (_, index) => hash(index)),
        );
      },
    ],
  ])("building refuses %s", (_what, run) => {
    expect(run).toThrow(Error);
  });
});

describe("a hundred thousand cards", () => {
  const COUNT = 100_000;
  const hashes = cards(0, COUNT).map(denyHash);
  const list = buildDenyList(12, hashes);

  test("take at most 21.7 bits each and keep their message below a megabyte", () => {
    const bits = (list.set.length * 8) / COUNT;
    expect([list.count, bits > 21.4, bits < 21.7]).toEqual([COUNT, true, true]);
    expect(encodeDenyList("t1", list, ledger.privateKey).length).toBeLessThan(list.set.length + 128);
    expect(MAX_DENY_MESSAGE_BYTES).toBeLessThan(1_000_000);
  });

  test("are all found, and others hardly ever", () => {
    for (let number = 0; number < COUNT; number += 997) expect(isDenied(list, card(number))).toBe(true);
    const wrong = cards(COUNT, 400).filter((token) => isDenied(list, token));
    expect(wrong).toEqual([]);
  });

  test("one look-up is quick enough for a tap", () => {
    const last = cards(0, 200);
    const start = performance.now();
    for (const token of last) isDenied(list, token);
    expect((performance.now() - start) / last.length).toBeLessThan(25);
  });
});

test("one of 2^20 other cards is taken for one of the list, and for another one in the next version", () => {
  // A quarter of a million others: one in 2^20 is a quarter of a card, one in 2^16 would be four.
  const denied = cards(0, 64).map(denyHash);
  const list = buildDenyList(1, denied);
  const taken: number[] = [];
  for (let number = 1_000; number < 251_000; number += 1)
    if (isDenied(list, card(number))) taken.push(number);
  expect(taken.length).toBeLessThanOrEqual(2);
  const next = buildDenyList(2, denied);
  expect(taken.filter((number) => isDenied(next, card(number)))).toEqual([]);
});

describe("a set that cannot be read", () => {
  const list = build(1, cards(0, 20));

  test("denies every card rather than clearing one, and never throws", () => {
    for (const broken of [
      { ...list, set: new Uint8Array(0) },
      { ...list, set: new Uint8Array(50).fill(0xff) },
      { ...list, set: list.set.subarray(0, 2) },
      { ...list, count: 0.5 },
      { ...list, count: Number.POSITIVE_INFINITY },
      { ...list, version: -1 },
    ])
      expect(isDenied(broken, card(77))).toBe(true);
  });

  test("any bytes and any count give an answer in bounded time", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.oneof(fc.nat(), fc.double(), fc.maxSafeInteger()),
        fc.string(),
        (set, count, token) => {
          expect(typeof isDenied({ version: 1, count, set }, token)).toBe("boolean");
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("the message", () => {
  const list = build(9, cards(0, 50));
  const bytes = encodeDenyList("t1", list, ledger.privateKey);
  const open = (message: Uint8Array, terminal = "t1", key = ledger.publicKey): DenyList =>
    openDenyList(message, terminal, [other.publicKey, key]);
  /** A message around any fields, rightly signed. */
  const around = (version: number, count: number, set: Uint8Array): Uint8Array =>
    encodeDenyList("t1", { version, count, set }, ledger.privateKey);

  test("gives the list back, an empty one too", () => {
    expect(open(bytes)).toEqual(list);
    expect(open(encodeDenyList("t1", NO_CARDS, ledger.privateKey))).toEqual(NO_CARDS);
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.string(), { maxLength: 40 }), (version, tokens) => {
        const any = build(version, tokens);
        expect(open(encodeDenyList("t1", any, ledger.privateKey))).toEqual(any);
      }),
      { numRuns: 50 },
    );
  });

  test.each<[string, () => unknown, string]>([
    ["a key that is not pinned", () => openDenyList(bytes, "t1", [other.publicKey]), "ledger.signature"],
    ["another terminal's list", () => open(bytes, "t2"), "ledger.signature"],
    ["nothing", () => open(new Uint8Array(0)), "wire.malformed"],
    ["another version of the wire", () => open(Buffer.from("8602", "hex")), "wire.version"],
    ["an answer", () => open(Buffer.from("840162743183616b6172810340", "hex")), "wire.malformed"],
    ["a message over the limit", () => open(new Uint8Array(MAX_DENY_MESSAGE_BYTES + 1)), "wire.malformed"],
    ["too many cards", () => open(Buffer.from("8601627431011a001e848040", "hex")), "wire.malformed"],
    [
      "a set that ends before its last card",
      () => open(around(9, list.count + 1, list.set)),
      "wire.malformed",
    ],
    ["the smallest set", () => open(around(9, 1, new Uint8Array([0, 0, 0]))), "none"],
    ["a set with a bit behind it", () => open(around(9, 1, new Uint8Array([0, 0, 1]))), "wire.malformed"],
    [
      "a card beyond the range",
      () => open(around(9, 1, new Uint8Array([0b1000_0000, 0, 0]))),
      "wire.malformed",
    ],
    ["cards and no set", () => open(around(9, 1, new Uint8Array(0))), "wire.malformed"],
    [
      "a signature of another purpose",
      () => {
        const message = Buffer.from(encodeDenyList("t1", NO_CARDS, ledger.privateKey));
        const purpose = Buffer.from("saypay.answer.v1").toString("hex");
        // [purpose, "t1", [0, 0, the empty set]]
        const signed = Buffer.from(`8370${purpose}62743183000040`, "hex");
        sign(null, signed, ledger.privateKey).copy(message, message.length - 64);
        return open(message);
      },
      "ledger.signature",
    ],
  ])("%s", (_what, run, code) => {
    expect(codeOf(run)).toBe(code);
  });

  test("a zero byte behind the set is refused: one list has one form", () => {
    const eight = build(1, cards(0, 8));
    const padded = new Uint8Array(eight.set.length + 1);
    padded.set(eight.set);
    expect(codeOf(() => open(around(1, eight.count, padded)))).toBe("wire.malformed");
  });

  test("a flipped bit anywhere is refused", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(["ledger.signature", "wire.malformed", "wire.version"]).toContain(codeOf(() => open(changed)));
      }),
    );
  });

  test("any bytes behind a good head give a Fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const message = Buffer.concat([Buffer.from("8601627431", "hex"), rest]);
        expect(["wire.malformed", "ledger.signature"]).toContain(codeOf(() => open(message)));
      }),
      { numRuns: 1_000 },
    );
  });
});

test("a card's hash is the beginning of SHA-256", () => {
  expect(hex(denyHash("x"))).toBe(createHash("sha256").update("x").digest("hex").slice(0, 16));
});
