import { describe, expect, it } from "vitest";
import { answerRefund, ask, papers, refund, sold } from "../../support/money-back.ts";
import type { TestTerminal } from "../../support/shop.ts";
import { TestTerminal as Terminal } from "../../support/shop.ts";

function atThePrinter(terminal: TestTerminal): string {
  const printing = terminal.state.papers[0]?.printing;
  if (printing == null) throw new Error("no staff paper is at the printer");
  return printing;
}

const printed = (terminal: TestTerminal): TestTerminal =>
  terminal.happen({ kind: "receipt.printed", effectId: atThePrinter(terminal) });
const failed = (terminal: TestTerminal, paperMoved: boolean): TestTerminal =>
  terminal.happen({
    kind: "receipt.failed",
    effectId: atThePrinter(terminal),
    reason: "paper-out",
    paperMoved,
  });
const timer = (terminal: TestTerminal): string => {
  const started = terminal.effects.findLast((effect) => effect.kind === "timer.start");
  if (started === undefined) throw new Error("no timer was started");
  return started.id;
};

describe("papers for staff", () => {
  it("come out one after the other", () => {
    const { terminal, sale } = sold();
    expect(papers(ask(terminal, { kind: "reprint", sale }))).toEqual(["receipt copy"]);
    expect(papers(ask(terminal, { kind: "close-day", language: "ko" }))).toEqual([]);
    expect(papers(printed(terminal))).toEqual(["day 1"]);
    expect(printed(terminal).state.papers).toEqual([]);
  });

  it("wait for a customer's receipt, and come when it is out", () => {
    const { terminal, sale } = sold();
    terminal.wake("sale-2").confirmOrder().tap({ counter: 9 }).approve();
    expect(papers(ask(terminal, { kind: "reprint", sale }))).toEqual([]);
    expect(papers(terminal.printed())).toEqual(["receipt copy"]);
  });

  it("leave the next customer's receipt alone", () => {
    const { terminal, sale } = sold();
    ask(terminal, { kind: "reprint", sale });
    terminal.wake("sale-2").confirmOrder().tap({ counter: 9 }).approve();
    expect(printed(terminal).phase).toBe("receipt");
    expect(terminal.printed().ending).toBe("approved");
  });

  it("that failed are tried again after a while, as a copy when some may be out", () => {
    const { terminal, sale } = sold();
    answerRefund(ask(terminal, refund(sale)), {
      kind: "refunded",
      amount: sale.amount,
      total: sale.amount,
      gateway: "g",
    });
    expect(papers(failed(terminal, false))).toEqual([]);
    expect(papers(terminal.happen({ kind: "timer.fired", timerId: timer(terminal) }))).toEqual([
      "refund done",
    ]);
    failed(terminal, true);
    expect(papers(terminal.happen({ kind: "timer.fired", timerId: timer(terminal) }))).toEqual([
      "refund done copy",
    ]);
  });

  it("of which the printer says nothing are copies the next time", () => {
    const terminal = ask(new Terminal(), { kind: "close-day", language: "ko" });
    terminal.happen({ kind: "timer.fired", timerId: timer(terminal) });
    expect(terminal.state.papers[0]?.printing).toBeNull();
    expect(papers(terminal.happen({ kind: "timer.fired", timerId: timer(terminal) }))).toEqual([
      "day 1 copy",
    ]);
  });

  it("that never come out are an alarm, and the next one gets its turn", () => {
    const { terminal, sale } = sold();
    for (const request of [
      { kind: "close-day", language: "ko" },
      { kind: "reprint", sale },
    ] as const)
      ask(terminal, request);
    failed(terminal, false);
    terminal.happen({ kind: "timer.fired", timerId: timer(terminal) });
    failed(terminal, false);
    terminal.happen({ kind: "timer.fired", timerId: timer(terminal) });
    failed(terminal, false);
    expect(terminal.alarms).toEqual(["receipt-not-printed"]);
    expect(papers(terminal)).toEqual(["receipt copy"]);
    for (let n = 0; n < 2; n++) {
      failed(terminal, false);
      terminal.happen({ kind: "timer.fired", timerId: timer(terminal) });
    }
    failed(terminal, false);
    expect(terminal.effects.find((effect) => effect.kind === "alarm.raise")).toMatchObject({
      alarm: { kind: "receipt-not-printed", saleId: "sale-1" },
    });
  });

  it("are given up with an alarm when too many wait", () => {
    const { terminal, sale } = sold();
    ask(terminal, refund(sale));
    for (let n = 0; n < 10; n++) ask(terminal, { kind: "reprint", sale });
    answerRefund(terminal, { kind: "refunded", amount: sale.amount, total: sale.amount, gateway: "g" });
    expect(terminal.alarms).toEqual(["receipt-not-printed"]);
    expect(terminal.state.papers).toHaveLength(10);
  });

  it("after a restart: what was at the printer is a copy, what waited is not", () => {
    const { terminal } = sold();
    ask(terminal, { kind: "close-day", language: "ko" });
    expect(papers(terminal.happen({ kind: "daemon.started" }))).toEqual(["day 1 copy"]);
    failed(terminal, false);
    expect(papers(terminal.happen({ kind: "daemon.started" }))).toEqual(["day 1 copy"]);
    const waiting = ask(new Terminal(), { kind: "close-day", language: "ko" });
    failed(waiting, false);
    expect(papers(waiting.happen({ kind: "daemon.started" }))).toEqual(["day 1"]);
  });

  it("ignores timers and news of papers that are gone", () => {
    const terminal = ask(new Terminal(), { kind: "close-day", language: "ko" });
    const effectId = atThePrinter(terminal);
    const late = timer(terminal);
    printed(terminal);
    for (const happening of [
      { kind: "timer.fired", timerId: late },
      { kind: "receipt.printed", effectId },
      { kind: "receipt.failed", effectId, reason: "offline", paperMoved: true },
    ] as const)
      expect(terminal.happen(happening).effects).toEqual([]);
  });
});
