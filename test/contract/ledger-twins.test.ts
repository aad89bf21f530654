/** Any history, told to the SQLite storage and to its twin in memory: the same answers, the same refusals, the same books. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Charge } from "../../sync/ledger/charge.ts";
import { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import { MemoryLedgerStorage } from "../../sync/ledger/memory-storage.ts";
import type { Refund } from "../../sync/ledger/refund.ts";
import type { PromptLedgerStorage, RefundSettlement, Settlement } from "../../sync/ledger/storage.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { newCharge, newRefund } from "../support/ledger-places.ts";

/** What a storage gave so far: later steps act on what is there, and on what is long past. */
type Told = {
  readonly storage: PromptLedgerStorage;
  readonly charges: Charge[];
  readonly refunds: Refund[];
};
type Step = { readonly name: string; readonly take: (told: Told, nowMs: number) => unknown };

const terminal = fc.constantFrom("counter-1", "counter-2");
const saleId = fc.constantFrom("s", "s", "t", "u");
const journalId = fc.constantFrom("j1", "j2");
const place = fc.record({ journalId, position: fc.nat(12) });
const won = (minor: number) => ({ minor: BigInt(minor), currency: "KRW" });
const RAISED = [{ kind: "gateway-mismatch", subject: "s", detail: "d" }] as const;

const learnt = fc.constantFrom<Settlement["learnt"][]>(
  { kind: "approved", authorisation: "A1" },
  { kind: "declined", reason: "not-honoured" },
  { kind: "unknown" },
  { kind: "reversed" },
);
const refundLearnt = fc.constantFrom<RefundSettlement["learnt"][]>(
  { kind: "refunded" },
  { kind: "refused" },
  { kind: "unknown" },
);

function pick<Item>(items: readonly Item[], at: number): Item {
  const item = items[items.length - 1 - (at % Math.max(items.length, 1))];
  if (item === undefined) throw new Error("nothing there yet");
  return item;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        terminal,
        saleId,
        attempt: fc.constantFrom(1, 2),
        sequence: fc.nat(4),
        minor: fc.constantFrom(0, 100, 15_000, 15_000, 15_000),
        counter: fc.nat(30),
        card: fc.constantFrom("a", "b"),
        mode: fc.constantFrom("online" as const, "offline" as const),
        denied: fc.constantFrom(false, false, false, true),
        body: fc.constantFrom("same", "same", "same", "other"),
        outbox: fc.option(place),
        nextResolveMs: fc.nat(500),
      })
      .map(({ saleId: sale, attempt, minor, counter, card, body, ...rest }) => ({
        name: `authorise ${rest.terminal} ${sale}/${attempt} ${minor} ${rest.mode} card ${card} ${counter} ${body}`,
        take: ({ storage, charges }: Told, nowMs: number) => {
          const key = `${sale}/${attempt}`;
          const proof = { token: `ntag424:${card}`, masked: "****-1", counter };
          const fresh = newCharge(key, { ...rest, bodyHash: body, amount: won(minor), card: proof });
          const opened = storage.openCharge(fresh, nowMs);
          charges.push(opened.charge);
          return opened;
        },
      })),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ at: fc.nat(20), learnt, asked: fc.boolean(), alarm: fc.boolean() })
      .map(({ at, asked, alarm, ...given }) => ({
        name: `settle ${at} ${given.learnt.kind}`,
        take: ({ storage, charges }: Told, nowMs: number) => {
          const attempt = asked
            ? { id: storage.beginAttempt(pick(charges, at), "query", nowMs), result: "r" }
            : null;
          const settlement = {
            ...given,
            attempt,
            nextResolveMs: nowMs + 7,
            alarms: alarm ? RAISED : [],
            nowMs,
          };
          const settled = storage.settle(pick(charges, at), settlement);
          charges.push(settled);
          return settled;
        },
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ at: fc.nat(20), sentBefore: fc.option(fc.nat(500)) })
      .map(({ at, sentBefore }) => ({
        name: `send ${at} again`,
        take: ({ storage, charges }: Told, nowMs: number) =>
          storage.beginResend(pick(charges, at), sentBefore, nowMs),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20).map((at) => ({
      name: `ask to reverse ${at}`,
      take: ({ storage, charges }: Told, nowMs: number) => {
        const asked = storage.askReversal(pick(charges, at), nowMs + 5, nowMs);
        if (asked.kind === "reversing") charges.push(asked.charge);
        return asked;
      },
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ terminal, saleId, key: fc.constantFrom("s/1", "t/1", "u/2") })
      .map(({ key, ...of }) => ({
        name: `entomb ${of.terminal} ${key}`,
        take: ({ storage }: Told, nowMs: number) => storage.entomb(of.terminal, key, of.saleId, nowMs),
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ terminal, key: fc.constantFrom("s/1", "t/1", "u/2"), saleId })
      .map(({ key, ...of }) => ({
        name: `honour ${of.terminal} ${key} of ${of.saleId}`,
        take: ({ storage }: Told, nowMs: number) => storage.honour(of.terminal, key, of.saleId, nowMs),
      })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        terminal,
        saleId,
        id: fc.constantFrom("r1", "r2", "r3"),
        minor: fc.constantFrom(0, 50, 50, 100, 100, 9_000, 15_000),
        partialRefund: fc.boolean(),
        nextResolveMs: fc.nat(500),
      })
      .map(({ id, minor, saleId: sale, ...rest }) => ({
        name: `refund ${rest.terminal} ${sale} ${id} ${minor}`,
        take: ({ storage, refunds }: Told, nowMs: number) => {
          const opened = storage.openRefund(newRefund(`${sale}/${id}`, minor, rest), nowMs);
          if ("refund" in opened) refunds.push(opened.refund);
          return opened;
        },
      })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ at: fc.constantFrom(0, 0, 0, 1, 2, 5), learnt: refundLearnt })
      .map(({ at, learnt: outcome }) => ({
        name: `conclude refund ${at} ${outcome.kind}`,
        take: ({ storage, refunds }: Told, nowMs: number) => {
          const attempt = { id: storage.beginRefundAttempt(pick(refunds, at), nowMs), result: "r" };
          const settlement = { learnt: outcome, attempt, nextResolveMs: nowMs + 7, alarms: RAISED, nowMs };
          const settled = storage.settleRefund(pick(refunds, at), settlement);
          refunds.push(settled);
          return settled;
        },
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        terminal,
        journalId,
        predecessor: fc.option(journalId),
        boots: fc.nat(3),
        back: fc.nat(2),
        last: fc.nat(12),
      })
      .map(({ terminal: from, boots, back, last, ...claim }) => ({
        name: `greet ${from} ${claim.journalId} boots ${boots} after ${back} position ${last}`,
        take: ({ storage }: Told, nowMs: number) =>
          storage.greet(
            from,
            {
              ...claim,
              boots,
              bootNonce: `n${boots}`,
              openings: Array.from({ length: back + 1 }, (_, index) => `n${boots - back + index}`),
              lastOutboxPosition: last,
            },
            nowMs,
          ),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ terminal, journalId }).map((expected) => ({
      name: `expect ${expected.journalId}`,
      take: ({ storage }: Told) => storage.expectJournal(expected.terminal, expected.journalId),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ card: fc.constantFrom("aa", "bb"), deny: fc.boolean() }).map(({ card, deny }) => ({
      name: `${deny ? "deny" : "allow"} ${card}`,
      take: ({ storage }: Told, nowMs: number) =>
        deny
          ? storage.deny({ card, masked: null, reason: "r", by: "b" }, nowMs)
          : storage.allow(card, "b", nowMs),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      name: "make all due",
      take: ({ storage }: Told, nowMs: number) => storage.makeAllDue(nowMs),
    }),
  },
);

/** Everything that can be read of the books. */
function shown({ storage, charges }: Told, nowMs: number): unknown {
  const { accounts, ...statement } = storage.statement({ limit: 100 });
  return {
    statement,
    accounts: accounts
      .map((account) => text({ ...account, account: account.account.replace(/^customer:.*/, "c") }))
      .sort(),
    alarms: storage.alarms(100),
    terminals: storage.terminals(10),
    denied: storage.denied(),
    due: storage.due(nowMs, 3).map(({ nextResolveMs }) => nextResolveMs),
    dueRefunds: storage.dueRefunds(nowMs, 3).map(({ nextResolveMs }) => nextResolveMs),
    recall: storage.recall("counter-1", { afterSequence: 1, sinceMs: 100, limit: 3 }),
    found: charges.map(({ terminal: of, key }) => storage.find(of, key)),
    cards: charges.map(({ terminal: of, key }) => storage.cardOfCharge(of, key)),
  };
}

/** In one order of properties, and without what each ledger makes from a salt of its own. */
function text(value: unknown): string {
  const own = new Set(["gatewayKey", "refundKey"]);
  return JSON.stringify(value, (name, inner: unknown) => {
    if (own.has(name) || (name === "card" && typeof inner === "string" && inner.length === 24)) return "-";
    if (typeof inner === "bigint") return `${inner}`;
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function taken(told: Told, { take }: Step, nowMs: number): string {
  try {
    return text(take(told, nowMs) ?? null);
  } catch {
    return "refused";
  }
}

/** Books with one sale that was paid, for refunds to have something to go back from. */
function begin(storage: PromptLedgerStorage): Told {
  storage.open();
  const { charge } = storage.openCharge(newCharge("s/1"), 1);
  const approved = {
    learnt: { kind: "approved", authorisation: "A0" },
    attempt: null,
    nextResolveMs: 1,
    alarms: [],
  } as const;
  return { storage, charges: [storage.settle(charge, { ...approved, nowMs: 1 })], refunds: [] };
}

/** So that a counterexample reads as its steps. */
function named(each: Step): Step & { [fc.toStringMethod](): string } {
  return { ...each, [fc.toStringMethod]: () => each.name };
}

test("the twins cannot be told apart", () => {
  const tally = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step.map(named), { minLength: 1, maxLength: 40, size: "max" }), (steps) => {
      const file = begin(new SqliteLedgerStorage(":memory:"));
      const memory = begin(new MemoryLedgerStorage(new MemoryBooks()));
      try {
        let nowMs = 100;
        for (const each of steps) {
          nowMs += 10;
          const answer = taken(file, each, nowMs);
          expect(taken(memory, each, nowMs), each.name).toBe(answer);
          const kind = `${each.name.split(" ")[0]} ${answer === "refused" ? "refused" : "done"}`;
          tally.set(kind, (tally.get(kind) ?? 0) + 1);
        }
        expect(text(shown(memory, nowMs))).toBe(text(shown(file, nowMs)));
        expect(memory.storage.statement({ limit: 1 }).balanced).toBe(true);
      } finally {
        file.storage.close();
        memory.storage.close();
      }
    }),
    { numRuns: 150 },
  );
  // The histories reach what they are about.
  for (const kind of [
    "authorise done",
    "settle done",
    "settle refused",
    "refund done",
    "honour done",
    "greet done",
  ]) {
    expect(tally.get(kind) ?? 0, kind).toBeGreaterThan(10);
  }
}, 60_000);
