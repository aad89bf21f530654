import { describe, expect, it } from "vitest";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../../daemon/core/sale.ts";
import {
  type EventOfVersion1,
  type StateOfVersion1,
  stateBefore,
  upgradeEvent,
  upgradeState,
} from "../../../daemon/core/upgrade.ts";
import { CARD, SETTINGS } from "../../support/shop.ts";

const won = (minor: bigint) => ({ minor, currency: "KRW" });

const CHARGE = {
  key: "s4/1",
  amount: won(13_500n),
  vat: won(1_227n),
  lines: [],
  card: CARD,
  timeMs: 400,
};
const SALE = {
  id: "s4",
  sequence: 4,
  language: "ko",
  basket: [],
  attempts: 1,
  misses: 0,
  effects: 9,
  startedMs: 390,
  saying: null,
  timer: "s4:8",
} as const;
const OPEN = { saleId: "s2", key: "s2/1", amount: won(5_000n), token: "card-2", timeMs: 200, queries: 0 };
const STANDING = { verified: true, denied: false };

const OLD: StateOfVersion1 = {
  sale: null,
  lastSequence: 3,
  linkUp: true,
  openCharges: [],
  recent: [{ saleId: "s1", sequence: 1, ending: "approved", total: won(9_000n) }],
};
/** Everything that version 1 did not know. */
const NEW = {
  standing: { kind: "welcome" },
  openRefunds: [],
  offlineTaps: [],
  papers: [],
  lastPaper: EMPTY_TERMINAL.lastPaper,
  day: EMPTY_TERMINAL.day,
} as const;

describe("a state of version 1", () => {
  it.each<[string, Partial<StateOfVersion1>, Partial<TerminalState>]>([
    ["without a sale", {}, {}],
    [
      "with a sale that has no charge",
      { sale: { ...SALE, phase: { kind: "awaiting-card", total: won(1n) } } },
      { sale: { ...SALE, phase: { kind: "awaiting-card", total: won(1n) } } },
    ],
    [
      "with a charge under way",
      { sale: { ...SALE, phase: { kind: "authorising", charge: CHARGE } } },
      { sale: { ...SALE, phase: { kind: "authorising", charge: { ...CHARGE, standing: STANDING } } } },
    ],
    [
      "with charges that wait for the ledger: the offline ones count for the hour",
      {
        openCharges: [
          { ...OPEN, purpose: "offline" },
          { ...OPEN, key: "s3/1", purpose: "reversal" },
        ],
      },
      {
        openCharges: [
          { ...OPEN, purpose: "offline", pending: true },
          { ...OPEN, key: "s3/1", purpose: "reversal", pending: true },
        ],
        offlineTaps: [{ token: "card-2", timeMs: 200 }],
      },
    ],
  ])("%s", (_what, old, expected) => {
    expect(upgradeState({ ...OLD, ...old })).toEqual({ ...OLD, ...NEW, ...expected });
  });

  it("is upgraded once: a state of this program stays the same object", () => {
    const upgraded = upgradeState(OLD);
    expect(upgradeState(upgraded)).toBe(upgraded);
    expect(upgradeState(EMPTY_TERMINAL)).toBe(EMPTY_TERMINAL);
  });
});

const { perCardPerHour: _later, ...offline } = SETTINGS.offline;
const OLD_SETTINGS: EventOfVersion1 = {
  kind: "settings.applied",
  atMs: 1,
  settings: { ...SETTINGS, offline },
};

describe("an event of version 1", () => {
  it.each<[string, SaleEvent | EventOfVersion1, SaleEvent]>([
    [
      "a tap was checked, and no deny list was known",
      { kind: "card.presented", atMs: 1, card: CARD, lastCounter: 3 },
      { kind: "card.presented", atMs: 1, card: CARD, lastCounter: 3, verified: true, denied: false },
    ],
    [
      "a tap of this program stays as it is",
      { kind: "card.presented", atMs: 1, card: CARD, lastCounter: 3, verified: false, denied: true },
      { kind: "card.presented", atMs: 1, card: CARD, lastCounter: 3, verified: false, denied: true },
    ],
    [
      "no card was limited within an hour",
      OLD_SETTINGS,
      {
        kind: "settings.applied",
        atMs: 1,
        settings: { ...SETTINGS, offline: { ...offline, perCardPerHour: Number.MAX_SAFE_INTEGER } },
      },
    ],
    [
      "settings of this program stay as they are",
      { kind: "settings.applied", atMs: 1, settings: SETTINGS },
      { kind: "settings.applied", atMs: 1, settings: SETTINGS },
    ],
    ["others have not changed", { kind: "daemon.started", atMs: 1 }, { kind: "daemon.started", atMs: 1 }],
  ])("%s", (_what, event, expected) => {
    expect(upgradeEvent(event)).toEqual(expected);
  });
});

describe("the state before a journal's first event", () => {
  it.each<[string, SaleEvent | EventOfVersion1, string]>([
    ["version 1 was used with its ledger", OLD_SETTINGS, "welcome"],
    ["a new one has not been greeted yet", { kind: "settings.applied", atMs: 1, settings: SETTINGS }, "new"],
    ["whatever else comes first", { kind: "daemon.started", atMs: 1 }, "new"],
  ])("%s", (_what, first, standing) => {
    expect(stateBefore(first)).toEqual({ ...EMPTY_TERMINAL, standing: { kind: standing } });
  });
});
