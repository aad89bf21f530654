/**
 * The receipt printer at the counter: one receipt at a time, and every print ends with exactly one word about it.
 * A printer process that dies in the middle leaves the paper unknown, so the next attempt is a COPY.
 */
import type { PrinterCommand, PrinterEvent } from "../../../drivers/driver.ts";
import { Fault } from "../../core/fault.ts";
import type { PrintProblem } from "../../core/prompt.ts";
import type { Receipt } from "../../core/receipt.ts";
import type { SupervisedChild } from "../supervisor.ts";

export type PaperListener = {
  readonly printed: (id: string) => void;
  readonly failed: (id: string, reason: PrintProblem, paperMoved: boolean) => void;
  readonly fault: (code: string, detail: string) => void;
};

export class Paper {
  readonly #printer: SupervisedChild<PrinterCommand, PrinterEvent>;
  readonly #listener: PaperListener;
  #printing: string | null = null;

  constructor(printer: SupervisedChild<PrinterCommand, PrinterEvent>, listener: PaperListener) {
    this.#printer = printer;
    this.#listener = listener;
  }

  start(): void {
    this.#printer.onEvent((event) => this.#noticed(event));
    this.#printer.onState((state) => {
      if (state.kind === "restarting" && this.#printing !== null) this.#fail(this.#printing, "offline", true);
    });
  }

  print(id: string, receipt: Receipt): void {
    this.#printing = id;
    this.#printer.command({ kind: "print", id, receipt }).catch((cause: unknown) => {
      // "safe" says that the command never reached a printer.
      const paperMoved = !(cause instanceof Fault) || cause.retry !== "safe";
      if (this.#printing === id) this.#fail(id, "offline", paperMoved);
    });
  }

  #noticed(event: PrinterEvent): void {
    switch (event.kind) {
      case "printed":
        if (this.#printing !== event.id) return;
        this.#printing = null;
        return this.#listener.printed(event.id);
      case "print-failed":
        if (this.#printing === event.id) this.#fail(event.id, event.reason, event.paperMoved);
        return;
      case "fault":
        return this.#listener.fault(event.code, event.detail);
      case "recovered":
        return;
    }
  }

  #fail(id: string, reason: PrintProblem, paperMoved: boolean): void {
    this.#printing = null;
    this.#listener.failed(id, reason, paperMoved);
  }
}
