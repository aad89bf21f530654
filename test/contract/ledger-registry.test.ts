/** What every LedgerStorage keeps of terminals and cards beside their charges; SQLite file and twin in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JournalClaim } from "../../sync/ledger/journal-registry.ts";
import type { NewCharge, NewRefund, PromptLedgerStorage } from "../../sync/ledger/storage.ts";
import { denyHash } from "../../sync/wire.ts";
import {
  type LedgerPlace,
  memoryLedgerPlace,
  newCharge,
  newRefund,
  sqliteLedgerPlace,
} from "../support/ledger-places.ts";

const NOW_MS = 1_000;
const CLAIM: JournalClaim = {
  journalId: "j1",
  predecessor: null,
  boots: 1,
  bootNonce: "n1",
  openings: ["n1"],
  lastOutboxPosition: 0,
};
const cardOf = (token: string): string => Buffer.from(denyHash(token)).toString("hex");

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

  /** The next opening of a journal that knows its first one to have been welcomed. */
  const NEXT = { boots: 2, bootNonce: "n2", openings: ["n1", "n2"] };

  const greet = (changes: Partial<JournalClaim> = {}, nowMs = NOW_MS, terminal = "counter-1"): string =>
    storage.greet(terminal, { ...CLAIM, ...changes }, nowMs).kind;

  function sell(key: string, position: number, journalId = "j1", changes: Partial<NewCharge> = {}): void {
    storage.openCharge(newCharge(key, { outbox: { journalId, position }, ...changes }), NOW_MS);
  }

  const highest = (): number[] => storage.terminals(10).map(({ highestPosition }) => highestPosition);
  const alarms = (): string[] =>
    storage.alarms(10).map(({ kind, subject, count }) => `${kind} ${subject} ${count}`);

  describe("the registry of journals", () => {
    test("remembers what it welcomes, and when", () => {
      expect(greet()).toBe("welcome");
      expect(greet(NEXT, 5_000)).toBe("welcome");
      expect(greet({ journalId: "x" }, 6_000, "counter-0")).toBe("welcome");
      expect(storage.terminals(10)).toEqual([
        {
          terminal: "counter-0",
          journalId: "x",
          boots: 1,
          bootNonce: "n1",
          highestPosition: 0,
          expected: null,
          firstMs: 6_000,
          lastMs: 6_000,
        },
        {
          terminal: "counter-1",
          journalId: "j1",
          boots: 2,
          bootNonce: "n2",
          highestPosition: 0,
          expected: null,
          firstMs: NOW_MS,
          lastMs: 5_000,
        },
      ]);
      expect(storage.terminals(1)).toHaveLength(1);
      expect(alarms()).toEqual([]);
    });

    test.each<[string, Partial<JournalClaim>, string]>([
      ["a copy", { bootNonce: "other", openings: ["n0", "other"] }, "copied"],
      [
        "a copy that was started again and again",
        { boots: 9, bootNonce: "o9", openings: ["n0", "o8", "o9"] },
        "copied",
      ],
      ["a backup", { ...NEXT, lastOutboxPosition: 3 }, "restored"],
      ["a journal from nowhere", { journalId: "j2" }, "replaced"],
    ])("refuses %s with an alarm, and remembers nothing of it", (_what, claim, expected) => {
      greet();
      sell("s/1", 4);
      const before = storage.terminals(10);
      expect(greet({ lastOutboxPosition: 4, ...claim })).toBe(expected);
      expect(greet({ lastOutboxPosition: 4, ...claim })).toBe(expected);
      expect(storage.terminals(10)).toEqual(before);
      expect(alarms()).toEqual([`journal-${expected} counter-1 2`]);
      expect(storage.alarms(1)[0]?.detail).toContain("saypay journal adopt");
      expect(greet({ lastOutboxPosition: 4 })).toBe("welcome");
    });

    test("lets a successor in, and the old journal no more", () => {
      greet();
      sell("s/1", 9);
      const successor = { journalId: "j2", predecessor: "j1" };
      expect(greet(successor)).toBe("welcome");
      expect(highest()).toEqual([0]);
      expect(greet({ ...NEXT, lastOutboxPosition: 9 })).toBe("replaced");
      expect(greet({ ...successor, predecessor: null })).toBe("welcome");
    });

    test("lets a journal in that the operator expects, once", () => {
      expect(storage.expectJournal("counter-1", "j2")).toBe(false);
      greet();
      expect(storage.expectJournal("counter-1", "j2")).toBe(true);
      expect(greet()).toBe("welcome");
      expect(greet({ journalId: "j3" })).toBe("replaced");
      expect(greet({ journalId: "j2" })).toBe("welcome");
      expect(storage.terminals(1)).toMatchObject([{ journalId: "j2", expected: null }]);
      expect(greet()).toBe("replaced");
    });

    test("notes the highest position of an authorisation with the charge, for the journal that it came from", () => {
      greet();
      sell("a/1", 7);
      sell("b/1", 3);
      expect(highest()).toEqual([7]);
      sell("c/1", 90, "j9");
      storage.openCharge(newCharge("d/1"), NOW_MS);
      expect(highest()).toEqual([7]);
      // The same row again, from a later position of the same journal: seen there.
      sell("b/1", 12);
      expect(highest()).toEqual([12]);
      // Another body under the key says nothing.
      sell("b/1", 40, "j1", { bodyHash: "another" });
      expect(highest()).toEqual([12]);
    });

    test("notes it of a refund too: a backup from before it would not know what was given back", () => {
      const giveBack = (position: number, changes: Partial<NewRefund> = {}): string =>
        storage.openRefund(
          newRefund("a/r1", 1_000, { outbox: { journalId: "j1", position }, ...changes }),
          NOW_MS,
        ).kind;
      greet();
      sell("a/1", 1);
      // Whether the sale is charged is not known: nothing is stored.
      expect([giveBack(4), highest()]).toEqual(["undecided", [1]]);
      expect([giveBack(5, { key: "b/r1", saleId: "b" }), highest()]).toEqual(["decided", [5]]);
      expect([giveBack(6, { key: "b/r1", saleId: "b" }), highest()]).toEqual(["known", [6]]);
      expect([giveBack(7, { key: "b/r1", saleId: "a" }), highest()]).toEqual(["conflict", [6]]);
      expect([giveBack(8, { key: "c/r1", saleId: "c", outbox: null }), highest()]).toEqual(["decided", [6]]);
      expect(greet({ boots: 2, bootNonce: "n2", lastOutboxPosition: 5 })).toBe("restored");
    });

    test("notes it also of what is decided at once, and keeps it for a journal that comes back", () => {
      greet();
      storage.entomb("counter-1", "a/1", "a", NOW_MS);
      sell("a/1", 5);
      expect(highest()).toEqual([5]);
      greet({ journalId: "j2", predecessor: "j1" });
      storage.expectJournal("counter-1", "j1");
      expect(greet({ boots: 2, lastOutboxPosition: 5 })).toBe("welcome");
      expect(highest()).toEqual([5]);
      expect(greet({ boots: 3, lastOutboxPosition: 4 })).toBe("restored");
    });

    test("is there after a crash", () => {
      greet();
      sell("a/1", 5);
      place.crash(storage);
      storage = place.storage();
      storage.open();
      expect(greet({ boots: 2, bootNonce: "n2", lastOutboxPosition: 4 })).toBe("restored");
    });
  });

  describe("recall", () => {
    const recall = (afterSequence: number, limit = 10, sinceMs = 0): string[] =>
      storage
        .recall("counter-1", { afterSequence, sinceMs, limit })
        .sales.map(({ key, state, refundedMinor }) => `${key} ${state} ${refundedMinor}`);

    beforeEach(() => {
      const approve = (key: string, sequence: number, receivedMs: number): void => {
        const { charge } = storage.openCharge(newCharge(key, { sequence }), receivedMs);
        storage.settle(charge, {
          learnt: { kind: "approved", authorisation: "A" },
          attempt: null,
          nextResolveMs: 0,
          alarms: [],
          nowMs: receivedMs,
        });
      };
      const decline = (key: string, sequence: number): void => {
        const { charge } = storage.openCharge(newCharge(key, { sequence }), 3_000);
        const learnt = { kind: "declined", reason: "not-honoured" } as const;
        storage.settle(charge, { learnt, attempt: null, nextResolveMs: 0, alarms: [], nowMs: 3_000 });
      };
      approve("c/1", 3, 3_000);
      decline("b/1", 2);
      approve("b/2", 2, 3_000);
      approve("a/1", 1, 1_000);
      storage.openCharge(newCharge("d/1", { sequence: 4 }), 3_000);
      storage.openCharge(newCharge("z/1", { sequence: 99, terminal: "counter-2" }), 3_000);
    });

    test("tells of the terminal's charges by sequence, those with money first", () => {
      expect(recall(0)).toEqual([
        "a/1 approved 0",
        "b/2 approved 0",
        "b/1 declined 0",
        "c/1 approved 0",
        "d/1 pending 0",
      ]);
      expect(recall(2)).toEqual(["c/1 approved 0", "d/1 pending 0"]);
      expect(recall(0, 2)).toEqual(["a/1 approved 0", "b/2 approved 0"]);
      expect(recall(4)).toEqual([]);
    });

    test("leaves out what was received long ago, and still knows the highest sequence", () => {
      expect(recall(0, 10, 2_000)).toHaveLength(4);
      const search = { afterSequence: 0, sinceMs: 9_000, limit: 10 };
      expect(storage.recall("counter-1", search)).toEqual({ lastSequence: 4, sales: [] });
      expect(storage.recall("counter-9", search)).toEqual({ lastSequence: 0, sales: [] });
    });

    test("tells a sale whole, with what was given back of it and not what may be", () => {
      const refunded = storage.openRefund(newRefund("c/r1", 4_000), NOW_MS);
      if (refunded.kind !== "opened") throw new Error(refunded.kind);
      const learnt = { kind: "refunded" } as const;
      const attempt = { id: refunded.attempt, result: "success" };
      storage.settleRefund(refunded.refund, { learnt, attempt, nextResolveMs: 0, alarms: [], nowMs: 1 });
      storage.openRefund(newRefund("c/r2", 1_000), NOW_MS);
      expect(storage.recall("counter-1", { afterSequence: 2, sinceMs: 0, limit: 1 })).toEqual({
        lastSequence: 4,
        sales: [
          {
            saleId: "c",
            sequence: 3,
            key: "c/1",
            amount: { minor: 15_000n, currency: "KRW" },
            state: "approved",
            refundedMinor: 4_000n,
            timeMs: 1_795_000_000_000,
          },
        ],
      });
    });
  });

  describe("denied cards", () => {
    const why = { reason: "stolen", by: "kim" };

    test("are listed with why, by whom and since when; every change is a newer version", () => {
      expect(storage.denied()).toEqual({ version: 0, cards: [] });
      const first = storage.deny({ card: "aa", masked: null, ...why }, 50);
      const second = storage.deny({ card: "bb", masked: "****-1", ...why }, 60);
      expect(second).toBeGreaterThan(first);
      expect(storage.denied()).toEqual({
        version: second,
        cards: [
          { card: "aa", masked: null, ...why, sinceMs: 50 },
          { card: "bb", masked: "****-1", ...why, sinceMs: 60 },
        ],
      });
      const third = storage.allow("aa", "lee", 70);
      expect(third).toBeGreaterThan(second);
      expect(storage.denied().cards.map(({ card }) => card)).toEqual(["bb"]);
      expect(storage.allow("aa", "lee", 80)).toBeUndefined();
      expect(storage.denied().version).toBe(third);
    });

    test("that are denied again keep since when and how they look, and take the new reason", () => {
      storage.deny({ card: "aa", masked: "****-1", ...why }, 50);
      storage.deny({ card: "aa", masked: null, reason: "chargeback", by: "lee" }, 60);
      expect(storage.denied().cards).toEqual([
        { card: "aa", masked: "****-1", reason: "chargeback", by: "lee", sinceMs: 50 },
      ]);
    });

    test("have versions that grow also while the clock stands or runs back", () => {
      const versions = [50, 50, 10, 90].map((nowMs, card) =>
        storage.deny({ card: `c${card}`, masked: null, ...why }, nowMs),
      );
      expect([...versions].sort((a, b) => a - b)).toEqual(versions);
      expect(new Set(versions).size).toBe(4);
    });

    test("are found by one of their charges, without anybody knowing a token", () => {
      storage.openCharge(
        newCharge("s/1", { card: { token: "ntag424:x", masked: "****-7", counter: 1 } }),
        NOW_MS,
      );
      expect(storage.cardOfCharge("counter-1", "s/1")).toEqual({
        card: cardOf("ntag424:x"),
        masked: "****-7",
      });
      expect(storage.cardOfCharge("counter-2", "s/1")).toBeUndefined();
    });

    test("are there after a crash", () => {
      const version = storage.deny({ card: "aa", masked: null, ...why }, 50);
      place.crash(storage);
      storage = place.storage();
      storage.open();
      expect(storage.denied()).toMatchObject({ version, cards: [{ card: "aa" }] });
    });
  });
});
