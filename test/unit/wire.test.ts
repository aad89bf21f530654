import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import {
  bodyBytes,
  bodyFromBytes,
  bodyHash,
  decodeUp,
  encodeDown,
  encodeUp,
  MAX_ID_BYTES,
  openDown,
  readLedgerKeys,
  readLedgerPrivateKey,
  terminalOfUpTopic,
  topicsOf,
} from "../../sync/wire.ts";
import { APPROVED, AUTHORISE, anyAnswer, anyRequest } from "../support/messages.ts";

const ledger = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
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

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
function requestOf(bytes: Uint8Array): LedgerRequest {
  const message = decodeUp(bytes);
  if (message.kind !== "request") throw new Error("not a request");
  return message.request;
}
const fromHex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("round trip", () => {
  test("every request comes back as it was sent", () => {
    fc.assert(
      fc.property(anyRequest, fc.nat(), (request, position) => {
        const message = { terminal: "t1", requestId: "r", position, request };
        expect(decodeUp(encodeUp(message))).toEqual({ version: 1, kind: "request", ...message });
      }),
    );
  });

  test("every answer comes back as it was signed", () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        expect(openDown(encodeDown("t1", answer, ledger.privateKey), "t1", [ledger.publicKey])).toEqual({
          kind: "answer",
          answer,
        });
      }),
      { numRuns: 50 },
    );
  });

  test("one value has one byte form: what decodes encodes to the same bytes", () => {
    fc.assert(
      fc.property(anyRequest, fc.nat(), fc.integer({ min: 0, max: 255 }), (request, at, value) => {
        const bytes = encodeUp({ terminal: "t1", requestId: "r", position: 1, request });
        bytes[at % bytes.length] = value;
        let read: ReturnType<typeof decodeUp>;
        try {
          read = decodeUp(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          return;
        }
        if (read.kind !== "request") throw new Error("a request became something else");
        expect(hex(encodeUp(read))).toBe(hex(bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});

/** Byte forms that must never change: deployed terminals and stored hashes depend on them. */
describe("golden bytes", () => {
  test.each<[string, LedgerRequest, string]>([
    ["query", { kind: "query", key: "s/1", saleId: "s" }, "85 01 62 7431 18 2a 83 02 61 73 81 62 2f31 61 72"],
    [
      "reverse",
      { kind: "reverse", key: "s/1", saleId: "s", reason: "cancelled" },
      "85 01 62 7431 18 2a 84 03 61 73 81 62 2f31 02 61 72",
    ],
  ])("%s", (_name, request, bytes) => {
    expect(hex(encodeUp({ terminal: "t1", requestId: "r", position: 42, request }))).toBe(
      hex(fromHex(bytes)),
    );
  });

  test.each<[string, LedgerRequest, string]>([
    [
      "void",
      { kind: "reverse", key: "s/1", saleId: "s", reason: "void" },
      "85 01 62 7431 18 2a 84 03 61 73 81 62 2f31 03 61 72",
    ],
    [
      "honour",
      { kind: "honour", key: "s/1", saleId: "s" },
      "85 01 62 7431 18 2a 83 04 61 73 81 62 2f31 61 72",
    ],
    [
      "refund",
      { kind: "refund", key: "s/r", saleId: "s", amount: { minor: 500n, currency: "KRW" }, timeMs: 9 },
      "85 01 62 7431 18 2a 85 05 61 73 81 62 2f72 82 19 01f4 63 4b5257 09 61 72",
    ],
  ])("%s", (_name, request, bytes) => {
    expect(hex(encodeUp({ terminal: "t1", requestId: "r", position: 42, request }))).toBe(
      hex(fromHex(bytes)),
    );
  });

  /**
   * Printed by the program before refunds were added. An outbox that was filled by it is sent by this one, and the
   * ledger must find the same body under the key.
   */
  test("an authorise that an older program queued keeps its bytes and its body hash", () => {
    expect(hex(encodeUp(UP))).toBe(
      "850169636f756e7465722d311903918a01505e0c3f7a91d44c1eb6a82f0d7c8e4b1981622f311901e282194a38634b52" +
        "571906bf83766e7461673432343a3034444535463145414343303430692a2a2a2a2d43303430183d011b000001a1f8b8" +
        "733b838569616d65726963616e6f6fec9584eba994eba6acecb9b4eb85b802192328846473697a65656c617267656b74" +
        "656d7065726174757265646963656485656c617474656cecb9b4ed8e98eb9dbceb96bc01191388826b74656d70657261" +
        "7475726563686f74846a63686565736563616b6570ecb998eca68820ecbc80ec9db4ed81ac01191388816a3a61757468" +
        "6f72697365",
    );
    expect(hex(bodyHash(AUTHORISE))).toBe("89a159b3b1d1d67f1ea28483d321d07c60ba246b2bf906e903fb9dbab4c64581");
  });

  test("authorise, with amounts of each width", () => {
    const request: LedgerRequest = {
      kind: "authorise",
      key: "s/1",
      saleId: "s",
      sequence: 256,
      amount: { minor: 65_536n, currency: "KRW" },
      vat: { minor: 2n ** 32n, currency: "KRW" },
      card: { token: "c", masked: "m", counter: 24 },
      mode: "offline",
      lines: [
        { itemId: "i", name: "차", quantity: 1, options: {}, amount: { minor: -25n, currency: "KRW" } },
        {
          itemId: "i",
          name: "n",
          quantity: 1,
          options: { b: "y", a: "x" },
          amount: { minor: 1n, currency: "USD" },
        },
      ],
      timeMs: 2 ** 33 + 1,
    };
    expect(hex(bodyBytes(request))).toBe(
      hex(
        fromHex(
          "82 73 7361797061792e617574686f726973652e7631 8a 01 61 73 81 62 2f31 19 0100 82 1a 00010000 63 4b5257" +
            "1b 0000000100000000 83 61 63 61 6d 18 18 02 1b 0000000200000001" +
            "82 84 61 69 63 ecb0a8 01 38 18 85 61 69 61 6e 01 82 01 63 555344 84 61 61 61 78 61 62 61 79",
        ),
      ),
    );
  });
});

describe("ids", () => {
  const uuid = "1f7c9a52-6f1e-4a55-9f6e-0d6a1f0c2b11";
  test.each<[string, string, string, string]>([
    ["the core's own", uuid, `${uuid}/1`, `${uuid}/1:authorise`],
    ["unrelated", "sale", "key", "request"],
    ["unrelated UUIDs", uuid, uuid.replace("1", "2"), uuid.replace("1", "3")],
    ["equal", uuid, uuid, uuid],
    ["upper case", uuid.toUpperCase(), `${uuid.toUpperCase()}/1`, uuid],
    ["empty", "", "", ""],
    ["two bytes a character", "é", "ß".repeat(12), "ÿ".repeat(40)],
    ["three bytes a character", "가", "한글".repeat(12), "\uffff\ue000"],
    ["four bytes a character", "😀", "a😀b", "𐀀".repeat(20)],
    ["as long as may be", "x".repeat(MAX_ID_BYTES), "가".repeat(64), "é".repeat(96)],
    ["with a byte order mark", "\ufeffx", "\ufeff", "x\ufeff"],
    ["a UUID and more", `${uuid}가`, `x${uuid}`, `${uuid}-`],
  ])("%s", (_name, saleId, key, requestId) => {
    const message = {
      terminal: "t1",
      requestId,
      position: 1,
      request: { kind: "query", key, saleId } as const,
    };
    expect(decodeUp(encodeUp(message))).toEqual({ version: 1, kind: "request", ...message });
  });

  test("a query of the core's own ids", () => {
    const message = {
      terminal: "t1",
      requestId: `${uuid}/1:query-0`,
      position: 1,
      request: { kind: "query", key: `${uuid}/1`, saleId: uuid } as const,
    };
    expect(hex(encodeUp(message))).toBe(
      hex(
        fromHex(
          "85 01 62 7431 01 83 02 50 1f7c9a526f1e4a559f6e0d6a1f0c2b11 81 62 2f31 81 68 3a71756572792d30",
        ),
      ),
    );
  });
});

describe("bodyHash", () => {
  test("does not depend on the order in which options were set", () => {
    const line = { itemId: "a", name: "a", quantity: 1, amount: AUTHORISE.amount };
    const one = bodyHash({ ...AUTHORISE, lines: [{ ...line, options: { a: "1", b: "2" } }] });
    const two = bodyHash({ ...AUTHORISE, lines: [{ ...line, options: { b: "2", a: "1" } }] });
    expect(hex(one)).toBe(hex(two));
  });

  test.each<[string, Partial<typeof AUTHORISE>]>([
    ["key", { key: "x" }],
    ["sale", { saleId: "x" }],
    ["sequence", { sequence: 1 }],
    ["amount", { amount: { minor: 1n, currency: "KRW" } }],
    ["currency", { amount: { minor: 19_000n, currency: "USD" } }],
    ["VAT", { vat: { minor: 1n, currency: "KRW" } }],
    ["card", { card: { ...AUTHORISE.card, counter: 62 } }],
    ["mode", { mode: "offline" }],
    ["lines", { lines: [] }],
    ["time", { timeMs: 1 }],
  ])("changes with the %s", (_name, change) => {
    expect(hex(bodyHash({ ...AUTHORISE, ...change }))).not.toBe(hex(bodyHash(AUTHORISE)));
  });

  test("survives the wire, whatever row carried the request", () => {
    const read = requestOf(encodeUp({ ...UP, requestId: "another", position: 4_000 }));
    if (read.kind !== "authorise") throw new Error("not an authorise request");
    expect(hex(bodyHash(read))).toBe(hex(bodyHash(AUTHORISE)));
  });

  test("the stored body reads back", () => {
    expect(bodyFromBytes(bodyBytes(AUTHORISE))).toEqual(AUTHORISE);
    expect(codeOf(() => bodyFromBytes(fromHex("82 61 78 80")))).toBe("wire.malformed");
    const query = Buffer.from(bodyBytes(AUTHORISE));
    query[22] = 2;
    expect(codeOf(() => bodyFromBytes(query))).toBe("wire.malformed");
  });
});

describe("signature", () => {
  const bytes = encodeDown("counter-1", APPROVED, ledger.privateKey);

  test("any pinned key will do", () => {
    expect(openDown(bytes, "counter-1", [other.publicKey, ledger.publicKey])).toEqual({
      kind: "answer",
      answer: APPROVED,
    });
  });

  test.each<[string, () => unknown]>([
    ["another terminal's answer", () => openDown(bytes, "counter-2", [ledger.publicKey])],
    ["a key that is not pinned", () => openDown(bytes, "counter-1", [other.publicKey])],
    ["no pinned key", () => openDown(bytes, "counter-1", [])],
    [
      "an answer relabelled for another terminal",
      () =>
        openDown(
          Buffer.from(
            hex(bytes).replace(hex(Buffer.from("counter-1")), hex(Buffer.from("counter-2"))),
            "hex",
          ),
          "counter-2",
          [ledger.publicKey],
        ),
    ],
  ])("refuses %s", (_name, run) => {
    expect(codeOf(run)).toBe("ledger.signature");
  });

  test("a flipped bit anywhere is refused", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(["ledger.signature", "wire.malformed", "wire.version"]).toContain(
          codeOf(() => openDown(changed, "counter-1", [ledger.publicKey])),
        );
      }),
    );
  });

  test("keys are read from PEM and must be Ed25519", () => {
    const pem = ledger.publicKey.export({ type: "spki", format: "pem" }).toString();
    const privatePem = ledger.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(
      openDown(
        encodeDown("counter-1", APPROVED, readLedgerPrivateKey(privatePem)),
        "counter-1",
        readLedgerKeys(pem),
      ),
    ).toEqual({ kind: "answer", answer: APPROVED });
    const otherPem = other.publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(readLedgerKeys(`${otherPem}\n${pem}`).map((key) => key.equals(ledger.publicKey))).toEqual([
      false,
      true,
    ]);
    const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
      type: "spki",
      format: "pem",
    });
    expect(codeOf(() => readLedgerKeys(curve.toString()))).toBe("settings.invalid");
    expect(codeOf(() => readLedgerKeys(privatePem.replaceAll("PRIVATE", "PUBLIC")))).toBe("settings.invalid");
    expect(codeOf(() => readLedgerKeys("no key"))).toBe("settings.invalid");
    expect(codeOf(() => readLedgerPrivateKey(pem))).toBe("settings.invalid");
  });
});

describe("topics", () => {
  test("of a terminal", () => {
    expect(topicsOf("counter-1")).toEqual({
      up: "saypay/v1/counter-1/up",
      down: "saypay/v1/counter-1/down",
      deny: "saypay/v1/counter-1/deny",
      presence: "saypay/v1/counter-1/presence",
    });
  });

  test.each(["", "a/b", "+", "#", "ledger", "-a", "가게", "x".repeat(65)])("%j is no terminal id", (id) => {
    expect(codeOf(() => topicsOf(id))).toBe("settings.invalid");
  });

  test.each<[string, string | undefined]>([
    ["saypay/v1/counter-1/up", "counter-1"],
    ["saypay/v1/counter-1/down", undefined],
    ["saypay/v2/counter-1/up", undefined],
    ["other/v1/counter-1/up", undefined],
    ["saypay/v1/counter-1/up/x", undefined],
    ["saypay/v1/ledger/up", undefined],
    ["saypay", undefined],
  ])("terminal of %s", (topic, terminal) => {
    expect(terminalOfUpTopic(topic)).toBe(terminal);
  });
});
