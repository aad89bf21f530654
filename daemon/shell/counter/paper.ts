/**
 * The printer at the counter: one paper at a time, a customer's receipt before what staff asked for, and every print
 * ends with exactly one word about it.
 *
 * A printer process that dies in the middle leaves the paper unknown, so the next attempt is a COPY; what still waited
 * here never reached the printer and is tried as it is. A new attempt for a paper takes the place of an earlier one
 * that still waits: the core has given that one up.
 */
import type { PrinterCommand, PrinterEvent } from "../../../drivers/driver.ts";
import { Fault } from "../../core/fault.ts";
import type { PrintProblem } from "../../core/prompt.ts";
import type { Paper as PaperContent } from "../../core/receipt.ts";

export type PaperListener = {
  readonly printed: (id: string, paper: PaperContent) => void;
  readonly failed: (id: string, reason: PrintProblem, paperMoved: boolean, paper: PaperContent) => void;
  readonly fault: (code: string, detail: string) => void;
};

/** What this needs of a supervised printer process. */
export type PrinterPort = {
  command(command: PrinterCommand): Promise<void>;
  onEvent(listener: (event: PrinterEvent) => void): void;
  onState(listener: (state: { readonly kind: string }) => void): void;
};

type Order = { readonly id: string; readonly paper: PaperContent };

/** Papers that may wait behind the one at the printer: those of staff (MAXIMUM_STAFF_PAPERS) and receipts. */
const MAXIMUM_WAITING = 16;

export class Paper {
  readonly #printer: PrinterPort;
  readonly #listener: PaperListener;
  #printing: Order | null = null;
  #waiting: Order[] = [];

  constructor(printer: PrinterPort, listener: PaperListener) {
    this.#printer = printer;
    this.#listener = listener;
  }

  start(): void {
    this.#printer.onEvent((event) => this.#noticed(event));
    this.#printer.onState((state) => {
      if (state.kind === "restarting" && this.#printing !== null) this.#ended("offline", true);
    });
  }

  /** An id that is at the printer or waits already is not taken twice. */
  print(id: string, paper: PaperContent): void {
    if (this.#printing?.id === id || this.#waiting.some((order) => order.id === id)) return;
    const order = { id, paper };
    const earlier = this.#waiting.findIndex((waiting) => samePaper(waiting.paper, paper));
    if (earlier >= 0) {
      const replaced = this.#waiting[earlier];
      this.#waiting[earlier] = order;
      if (replaced !== undefined) this.#listener.failed(replaced.id, "offline", false, replaced.paper);
      return;
    }
    if (this.#waiting.length >= MAXIMUM_WAITING) {
      this.#listener.failed(id, "offline", false, paper);
      return;
    }
    // The customer of a receipt stands at the counter.
    const ahead =
      paper.kind === "receipt" && !paper.receipt.copy ? this.#firstOfStaff() : this.#waiting.length;
    this.#waiting.splice(ahead, 0, order);
    this.#next();
  }

  #firstOfStaff(): number {
    const index = this.#waiting.findIndex(({ paper }) => paper.kind !== "receipt" || paper.receipt.copy);
    return index < 0 ? this.#waiting.length : index;
  }

  #next(): void {
    if (this.#printing !== null) return;
    const order = this.#waiting.shift();
    if (order === undefined) return;
    this.#printing = order;
    this.#printer.command({ kind: "print", ...order }).catch((cause: unknown) => {
      // "safe" says that the command never reached a printer.
      const paperMoved = !(cause instanceof Fault) || cause.retry !== "safe";
      if (this.#printing === order) this.#ended("offline", paperMoved);
    });
  }

  #noticed(event: PrinterEvent): void {
    switch (event.kind) {
      case "printed":
        if (this.#printing?.id === event.id) this.#ended(null, true);
        return;
      case "print-failed":
        if (this.#printing?.id === event.id) this.#ended(event.reason, event.paperMoved);
        return;
      case "fault":
        return this.#listener.fault(event.code, event.detail);
      case "recovered":
        return;
    }
  }

  /** `problem` null: it came out. */
  #ended(problem: PrintProblem | null, paperMoved: boolean): void {
    const order = this.#printing;
    if (order === null) return;
    this.#printing = null;
    if (problem === null) this.#listener.printed(order.id, order.paper);
    else this.#listener.failed(order.id, problem, paperMoved, order.paper);
    this.#next();
  }
}

/** Two attempts at one paper. A reprint is another paper than the receipt that the customer waits for. */
function samePaper(a: PaperContent, b: PaperContent): boolean {
  if (a.kind === "receipt") return b.kind === "receipt" && a.receipt.saleId === b.receipt.saleId;
  if (a.kind === "refund")
    return b.kind === "refund" && a.slip.saleId === b.slip.saleId && a.slip.timeMs === b.slip.timeMs;
  return b.kind === "day" && a.report.day === b.report.day;
}
