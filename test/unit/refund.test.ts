/** The life of a refund and the ledger's waits, as tables. */
import { describe, expect, test } from "vitest";
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { ChargeState } from "../../sync/ledger/charge.ts";
import { isEarly, RESOLVE_HORIZON_MS, retryWaitMs } from "../../sync/ledger/patience.ts";
import type { Refund, RefundLearnt, RefundState } from "../../sync/ledger/refund.ts";
import {
  isSameRefund,
  refundMoveOf,
  refundOutcomeOf,
  refundRefusal,
  saleCharge,
} from "../../sync/ledger/refund.ts";

const won = (minor: bigint) => ({ minor, currency: "KRW" });

describe("the charge that a refund has to do with", () => {
  test.each<[string, ChargeState[], string]>([
    ["nothing was tried", [], "not-charged"],
    ["approved", ["approved"], "charged 0"],
    ["declined, then approved", ["declined", "approved"], "charged 1"],
    ["approved, although another is open", ["pending", "approved"], "charged 1"],
    ["attempting", ["attempting"], "undecided"],
    ["declined, then pending", ["declined", "pending"], "undecided"],
    ["being reversed", ["reversing"], "undecided"],
    ["declined", ["declined"], "not-charged"],
    ["reversed", ["reversed", "declined"], "not-charged"],
  ])("%s", (_name, states, expected) => {
    const charges = states.map((state, place) => ({ state, place }));
    const found = saleCharge(charges);
    expect(found.kind === "charged" ? `charged ${found.charge.place}` : found.kind).toBe(expected);
  });
});

describe("whether a refund is sent", () => {
  test.each<[bigint, bigint, boolean, string | null]>([
    [0n, 15_000n, true, null],
    [0n, 15_000n, false, null],
    [0n, 1n, true, null],
    [0n, 14_999n, false, "gateway"],
    [0n, 15_001n, true, "exceeds"],
    [0n, 15_001n, false, "exceeds"],
    [5_000n, 10_000n, true, null],
    [5_000n, 10_001n, true, "exceeds"],
    [15_000n, 1n, true, "exceeds"],
  ])("%i reserved of 15000, %i asked, in parts %s", (reserved, minor, partialRefund, expected) => {
    expect(refundRefusal(won(15_000n), reserved, { amount: won(minor), partialRefund })).toBe(expected);
  });
});

describe("a refund under a known key", () => {
  const won = (minor: bigint, currency = "KRW") => ({ minor, currency });
  const known = { saleId: "s1", amount: won(5_000n) };

  test.each([
    ["the same sale and amount", known, true],
    ["another sale", { ...known, saleId: "s2" }, false],
    ["another amount", { ...known, amount: won(4_999n) }, false],
    ["another currency", { ...known, amount: won(5_000n, "JPY") }, false],
  ])("%s", (_, again, same) => {
    expect(isSameRefund(known, again)).toBe(same);
  });
});

describe("the life of a refund", () => {
  test.each<[RefundState, RefundLearnt["kind"], string]>([
    ["attempting", "refunded", "refunded"],
    ["attempting", "refused", "refused"],
    ["attempting", "unknown", "pending"],
    ["pending", "refunded", "refunded"],
    ["pending", "refused", "refused"],
    ["pending", "unknown", "pending"],
    ["refunded", "refused", "impossible"],
    ["refunded", "unknown", "impossible"],
    ["refused", "refunded", "impossible"],
  ])("%s learns %s: %s", (state, kind, expected) => {
    const move = (): string => {
      try {
        return refundMoveOf({ state }, { kind });
      } catch {
        return "impossible";
      }
    };
    expect(move()).toBe(expected);
  });

  const refund: Refund = {
    id: 1,
    terminal: "counter-1",
    key: "s/refund-a",
    merchant: "cafe",
    saleId: "s",
    amount: won(4_000n),
    state: "attempting",
    refusal: null,
    total: null,
    refundKey: "sr-1",
    resolveCount: 0,
    nextResolveMs: 0,
    timeMs: 0,
    receivedMs: 0,
    settledMs: null,
    charge: {
      id: 7,
      terminal: "counter-1",
      key: "s/1",
      merchant: "cafe",
      gateway: "sandbox",
      gatewayKey: "sp-1",
      card: "c",
    },
  };

  test.each<[Partial<Refund>, LedgerOutcome]>([
    [{ state: "attempting" }, { kind: "pending" }],
    [{ state: "pending" }, { kind: "pending" }],
    [
      { state: "refunded", total: won(9_000n) },
      { kind: "refunded", amount: won(4_000n), total: won(9_000n), gateway: "sandbox" },
    ],
    [
      { state: "refused", refusal: "exceeds" },
      { kind: "refund-refused", reason: "exceeds" },
    ],
    [
      { state: "refused", refusal: "not-charged", charge: null },
      { kind: "refund-refused", reason: "not-charged" },
    ],
  ])("with %o is told", (changes, expected) => {
    expect(refundOutcomeOf({ ...refund, ...changes })).toEqual(expected);
  });

  test.each<Partial<Refund>>([
    { state: "refunded" },
    { state: "refunded", total: won(1n), charge: null },
    { state: "refused" },
  ])("with %o and no proof of it is a programmer's error", (changes) => {
    expect(() => refundOutcomeOf({ ...refund, ...changes })).toThrow(/without/);
  });
});

describe("waits", () => {
  const patience = { gatewayTimeoutMs: 6_000, firstRetryMs: 1_000, maxRetryMs: 60_000 };
  test.each([
    [0, 1_000],
    [1, 2_000],
    [5, 32_000],
    [6, 60_000],
    [10_000, 60_000],
  ])("after %i questions: %i ms", (asked, expected) => {
    expect(retryWaitMs(asked, patience)).toBe(expected);
  });

  test.each([
    ["over", 999, false],
    ["just over", 1_000, false],
    ["to come", 1_001, true],
    ["at the horizon", 1_000 + RESOLVE_HORIZON_MS, true],
    ["beyond it: the clock was set back", 1_001 + RESOLVE_HORIZON_MS, false],
  ])("a time that is %s", (_name, nextMs, early) => {
    expect(isEarly(nextMs, 1_000)).toBe(early);
  });
});
