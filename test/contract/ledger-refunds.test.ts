/** What every LedgerStorage promises of money that goes back and of goods handed over; SQLite file and twin in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Charge } from "../../sync/ledger/charge.ts";
import type { Refund } from "../../sync/ledger/refund.ts";
import {
  type NewCharge,
  type NewRefund,
  type PromptLedgerStorage,
  RESOLVE_HORIZON_MS,
  type RefundSettlement,
  type Settlement,
} from "../../sync/ledger/storage.ts";
import {
  type LedgerPlace,
  memoryLedgerPlace,
  newCharge,
  newRefund,
  sqliteLedgerPlace,
} from "../support/ledger-places.ts";

const NOW_MS = 1_000;
const settlement = (learnt: Settlement["learnt"]): Settlement => ({
  learnt,
  attempt: null,
  nextResolveMs: 9_000,
  alarms: [],
  nowMs: 2_000,
});
const APPROVAL = settlement({ kind: "approved", authorisation: "A1" });
const refundSettlement = (kind: RefundSettlement["learnt"]["kind"], attempt = 2): RefundSettlement => ({
  learnt: { kind },
  attempt: { id: attempt, result: kind },
  nextResolveMs: 9_000,
  alarms: [],
  nowMs: 3_000,
});
const won = (minor: number) => ({ minor: BigInt(minor), currency: "KRW" });

describe.each([
  ["SqliteLedgerStorage", sqliteLedgerPlace],
  ["MemoryLedgerStorage", memoryLedgerPlace],
] as const)("%s", (_name, build) => {
  let place: LedgerPlace;
  let storage: PromptLedgerStorage;

  beforeEach(() => {
    place = build();
    storage = place.storage();
    storage.open();
  });
  afterEach(() => {
    storage.close();
    place.dispose();
  });

  function charged(key: string, changes: Partial<NewCharge> = {}): Charge {
    return storage.settle(storage.openCharge(newCharge(key, changes), NOW_MS).charge, APPROVAL);
  }

  function asked(key: string, minor: number, changes: Partial<NewRefund> = {}): string {
    const opened = storage.openRefund(newRefund(key, minor, changes), NOW_MS);
    if (!("refund" in opened)) return opened.kind;
    const { state, refusal } = opened.refund;
    return [opened.kind, state, refusal ?? []].flat().join(" ");
  }

  function refund(key: string, minor: number): Refund {
    const opened = storage.openRefund(newRefund(key, minor), NOW_MS);
    if (opened.kind !== "opened") throw new Error(`${key} is ${opened.kind}`);
    return opened.refund;
  }

  function given(key: string, minor: number): Refund {
    return storage.settleRefund(refund(key, minor), refundSettlement("refunded"));
  }

  function uneven(): string[] {
    const { accounts, balanced } = storage.statement({ limit: 1 });
    expect(balanced).toBe(true);
    return accounts
      .filter(({ debit, credit }) => debit !== credit)
      .map(({ kind, layer, debit, credit }) => `${kind} ${layer} ${debit - credit}`)
      .sort();
  }

  const alarms = (): string[] => storage.alarms(10).map(({ kind, subject }) => `${kind} ${subject}`);

  describe("asking for a refund", () => {
    test("stores it with its charge and its first attempt", () => {
      const charge = charged("s/1");
      const opened = storage.openRefund(newRefund("s/r1", 5_000), NOW_MS);
      expect(opened).toMatchObject({
        kind: "opened",
        attempt: 2,
        refund: {
          id: 1,
          terminal: "counter-1",
          key: "s/r1",
          merchant: "cafe",
          saleId: "s",
          amount: won(5_000),
          state: "attempting",
          refusal: null,
          total: null,
          resolveCount: 0,
          nextResolveMs: 7_000,
          receivedMs: NOW_MS,
          settledMs: null,
          charge: { id: charge.id, terminal: "counter-1", key: "s/1", gatewayKey: charge.gatewayKey },
        },
      });
      const found = storage.findRefund("counter-1", "s/r1");
      expect("refund" in opened && found).toEqual("refund" in opened ? opened.refund : undefined);
      expect(found?.refundKey).not.toBe(charge.gatewayKey);
      expect(storage.findRefund("counter-2", "s/r1")).toBeUndefined();
    });

    test.each<[string, number, Partial<NewRefund>, string]>([
      ["all of it", 15_000, {}, "opened attempting"],
      ["more than it", 15_001, {}, "decided refused exceeds"],
      [
        "a part, where the gateway gives back only the whole",
        5_000,
        { partialRefund: false },
        "decided refused gateway",
      ],
      ["the whole there", 15_000, { partialRefund: false }, "opened attempting"],
      ["from another terminal of the merchant", 15_000, { terminal: "counter-2" }, "opened attempting"],
      ["for another merchant", 15_000, { merchant: "bakery" }, "decided refused not-charged"],
      ["of a sale that never was", 15_000, { saleId: "t" }, "decided refused not-charged"],
      ["in another currency", 1, { amount: { minor: 1n, currency: "USD" } }, "other-currency"],
    ])("%s", (_what, minor, changes, expected) => {
      charged("s/1");
      expect(asked("s/r1", minor, changes)).toBe(expected);
    });

    test.each<[string, readonly Settlement["learnt"][], string]>([
      ["is being asked for", [], "undecided"],
      ["is pending", [{ kind: "unknown" }], "undecided"],
      ["was declined", [{ kind: "declined", reason: "not-honoured" }], "decided refused not-charged"],
      ["was reversed", [{ kind: "reversed" }], "decided refused not-charged"],
    ])("of a charge that %s", (_what, steps, expected) => {
      let { charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      for (const learnt of steps) charge = storage.settle(charge, settlement(learnt));
      expect(asked("s/r1", 100)).toBe(expected);
    });

    test("of a sale that was tried twice finds the charge that was approved", () => {
      const { charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      storage.settle(charge, settlement({ kind: "declined", reason: "not-honoured" }));
      charged("s/2");
      expect(refund("s/r1", 100).charge?.key).toBe("s/2");
    });

    test("again under the same key is known, with another amount a conflict", () => {
      charged("s/1");
      asked("s/r1", 5_000);
      expect(asked("s/r1", 5_000)).toBe("known attempting");
      expect(asked("s/r1", 5_001)).toBe("conflict attempting");
      expect(asked("s/r1", 5_000, { saleId: "t" })).toBe("conflict attempting");
      expect(asked("s/r1", 5_000, { terminal: "counter-2" })).toBe("opened attempting");
    });
  });

  describe("all refunds of a charge together", () => {
    test("never exceed it, whichever terminals ask while nothing is given yet", () => {
      charged("s/1");
      expect(asked("s/r1", 9_000)).toBe("opened attempting");
      expect(asked("s/r2", 6_001, { terminal: "counter-2" })).toBe("decided refused exceeds");
      expect(asked("s/r3", 6_000, { terminal: "counter-2" })).toBe("opened attempting");
      expect(asked("s/r4", 1)).toBe("decided refused exceeds");
    });

    test("have room again for what the gateway refused; the refused one stays refused", () => {
      charged("s/1");
      const refused = storage.settleRefund(refund("s/r1", 15_000), refundSettlement("refused"));
      expect(refused).toMatchObject({ state: "refused", refusal: "gateway", total: null, settledMs: 3_000 });
      expect(asked("s/r1", 15_000)).toBe("known refused gateway");
      expect(asked("s/r2", 15_000)).toBe("opened attempting");
    });

    test("sum up as they are given, each with postings of its own", () => {
      charged("s/1");
      expect(given("s/r1", 4_000).total).toEqual(won(4_000));
      expect(uneven()).toEqual(["clearing posted 11000", "payable posted -11000"]);
      expect(given("s/r2", 11_000).total).toEqual(won(15_000));
      expect(uneven()).toEqual([]);
      const { transactions, refundTotals } = storage.statement({ limit: 1 });
      expect(transactions[0]).toMatchObject({ refundedMinor: 15_000n, attempts: 1 });
      expect(transactions[0]?.refunds.map(({ key, minor, state }) => `${key} ${minor} ${state}`)).toEqual([
        "s/r1 4000 refunded",
        "s/r2 11000 refunded",
      ]);
      expect(refundTotals).toEqual([{ state: "refunded", currency: "KRW", count: 2, minor: 15_000n }]);
    });
  });

  describe("settling a refund", () => {
    test("that is not known yet leaves the books alone and asks again later", () => {
      charged("s/1");
      const pending = storage.settleRefund(refund("s/r1", 5_000), refundSettlement("unknown"));
      expect(pending).toMatchObject({
        state: "pending",
        resolveCount: 1,
        nextResolveMs: 9_000,
        settledMs: null,
      });
      expect(uneven()).toEqual(["clearing posted 15000", "payable posted -15000"]);
      expect(storage.beginRefundAttempt(pending, 4_000)).toBe(3);
      expect(storage.settleRefund(pending, refundSettlement("refunded", 3)).state).toBe("refunded");
    });

    test("twice is refused, and nothing of the second stays", () => {
      charged("s/1");
      const opened = refund("s/r1", 5_000);
      storage.settleRefund(opened, refundSettlement("refunded"));
      const again = {
        ...refundSettlement("refunded"),
        alarms: [{ kind: "gateway-mismatch", subject: "s", detail: "d" }],
      } as const;
      expect(() => storage.settleRefund(opened, again)).toThrow(/not attempting any more/);
      expect(uneven()).toEqual(["clearing posted 10000", "payable posted -10000"]);
      expect(alarms()).toEqual([]);
    });

    test("that was refused at once is a mistake of the program", () => {
      charged("s/1");
      storage.openRefund(newRefund("s/r1", 99_000), NOW_MS);
      const refused = storage.findRefund("counter-1", "s/r1");
      if (refused === undefined) throw new Error("no refund");
      expect(() => storage.settleRefund(refused, refundSettlement("refunded"))).toThrow(/cannot learn/);
      storage.openRefund(newRefund("t/r1", 1), NOW_MS);
      const chargeless = storage.findRefund("counter-1", "t/r1");
      if (chargeless === undefined) throw new Error("no refund");
      expect(() => storage.beginRefundAttempt(chargeless, 1)).toThrow(/no charge/);
    });

    test("raises the alarms that it brings", () => {
      charged("s/1");
      const alarm = { kind: "pending-too-long", subject: "counter-1 s/r1", detail: "d" } as const;
      storage.settleRefund(refund("s/r1", 1), { ...refundSettlement("unknown"), alarms: [alarm] });
      expect(alarms()).toEqual(["pending-too-long counter-1 s/r1"]);
    });
  });

  describe("a reversal", () => {
    test.each<[string, RefundSettlement["learnt"]["kind"] | null, string]>([
      ["is asked for by someone else", null, "refunded"],
      ["was given", "refunded", "refunded"],
      ["is not known", "unknown", "refunded"],
      ["was refused", "refused", "reversing"],
    ])("while a refund %s", (_what, learnt, expected) => {
      const charge = charged("s/1");
      const opened = refund("s/r1", 100);
      if (learnt !== null) storage.settleRefund(opened, refundSettlement(learnt));
      expect(storage.askReversal(charge, 9_000, 4_000).kind).toBe(expected);
      expect(storage.find("counter-1", "s/1")?.state).toBe(
        expected === "refunded" ? "approved" : "reversing",
      );
    });

    test("that was asked for leaves nothing to refund", () => {
      const charge = charged("s/1");
      const reversal = storage.askReversal(charge, 9_000, 4_000);
      expect(asked("s/r1", 100)).toBe("undecided");
      if (reversal.kind !== "reversing") throw new Error("not reversing");
      storage.settle(reversal.charge, settlement({ kind: "reversed" }));
      expect(asked("s/r1", 100)).toBe("decided refused not-charged");
      expect(uneven()).toEqual([]);
    });

    test("of a charge that moved meanwhile is refused", () => {
      const { charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      storage.settle(charge, APPROVAL);
      expect(() => storage.askReversal(charge, 1, 1)).toThrow(/not attempting any more/);
    });
  });

  describe("refunds that are due", () => {
    const keys = (nowMs: number, limit = 10): string[] =>
      storage.dueRefunds(nowMs, limit).map(({ key }) => key);

    test("come longest due first, while they are unresolved, also when the clock was set back", () => {
      charged("s/1");
      storage.openRefund(newRefund("s/r1", 1, { nextResolveMs: 3_000 }), NOW_MS);
      storage.openRefund(newRefund("s/r2", 1, { nextResolveMs: 2_000 }), NOW_MS);
      storage.openRefund(newRefund("s/r3", 1, { nextResolveMs: RESOLVE_HORIZON_MS + 5_000 }), NOW_MS);
      expect(keys(1_999)).toEqual(["s/r3"]);
      expect(keys(3_000)).toEqual(["s/r2", "s/r1", "s/r3"]);
      expect(keys(3_000, 1)).toEqual(["s/r2"]);
      expect(keys(5_000)).toEqual(["s/r2", "s/r1"]);
    });

    test("are all of them after a start, with the charges", () => {
      charged("s/1");
      refund("s/r1", 1);
      given("s/r2", 1);
      storage.openCharge(newCharge("t/1"), NOW_MS);
      expect(storage.makeAllDue(50)).toBe(2);
      expect(keys(50)).toEqual(["s/r1"]);
    });
  });

  describe("goods that were handed over", () => {
    test("make a charge that is declined afterwards a claim", () => {
      const { charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      const honoured = storage.honour("counter-1", "s/1", "s", NOW_MS);
      expect(honoured).toEqual({ ...charge, mode: "offline" });
      expect(storage.find("counter-1", "s/1")).toEqual(honoured);
      expect(storage.honour("counter-1", "s/1", "s", NOW_MS)).toEqual(honoured);
      if (honoured === undefined) throw new Error("no charge");
      storage.settle(honoured, settlement({ kind: "declined", reason: "not-honoured" }));
      expect(uneven()).toEqual(["customer posted 15000", "suspense posted -15000"]);
    });

    test("for a charge that is declined already are a claim and an alarm at once, and once", () => {
      const { charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      storage.settle(charge, settlement({ kind: "declined", reason: "not-honoured" }));
      storage.honour("counter-1", "s/1", "s", NOW_MS);
      storage.honour("counter-1", "s/1", "s", NOW_MS);
      expect(uneven()).toEqual(["customer posted 15000", "suspense posted -15000"]);
      expect(alarms()).toEqual(["offline-declined counter-1 s/1"]);
    });

    test("are remembered for a charge that has not come yet", () => {
      expect(storage.honour("counter-1", "s/1", "s", NOW_MS)).toBeUndefined();
      expect(storage.openCharge(newCharge("s/1"), NOW_MS).charge.mode).toBe("offline");
      expect(storage.openCharge(newCharge("t/1"), NOW_MS).charge.mode).toBe("online");
    });

    test("of another sale are refused", () => {
      storage.openCharge(newCharge("s/1"), NOW_MS);
      expect(() => storage.honour("counter-1", "s/1", "t", NOW_MS)).toThrow(/not of sale t/);
    });
  });
});
