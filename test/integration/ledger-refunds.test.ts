/** Money back, on a real SQLite file and the real sandbox: never more than was charged, once per key, never forgotten. */
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Capabilities, Gateway, ReverseResult } from "../../sync/ledger/gateways/gateway.ts";
import { PENDING_ALARM_AFTER_MS } from "../../sync/ledger/patience.ts";
import {
  authorise,
  DeskWorld,
  inWords,
  PENDING_MS,
  query,
  type RefundRequest,
  refund,
  reverse,
  takeBack,
} from "../support/ledger-desk.ts";

let world: DeskWorld;
beforeEach(async () => {
  world = await new DeskWorld().open();
});
afterEach(async () => {
  await world.close();
});

const won = (minor: bigint) => ({ minor, currency: "KRW" });

describe("a refund", () => {
  beforeEach(async () => {
    expect(await world.ask(authorise("s/1"))).toBe("approved");
  });

  test("of a part and then the rest says what was given back by then, and the books follow", async () => {
    const first = await world.desk.handle("counter-1", refund("s/refund-a", 4_000));
    expect(first).toEqual({
      kind: "refunded",
      amount: won(4_000n),
      total: won(4_000n),
      gateway: "sandbox",
    });
    expect(world.uneven()).toEqual(["clearing posted 11000", "payable posted -11000"]);
    const second = await world.desk.handle("counter-1", refund("s/refund-b", 11_000));
    expect(second).toMatchObject({ kind: "refunded", amount: won(11_000n), total: won(15_000n) });
    expect(world.uneven()).toEqual([]);
    expect(await world.desk.handle("counter-1", refund("s/refund-a", 4_000))).toEqual(first);
    expect(world.givenBack()).toBe(15_000);
    expect(world.sandbox.refunds().map(({ calls }) => calls)).toEqual([1, 1]);
    expect(await world.alarms()).toEqual([]);
  });

  test("shows in the statement, and the charge stays approved", async () => {
    await world.ask(refund("s/refund-a", 4_000), "counter-2");
    await world.ask(refund("s/refund-b", 12_000));
    const { transactions, refundTotals } = world.storage.statement({ limit: 10 });
    expect(transactions).toMatchObject([
      {
        key: "s/1",
        state: "approved",
        attempts: 1,
        refundedMinor: 4_000n,
        refunds: [
          { terminal: "counter-2", key: "s/refund-a", minor: 4_000n, state: "refunded", refusal: null },
          { terminal: "counter-1", key: "s/refund-b", minor: 12_000n, state: "refused", refusal: "exceeds" },
        ],
      },
    ]);
    expect(refundTotals).toEqual([
      { state: "refunded", currency: "KRW", count: 1, minor: 4_000n },
      { state: "refused", currency: "KRW", count: 1, minor: 12_000n },
    ]);
    expect(await world.ask(query("s/1"))).toBe("approved");
    expect(world.storage.verify()).toMatchObject({ firstBroken: null, strayed: [] });
  });

  test.each<[string, Partial<RefundRequest>, string, string[]]>([
    ["more than was charged", { amount: won(15_001n) }, "refund-refused exceeds", []],
    ["a sale that was never made", { saleId: "other" }, "refund-refused not-charged", []],
    ["nothing", { amount: won(0n) }, "refused invalid", ["invalid-request 1"]],
    ["less than nothing", { amount: won(-1n) }, "refused invalid", ["invalid-request 1"]],
    ["more than any sale", { amount: won(1_000_000_000_001n) }, "refused invalid", ["invalid-request 1"]],
    [
      "another currency",
      { amount: { minor: 1n, currency: "USD" } },
      "refused invalid",
      ["invalid-request 1"],
    ],
    ["what the gateway refuses", { amount: won(4_951n) }, "refund-refused gateway", []],
  ])("of %s is refused, for good, and moves nothing", async (_what, changes, expected, alarms) => {
    const asked = refund("s/refund-a", 4_000, changes);
    expect(await world.ask(asked)).toBe(expected);
    expect(await world.ask(asked)).toBe(expected);
    expect(world.givenBack()).toBe(0);
    expect(world.uneven()).toEqual(["clearing posted 15000", "payable posted -15000"]);
    expect((await world.alarms()).map((alarm) => alarm.split(" ")[0])).toEqual(
      alarms.map((alarm) => alarm.split(" ")[0]),
    );
  });

  test("that was refused for want of room stays refused when room is made", async () => {
    expect(await world.ask(refund("s/refund-a", 4_909))).toBe("pending");
    expect(await world.ask(refund("s/refund-b", 11_000))).toBe("refund-refused exceeds");
    world.sandbox.plan({ operation: "refund", count: 1, behaviour: "not-honoured" });
    expect(await world.ask(refund("s/refund-c", 4_000))).toBe("refund-refused gateway");
    expect(await world.ask(refund("s/refund-b", 11_000))).toBe("refund-refused exceeds");
    expect(await world.ask(refund("s/refund-d", 10_091))).toBe("refunded");
  });

  test.each<[string, Partial<RefundRequest>]>([
    ["amount", { amount: won(4_001n) }],
    ["currency", { amount: { minor: 4_000n, currency: "USD" } }],
    ["sale", { saleId: "other" }],
  ])("under a key that was used with another %s is a key conflict", async (_what, changes) => {
    expect(await world.ask(refund("s/refund-a", 4_000))).toBe("refunded");
    expect(await world.ask(refund("s/refund-a", 4_000, changes))).toBe("refused key-conflict");
    expect(await world.alarms()).toEqual(["key-conflict 1"]);
    expect(world.givenBack()).toBe(4_000);
  });

  test("of a sale of another merchant is not found", async () => {
    const { storage, clock } = world;
    const { kind: _kind, ...asked } = refund("s/refund-x", 1);
    const elsewhere = {
      ...asked,
      terminal: "stall-1",
      merchant: "market",
      partialRefund: true,
      outbox: null,
    };
    const opened = storage.openRefund({ ...elsewhere, nextResolveMs: 1 }, clock.now());
    expect(opened).toMatchObject({ kind: "decided", refund: { refusal: "not-charged", charge: null } });
    expect(await world.ask(refund("s/refund-a", 4_000), "stranger")).toBe("refused unknown-terminal");
  });
});

describe("two that ask at once", () => {
  beforeEach(async () => {
    await world.ask(authorise("s/1"));
  });

  const together = async (asked: readonly [string, Parameters<DeskWorld["ask"]>[0]][]): Promise<string[]> =>
    (await Promise.all(asked.map(async ([terminal, one]) => world.desk.handle(terminal, one)))).map(inWords);

  test("for refunds that are too much together: the first is given, the other refused", async () => {
    const answers = await together([
      ["counter-1", refund("s/refund-a", 10_000)],
      ["counter-2", refund("s/refund-b", 10_000)],
    ]);
    expect(answers.sort()).toEqual(["refund-refused exceeds", "refunded"]);
    expect(world.givenBack()).toBe(10_000);
  });

  test("for the same refund: it is given once and both are told so", async () => {
    const same = refund("s/refund-a", 10_000);
    expect(
      await together([
        ["counter-1", same],
        ["counter-1", same],
      ]),
    ).toEqual(["refunded", "refunded"]);
    expect(world.givenBack()).toBe(10_000);
  });

  test("for a void and a refund: one of them, never both", async () => {
    for (const order of [0, 1]) {
      const key = `v${order}/1`;
      await world.ask(authorise(key));
      const asked: [string, Parameters<DeskWorld["ask"]>[0]][] = [
        ["counter-1", takeBack(key)],
        ["counter-2", refund(`v${order}/refund-a`, 5_000)],
      ];
      const answers = await together(order === 0 ? asked : asked.reverse());
      const outcome = answers.sort().join(", ");
      expect([
        "refund-refused partly-refunded, refunded",
        "pending, reversed",
        "refund-refused not-charged, reversed",
      ]).toContain(outcome);
      const bank = world.sandbox.charges().find(({ orderId }) => orderId === `v${order}`);
      expect(bank?.status === "reversed" && bank.refundedMinor > 0n).toBe(false);
    }
    expect(await world.balanced()).toBe(true);
  });
});

describe("a void", () => {
  test("of an approved sale takes all of it back", async () => {
    await world.ask(authorise("s/1"));
    expect(await world.ask(takeBack("s/1"))).toBe("reversed");
    expect(await world.ask(takeBack("s/1"))).toBe("reversed");
    expect(await world.ask(refund("s/refund-a", 1_000))).toBe("refund-refused not-charged");
    expect(world.charged()).toBe(0);
    expect(world.uneven()).toEqual([]);
  });

  test.each([
    ["given", 4_000, takeBack],
    ["undecided", 4_909, takeBack],
    ["undecided, by a reversal", 4_909, reverse],
  ] as const)("of a sale whose refund is %s is refused", async (_state, minor, back) => {
    await world.ask(authorise("s/1"));
    await world.ask(refund("s/refund-a", minor));
    expect(await world.ask(back("s/1"))).toBe("refund-refused partly-refunded");
    expect(await world.states()).toEqual(["s/1 approved"]);
    expect(world.charged()).toBe(1);
  });

  test.each([
    ["declined", () => world.ask(authorise("s/1", 15_951))],
    ["never seen here, as in books that were put back from a backup", async () => undefined],
  ])("of a sale that was %s says that there is nothing to give back", async (_what, prepare) => {
    await prepare();
    expect(await world.ask(takeBack("s/1"))).toBe("refund-refused not-charged");
    expect(await world.ask(takeBack("s/1"))).toBe("refund-refused not-charged");
    // And it stays so, should the authorisation come after all.
    expect(await world.ask(authorise("s/1", 15_951))).not.toBe("approved");
    expect(world.charged()).toBe(0);
  });

  test("of a sale whose refund was refused takes all of it back", async () => {
    await world.ask(authorise("s/1"));
    expect(await world.ask(refund("s/refund-a", 4_951))).toBe("refund-refused gateway");
    expect(await world.ask(takeBack("s/1"))).toBe("reversed");
    expect(world.charged()).toBe(0);
  });
});

describe("a refund of a charge", () => {
  test.each<[string, number, string, string]>([
    ["that is pending and then approved", 4_909, "pending", "refunded"],
    ["that is pending and then declined", 4_910, "pending", "refund-refused not-charged"],
    ["that was declined", 4_951, "refund-refused not-charged", "refund-refused not-charged"],
  ])("%s", async (_what, minor, first, later) => {
    await world.ask(authorise("s/1", minor));
    expect(await world.ask(refund("s/refund-a", 1_000))).toBe(first);
    await world.clock.advance(PENDING_MS);
    await world.ask(query("s/1"));
    expect(await world.ask(refund("s/refund-a", 1_000))).toBe(later);
    expect(world.givenBack()).toBe(later === "refunded" ? 1_000 : 0);
  });

  test("that is being reversed waits, and is then refused", async () => {
    await world.ask(authorise("s/1"));
    const charge = world.storage.find("counter-1", "s/1");
    if (charge === undefined) throw new Error("no charge");
    world.storage.askReversal(charge, 0, 0);
    expect(await world.ask(refund("s/refund-a", 1_000))).toBe("pending");
    await world.resolve(0);
    expect(await world.states()).toEqual(["s/1 reversed"]);
    expect(await world.ask(refund("s/refund-a", 1_000))).toBe("refund-refused not-charged");
    expect(world.givenBack()).toBe(0);
  });

  test("whose first card was declined gives back what the second one paid", async () => {
    await world.ask(authorise("s/1", 4_951));
    await world.ask(authorise("s/2"));
    expect(await world.ask(refund("s/refund-a", 15_000), "counter-2")).toBe("refunded");
    expect(world.refunds()).toEqual(["s/refund-a refunded 15000"]);
  });
});

describe("a gateway that does not answer a refund", () => {
  beforeEach(async () => {
    await world.ask(authorise("s/1"));
  });

  test.each([
    ["because it was lost", 4_991, 0],
    ["because the answer came too late", 4_968, 4_968],
  ])("%s is asked again by the resolver, under the same key", async (_why, minor, given) => {
    expect(await world.ask(refund("s/refund-a", minor))).toBe("pending");
    expect(world.givenBack()).toBe(given);
    expect(world.uneven()).toEqual(["clearing posted 15000", "payable posted -15000"]);
    expect(await world.resolve(60_000)).toBe(1);
    expect(world.refunds()).toEqual([`s/refund-a refunded ${minor}`]);
    expect(await world.ask(refund("s/refund-a", minor))).toBe("refunded");
    expect(world.givenBack()).toBe(minor);
    expect(await world.resolve(60_000)).toBe(0);
  });

  test("is asked again when the terminal repeats the same refund", async () => {
    expect(await world.ask(refund("s/refund-a", 4_991))).toBe("pending");
    expect(await world.ask(refund("s/refund-a", 4_991))).toBe("refunded");
    expect(world.givenBack()).toBe(4_991);
  });

  test("holds the amount of the refund meanwhile", async () => {
    expect(await world.ask(refund("s/refund-a", 4_991))).toBe("pending");
    expect(await world.ask(refund("s/refund-b", 10_010), "counter-2")).toBe("refund-refused exceeds");
    expect(await world.ask(refund("s/refund-c", 10_009), "counter-2")).toBe("refunded");
    await world.resolve(60_000);
    expect(world.givenBack()).toBe(15_000);
    expect(world.uneven()).toEqual([]);
  });

  test("and refuses in the end makes room for another refund", async () => {
    expect(await world.ask(refund("s/refund-a", 4_910))).toBe("pending");
    await world.clock.advance(PENDING_MS);
    await world.resolve(60_000);
    expect(await world.ask(refund("s/refund-a", 4_910))).toBe("refund-refused gateway");
    expect(await world.ask(refund("s/refund-b", 15_000))).toBe("refunded");
  });

  test.each([
    ["an answer of an unknown kind", { kind: "accepted" }],
    ["nothing at all", undefined],
  ])("in words that are understood, but with %s, is asked again after a wait", async (_what, answer) => {
    let calls = 0;
    const odd = {
      ...capable(),
      // What strangers send has the promised type only when the adapter is right.
      refund: async () => {
        calls += 1;
        return calls === 1 ? (answer as ReverseResult) : ({ kind: "success" } as const);
      },
    };
    await world.close();
    world = await new DeskWorld(odd).open();
    await world.ask(authorise("s/1"));
    expect(await world.ask(refund("s/refund-a", 4_000))).toBe("pending");
    expect(world.refunds()).toEqual(["s/refund-a pending 4000"]);
    expect([await world.resolve(0), calls]).toEqual([0, 1]);
    expect([await world.resolve(1_000), calls]).toEqual([1, 2]);
    expect(world.refunds()).toEqual(["s/refund-a refunded 4000"]);
  });

  test("for more than an hour is an alarm", async () => {
    const silent = { ...capable(), refund: async () => ({ kind: "pending", note: "queued" }) as const };
    await world.close();
    world = await new DeskWorld(silent).open();
    await world.ask(authorise("s/1"));
    expect(await world.ask(refund("s/refund-a", 4_000))).toBe("pending");
    await world.resolve(PENDING_ALARM_AFTER_MS + 1);
    expect(await world.alarms()).toEqual(["pending-too-long 1"]);
    expect(world.refunds()).toEqual(["s/refund-a pending 4000"]);
  });
});

/** A gateway that says yes to everything, without the sandbox. */
function capable(changes: Partial<Capabilities> = {}): Gateway {
  return {
    id: "plain",
    capabilities: {
      currencies: "all",
      minimumMinor: 1n,
      idempotentAuthorise: true,
      lateArrivalMs: 0,
      partialRefund: true,
      ...changes,
    },
    open: async () => undefined,
    close: async () => undefined,
    authorise: async ({ amount, orderId, merchant }) => ({
      kind: "success",
      authorisation: "P1",
      charged: { amount, orderId, merchant },
    }),
    query: async () => ({ kind: "pending", note: "never asked" }),
    reverse: async () => ({ kind: "success" }),
    refund: async () => ({ kind: "success" }),
  };
}

test("a gateway that gives back whole charges only refuses a part without being asked", async () => {
  await world.close();
  const calls: string[] = [];
  const whole: Gateway = {
    ...capable({ partialRefund: false }),
    refund: async ({ amount }) => {
      calls.push(amount.minor.toString());
      return { kind: "success" };
    },
  };
  world = await new DeskWorld(whole).open();
  await world.ask(authorise("s/1"));
  expect(await world.ask(refund("s/refund-a", 4_000))).toBe("refund-refused gateway");
  expect(calls).toEqual([]);
  expect(await world.ask(refund("s/refund-b", 15_000))).toBe("refunded");
  expect(calls).toEqual(["15000"]);
});

describe("the file", () => {
  function behind(sql: string): void {
    const db = new Database(world.books);
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  }

  beforeEach(async () => {
    await world.ask(authorise("s/1"));
    await world.ask(refund("s/refund-a", 4_000));
  });

  const insert = (minor: number): string => `
    INSERT INTO refunds (terminal, key, charge_id, merchant, sale_id, amount_minor, currency, state, refund_key,
      next_resolve_ms, time_ms, received_ms)
    VALUES ('t', 'k', 1, 'cafe', 's', ${minor}, 'KRW', 'attempting', 'r', 0, 0, 0)`;

  test.each([
    ["a refund that exceeds, whoever writes it", insert(11_001), /refunds exceed the charge/],
    ["a refund of nothing", insert(0), /CHECK constraint failed/],
    ["a refund that goes away", "DELETE FROM refunds", /refunds are kept/],
    ["a refusal without a reason", "UPDATE refunds SET state = 'refused'", /CHECK constraint failed/],
  ])("refuses %s", (_what, sql, reason) => {
    expect(() => behind(sql)).toThrow(reason);
  });

  test("takes a refund that fits", () => {
    expect(() => behind(insert(11_000))).not.toThrow();
  });

  test("shows a refund that was changed", () => {
    behind("UPDATE refunds SET state = 'pending', total_minor = NULL");
    expect(world.storage.verify()).toMatchObject({ strayed: ["counter-1 s/refund-a"] });
  });

  test("refuses a refund that moved meanwhile, and nothing of it stays", async () => {
    await world.ask(refund("s/refund-b", 4_909));
    const stale = world.storage.findRefund("counter-1", "s/refund-b");
    if (stale === undefined) throw new Error("no refund");
    const settlement = {
      learnt: { kind: "refunded" },
      attempt: { id: 1, result: "success" },
      nextResolveMs: 0,
      alarms: [{ kind: "pending-too-long", subject: "s", detail: "d" }],
      nowMs: 0,
    } as const;
    world.storage.settleRefund(stale, { ...settlement, alarms: [] });
    expect(() => world.storage.settleRefund(stale, settlement)).toThrow(/not pending any more/);
    expect(await world.alarms()).toEqual([]);
    expect(world.uneven()).toEqual(["clearing posted 6091", "payable posted -6091"]);
  });
});
