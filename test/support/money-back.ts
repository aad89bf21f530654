/** Sales that were made and what staff does about them, for tests of the core. */
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";
import type { Paper } from "../../daemon/core/receipt.ts";
import type { FoundSale, StaffAnswer, StaffRequest } from "../../daemon/core/staff.ts";
import { TestTerminal } from "./shop.ts";

/** A sale of 8,000 won that was approved and printed, and the terminal it was made on. */
export function sold(terminal: TestTerminal = new TestTerminal().linked()): {
  terminal: TestTerminal;
  sale: FoundSale;
} {
  terminal.wake().confirmOrder().tap();
  if (terminal.phase === "authorising") terminal.approve();
  terminal.printed();
  return { terminal, sale: recorded(terminal) };
}

/** What the journal's file would find of the last sale. */
export function recorded(terminal: TestTerminal): FoundSale {
  const record = terminal.all.findLast((effect) => effect.kind === "sale.record");
  if (record?.kind !== "sale.record") throw new Error("no sale was recorded");
  return { ...record.sale, refundedMinor: 0n, voided: false, unpaid: false };
}

export function ask(terminal: TestTerminal, request: StaffRequest, requestId = "r1"): TestTerminal {
  return terminal.happen({ kind: "staff.asked", requestId, request });
}

export function refund(sale: FoundSale, amount: Money | null = null): StaffRequest {
  return { kind: "refund", saleId: sale.saleId, sale, amount };
}

/** The ledger's word on the newest refund or void. */
export function answerRefund(terminal: TestTerminal, outcome: LedgerOutcome, row?: string): TestTerminal {
  const open = terminal.state.openRefunds.at(-1);
  if (open === undefined) throw new Error("nothing is on its way back");
  const first = open.purpose === "void" ? `void-${open.requestId}` : "refund";
  return terminal.answer(outcome, open.key, row ?? first);
}

export function told(terminal: TestTerminal): StaffAnswer[] {
  return terminal.effects.flatMap((effect) => (effect.kind === "staff.answer" ? [effect.answer] : []));
}

/** Kinds of the papers that the last event brought to the printer, with their mark. */
export function papers(terminal: TestTerminal): string[] {
  return terminal.effects.flatMap((effect) =>
    effect.kind === "printer.print" ? [describe(effect.paper)] : [],
  );
}

function describe(paper: Paper): string {
  switch (paper.kind) {
    case "receipt":
      return paper.receipt.copy ? "receipt copy" : "receipt";
    case "refund":
      return `${paper.slip.purpose} ${paper.slip.status}${paper.slip.copy ? " copy" : ""}`;
    case "day":
      return `day ${paper.report.day}${paper.report.copy ? " copy" : ""}`;
  }
}
