/** What every LedgerStorage shows to people: alarms, dead letters and the statement; SQLite file and twin in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Charge } from "../../sync/ledger/charge.ts";
import {
  MAX_ALARMS_PER_KIND,
  MAX_DEAD_LETTER_BYTES,
  type NewCharge,
  type PromptLedgerStorage,
  type Settlement,
} from "../../sync/ledger/storage.ts";
import {
  type LedgerPlace,
  memoryLedgerPlace,
  newCharge,
  sqliteLedgerPlace,
} from "../support/ledger-places.ts";

const NOW_MS = 1_000;
const APPROVAL: Settlement = {
  learnt: { kind: "approved", authorisation: "A1" },
  attempt: null,
  nextResolveMs: 9_000,
  alarms: [],
  nowMs: 2_000,
};
const card = (counter: number) => ({ token: "ntag424:card", masked: "****-1", counter });

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

  function alarms(): string[] {
    return storage.alarms(10).map(({ kind, subject, count }) => `${kind} ${subject} ${count}`);
  }

  describe("alarms", () => {
    test("count by kind and subject, newest first, with what was said last", () => {
      storage.raise({ kind: "key-conflict", subject: "a", detail: "first" }, 1);
      storage.raise({ kind: "key-conflict", subject: "b", detail: "other" }, 2);
      storage.raise({ kind: "key-conflict", subject: "a", detail: "again" }, 3);
      expect(storage.alarms(10)).toEqual([
        { kind: "key-conflict", subject: "a", detail: "again", count: 2, firstMs: 1, lastMs: 3 },
        { kind: "key-conflict", subject: "b", detail: "other", count: 1, firstMs: 2, lastMs: 2 },
      ]);
      expect(storage.alarms(1)).toHaveLength(1);
    });

    test("of one kind stop growing in number and go on counting", () => {
      for (let subject = 0; subject < MAX_ALARMS_PER_KIND + 5; subject += 1) {
        storage.raise({ kind: "unknown-terminal", subject: `t${subject}`, detail: "" }, subject);
      }
      storage.raise({ kind: "unknown-terminal", subject: "t7", detail: "" }, 1);
      const all = storage.alarms(MAX_ALARMS_PER_KIND + 10);
      expect(all).toHaveLength(MAX_ALARMS_PER_KIND + 1);
      expect(all[0]).toMatchObject({ subject: "(others)", count: 5 });
      expect(all.find(({ subject }) => subject === "t7")).toMatchObject({ count: 2 });
    });

    test("come with a dead letter, which is kept up to a size with its true length", () => {
      const payload = new Uint8Array(MAX_DEAD_LETTER_BYTES + 100);
      storage.bury({ topic: "saypay/v1/x/up", payload, reason: "noise" }, 1);
      storage.bury({ topic: "saypay/v1/x/up", payload: new Uint8Array(3), reason: "noise" }, 2);
      expect(alarms()).toEqual(["dead-letter saypay/v1/x/up 2"]);
      expect(place.letters()).toEqual([
        { kept: MAX_DEAD_LETTER_BYTES, bytes: payload.length },
        { kept: 3, bytes: 3 },
      ]);
    });
  });

  describe("the statement", () => {
    beforeEach(() => {
      storage.settle(opened("a/1"), APPROVAL);
      opened("b/1", { terminal: "counter-2" });
      opened("a/1", { terminal: "counter-2", card: card(1), amount: { minor: 500n, currency: "USD" } });
    });

    test.each<[string, { terminal?: string; key?: string; limit: number }, string[], boolean]>([
      ["everything", { limit: 10 }, ["counter-1 a/1", "counter-2 b/1", "counter-2 a/1"], false],
      ["a terminal", { terminal: "counter-2", limit: 10 }, ["counter-2 b/1", "counter-2 a/1"], false],
      ["a key", { key: "a/1", limit: 10 }, ["counter-1 a/1", "counter-2 a/1"], false],
      ["a key of a terminal", { key: "a/1", terminal: "counter-2", limit: 10 }, ["counter-2 a/1"], false],
      ["nothing", { terminal: "counter-3", limit: 10 }, [], false],
      ["a part", { limit: 2 }, ["counter-1 a/1", "counter-2 b/1"], true],
    ])("lists %s", (_what, filter, expected, truncated) => {
      const statement = storage.statement(filter);
      expect(statement.transactions.map(({ terminal, key }) => `${terminal} ${key}`)).toEqual(expected);
      expect(statement.truncated).toBe(truncated);
      // The same without the sums of the whole ledger.
      const { transactions } = statement;
      expect(storage.transactions(filter)).toEqual({ transactions, truncated });
    });

    test("sums by state and by account, whatever the filter", () => {
      const { totals, accounts, balanced } = storage.statement({ terminal: "counter-3", limit: 1 });
      expect(balanced).toBe(true);
      expect(totals).toEqual([
        { state: "approved", currency: "KRW", count: 1, minor: 15_000n },
        { state: "attempting", currency: "KRW", count: 1, minor: 15_000n },
        { state: "attempting", currency: "USD", count: 1, minor: 500n },
      ]);
      expect(accounts.filter(({ kind }) => kind !== "customer")).toEqual([
        {
          account: "gateway:sandbox:clearing",
          kind: "clearing",
          currency: "KRW",
          layer: "pending",
          debit: 30_000n,
          credit: 15_000n,
        },
        {
          account: "gateway:sandbox:clearing",
          kind: "clearing",
          currency: "KRW",
          layer: "posted",
          debit: 15_000n,
          credit: 0n,
        },
        {
          account: "gateway:sandbox:clearing",
          kind: "clearing",
          currency: "USD",
          layer: "pending",
          debit: 500n,
          credit: 0n,
        },
        {
          account: "merchant:cafe:payable",
          kind: "payable",
          currency: "KRW",
          layer: "pending",
          debit: 15_000n,
          credit: 30_000n,
        },
        {
          account: "merchant:cafe:payable",
          kind: "payable",
          currency: "KRW",
          layer: "posted",
          debit: 0n,
          credit: 15_000n,
        },
        {
          account: "merchant:cafe:payable",
          kind: "payable",
          currency: "USD",
          layer: "pending",
          debit: 0n,
          credit: 500n,
        },
      ]);
    });

    test("tells of each transaction what became of it", () => {
      const { transactions } = storage.statement({ terminal: "counter-1", limit: 1 });
      expect(transactions).toEqual([
        {
          terminal: "counter-1",
          key: "a/1",
          saleId: "a",
          sequence: 1,
          amount: { minor: 15_000n, currency: "KRW" },
          mode: "online",
          state: "approved",
          authorisation: "A1",
          declineReason: null,
          gateway: "sandbox",
          card: "****-4821",
          attempts: 1,
          timeMs: 1_795_000_000_000,
          receivedMs: NOW_MS,
          settledMs: 2_000,
          refundedMinor: 0n,
          refunds: [],
        },
      ]);
    });
  });
});
