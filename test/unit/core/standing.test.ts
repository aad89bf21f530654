import { describe, expect, it } from "vitest";
import { EMPTY_TERMINAL } from "../../../daemon/core/sale.ts";
import { afterLoss, isRecalling, maySell, type SavedBeside } from "../../../daemon/core/standing.ts";
import { ask, refund, sold, told } from "../../support/money-back.ts";
import { TestTerminal } from "../../support/shop.ts";

const NOTHING: SavedBeside = { waiting: [], sold: [], lastSequence: 0 };
const bar = { kind: "journal.barred", reason: "copied" } as const;

describe("a journal that the ledger does not accept", () => {
  it("sells nothing: whoever comes is told", () => {
    const terminal = new TestTerminal().linked().happen(bar);
    expect(terminal.alarms).toEqual(["journal-barred"]);
    terminal.happen({ kind: "sale.woken", saleId: "s", language: "en", source: "button" });
    expect(terminal.effects).toMatchObject([
      { kind: "speech.say", prompt: { kind: "out-of-order" }, language: "en" },
    ]);
    expect(terminal.state.sale).toBeNull();
  });

  it("is told of once for each reason", () => {
    const terminal = new TestTerminal().happen(bar);
    expect(terminal.happen(bar).alarms).toEqual([]);
    expect(terminal.happen({ ...bar, reason: "restored" }).alarms).toEqual(["journal-barred"]);
  });

  it.each([
    ["an order", () => new TestTerminal().linked().wake().order("latte")],
    ["a card that is awaited", () => new TestTerminal().linked().wake().confirmOrder()],
  ])("ends %s", (_, until) => {
    const terminal = until().happen(bar);
    expect(terminal.said).toEqual(["out-of-order"]);
    expect(terminal.ending).toBe("cancelled");
  });

  it("lets a charge that is under way come to its end", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().happen(bar);
    expect(terminal.phase).toBe("authorising");
    expect(terminal.approve().printed().ending).toBe("approved");
  });

  it("takes no other card after one that was declined", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().happen(bar);
    terminal.answer({ kind: "declined", reason: "not-honoured", gateway: "g" });
    expect(terminal.said).toEqual(["declined"]);
    expect(terminal.ending).toBe("declined");
  });

  it("hands nothing over for a charge that stays unanswered without the ledger", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().happen(bar).unlinked();
    terminal.timeOut().timeOut().timeOut();
    expect(terminal.ending).toBe("reversed");
  });

  it("sells again when the ledger welcomes it and has told what it remembers", () => {
    // Also a journal that was new: the ledger knows sales of this terminal that it does not.
    const terminal = new TestTerminal().happen(bar).happen({ kind: "journal.welcomed" });
    expect(maySell(terminal.state)).toBe(false);
    terminal.happen({ kind: "journal.recalled", lastSequence: 8, sales: [] });
    expect(terminal.wake().state.sale?.sequence).toBe(9);
  });
});

describe("a journal that lost part of its past", () => {
  const recalling = (): TestTerminal => {
    const terminal = new TestTerminal();
    terminal.state = afterLoss({ ...EMPTY_TERMINAL, lastSequence: 3 }, NOTHING);
    return terminal.linked();
  };
  const sale = (state: "approved" | "declined" | "reversed" | "pending", saleId: string) => ({
    saleId,
    sequence: 5,
    key: `${saleId}/1`,
    amount: { minor: 1n, currency: "KRW" },
    state,
    refundedMinor: 0n,
    timeMs: 0,
  });

  it("sells nothing until the ledger has told what it remembers", () => {
    const terminal = recalling();
    expect(maySell(terminal.state)).toBe(false);
    terminal.happen({ kind: "journal.recalled", lastSequence: 7, sales: [] });
    expect(terminal.state).toMatchObject({ standing: { kind: "welcome" }, lastSequence: 7 });
    expect(terminal.wake().state.sale?.sequence).toBe(8);
  });

  it("still has to be told after it was barred meanwhile", () => {
    const terminal = recalling()
      .happen(bar)
      .happen({ ...bar, reason: "replaced" });
    expect([maySell(terminal.state), isRecalling(terminal.state)]).toEqual([false, true]);
    terminal.happen({ kind: "journal.welcomed" });
    expect(terminal.state.standing).toEqual({ kind: "recalling" });
    expect(isRecalling(new TestTerminal().linked().state)).toBe(false);
  });

  it("never goes back in its days: what was sold on another one is not voided", () => {
    const { terminal, sale } = sold();
    terminal.state = afterLoss(EMPTY_TERMINAL, {
      ...NOTHING,
      sold: [sale, { ...sale, day: 7 }, { ...sale, day: 3 }],
    });
    expect(terminal.state.day.number).toBe(7);
    ask(terminal, { kind: "void", sale });
    expect(told(terminal)).toEqual([{ kind: "refused", reason: "another-day" }]);
  });

  it("never goes back in its numbers", () => {
    const terminal = recalling().happen({ kind: "journal.recalled", lastSequence: 1, sales: [] });
    expect(terminal.state.lastSequence).toBe(3);
  });

  it("alarms for each sale that may have been charged and that it does not know", () => {
    const sales = [sale("approved", "a"), sale("declined", "b"), sale("reversed", "c"), sale("pending", "d")];
    const terminal = recalling().happen({ kind: "journal.recalled", lastSequence: 5, sales });
    expect(terminal.effects).toMatchObject([
      { alarm: { kind: "sale-forgotten", saleId: "a" } },
      { alarm: { kind: "sale-forgotten", saleId: "d" } },
    ]);
  });

  it("is told only once", () => {
    const terminal = new TestTerminal().linked();
    terminal.happen({ kind: "journal.recalled", lastSequence: 9, sales: [sale("approved", "a")] });
    expect(terminal.effects).toEqual([]);
    expect(terminal.state.lastSequence).toBe(0);
  });

  it("drops an order that is not paid, and keeps a charge that is under way", () => {
    const ordering = new TestTerminal().linked().wake().order("latte");
    expect(afterLoss(ordering.state, NOTHING).sale).toBeNull();
    const atTheCard = new TestTerminal().linked().wake().confirmOrder();
    expect(afterLoss(atTheCard.state, NOTHING).sale).toBeNull();
    const charging = new TestTerminal().linked().wake().confirmOrder().tap();
    expect(afterLoss(charging.state, NOTHING).sale?.phase.kind).toBe("authorising");
  });

  it("takes no other card for it: the key of the next one may be taken by a request that was saved", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap();
    terminal.state = afterLoss(terminal.state, NOTHING);
    terminal.happen({ kind: "journal.recalled", lastSequence: 1, sales: [] });
    terminal.answer({ kind: "declined", reason: "not-honoured", gateway: "g" });
    expect(terminal.ending).toBe("declined");
  });
});

describe("requests that were saved while the state was lost", () => {
  const offline = (): TestTerminal => new TestTerminal().unlinked().wake().confirmOrder().tap();
  const requests = (terminal: TestTerminal): SavedBeside => ({
    waiting: terminal.all.flatMap((effect) => (effect.kind === "ledger.send" ? [effect.request] : [])),
    sold: terminal.all.flatMap((effect) => (effect.kind === "sale.record" ? [effect.sale] : [])),
    lastSequence: 5,
  });

  it("are watched again when they claim an offline sale", () => {
    const terminal = offline().printed();
    const { openCharges, lastSequence } = afterLoss(EMPTY_TERMINAL, requests(terminal));
    expect(openCharges).toEqual(terminal.state.openCharges);
    expect(lastSequence).toBe(5);
  });

  it("are not watched twice: open already, on their way back, or at the counter", () => {
    const open = offline().printed();
    expect(afterLoss(open.state, requests(open)).openCharges).toEqual(open.state.openCharges);
    const atTheCounter = offline();
    const lost = { ...atTheCounter.state, openCharges: [] };
    expect(afterLoss(lost, requests(atTheCounter)).openCharges).toEqual([]);
    const { terminal, sale } = sold(new TestTerminal().unlinked());
    ask(terminal, { kind: "void", sale });
    expect(afterLoss(terminal.state, requests(terminal))).toMatchObject({
      openCharges: [],
      openRefunds: terminal.state.openRefunds,
    });
    const online = sold();
    ask(online.terminal, refund(online.sale));
    expect(afterLoss(online.terminal.state, requests(online.terminal)).openCharges).toEqual([]);
  });

  const online = (): TestTerminal => new TestTerminal().linked().wake().confirmOrder().tap();
  const handedOver = (): TestTerminal => online().unlinked().timeOut().timeOut().timeOut().printed();

  it.each<[name: string, terminal: TestTerminal, lost: Partial<SavedBeside>, expected: object[]]>([
    ["of which nobody heard the end is taken back", online(), {}, [{ purpose: "reversal", pending: true }]],
    ["that was being taken back still is", online().timeOut().timeOut().timeOut(), {}, [{ pending: false }]],
    [
      "that was handed over is watched, by its honouring",
      handedOver(),
      { sold: [] },
      [{ purpose: "offline" }],
    ],
    ["that was handed over is watched, by its record", handedOver(), {}, [{ purpose: "offline" }]],
    ["that was approved is paid", sold().terminal, {}, []],
  ])("a charge %s", (_, terminal, lost, expected) => {
    const { openCharges } = afterLoss(EMPTY_TERMINAL, { ...requests(terminal), ...lost });
    expect(openCharges).toMatchObject(expected);
    expect(openCharges).toHaveLength(expected.length);
  });
});

describe("requests that were lost while the state was saved", () => {
  /** What the terminal asks the ledger when the first waits after the loss are over. */
  const asksAfterLoss = (terminal: TestTerminal): string[] => {
    terminal.state = afterLoss(terminal.state, NOTHING);
    const timers = terminal
      .happen({ kind: "daemon.started" })
      .effects.filter(({ kind }) => kind === "timer.start");
    return timers.flatMap(({ id }) => terminal.happen({ kind: "timer.fired", timerId: id }).sent);
  };

  it("are made anew: an offline sale's outcome, a reversal, a void, a refund", () => {
    const offline = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    expect(asksAfterLoss(offline)).toEqual(["sale-1/1:settle-query-1"]);
    const given = new TestTerminal().linked().wake().confirmOrder().tap().timeOut().timeOut().timeOut();
    expect(asksAfterLoss(given)).toEqual(["sale-1/1:reverse-1"]);
    const { terminal, sale } = sold();
    expect(asksAfterLoss(ask(terminal, { kind: "void", sale }))).toEqual(["sale-1/1:void-r1-2"]);
    const second = sold();
    expect(asksAfterLoss(ask(second.terminal, refund(second.sale)))).toEqual(["sale-1/refund-r1:refund-2"]);
  });
});

describe("a request that can never be sent", () => {
  const buried = (terminal: TestTerminal, requestId: string, key = "sale-1/1"): TestTerminal =>
    terminal.happen({ kind: "request.buried", requestId, key, reason: "too long" });

  it("charged nothing when it was the authorisation", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap();
    buried(terminal, "sale-1/1:authorise");
    expect(terminal.alarms).toEqual(["request-buried"]);
    expect(terminal.said).toEqual(["not-charged"]);
    expect(terminal.ending).toBe("declined");
  });

  it("leaves the charge unknown when it was a query", () => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().timeOut();
    buried(terminal, "sale-1/1:query-1");
    expect(terminal.alarms).toEqual(["request-buried"]);
    expect(terminal.phase).toBe("uncertain");
  });

  it("is money that will not come when it was the claim of an offline sale", () => {
    const terminal = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    buried(terminal, "sale-1/1:settle-query-1");
    expect(terminal.alarms).toEqual(["request-buried"]);
    expect(terminal.state.openCharges).toHaveLength(1);
    buried(terminal, "sale-1/1:authorise");
    expect(terminal.alarms).toEqual(["request-buried"]);
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.state.day.totals.declinedAfter).toEqual({ count: 1, minor: 8_000n });
  });

  it("is no news of a charge that is long over", () => {
    expect(buried(new TestTerminal(), "x/1:query-1", "x/1").effects).toEqual([]);
  });
});

describe("an answer to another kind of request", () => {
  const outcomes = [
    {
      kind: "refunded",
      amount: { minor: 1n, currency: "KRW" },
      total: { minor: 1n, currency: "KRW" },
      gateway: "g",
    },
    { kind: "refund-refused", reason: "gateway" },
  ] as const;

  it.each(outcomes)("$kind leaves a charge unknown", (outcome) => {
    const terminal = new TestTerminal().linked().wake().confirmOrder().tap().answer(outcome);
    expect(terminal.phase).toBe("uncertain");
    const offline = new TestTerminal().unlinked().wake().confirmOrder().tap().printed().answer(outcome);
    expect(offline.state.openCharges).toHaveLength(1);
  });
});
