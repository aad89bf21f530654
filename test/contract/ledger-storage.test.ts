/** What every LedgerStorage promises, run against the SQLite file and against the twin in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import type { Charge, Learnt } from "../../sync/ledger/charge.ts";
import type { Step } from "../../sync/ledger/posting.ts";
import {
  type NewCharge,
  type PromptLedgerStorage,
  RESOLVE_HORIZON_MS,
  type Settlement,
} from "../../sync/ledger/storage.ts";
import {
  type LedgerPlace,
  memoryLedgerPlace,
  newCharge,
  sqliteLedgerPlace,
} from "../support/ledger-places.ts";

const NOW_MS = 1_000;

function learning(learnt: Settlement["learnt"], changes: Partial<Settlement> = {}): Settlement {
  return { learnt, attempt: null, nextResolveMs: 9_000, alarms: [], nowMs: 2_000, ...changes };
}

const APPROVED = { kind: "approved", authorisation: "A1" } as const;
const DECLINED = { kind: "declined", reason: "insufficient-funds" } as const;
const card = (counter: number, token = "ntag424:card") => ({ token, masked: "****-1", counter });

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

  function opened(key: string, changes: Partial<NewCharge> = {}): Charge {
    const { kind, charge } = storage.openCharge(newCharge(key, changes), NOW_MS);
    expect(kind).toBe("opened");
    return charge;
  }

  /** Accounts that are not even, customers without the fingerprint of their card. */
  function uneven(): string[] {
    const { accounts, balanced } = storage.statement({ limit: 1 });
    expect(balanced).toBe(true);
    return accounts
      .filter(({ debit, credit }) => debit !== credit)
      .map(({ kind, layer, debit, credit }) => `${kind} ${layer} ${debit - credit}`)
      .sort();
  }

  function alarms(): string[] {
    return storage.alarms(10).map(({ kind, subject, count }) => `${kind} ${subject} ${count}`);
  }

  describe("opening a charge", () => {
    test("stores it with its hold and its first attempt", () => {
      const result = storage.openCharge(newCharge("s/1"), NOW_MS);
      expect(result).toMatchObject({ kind: "opened", attempt: 1 });
      expect(result.charge).toMatchObject({
        id: 1,
        terminal: "counter-1",
        key: "s/1",
        saleId: "s",
        merchant: "cafe",
        amount: { minor: 15_000n, currency: "KRW" },
        vat: { minor: 1_363n, currency: "KRW" },
        mode: "online",
        cardMasked: "****-4821",
        cardToken: "ntag424:s/1",
        state: "attempting",
        authorisation: null,
        declineReason: null,
        resolveCount: 0,
        nextResolveMs: 7_000,
        timeMs: 1_795_000_000_000,
        receivedMs: NOW_MS,
        settledMs: null,
      });
      expect(storage.find("counter-1", "s/1")).toEqual(result.charge);
      expect(storage.find("counter-2", "s/1")).toBeUndefined();
      expect(uneven()).toEqual(["clearing pending 15000", "payable pending -15000"]);
    });

    test("knows it again by its body, and tells another body from it", () => {
      const charge = opened("s/1");
      expect(storage.openCharge(newCharge("s/1", { nextResolveMs: 1 }), 5)).toEqual({
        kind: "known",
        charge,
      });
      const other = newCharge("s/1", { bodyHash: "another", amount: { minor: 1n, currency: "KRW" } });
      expect(storage.openCharge(other, 5)).toEqual({ kind: "conflict", charge });
      expect(storage.statement({ limit: 10 }).transactions).toHaveLength(1);
    });

    test("of another terminal under the same key is another charge, and another one at the gateway", () => {
      const one = opened("s/1");
      const two = opened("s/1", { terminal: "counter-2", card: card(1) });
      expect(two.id).not.toBe(one.id);
      expect(two.gatewayKey).not.toBe(one.gatewayKey);
      expect(two.card).not.toBe(one.card);
    });

    test("whose amount is nothing is refused whole", () => {
      const nothing = newCharge("s/1", { amount: { minor: 0n, currency: "KRW" } });
      expect(() => storage.openCharge(nothing, NOW_MS)).toThrow();
      expect(storage.find("counter-1", "s/1")).toBeUndefined();
      expect(uneven()).toEqual([]);
    });

    test("that was reversed before it arrived is decided: nothing is held and nobody is asked", () => {
      expect(storage.entomb("counter-1", "s/1", "s", NOW_MS)).toBe(true);
      expect(storage.entomb("counter-1", "s/1", "s", NOW_MS)).toBe(true);
      expect(storage.isEntombed("counter-1", "s/1")).toBe(true);
      expect(storage.isEntombed("counter-2", "s/1")).toBe(false);
      const { kind, charge } = storage.openCharge(newCharge("s/1"), NOW_MS);
      expect({ kind, state: charge.state, token: charge.cardToken, settledMs: charge.settledMs }).toEqual({
        kind: "decided",
        state: "reversed",
        token: null,
        settledMs: NOW_MS,
      });
      expect(storage.statement({ limit: 1 }).transactions).toMatchObject([{ attempts: 0 }]);
      expect(uneven()).toEqual([]);
    });

    test("that exists cannot be entombed", () => {
      opened("s/1");
      expect(storage.entomb("counter-1", "s/1", "s", NOW_MS)).toBe(false);
      expect(storage.isEntombed("counter-1", "s/1")).toBe(false);
    });

    test.each<[string, Partial<NewCharge>, string, string[]]>([
      ["a greater counter", { card: card(6) }, "opened attempting", []],
      [
        "the same counter",
        { card: card(5) },
        "decided declined card-replayed",
        ["card-replayed counter-1 b/1 1"],
      ],
      [
        "a lower counter",
        { card: card(4) },
        "decided declined card-replayed",
        ["card-replayed counter-1 b/1 1"],
      ],
      [
        "a lower counter, offline",
        { card: card(4), mode: "offline" },
        "opened attempting",
        ["card-counter-late counter-1 b/1 1"],
      ],
      [
        "the same counter, offline",
        { card: card(5), mode: "offline" },
        "decided declined card-replayed",
        ["card-replayed counter-1 b/1 1", "offline-declined counter-1 b/1 1"],
      ],
      ["another card", { card: card(5, "ntag424:other") }, "opened attempting", []],
      [
        "a card on the deny list",
        { card: card(6), denied: true },
        "decided declined card-blocked",
        ["card-denied counter-1 b/1 1"],
      ],
    ])("with %s after counter 5", (_what, changes, expected, raised) => {
      opened("a/1", { card: card(5) });
      const { kind, charge } = storage.openCharge(newCharge("b/1", changes), NOW_MS);
      expect([kind, charge.state, charge.declineReason ?? []].flat().join(" ")).toBe(expected);
      expect(alarms()).toEqual(raised);
    });

    test("with a counter that lies between two that were used late is judged by both", () => {
      opened("a/1", { card: card(9) });
      opened("b/1", { card: card(4), mode: "offline" });
      const again = storage.openCharge(newCharge("c/1", { card: card(4), mode: "offline" }), NOW_MS);
      expect(again.charge.state).toBe("declined");
      const between = storage.openCharge(newCharge("d/1", { card: card(7) }), NOW_MS);
      expect(between.charge.state).toBe("declined");
    });
  });

  describe("settling", () => {
    test.each<[string, "online" | "offline", readonly Learnt[], string, string[]]>([
      ["approved", "online", [APPROVED], "approved", ["clearing posted 15000", "payable posted -15000"]],
      ["declined", "online", [DECLINED], "declined", []],
      [
        "declined after an offline sale",
        "offline",
        [DECLINED],
        "declined",
        ["customer posted 15000", "suspense posted -15000"],
      ],
      [
        "not known yet",
        "online",
        [{ kind: "unknown" }],
        "pending",
        ["clearing pending 15000", "payable pending -15000"],
      ],
      ["reversed unasked", "online", [{ kind: "unknown" }, { kind: "reversed" }], "reversed", []],
      [
        "reversed after approval",
        "online",
        [APPROVED, { kind: "reversal-asked" }, { kind: "reversed" }],
        "reversed",
        [],
      ],
    ])("%s", (_what, mode, steps, state, expected) => {
      let charge = opened("s/1", { mode });
      for (const learnt of steps) {
        if (learnt.kind !== "reversal-asked") charge = storage.settle(charge, learning(learnt));
        else {
          const asked = storage.askReversal(charge, 9_000, 2_000);
          if (asked.kind === "reversing") charge = asked.charge;
        }
      }
      expect(charge.state).toBe(state);
      expect(charge).toEqual(storage.find("counter-1", "s/1"));
      expect(uneven()).toEqual(expected);
    });

    test("keeps the card token and the time only as long as the outcome is open", () => {
      const pending = storage.settle(
        opened("s/1"),
        learning({ kind: "unknown" }, { attempt: { id: 1, result: "pending" } }),
      );
      expect(pending).toMatchObject({
        cardToken: "ntag424:s/1",
        settledMs: null,
        resolveCount: 1,
        nextResolveMs: 9_000,
      });
      const approved = storage.settle(pending, learning(APPROVED, { nowMs: 3_000 }));
      expect(approved).toMatchObject({
        cardToken: null,
        settledMs: 3_000,
        resolveCount: 1,
        authorisation: "A1",
      });
    });

    test("raises the alarms that it brings", () => {
      const alarm = {
        kind: "offline-declined",
        subject: "counter-1 s/1",
        detail: "insufficient-funds",
      } as const;
      storage.settle(opened("s/1"), learning(DECLINED, { alarms: [alarm, alarm] }));
      expect(alarms()).toEqual(["offline-declined counter-1 s/1 2"]);
    });

    test("from a state that the charge is not in any more is refused, and nothing of it stays", () => {
      const stale = opened("s/1");
      storage.settle(stale, learning(APPROVED));
      const alarm = { kind: "gateway-mismatch", subject: "s", detail: "d" } as const;
      expect(() => storage.settle(stale, learning(DECLINED, { alarms: [alarm] }))).toThrow(
        /not attempting any more/,
      );
      expect(storage.find("counter-1", "s/1")).toMatchObject({ state: "approved" });
      expect(alarms()).toEqual([]);
      expect(uneven()).toEqual(["clearing posted 15000", "payable posted -15000"]);
    });

    test("of a charge that was honoured meanwhile is refused, because its claim would be missing", () => {
      const stale = opened("s/1");
      storage.honour("counter-1", "s/1", "s", NOW_MS);
      expect(() => storage.settle(stale, learning(DECLINED))).toThrow(/not online/);
      const honoured = storage.find("counter-1", "s/1");
      if (honoured === undefined) throw new Error("no charge");
      storage.settle(honoured, learning(DECLINED));
      expect(uneven()).toEqual(["customer posted 15000", "suspense posted -15000"]);
    });

    test.each<[string, typeof APPROVED | null, readonly Step[]]>([
      ["a step that was posted", null, ["hold"]],
      ["a second resolution of a hold", APPROVED, ["release"]],
      ["two resolutions of a hold at once", null, ["capture", "release"]],
      ["the undoing of what was never posted", null, ["reversal"]],
    ])("the books refuse %s", (_what, first, steps) => {
      const charge = opened("s/1");
      if (first !== null) storage.settle(charge, learning(first));
      const before = uneven();
      expect(() => place.book(charge, steps)).toThrow();
      expect(uneven()).toEqual(before);
    });
  });

  describe("attempts", () => {
    test("are numbered and counted; an authorisation is sent again only when none is younger than allowed", () => {
      const charge = opened("s/1");
      expect(storage.beginAttempt(charge, "query", 2_000)).toBe(2);
      expect(storage.beginResend(charge, NOW_MS, 3_000)).toBeNull();
      expect(storage.beginResend(charge, NOW_MS + 1, 3_000)).toBe(3);
      expect(storage.beginResend(charge, NOW_MS + 1, 3_000)).toBeNull();
      expect(storage.beginResend(charge, 3_001, 3_000)).toBe(4);
      expect(storage.beginResend(charge, null, 3_000)).toBe(5);
      expect(storage.statement({ limit: 1 }).transactions).toMatchObject([{ attempts: 5 }]);
    });

    test("to authorise again are refused when somebody else has settled the charge", () => {
      const charge = opened("s/1");
      storage.settle(charge, learning(APPROVED));
      expect(() => storage.beginResend(charge, null, 3_000)).toThrow(/not attempting any more/);
    });

    test("of a charge that is not there are refused", () => {
      const charge = opened("s/1");
      expect(() => storage.beginAttempt({ ...charge, id: 99 }, "query", 1)).toThrow();
    });
  });

  describe("what is due", () => {
    const keys = (nowMs: number, limit = 10): string[] => storage.due(nowMs, limit).map(({ key }) => key);

    test("comes longest due first, up to the limit, while it is unresolved", () => {
      opened("a/1", { nextResolveMs: 3_000 });
      opened("b/1", { nextResolveMs: 2_000 });
      const c = opened("c/1", { nextResolveMs: 1_000 });
      expect(keys(999)).toEqual([]);
      expect(keys(2_000)).toEqual(["c/1", "b/1"]);
      expect(keys(5_000, 2)).toEqual(["c/1", "b/1"]);
      storage.settle(c, learning(APPROVED));
      expect(keys(5_000)).toEqual(["b/1", "a/1"]);
    });

    test("includes what the clock left behind when it was set back", () => {
      opened("a/1", { nextResolveMs: RESOLVE_HORIZON_MS + 2_000 });
      expect(keys(1_999)).toEqual(["a/1"]);
      expect(keys(2_000)).toEqual([]);
    });

    test("is everything after a start", () => {
      opened("a/1");
      storage.settle(opened("b/1"), learning({ kind: "unknown" }));
      storage.settle(opened("c/1"), learning(DECLINED));
      expect(storage.makeAllDue(50)).toBe(2);
      expect(keys(50).sort()).toEqual(["a/1", "b/1"]);
    });
  });

  describe("open and closed", () => {
    test("a second ledger on the same books is refused", () => {
      const second = place.storage();
      const code = ((): string => {
        try {
          second.open();
          return "opened";
        } catch (fault) {
          return fault instanceof Fault ? fault.code : String(fault);
        }
      })();
      expect(code).toBe("journal.locked");
      second.close();
      opened("s/1");
    });

    test("what was stored is there after a crash, and what was used stays used", () => {
      const charge = opened("s/1", { card: card(5) });
      storage.entomb("counter-1", "t/1", "t", NOW_MS);
      place.crash(storage);
      storage = place.storage();
      storage.open();
      expect(storage.find("counter-1", "s/1")).toEqual(charge);
      expect(storage.isEntombed("counter-1", "t/1")).toBe(true);
      const replay = storage.openCharge(newCharge("u/1", { card: card(5) }), NOW_MS);
      expect(replay.charge.state).toBe("declined");
      expect(opened("v/1").card).not.toBe(charge.card);
    });

    test("a storage that crashed or was closed answers nothing any more", () => {
      opened("s/1");
      place.crash(storage);
      expect(() => storage.find("counter-1", "s/1")).toThrow(/not open/);
      expect(() => storage.openCharge(newCharge("t/1"), NOW_MS)).toThrow(/not open/);
    });
  });
});
