/**
 * A receipt printer: a machine of its own that goes on printing when the daemon dies, runs out of paper in the middle,
 * has its cover opened, dies, or prints and says nothing. Everything that came out of it is kept.
 */
import type { PrintProblem } from "../../daemon/core/prompt.ts";
import type { Paper } from "../../daemon/core/receipt.ts";
import type { FaultPlace } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export type PrinterNews =
  | { readonly kind: "printed"; readonly id: string }
  | {
      readonly kind: "failed";
      readonly id: string;
      readonly reason: PrintProblem;
      readonly paperMoved: boolean;
    };

export type PrinterPorts = {
  readonly scheduler: Scheduler;
  readonly faults: FaultPlace;
  readonly random: Random;
  /** Paper comes out: all of it, or its beginning. */
  readonly emerged: (paper: Paper, whole: boolean) => void;
};

export class SimPrinter {
  readonly #ports: PrinterPorts;
  #busyUntilMs = 0;

  constructor(ports: PrinterPorts) {
    this.#ports = ports;
  }

  /** `tell` is the cable to the daemon that asked; nobody may be there any more. */
  print(id: string, paper: Paper, tell: (news: PrinterNews) => void): void {
    const { scheduler, faults, random, emerged } = this.#ports;
    const startMs = Math.max(scheduler.nowMs, this.#busyUntilMs);
    const doneMs = startMs + random.whole(300, 2_500);
    this.#busyUntilMs = doneMs;
    scheduler.after(doneMs - scheduler.nowMs, () => {
      const problem = this.#problem();
      if (problem === null) {
        emerged(paper, true);
        if (!faults.strikes("printer-silent")) tell({ kind: "printed", id });
        return;
      }
      // In the middle: something is on the paper, and the printer knows it.
      const paperMoved = problem.inTheMiddle;
      if (paperMoved) emerged(paper, false);
      tell({ kind: "failed", id, reason: problem.reason, paperMoved });
    });
  }

  #problem(): { readonly reason: PrintProblem; readonly inTheMiddle: boolean } | null {
    const { faults } = this.#ports;
    if (faults.strikes("paper-out"))
      return { reason: "paper-out", inTheMiddle: faults.random("paper-out").chance(0.5) };
    if (faults.strikes("cover-open"))
      return { reason: "cover-open", inTheMiddle: faults.random("cover-open").chance(0.5) };
    return faults.strikes("printer-dies") ? { reason: "offline", inTheMiddle: true } : null;
  }
}
