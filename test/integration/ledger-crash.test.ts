/**
 * Crashes at any moment. Random requests of two terminals, a slow gateway, and ledgers that die in the middle; then
 * the world heals, and the books and the bank must tell the same story: one charge per approved key and no other.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { AuthoriseResult, Gateway, QueryResult } from "../../sync/ledger/gateways/gateway.ts";
import { PENDING_ALARM_AFTER_MS } from "../../sync/ledger/patience.ts";
import { authorise, DeskWorld, GATEWAY_TIMEOUT_MS, query, reverse } from "../support/ledger-desk.ts";
import { SlowWorld } from "../support/slow-ledger.ts";

const BEHAVIOURS = [15_000, 4_951, 4_909, 4_910, 4_991, 4_968] as const;

let world: DeskWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe("a ledger that dies", () => {
  test.each([
    ["before the call reaches the gateway", 50, ["authorise", "query", "authorise"]],
    ["after the charge and before its answer", 150, ["authorise", "query"]],
  ])("%s charges once, and asks before it sends again", async (_when, ms, calls) => {
    const slow = new SlowWorld();
    world = await slow.open();
    await slow.killDuring(authorise("s/1"), "counter-1", ms);
    expect(await slow.states()).toEqual(["s/1 attempting"]);
    // The lost call and the question travel side by side: the bank hears the call first or the question first.
    const round = slow.resolver.once();
    await slow.clock.advance(GATEWAY_TIMEOUT_MS);
    await round;
    expect(await slow.states()).toEqual(["s/1 approved"]);
    expect(calls).toEqual(expect.arrayContaining(slow.calls));
    expect(slow.calls.slice(0, 2)).toEqual(["authorise", "query"]);
    expect(slow.charged()).toBe(1);
    expect(slow.sandbox.charges()).toHaveLength(1);
  });

  test("while the call is held up on its way sends again under the same key, and is charged once", async () => {
    const slow = new SlowWorld();
    world = await slow.open();
    slow.holdUpMs = 2_000;
    await slow.killDuring(authorise("s/1"), "counter-1", 50);
    slow.holdUpMs = 0;
    const round = slow.resolver.once();
    await slow.clock.advance(1_000);
    await round;
    expect(slow.calls).toEqual(["authorise", "query", "authorise"]);
    expect(await slow.states()).toEqual(["s/1 approved"]);
    await slow.clock.advance(5_000);
    expect(slow.sandbox.charges().map(({ status, calls }) => `${status} ${calls}`)).toEqual(["charged 2"]);
  });

  const step = fc.record({
    key: fc.integer({ min: 0, max: 3 }),
    ask: fc.constantFrom("authorise", "authorise", "query", "reverse"),
    killAfterMs: fc.option(fc.integer({ min: 0, max: 350 }), { nil: null, freq: 2 }),
    waitMs: fc.constantFrom(0, 50, 4_000),
  });
  const amounts = fc.array(fc.constantFrom(...BEHAVIOURS), { minLength: 4, maxLength: 4 });

  test("whenever it dies, books and bank agree once the world has healed", async () => {
    await fc.assert(
      fc.asyncProperty(amounts, fc.array(step, { minLength: 1, maxLength: 12 }), async (prices, steps) => {
        const slow = new SlowWorld();
        try {
          await slow.open();
          const said = new Map<string, Set<string>>();
          for (const { key: number, ask, killAfterMs, waitMs } of steps) {
            const key = `s${number}/1`;
            const terminal = `counter-${number % 2}`;
            const price = prices[number] ?? 15_000;
            const request =
              ask === "authorise" ? authorise(key, price) : ask === "query" ? query(key) : reverse(key);
            if (killAfterMs !== null) await slow.killDuring(request, terminal, killAfterMs);
            else {
              const told = await slow.ask(request, terminal);
              const before = said.get(key) ?? new Set();
              // What was final once stays: only a reversal follows an approval, and nothing follows the others.
              if (told === "approved") expect(before.has("reversed") || before.has("declined")).toBe(false);
              said.set(key, before.add(told.split(" ")[0] ?? told));
            }
            await slow.clock.advance(waitMs);
          }
          await slow.heal();
          const { transactions, balanced, accounts } = slow.storage.statement({ limit: 100 });
          expect(balanced).toBe(true);
          expect(
            accounts.filter(({ layer, debit, credit }) => layer === "pending" && debit !== credit),
          ).toEqual([]);
          const charged = slow.sandbox.charges().filter(({ status }) => status === "charged");
          const approved = transactions.filter(({ state }) => state === "approved");
          expect(charged.map(({ orderId }) => orderId).sort()).toEqual(
            approved.map(({ saleId }) => saleId).sort(),
          );
          for (const { state } of transactions) expect(["approved", "declined", "reversed"]).toContain(state);
        } finally {
          await slow.close();
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** A gateway that does as told and remembers what it was asked. */
class ScriptedGateway implements Gateway {
  readonly id = "scripted";
  readonly capabilities;
  readonly calls: string[] = [];
  authoriseResult: () => Promise<AuthoriseResult> = () => new Promise(() => undefined);
  queryResult: QueryResult = { kind: "not-found" };

  constructor(idempotentAuthorise: boolean, lateArrivalMs: number) {
    this.capabilities = {
      currencies: ["KRW"],
      minimumMinor: 100n,
      idempotentAuthorise,
      lateArrivalMs,
      partialRefund: false,
    };
  }
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  authorise(): Promise<AuthoriseResult> {
    this.calls.push("authorise");
    return this.authoriseResult();
  }
  async query(): Promise<QueryResult> {
    this.calls.push("query");
    return this.queryResult;
  }
  reverse(): Promise<{ kind: "failure"; note: string }> {
    this.calls.push("reverse");
    return Promise.resolve({ kind: "failure", note: "settled" });
  }
  refund(): Promise<{ kind: "success" }> {
    this.calls.push("refund");
    return Promise.resolve({ kind: "success" });
  }
}

describe("a gateway that is hard to understand", () => {
  const success = (changes: object): (() => Promise<AuthoriseResult>) => {
    const charged = {
      amount: { minor: 15_000n, currency: "KRW" },
      orderId: "s",
      merchant: "cafe",
      ...changes,
    };
    return async () => ({ kind: "success", authorisation: "A1", charged });
  };

  test.each<[string, () => Promise<AuthoriseResult>, string, string[]]>([
    ["says yes", success({}), "approved", []],
    [
      "charged more",
      success({ amount: { minor: 15_001n, currency: "KRW" } }),
      "pending",
      ["gateway-mismatch 1"],
    ],
    [
      "charged dollars",
      success({ amount: { minor: 15_000n, currency: "USD" } }),
      "pending",
      ["gateway-mismatch 1"],
    ],
    ["charged another order", success({ orderId: "t" }), "pending", ["gateway-mismatch 1"]],
    ["charged for another shop", success({ merchant: "bar" }), "pending", ["gateway-mismatch 1"]],
    ["throws", async () => Promise.reject(new Error("socket hang up")), "pending", []],
    [
      "throws at once",
      () => {
        throw new Error("bug");
      },
      "pending",
      [],
    ],
    ["invents a word", async () => ({ kind: "accepted" }) as unknown as AuthoriseResult, "pending", []],
    [
      "gives no authorisation",
      async () => ({ ...(await success({})()), authorisation: "" }) as AuthoriseResult,
      "pending",
      [],
    ],
    ["never answers", () => new Promise(() => undefined), "pending", []],
  ])("%s", async (_what, result, expected, alarms) => {
    const gateway = new ScriptedGateway(true, 0);
    gateway.authoriseResult = result;
    world = await new DeskWorld(gateway).open();
    expect(await world.ask(authorise("s/1"))).toBe(expected);
    expect(await world.alarms()).toEqual(alarms);
    expect(await world.balanced()).toBe(true);
  });

  test("without idempotency is sent to again only when no earlier call can still arrive", async () => {
    const gateway = new ScriptedGateway(false, 60_000);
    world = await new DeskWorld(gateway).open();
    expect(await world.ask(authorise("s/1"))).toBe("pending");
    expect(await world.ask(query("s/1"))).toBe("pending");
    expect(gateway.calls).toEqual(["authorise", "query"]);
    await world.clock.advance(60_000);
    expect(await world.ask(query("s/1"))).toBe("pending");
    expect(gateway.calls).toEqual(["authorise", "query", "query", "authorise"]);
  });

  test.each([
    [15_000, "USD", "refused invalid"],
    [99, "KRW", "refused invalid"],
    [100, "KRW", "pending"],
  ])("with limits: %i %s is %s", async (minor, currency, expected) => {
    world = await new DeskWorld(new ScriptedGateway(true, 0)).open();
    const amount = { minor: BigInt(minor), currency };
    expect(await world.ask(authorise("s/1", minor, { amount, vat: { minor: 0n, currency } }))).toBe(expected);
  });

  test("that has settled a charge already gives it back by a refund", async () => {
    const gateway = new ScriptedGateway(true, 0);
    gateway.authoriseResult = success({});
    world = await new DeskWorld(gateway).open();
    await world.ask(authorise("s/1"));
    expect(await world.ask(reverse("s/1"))).toBe("reversed");
    expect(gateway.calls).toEqual(["authorise", "reverse", "refund"]);
    expect(await world.alarms()).toEqual(["gateway-refused-reversal 1"]);
    const { accounts } = world.storage.statement({ limit: 1 });
    expect(accounts.filter(({ debit, credit }) => debit !== credit)).toEqual([]);
  });

  test.each<[string, QueryResult | "charged", string, string[]]>([
    ["charged", "charged", "reversed", ["authorise", "reverse", "query", "refund"]],
    ["declined", { kind: "failure", reason: "not-honoured" }, "reversed", ["authorise", "reverse", "query"]],
    ["reversed", { kind: "reversed" }, "reversed", ["authorise", "reverse", "query"]],
    ["not known", { kind: "not-found" }, "pending", ["authorise", "reverse", "query"]],
    ["undecided", { kind: "pending", note: "later" }, "pending", ["authorise", "reverse", "query"]],
  ])(
    "that refuses a reversal of what was never answered is asked: %s",
    async (_what, told, expected, calls) => {
      const gateway = new ScriptedGateway(true, 0);
      world = await new DeskWorld(gateway).open();
      await world.ask(authorise("s/1"));
      gateway.queryResult = told === "charged" ? await success({})() : told;
      expect(await world.ask(reverse("s/1"))).toBe(expected);
      expect(gateway.calls).toEqual(calls);
      const { accounts, balanced } = world.storage.statement({ limit: 1 });
      expect(balanced).toBe(true);
      const uneven = accounts.filter(({ debit, credit }) => debit !== credit).map(({ layer }) => layer);
      expect(uneven).toEqual(expected === "reversed" ? [] : ["pending", "pending"]);
    },
  );

  test.each([
    ["online", [], []],
    ["offline", ["customer posted 15000", "suspense posted -15000"], ["offline-declined 1"]],
  ] as const)("that has reversed a charge unasked is believed, %s", async (mode, uneven, alarms) => {
    const gateway = new ScriptedGateway(true, 0);
    gateway.queryResult = { kind: "reversed" };
    world = await new DeskWorld(gateway).open();
    expect(await world.ask(authorise("s/1", 15_000, { mode }))).toBe("pending");
    expect(await world.ask(query("s/1"))).toBe("reversed");
    expect(world.uneven()).toEqual(uneven);
    expect(await world.alarms()).toEqual(alarms);
  });

  test("that stays silent is asked with doubling waits, and after an hour an alarm tells", async () => {
    const gateway = new ScriptedGateway(true, 0);
    gateway.queryResult = { kind: "pending", note: "still" };
    gateway.authoriseResult = async () => ({ kind: "pending", note: "queued" });
    world = await new DeskWorld(gateway).open();
    const startMs = world.clock.now();
    await world.ask(authorise("s/1"));
    const askedMs: number[] = [];
    while (world.clock.now() - startMs < 70_000) {
      const before = gateway.calls.length;
      await world.clock.advance(500);
      await world.resolver.once();
      if (gateway.calls.length > before) askedMs.push(world.clock.now() - startMs);
    }
    const waits = askedMs.map((ms, index) => ms - (askedMs[index - 1] ?? 0));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    await world.clock.advance(PENDING_ALARM_AFTER_MS);
    await world.resolver.once();
    expect(await world.alarms()).toEqual(["pending-too-long 1"]);
  });
});
