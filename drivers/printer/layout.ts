/** Any paper as lines of a given number of columns: pure, no bytes, no fonts. The parts are in composition.ts. */
import type { Language } from "../../daemon/core/menu.ts";
import type { Paper } from "../../daemon/core/receipt.ts";
import type { LayoutOptions, PaperLine } from "./composition.ts";
import { dayReportLines } from "./day-report-layout.ts";
import { receiptLines } from "./receipt-layout.ts";
import { refundSlipLines } from "./refund-slip-layout.ts";

/** The whole paper from top to bottom, without the cut. */
export function layOut(paper: Paper, options: LayoutOptions): PaperLine[] {
  switch (paper.kind) {
    case "receipt":
      return receiptLines(paper.receipt, options);
    case "refund":
      return refundSlipLines(paper.slip, options);
    case "day":
      return dayReportLines(paper.report, options);
  }
}

/** Any paper after the first that may have come out is a copy. */
export function isCopy(paper: Paper): boolean {
  switch (paper.kind) {
    case "receipt":
      return paper.receipt.copy;
    case "refund":
      return paper.slip.copy;
    case "day":
      return paper.report.copy;
  }
}

export function languageOf(paper: Paper): Language {
  switch (paper.kind) {
    case "receipt":
      return paper.receipt.language;
    case "refund":
      return paper.slip.language;
    case "day":
      return paper.report.language;
  }
}
