import { describe, expect, it } from "vitest";
import {
  type OfflineSale,
  type OfflineSituation,
  offlineLimit,
  rememberTap,
} from "../../../daemon/core/offline.ts";
import type { OfflineTap, OpenCharge } from "../../../daemon/core/sale.ts";
import { SETTINGS } from "../../support/shop.ts";

const HOUR_MS = 3_600_000;
/** A clock that was set. */
const SET_MS = Date.UTC(2026, 10, 20);
const policy = SETTINGS.offline;

const won = (minor: bigint) => ({ minor, currency: "KRW" });

const open = (minor: bigint, token = "a", timeMs = 0): OpenCharge => ({
  saleId: "s",
  key: "s/1",
  amount: won(minor),
  token,
  timeMs,
  purpose: "offline",
  queries: 0,
  pending: false,
});
const reversal: OpenCharge = { ...open(60_000n), purpose: "reversal" };

const sale = (change: Partial<OfflineSale> = {}): OfflineSale => ({
  amount: won(1n),
  token: "a",
  card: { verified: true, denied: false },
  nowMs: 0,
  ...change,
});

const situation = (change: Partial<OfflineSituation> = {}): OfflineSituation => ({
  standing: { kind: "welcome" },
  openCharges: [],
  offlineTaps: [],
  ...change,
});

describe("what waits for the ledger bounds what may be sold without it", () => {
  const rows: [name: string, waiting: OpenCharge[], minor: bigint, nowMs: number, limit: string | null][] = [
    ["first sale", [], 50_000n, 0, null],
    ["too large", [], 50_001n, 0, "per-sale"],
    ["exactly the total", [open(30_000n)], 30_000n, 0, null],
    ["over the total", [open(30_000n)], 30_001n, 0, "total"],
    ["reversals do not count", [reversal], 50_000n, 0, null],
    ["too many", [open(1n, "b"), open(1n, "c"), open(1n, "d")], 1n, 0, "count"],
    ["oldest at the age limit", [open(1n, "b", SET_MS)], 1n, SET_MS + 1_000_000, null],
    ["oldest too old", [open(1n, "b", SET_MS)], 1n, SET_MS + 1_000_001, "age"],
    ["made at 1970, before the clock was set", [open(1n)], 1n, SET_MS, null],
    ["a clock that went back", [open(1n, "b", 5_000_000)], 1n, 0, null],
    ["third sale of a card", [open(1n), open(1n)], 1n, 0, "per-card"],
    ["third sale, other cards", [open(1n, "b"), open(1n, "c")], 1n, 0, null],
  ];

  it.each(rows)("%s", (_, openCharges, minor, nowMs, limit) => {
    expect(offlineLimit(policy, situation({ openCharges }), sale({ amount: won(minor), nowMs }))).toBe(limit);
  });
});

describe("the card and the journal must be known", () => {
  it.each([
    ["switched off", { enabled: false }, {}, {}, "disabled"],
    ["a journal that the ledger never saw", {}, { standing: { kind: "new" } }, {}, "not-welcomed"],
    ["a journal that lost its past", {}, { standing: { kind: "recalling" } }, {}, "not-welcomed"],
    ["a copy", {}, { standing: { kind: "barred", reason: "copied" } }, {}, "not-welcomed"],
    ["a cryptogram that nobody checked", {}, {}, { card: { verified: false, denied: false } }, "unverified"],
    ["a card on the deny list", {}, {}, { card: { verified: true, denied: true } }, "denied"],
  ] as const)("%s", (_, rules, where, what, limit) => {
    expect(offlineLimit({ ...policy, ...rules }, situation(where), sale(what))).toBe(limit);
  });
});

describe("one card within an hour, settled or not", () => {
  const taps = (...timesMs: number[]): OfflineTap[] => timesMs.map((timeMs) => ({ token: "a", timeMs }));

  it.each([
    ["none yet", [], 0, null],
    ["one before", taps(0), 1, null],
    ["two before", taps(0, 1), 2, "per-card-hour"],
    ["the first is an hour ago", taps(0, 1), HOUR_MS, null],
    ["taps of a time that the clock has not reached count", taps(9e12, 9e12), 0, "per-card-hour"],
    ["other cards", [{ token: "b", timeMs: 0 }, ...taps(0)], 1, null],
  ] as const)("%s", (_, offlineTaps, nowMs, limit) => {
    expect(offlineLimit(policy, situation({ offlineTaps }), sale({ nowMs }))).toBe(limit);
  });

  it("forgets what no limit asks for any more, and never grows without end", () => {
    expect(rememberTap(taps(0, 5), "b", HOUR_MS)).toEqual([
      { token: "a", timeMs: 5 },
      { token: "b", timeMs: HOUR_MS },
    ]);
    const many = Array.from({ length: 600 }, (_, timeMs) => ({ token: "a", timeMs }));
    expect(rememberTap(many, "b", 600)).toHaveLength(500);
  });
});
