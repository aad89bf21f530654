/** What the ledger says before a terminal sells, step by step on books in memory. */
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import { MemoryLedgerStorage } from "../../sync/ledger/memory-storage.ts";
import { fromStorage, type Procedure } from "../../sync/ledger/procedure.ts";
import { REMEMBERED_GREETINGS, Reception } from "../../sync/ledger/reception.ts";
import { type Greeting, RECALL_DAYS, RECALL_PAGE, type RecallAnswer } from "../../sync/wire.ts";
import { newCharge } from "../support/ledger-places.ts";

const DAY_MS = 86_400_000;
const GREETING: Greeting = {
  kind: "greeting",
  nonce: "n1",
  journalId: "j1",
  predecessor: null,
  boots: 1,
  bootNonce: "b1",
  openings: ["b1"],
  lastOutboxPosition: 5,
};

let storage: MemoryLedgerStorage;
let reception: Reception;
let nowMs: number;
beforeEach(() => {
  storage = new MemoryLedgerStorage(new MemoryBooks());
  storage.open();
  nowMs = 100 * DAY_MS;
  const merchantOf = (terminal: string) => (terminal === "counter-1" ? "cafe" : undefined);
  reception = new Reception({ now: () => nowMs, merchantOf });
});

function done<Result>(procedure: Procedure<Result>): Result {
  let step = procedure.next();
  while (step.done !== true) {
    if (step.value.kind !== "storage") throw new Error("a reception calls no gateway");
    step = procedure.next(fromStorage(storage, step.value));
  }
  return step.value;
}

const greet = (changes: Partial<Greeting> = {}, terminal = "counter-1"): string =>
  done(reception.greet(terminal, { ...GREETING, ...changes })).verdict;
const alarms = (): string[] => storage.alarms(10).map(({ kind, count }) => `${kind} ${count}`);

describe("a greeting", () => {
  test("is answered under its nonce, and says which journal the rows come from", () => {
    expect(reception.placeOf("counter-1", 3)).toBeNull();
    expect(done(reception.greet("counter-1", GREETING))).toEqual({
      kind: "greeted",
      nonce: "n1",
      verdict: "welcome",
    });
    expect(reception.placeOf("counter-1", 3)).toEqual({ journalId: "j1", position: 3 });
    expect(reception.placeOf("counter-2", 3)).toBeNull();
  });

  test("of a terminal that is not known is an alarm, and nothing else", () => {
    expect(greet({}, "stranger")).toBe("unknown-terminal");
    expect(reception.placeOf("stranger", 1)).toBeNull();
    expect(storage.terminals(10)).toEqual([]);
    expect(alarms()).toEqual(["unknown-terminal 1"]);
  });

  test("that is not welcome leaves what comes afterwards to no journal, until one is welcome again", () => {
    greet();
    expect(greet({ nonce: "n2", bootNonce: "other", openings: ["other"] })).toBe("copied");
    expect(reception.placeOf("counter-1", 3)).toBeNull();
    expect(greet({ nonce: "n3" })).toBe("welcome");
    expect(reception.placeOf("counter-1", 3)).not.toBeNull();
  });

  test("that was answered and comes again late is answered the same, without being judged by what happened since", () => {
    greet();
    storage.openCharge(newCharge("s/1", { outbox: reception.placeOf("counter-1", 9) }), nowMs);
    expect(greet()).toBe("welcome");
    expect(reception.placeOf("counter-1", 3)).not.toBeNull();
    expect(greet({ nonce: "n2" })).toBe("restored");
    expect(greet({ nonce: "n2", lastOutboxPosition: 9 })).toBe("restored");
    expect(greet({ nonce: "n3", lastOutboxPosition: 9 })).toBe("welcome");
    expect(alarms()).toEqual(["journal-restored 1"]);
  });

  test("is remembered among a bounded number", () => {
    const opened = (boots: number): Partial<Greeting> => {
      const bootNonce = `b${boots}`;
      return { nonce: `n${boots}`, boots, bootNonce, openings: [`b${boots - 1}`, bootNonce] };
    };
    for (let boots = 1; boots <= REMEMBERED_GREETINGS + 1; boots += 1) greet(opened(boots));
    expect(greet(opened(2))).toBe("welcome");
    expect(greet(opened(1))).toBe("copied");
  });
});

describe("a recall", () => {
  const recall = (afterSequence = 0, terminal = "counter-1"): RecallAnswer | undefined =>
    done(reception.recall(terminal, { kind: "recall", nonce: "r", afterSequence }));
  const sell = (sequence: number, receivedMs = nowMs): void => {
    storage.openCharge(newCharge(`s${sequence}/1`, { sequence }), receivedMs);
  };

  test("is answered page by page until all is told", () => {
    const sold = RECALL_PAGE * 2 + 1;
    for (let sequence = 1; sequence <= sold; sequence += 1) sell(sequence);
    const told: number[] = [];
    let page = recall();
    while (page !== undefined) {
      expect([page.nonce, page.lastSequence]).toEqual(["r", sold]);
      expect(page.sales.length).toBeLessThanOrEqual(RECALL_PAGE);
      told.push(...page.sales.map(({ sequence }) => sequence));
      page = page.more ? recall(told.at(-1)) : undefined;
    }
    expect(told).toEqual(Array.from({ length: sold }, (_, index) => index + 1));
  });

  test("leaves out what is older than the days that it goes back, and says how far the numbers went", () => {
    sell(1);
    sell(2);
    nowMs += RECALL_DAYS * DAY_MS;
    expect(recall()?.sales).toHaveLength(2);
    nowMs += 1;
    expect(recall()).toEqual({ kind: "recalled", nonce: "r", lastSequence: 2, sales: [], more: false });
  });

  test("of a terminal that is not known is not answered, and an alarm", () => {
    expect(recall(0, "stranger")).toBeUndefined();
    expect(alarms()).toEqual(["unknown-terminal 1"]);
  });
});
