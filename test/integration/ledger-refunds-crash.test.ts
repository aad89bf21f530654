/** Money back by a ledger that dies at any moment: given once, and the books say what the bank did. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorise, GATEWAY_TIMEOUT_MS, refund, takeBack } from "../support/ledger-desk.ts";
import { SlowWorld } from "../support/slow-ledger.ts";

describe("a ledger that dies while it gives money back", () => {
  test.each([
    ["before the call reaches the gateway", 50],
    ["after the money went and before the answer", 150],
  ])("%s gives it once", async (_when, ms) => {
    const slow = new SlowWorld();
    await slow.open();
    try {
      await slow.ask(authorise("s/1"));
      await slow.killDuring(refund("s/refund-a", 4_000), "counter-1", ms);
      expect(slow.refunds()).toEqual(["s/refund-a attempting 4000"]);
      await slow.heal();
      expect(slow.refunds()).toEqual(["s/refund-a refunded 4000"]);
      expect(slow.calls.filter((call) => call === "refund")).toHaveLength(2);
      expect(slow.givenBack()).toBe(4_000);
      expect(await slow.ask(refund("s/refund-a", 4_000))).toBe("refunded");
    } finally {
      await slow.close();
    }
  });

  const step = fc.record({
    sale: fc.integer({ min: 0, max: 1 }),
    ask: fc.constantFrom("refund", "refund", "refund", "void"),
    key: fc.constantFrom("a", "b", "c"),
    minor: fc.constantFrom(4_000, 10_000, 15_000, 4_951, 4_991, 4_968, 4_909),
    terminal: fc.constantFrom("counter-0", "counter-1"),
    killAfterMs: fc.option(fc.integer({ min: 0, max: 350 }), { nil: null, freq: 2 }),
    resolve: fc.boolean(),
  });

  test("whenever it dies, the bank gave back what the books say, and never more than was charged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), async (steps) => {
        const slow = new SlowWorld();
        try {
          await slow.open();
          for (const sale of [0, 1]) await slow.ask(authorise(`s${sale}/1`), "counter-0");
          const final = new Map<string, string>();
          for (const { sale, ask, key, minor, terminal, killAfterMs, resolve } of steps) {
            const of = ask === "void" ? "counter-0" : terminal;
            const one =
              ask === "void" ? takeBack(`s${sale}/1`) : refund(`s${sale}/refund-${key}-${minor}`, minor);
            if (killAfterMs !== null) await slow.killDuring(one, of, killAfterMs);
            else {
              const told = await slow.ask(one, of);
              const name = `${of} ${one.key} ${ask}`;
              // What was final once is said again for ever; a refused void may succeed when the refund was refused.
              if (final.has(name)) expect(told).toBe(final.get(name));
              const lasting = ask === "refund" ? told !== "pending" : told === "reversed";
              if (lasting) final.set(name, told);
            }
            if (resolve) await slow.resolve(GATEWAY_TIMEOUT_MS);
          }
          await slow.heal();
          const { transactions } = slow.storage.statement({ limit: 10 });
          const bank = slow.sandbox.charges();
          for (const { saleId, state, refundedMinor, amount, refunds } of transactions) {
            const there = bank.find(({ orderId }) => orderId === saleId);
            expect(there?.refundedMinor).toBe(refundedMinor);
            expect(refundedMinor <= amount.minor).toBe(true);
            expect(refunds.filter((one) => ["attempting", "pending"].includes(one.state))).toEqual([]);
            expect(there?.status).toBe(state === "reversed" ? "reversed" : "charged");
            if (state === "reversed") expect(refundedMinor).toBe(0n);
          }
          const kept = bank.reduce(
            (sum, { status, minor, refundedMinor }) =>
              status === "charged" ? sum + minor - refundedMinor : sum,
            0n,
          );
          expect(slow.uneven()).toEqual(
            kept === 0n ? [] : [`clearing posted ${kept}`, `payable posted -${kept}`],
          );
          expect(slow.storage.verify()).toMatchObject({ firstBroken: null, strayed: [] });
        } finally {
          await slow.close();
        }
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
