import { describe, expect, it } from "vitest";
import type { LedgerOutcome } from "../../../daemon/core/clearing.ts";
import type { Money } from "../../../daemon/core/money.ts";
import {
  type FoundSale,
  MAXIMUM_OPEN_REFUNDS,
  MAXIMUM_STAFF_PAPERS,
  type StaffRequest,
} from "../../../daemon/core/staff.ts";
import { answerRefund, ask, papers, recorded, refund, sold, told } from "../../support/money-back.ts";
import { MENU, SETTINGS, TestTerminal } from "../../support/shop.ts";

const won = (minor: bigint): Money => ({ minor, currency: "KRW" });
const refunded = (minor: bigint): LedgerOutcome => ({
  kind: "refunded",
  amount: won(minor),
  total: won(minor),
  gateway: "g",
});

/** Prints whatever staff papers wait, one after the other. */
function printAll(terminal: TestTerminal): TestTerminal {
  for (let open = terminal.state.papers[0]; open !== undefined; open = terminal.state.papers[0]) {
    if (open.printing === null) throw new Error("the paper is not at the printer");
    terminal.happen({ kind: "receipt.printed", effectId: open.printing });
  }
  return terminal;
}

describe("a sale that was paid", () => {
  it("is recorded with its receipt, its day and its charge", () => {
    const { sale } = sold();
    expect(sale).toMatchObject({
      saleId: "sale-1",
      sequence: 1,
      day: 1,
      key: "sale-1/1",
      amount: won(8_000n),
      result: { kind: "approved", authorisation: "A1" },
      receipt: { saleId: "sale-1", copy: false, total: won(8_000n) },
    });
  });

  it("is reprinted with what went back since, so that the copy does not pass for a sale that stands", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "reprint", sale: { ...sale, refundedMinor: 3_000n } });
    expect(terminal.effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { copy: true, givenBack: won(3_000n) } },
    });
  });

  it("is reprinted as a copy", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "reprint", sale });
    expect(told(terminal)).toEqual([{ kind: "printing" }]);
    expect(papers(terminal)).toEqual(["receipt copy"]);
  });
});

describe("a refund", () => {
  it("is journalled under a key of its own before it is sent, and given when the ledger says so", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale, won(3_000n)));
    expect(told(terminal)).toEqual([{ kind: "queued", key: "sale-1/refund-r1", linkUp: true }]);
    expect(terminal.sent).toEqual(["sale-1/refund-r1:refund"]);
    expect(papers(terminal)).toEqual([]);
    answerRefund(terminal, refunded(3_000n));
    expect(told(terminal)).toEqual([{ kind: "refunded", amount: won(3_000n) }]);
    expect(papers(terminal)).toEqual(["refund done"]);
    expect(terminal.effects.find((effect) => effect.kind === "refund.record")).toMatchObject({
      key: "sale-1/refund-r1",
      saleId: "sale-1",
      amount: won(3_000n),
      purpose: "refund",
    });
    expect(terminal.state.openRefunds).toEqual([]);
    expect(terminal.state.day.totals.refunds).toEqual({ count: 1, minor: 3_000n });
  });

  it("without the ledger waits in the outbox, and the customer gets a slip that says so", () => {
    const { terminal, sale } = sold();
    ask(terminal.unlinked(), refund(sale));
    expect(papers(terminal)).toEqual(["refund requested"]);
    printAll(terminal);
    answerRefund(terminal, refunded(8_000n));
    expect(papers(terminal)).toEqual(["refund done"]);
  });

  it("without an amount gives back what is left", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund({ ...sale, refundedMinor: 1_000n }, won(2_000n)));
    ask(terminal, refund({ ...sale, refundedMinor: 1_000n }), "r2");
    expect(terminal.state.openRefunds.map(({ amount }) => amount.minor)).toEqual([2_000n, 5_000n]);
  });

  /** The request, when something has been asked of the terminal before. */
  const first = (_: TestTerminal, request: StaffRequest): StaffRequest => request;
  const half = (sale: FoundSale): StaffRequest => refund(sale, won(4_001n));
  const cases: [
    name: string,
    before: (terminal: TestTerminal, sale: FoundSale) => StaffRequest,
    reason: string,
  ][] = [
    ["more than the sale", (_, sale) => refund(sale, won(8_001n)), "exceeds"],
    ["more than is left", (_, sale) => half({ ...sale, refundedMinor: 4_000n }), "exceeds"],
    [
      "more than is left while one is on its way",
      (t, sale) => first(ask(t, half(sale), "r0"), half(sale)),
      "exceeds",
    ],
    ["all was given back", (_, sale) => refund({ ...sale, refundedMinor: 8_000n }), "nothing-left"],
    ["nothing", (_, sale) => refund(sale, won(0n)), "amount-needed"],
    ["a negative amount", (_, sale) => refund(sale, won(-1n)), "amount-needed"],
    ["another currency", (_, sale) => refund(sale, { minor: 1n, currency: "USD" }), "wrong-currency"],
    ["voided before", (_, sale) => refund({ ...sale, voided: true }), "already-voided"],
    ["declined after the fact", (_, sale) => refund({ ...sale, unpaid: true }), "not-charged"],
    [
      "a void on its way",
      (t, sale) => first(ask(t, { kind: "void", sale }, "r0"), refund(sale)),
      "refund-under-way",
    ],
    [
      "sold elsewhere, without an amount",
      () => ({ kind: "refund", saleId: "other", sale: null, amount: null }),
      "amount-needed",
    ],
    [
      "sold elsewhere, in another currency",
      () => ({ kind: "refund", saleId: "other", sale: null, amount: { minor: 1n, currency: "USD" } }),
      "wrong-currency",
    ],
    [
      "a journal that the ledger does not accept",
      (t, sale) => first(t.happen({ kind: "journal.barred", reason: "copied" }), refund(sale)),
      "journal-barred",
    ],
    [
      "too many on their way",
      (t, sale) => {
        for (let n = 0; n < MAXIMUM_OPEN_REFUNDS; n++) ask(t, refund(sale, won(1n)), `n${n}`);
        return refund(sale, won(1n));
      },
      "too-many-waiting",
    ],
  ];
  it.each(cases)("is refused: %s", (_, before, reason) => {
    const { terminal, sale } = sold();
    ask(terminal, before(terminal, sale));
    expect(told(terminal)).toEqual([{ kind: "refused", reason }]);
    expect(terminal.sent).toEqual([]);
  });

  it("is refused while the sale is still at the counter", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().approve();
    ask(terminal, refund(recorded(terminal)));
    expect(told(terminal)).toEqual([{ kind: "refused", reason: "sale-at-the-counter" }]);
  });

  it("of a sale made on another terminal is the ledger's to judge", () => {
    const terminal = new TestTerminal().linked();
    ask(terminal, { kind: "refund", saleId: "other", sale: null, amount: won(500n) });
    expect(terminal.sent).toEqual(["other/refund-r1:refund"]);
    answerRefund(terminal, { kind: "refund-refused", reason: "not-charged" });
    expect(told(terminal)).toEqual([{ kind: "not-refunded", reason: "not-charged" }]);
    expect(terminal.alarms).toEqual(["refund-refused"]);
    expect(terminal.state.openRefunds).toEqual([]);
  });

  it("of another amount than asked is an alarm", () => {
    const { terminal, sale } = sold();
    answerRefund(ask(terminal, refund(sale, won(3_000n))), refunded(2_000n));
    expect(terminal.alarms).toEqual(["amount-mismatch"]);
  });

  it("that the ledger refuses altogether moves nothing and is an alarm", () => {
    const { terminal, sale } = sold();
    answerRefund(ask(terminal, refund(sale)), { kind: "refused", reason: "key-conflict" });
    expect(terminal.alarms).toEqual(["request-refused"]);
    expect(told(terminal)).toEqual([{ kind: "not-refunded", reason: "key-conflict" }]);
    expect(terminal.state.day.totals.refunds.count).toBe(0);
  });

  it.each([
    { kind: "pending" },
    { kind: "not-found" },
    { kind: "reversed" },
    { kind: "approved", authorisation: "A", gateway: "g", amount: won(1n) },
    { kind: "declined", reason: "not-honoured", gateway: "g" },
  ] as const)("answered $kind is asked for again under the same key, ever more slowly", (outcome) => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale));
    for (const [row, next, afterMs] of [
      ["refund", "refund-2", 5_000],
      ["refund-2", "refund-3", 10_000],
    ] as const) {
      answerRefund(terminal, outcome, row);
      const [timer] = terminal.effects;
      expect(timer).toMatchObject({ kind: "timer.start", purpose: "settle", afterMs });
      terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" });
      expect(terminal.sent).toEqual([`sale-1/refund-r1:${next}`]);
      expect(terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" }).sent).toEqual([]);
    }
  });

  it("is taken up again after a restart", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale, won(1n)), "r1");
    ask(terminal, refund(sale, won(2n)), "r2");
    terminal.answer({ kind: "pending" }, "sale-1/refund-r1", "refund");
    terminal.happen({ kind: "daemon.started" });
    const timers = terminal.effects.filter(
      (effect) => effect.kind === "timer.start" && effect.purpose === "settle",
    );
    expect(timers).toHaveLength(1);
    terminal.happen({ kind: "timer.fired", timerId: timers[0]?.id ?? "" });
    expect(terminal.sent).toEqual(["sale-1/refund-r1:refund-2"]);
    expect(terminal.state.openRefunds.map(({ repeats }) => repeats)).toEqual([1, 0]);
  });

  it("that can never be sent is told to staff", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale));
    const key = "sale-1/refund-r1";
    terminal.happen({ kind: "request.buried", requestId: `${key}:refund`, key, reason: "too long" });
    expect(told(terminal)).toEqual([{ kind: "not-refunded", reason: "too long" }]);
  });
});

describe("a void", () => {
  it("takes the whole sale back under the charge's own key", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "void", sale });
    expect(terminal.effects.find((effect) => effect.kind === "ledger.send")).toMatchObject({
      id: "sale-1/1:void-r1",
      request: { kind: "reverse", key: "sale-1/1", saleId: "sale-1", reason: "void" },
    });
    answerRefund(terminal, { kind: "reversed" });
    expect(told(terminal)).toEqual([{ kind: "refunded", amount: won(8_000n) }]);
    expect(papers(terminal)).toEqual(["void done"]);
    expect(terminal.state.day.totals).toMatchObject({
      card: { count: 1, minor: 8_000n },
      voids: { count: 1, minor: 8_000n },
    });
  });

  it("of an offline sale that still waits goes out after its authorisation, and only the void is waited for", () => {
    const { terminal, sale } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "void", sale });
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.answer({ kind: "declined", reason: "not-honoured", gateway: "g" }).alarms).toEqual([]);
    expect(terminal.state.openRefunds).toHaveLength(1);
    expect(told(answerRefund(terminal, { kind: "reversed" }))).toEqual([
      { kind: "refunded", amount: won(8_000n) },
    ]);
  });

  it("of an offline sale that the ledger refuses leaves the sale, and its outcome is asked for", () => {
    const { terminal, sale } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "void", sale });
    answerRefund(terminal, { kind: "refund-refused", reason: "gateway" });
    expect(terminal.state.openCharges).toMatchObject([{ key: "sale-1/1", purpose: "offline" }]);
    const timer = terminal.effects.find((effect) => effect.kind === "timer.start");
    terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" });
    expect(terminal.sent).toEqual(["sale-1/1:settle-query-1"]);
  });

  it("that was refused can be asked for again, and is sent again", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "void", sale });
    answerRefund(terminal, { kind: "refund-refused", reason: "partly-refunded" });
    ask(terminal, { kind: "void", sale }, "r2");
    expect(terminal.sent).toEqual(["sale-1/1:void-r2"]);
    answerRefund(terminal, { kind: "reversed" }, "void-r1");
    expect(terminal.state.openRefunds).toHaveLength(1);
    expect(told(answerRefund(terminal, { kind: "reversed" }))).toEqual([
      { kind: "refunded", amount: won(8_000n) },
    ]);
  });

  it("of an offline sale that is dismissed takes the sale out of the day's net", () => {
    const { terminal, sale } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "void", sale });
    ask(terminal, { kind: "dismiss", key: sale.key }, "r2");
    expect(terminal.state).toMatchObject({ openCharges: [], openRefunds: [] });
    expect(terminal.state.day.totals.dismissed).toEqual({ count: 1, minor: 8_000n });
  });

  it("is asked for again when the answer is none to a void", () => {
    const { terminal, sale } = sold();
    answerRefund(ask(terminal, { kind: "void", sale }), refunded(8_000n));
    const [timer] = terminal.effects;
    terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" });
    expect(terminal.sent).toEqual(["sale-1/1:void-r1-2"]);
  });

  it.each([
    ["voided before", (sale: FoundSale) => ({ ...sale, voided: true }), "already-voided"],
    ["declined after the fact", (sale: FoundSale) => ({ ...sale, unpaid: true }), "not-charged"],
    ["part of it was given back", (sale: FoundSale) => ({ ...sale, refundedMinor: 1n }), "partly-refunded"],
    ["sold on another day", (sale: FoundSale) => ({ ...sale, day: 0 }), "another-day"],
  ])("is refused: %s", (_, change, reason) => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "void", sale: change(sale) });
    expect(told(terminal)).toEqual([{ kind: "refused", reason }]);
  });

  it.each(["refund", "void"] as const)("is refused while a %s is on its way", (kind) => {
    const { terminal, sale } = sold();
    ask(terminal, kind === "void" ? { kind, sale } : refund(sale, won(1n)));
    ask(terminal, { kind: "void", sale }, "r2");
    expect(told(terminal)).toEqual([{ kind: "refused", reason: "refund-under-way" }]);
  });
});

describe("the day's close", () => {
  it("leaves out what is given back for a sale in an earlier currency", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "close-day", language: "en" }, "r8");
    const menu = { ...MENU, currency: "USD" };
    terminal.happen({ kind: "settings.applied", settings: { ...SETTINGS, menu } });
    ask(terminal, refund(sale, won(1_000n)));
    ask(terminal, { kind: "close-day", language: "en" }, "r9");
    expect(told(terminal)).toMatchObject([{ report: { currency: "USD", refundsQueued: { count: 0 } } }]);
    answerRefund(terminal, refunded(1_000n));
    expect(told(terminal)).toEqual([{ kind: "refunded", amount: won(1_000n) }]);
    expect(terminal.state.day.totals.refunds.count).toBe(0);
  });

  it("prints the totals by method, what is queued, and begins a new day", () => {
    const { terminal } = sold();
    const second = sold(terminal.unlinked());
    ask(terminal, refund(second.sale, won(1_000n)));
    printAll(terminal);
    ask(terminal, { kind: "close-day", language: "en" }, "r9");
    const [answer] = told(terminal);
    expect(answer).toMatchObject({
      kind: "day-closed",
      report: {
        day: 1,
        language: "en",
        firstNumber: 1,
        lastNumber: 2,
        totals: { card: { count: 1, minor: 8_000n }, cardOffline: { count: 1, minor: 8_000n } },
        netMinor: 16_000n,
        queued: { count: 1, minor: 8_000n },
        refundsQueued: { count: 1, minor: 1_000n },
      },
    });
    expect(papers(terminal)).toEqual(["day 1"]);
    expect(terminal.state.day).toMatchObject({ number: 2, openedMs: null, firstNumber: null });
  });

  it("of an empty day prints zeros", () => {
    const terminal = new TestTerminal();
    ask(terminal, { kind: "close-day", language: "ko" });
    expect(told(terminal)[0]).toMatchObject({
      kind: "day-closed",
      report: { firstNumber: null, lastNumber: null, netMinor: 0n, openedMs: terminal.atMs - 100 },
    });
  });

  it("counts what the ledger takes back after an offline sale in the day in which it says so", () => {
    const { terminal } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "close-day", language: "ko" });
    terminal.answer({ kind: "declined", reason: "not-honoured", gateway: "g" });
    expect(terminal.state.day).toMatchObject({
      number: 2,
      totals: { cardOffline: { count: 0 }, declinedAfter: { count: 1, minor: 8_000n } },
    });
    // Staff who wants to give the money back is told that none ever came.
    expect(terminal.effects.find((effect) => effect.kind === "refund.record")).toMatchObject({
      saleId: "sale-1",
      purpose: "unpaid",
    });
  });

  it("waits while a card is being charged", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap();
    for (const next of [() => terminal, () => terminal.timeOut(), () => terminal.approve()]) {
      expect(told(ask(next(), { kind: "close-day", language: "ko" }))).toEqual([
        { kind: "refused", reason: "sale-at-the-counter" },
      ]);
    }
  });

  it("and a reprint are refused when too many papers wait", () => {
    const { terminal, sale } = sold();
    for (let n = 0; n < MAXIMUM_STAFF_PAPERS; n++) ask(terminal, { kind: "reprint", sale });
    for (const request of [
      { kind: "reprint", sale },
      { kind: "close-day", language: "ko" },
    ] as const) {
      expect(told(ask(terminal, request))).toEqual([{ kind: "refused", reason: "too-many-waiting" }]);
    }
    expect(told(ask(terminal, refund(sale)))).toEqual([{ kind: "refused", reason: "too-many-waiting" }]);
  });
});

describe("a charge that never resolves", () => {
  it("is let go by staff, and an offline one leaves the net", () => {
    const { terminal } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "dismiss", key: "sale-1/1" });
    expect(told(terminal)).toEqual([{ kind: "dismissed" }]);
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.state.day.totals.dismissed).toEqual({ count: 1, minor: 8_000n });
    expect(terminal.answer({ kind: "declined", reason: "not-honoured", gateway: "g" }).effects).toEqual([]);
  });

  it("under reversal was never counted", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap();
    while (terminal.phase !== "idle") terminal.timeOut();
    expect(terminal.ending).toBe("reversed");
    ask(terminal, { kind: "dismiss", key: "sale-1/1" });
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.state.day.totals.dismissed.count).toBe(0);
  });

  it("and a refund too; another key is unknown", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale));
    ask(terminal, { kind: "dismiss", key: "sale-1/refund-r1" });
    expect(terminal.state.openRefunds).toEqual([]);
    // Nobody knows whether the money went back, so no more of it is promised.
    expect(terminal.effects.find((effect) => effect.kind === "refund.record")).toMatchObject({
      amount: won(8_000n),
    });
    ask(terminal, { kind: "dismiss", key: "sale-1/refund-r1" });
    expect(told(terminal)).toEqual([{ kind: "refused", reason: "unknown-charge" }]);
  });
});
