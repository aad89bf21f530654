/** The posting rules and the life of a charge, as tables, and as random sequences in which debits equal credits. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { Charge, ChargeState, Learnt } from "../../sync/ledger/charge.ts";
import {
  CHARGE_STATES,
  honouringOf,
  judgeTap,
  moveOf,
  openingOf,
  outcomeOf,
} from "../../sync/ledger/charge.ts";
import type { Booked, Entry, Step } from "../../sync/ledger/posting.ts";
import {
  accountKind,
  balancesOf,
  entriesOf,
  isBalanced,
  refundTransfersOf,
  transfersOf,
} from "../../sync/ledger/posting.ts";

const CHARGE: Booked = {
  id: 7,
  merchant: "cafe",
  gateway: "sandbox",
  card: "c0ffee",
  amount: { minor: 15_000n, currency: "KRW" },
};

function booked(charge: Booked, steps: readonly Step[]): Entry[] {
  return steps.flatMap((step) => transfersOf(charge, step)).flatMap((transfer) => [...entriesOf(transfer)]);
}

/** Net of an account and layer: debit minus credit, accounts that are even are left out. */
function nets(entries: readonly Entry[]): Record<string, string> {
  const lines = [...balancesOf(entries)].map(([key, { debit, credit }]): [string, bigint] => [
    key,
    debit - credit,
  ]);
  return Object.fromEntries(lines.filter(([, net]) => net !== 0n).map(([key, net]) => [key, net.toString()]));
}

describe("posting", () => {
  test.each<[string, Step[], Record<string, string>]>([
    [
      "held",
      ["hold"],
      { "merchant:cafe:payable|KRW|pending": "-15000", "gateway:sandbox:clearing|KRW|pending": "15000" },
    ],
    [
      "captured",
      ["hold", "capture"],
      { "merchant:cafe:payable|KRW|posted": "-15000", "gateway:sandbox:clearing|KRW|posted": "15000" },
    ],
    ["released", ["hold", "release"], {}],
    [
      "declined after an offline sale",
      ["hold", "release", "claim"],
      { "customer:c0ffee|KRW|posted": "15000", "merchant:cafe:suspense|KRW|posted": "-15000" },
    ],
    ["reversed after capture", ["hold", "capture", "reversal"], {}],
  ])("%s", (_name, steps, expected) => {
    expect(nets(booked(CHARGE, steps))).toEqual(expected);
  });

  test("the sale passes through the customer's account", () => {
    const customer = booked(CHARGE, ["hold", "capture"]).filter(
      (entry) => entry.account === "customer:c0ffee",
    );
    expect(customer.map((entry) => `${entry.layer} ${entry.side} ${entry.amount.minor}`).sort()).toEqual([
      "pending credit 15000",
      "pending credit 15000",
      "pending debit 15000",
      "pending debit 15000",
      "posted credit 15000",
      "posted debit 15000",
    ]);
  });

  test.each([
    ["hold", null],
    ["capture", "7/hold/sale"],
    ["release", "7/hold/sale"],
    ["claim", null],
    ["reversal", "7/capture/sale"],
  ] as const)("%s resolves %s", (step, resolves) => {
    expect(transfersOf(CHARGE, step)[0]).toMatchObject({ id: `7/${step}/sale`, resolves });
  });

  test("refunds stand against the capture, each with transfers of its own", () => {
    const first = refundTransfersOf(CHARGE, { id: 3, amount: { minor: 4_000n, currency: "KRW" } });
    const second = refundTransfersOf(CHARGE, { id: 4, amount: { minor: 11_000n, currency: "KRW" } });
    expect(first.map(({ id, kind, resolves }) => `${id} ${kind} ${resolves}`)).toEqual([
      "7/refund-3/sale refund null",
      "7/refund-3/payment refund null",
    ]);
    const captured = booked(CHARGE, ["hold", "capture"]);
    expect(nets([...captured, ...first.flatMap(entriesOf)])).toEqual({
      "merchant:cafe:payable|KRW|posted": "-11000",
      "gateway:sandbox:clearing|KRW|posted": "11000",
    });
    expect(nets([...captured, ...first.flatMap(entriesOf), ...second.flatMap(entriesOf)])).toEqual({});
  });

  test("whatever is given back in whatever parts, debits equal credits and what is left stays collected", () => {
    const part = fc.bigInt({ min: 1n, max: 1_000_000_000n });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 20 }),
        part,
        fc.constantFrom("KRW", "USD"),
        (parts, rest, currency) => {
          const minor = parts.reduce((sum, one) => sum + one, rest);
          const charge: Booked = { ...CHARGE, amount: { minor, currency } };
          const entries = booked(charge, ["hold", "capture"]);
          const ids = new Set<string>();
          parts.forEach((one, id) => {
            for (const transfer of refundTransfersOf(charge, { id, amount: { minor: one, currency } })) {
              ids.add(transfer.id);
              entries.push(...entriesOf(transfer));
            }
            expect(isBalanced(entries)).toBe(true);
          });
          expect(ids.size).toBe(parts.length * 2);
          expect(nets(entries)).toEqual({
            [`merchant:cafe:payable|${currency}|posted`]: (-rest).toString(),
            [`gateway:sandbox:clearing|${currency}|posted`]: rest.toString(),
          });
        },
      ),
    );
  });

  test.each([
    ["gateway:sandbox:clearing", "clearing"],
    ["customer:ab", "customer"],
    ["merchant:m:payable", "payable"],
    ["merchant:m:suspense", "suspense"],
  ])("%s is a %s account", (account, kind) => {
    expect(accountKind(account)).toBe(kind);
  });

  test.each([0n, -1n])("an amount of %s is never posted", (minor) => {
    expect(() => transfersOf({ ...CHARGE, amount: { minor, currency: "KRW" } }, "hold")).toThrow(
      /cannot post/,
    );
    expect(() => refundTransfersOf(CHARGE, { id: 1, amount: { minor, currency: "KRW" } })).toThrow(
      /cannot post/,
    );
  });

  test("entries of different sizes, currencies or layers do not balance each other", () => {
    const amount = { minor: 5n, currency: "KRW" };
    const debit: Entry = { account: "a", side: "debit", layer: "posted", amount };
    expect(isBalanced([debit, { ...debit, side: "credit" }])).toBe(true);
    expect(isBalanced([debit, { ...debit, side: "credit", layer: "pending" }])).toBe(false);
    expect(isBalanced([debit, { ...debit, side: "credit", amount: { minor: 5n, currency: "USD" } }])).toBe(
      false,
    );
    expect(isBalanced([debit, { ...debit, side: "credit", amount: { minor: 6n, currency: "KRW" } }])).toBe(
      false,
    );
  });
});

const A: Learnt = { kind: "approved", authorisation: "S1" };
const D: Learnt = { kind: "declined", reason: "not-honoured" };
const U: Learnt = { kind: "unknown" };
const R: Learnt = { kind: "reversal-asked" };
const X: Learnt = { kind: "reversed" };

describe("the life of a charge", () => {
  test.each<[ChargeState, "online" | "offline", string | null, Learnt, string]>([
    ["attempting", "online", null, A, "approved capture"],
    ["attempting", "online", null, D, "declined release"],
    ["attempting", "offline", null, D, "declined release claim"],
    ["attempting", "online", null, U, "pending"],
    ["attempting", "online", null, R, "reversing"],
    ["attempting", "online", null, X, "reversed release"],
    ["pending", "offline", null, X, "reversed release claim"],
    ["pending", "online", null, A, "approved capture"],
    ["pending", "offline", null, D, "declined release claim"],
    ["pending", "online", null, U, "pending"],
    ["pending", "online", null, R, "reversing"],
    ["pending", "online", null, X, "reversed release"],
    ["approved", "online", "S1", A, "impossible"],
    ["approved", "online", "S1", D, "impossible"],
    ["approved", "online", "S1", U, "impossible"],
    ["approved", "online", "S1", R, "reversing"],
    ["approved", "online", "S1", X, "impossible"],
    ["declined", "online", null, A, "impossible"],
    ["declined", "online", null, R, "impossible"],
    ["reversing", "online", null, X, "reversed release"],
    ["reversing", "online", "S1", X, "reversed reversal"],
    ["reversing", "online", null, U, "reversing"],
    ["reversing", "online", null, R, "reversing"],
    ["reversing", "online", null, A, "reversing capture"],
    ["reversing", "online", null, D, "impossible"],
    ["reversed", "online", null, A, "impossible"],
    ["reversed", "online", null, X, "impossible"],
  ])("%s %s %s learns %o", (state, mode, authorisation, learnt, expected) => {
    const outcome = (): string => {
      try {
        const move = moveOf({ state, mode, authorisation }, learnt);
        return [move.state, ...move.steps].join(" ");
      } catch {
        return "impossible";
      }
    };
    expect(outcome()).toBe(expected);
  });

  const learnt = fc.constantFrom(A, D, U, R, X);
  const life = fc.record({
    minor: fc.bigInt({ min: 1n, max: 1_000_000_000_000n }),
    currency: fc.constantFrom("KRW", "USD", "CNY"),
    mode: fc.constantFrom<"online" | "offline">("online", "offline"),
    card: fc.constantFrom("a", "b"),
    learnt: fc.array(learnt, { maxLength: 8 }),
  });

  test("whatever is learnt in whatever order, debits equal credits, and no hold outlives its charge", () => {
    fc.assert(
      fc.property(fc.array(life, { maxLength: 12 }), (lives) => {
        const entries: Entry[] = [];
        const ids = new Set<string>();
        let transfers = 0;
        let held = 0n;
        let collected = 0n;
        lives.forEach((one, index) => {
          const charge: Booked = {
            ...CHARGE,
            id: index,
            card: one.card,
            amount: { minor: one.minor, currency: one.currency },
          };
          let state: ChargeState = "attempting";
          let authorisation: string | null = null;
          const book = (steps: readonly Step[]): void => {
            for (const transfer of steps.flatMap((step) => transfersOf(charge, step))) {
              ids.add(transfer.id);
              transfers += 1;
              entries.push(...entriesOf(transfer));
              expect(isBalanced(entries)).toBe(true);
            }
          };
          book(["hold"]);
          for (const fact of one.learnt) {
            try {
              const move = moveOf({ state, mode: one.mode, authorisation }, fact);
              if (fact.kind === "approved") authorisation = fact.authorisation;
              state = move.state;
              book(move.steps);
            } catch {
              // An impossible move changes nothing.
            }
          }
          expect(CHARGE_STATES).toContain(state);
          const captured = authorisation !== null && state !== "reversed";
          if (captured) collected += one.minor;
          if (authorisation === null && ["attempting", "pending", "reversing"].includes(state))
            held += one.minor;
        });
        expect(ids.size).toBe(transfers);
        let clearingPending = 0n;
        let clearingPosted = 0n;
        for (const entry of entries) {
          if (entry.account !== "gateway:sandbox:clearing") continue;
          const signed = entry.side === "debit" ? entry.amount.minor : -entry.amount.minor;
          if (entry.layer === "pending") clearingPending += signed;
          else clearingPosted += signed;
        }
        expect(clearingPending).toBe(held);
        expect(clearingPosted).toBe(collected);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what the terminal is told", () => {
  const amount = { minor: 15_000n, currency: "KRW" };
  const charge: Charge = {
    ...CHARGE,
    terminal: "counter-1",
    key: "s/1",
    saleId: "s",
    sequence: 1,
    vat: { minor: 1_363n, currency: "KRW" },
    mode: "online",
    bodyHash: "00",
    state: "attempting",
    gatewayKey: "sp-1",
    cardToken: null,
    cardMasked: "****-1",
    authorisation: null,
    declineReason: null,
    resolveCount: 0,
    nextResolveMs: 0,
    timeMs: 0,
    receivedMs: 0,
    settledMs: null,
  };

  test.each<[Partial<Charge>, LedgerOutcome]>([
    [{ state: "attempting" }, { kind: "pending" }],
    [{ state: "pending" }, { kind: "pending" }],
    [{ state: "reversing", authorisation: "S1" }, { kind: "pending" }],
    [{ state: "reversed", authorisation: "S1" }, { kind: "reversed" }],
    [
      { state: "approved", authorisation: "S1" },
      { kind: "approved", authorisation: "S1", gateway: "sandbox", amount },
    ],
    [
      { state: "declined", declineReason: "card-blocked" },
      { kind: "declined", reason: "card-blocked", gateway: "sandbox" },
    ],
  ])("of a charge with %o", (changes, expected) => {
    expect(outcomeOf({ ...charge, ...changes })).toEqual(expected);
  });

  test.each<Partial<Charge>>([{ state: "approved" }, { state: "declined" }])(
    "a charge with %o and no proof of it is a programmer's error",
    (changes) => {
      expect(() => outcomeOf({ ...charge, ...changes })).toThrow(/without/);
    },
  );
});

describe("tap counter", () => {
  test.each([
    ["first tap", 1, "online", null, false, "fresh"],
    ["greater", 8, "online", 7, false, "fresh"],
    ["greater, offline", 8, "offline", 7, false, "fresh"],
    ["the same again", 7, "online", 7, true, "replayed"],
    ["the same again, offline", 7, "offline", 7, true, "replayed"],
    ["lower online", 6, "online", 7, false, "replayed"],
    ["lower offline, never used", 6, "offline", 7, false, "late"],
  ] as const)("%s", (_name, counter, mode, last, used, expected) => {
    expect(judgeTap({ counter, mode, last, used })).toBe(expected);
  });
});

describe("how a charge begins", () => {
  const known = { entombed: false, honoured: false, tap: "fresh" } as const;
  const fresh = { mode: "online", denied: false, card: { counter: 5, masked: "****-1" } } as const;
  test.each<
    [string, Partial<Parameters<typeof openingOf>[0]>, Partial<Parameters<typeof openingOf>[1]>, string]
  >([
    ["new", {}, {}, "attempting online hold"],
    ["offline", { mode: "offline" }, {}, "attempting offline hold"],
    ["honoured before it came", {}, { honoured: true }, "attempting offline hold"],
    ["reversed before it came", {}, { entombed: true, tap: "replayed" }, "reversed online"],
    ["late tap", { mode: "offline" }, { tap: "late" }, "attempting offline hold card-counter-late counter 5"],
    ["replayed tap", {}, { tap: "replayed" }, "declined online card-replayed card-replayed counter 5"],
    [
      "replayed tap, offline",
      { mode: "offline" },
      { tap: "replayed" },
      "declined offline claim card-replayed card-replayed counter 5 offline-declined card-replayed",
    ],
    ["denied", { denied: true }, {}, "declined online card-blocked card-denied ****-1"],
    [
      "denied and honoured",
      { denied: true },
      { honoured: true },
      "declined offline claim card-blocked card-denied ****-1 offline-declined card-blocked",
    ],
    [
      "denied and replayed",
      { denied: true },
      { tap: "replayed" },
      "declined online card-replayed card-replayed counter 5",
    ],
  ])("%s", (_name, of, others, expected) => {
    const { state, mode, steps, declineReason, alarms } = openingOf(
      { ...fresh, ...of },
      { ...known, ...others },
    );
    const words = [state, mode, ...steps, declineReason ?? []].flat();
    expect([...words, ...alarms.map(({ kind, detail }) => `${kind} ${detail}`)].join(" ")).toBe(expected);
  });
});

describe("goods that turn out to be gone", () => {
  test.each([
    ["declined", "online", "not-honoured", "claim offline-declined not-honoured"],
    ["declined", "online", null, "claim offline-declined declined"],
    ["declined", "offline", "not-honoured", ""],
    ["approved", "online", null, ""],
    ["pending", "online", null, ""],
    ["reversed", "online", null, ""],
  ] as const)("of a charge that is %s %s %s", (state, mode, declineReason, expected) => {
    const { steps, alarms } = honouringOf({ state, mode, declineReason });
    expect([...steps, ...alarms.map(({ kind, detail }) => `${kind} ${detail}`)].join(" ")).toBe(expected);
  });
});
