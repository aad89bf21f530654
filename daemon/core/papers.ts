/**
 * Paper that staff asked for: reprints, refund slips, day reports. One after the other, and never while a customer's
 * receipt is at the printer. What may have come out in part says COPY the next time.
 */
import type { Draft } from "./draft.ts";
import type { Paper } from "./receipt.ts";
import type { StaffPaper, TerminalState } from "./sale.ts";
import { MAXIMUM_STAFF_PAPERS } from "./staff.ts";

const TIMER = "paper";

export function hasRoomForPaper(draft: Draft): boolean {
  return draft.state.papers.length < MAXIMUM_STAFF_PAPERS;
}

/** Puts a paper in the queue; one that finds it full is given up with an alarm. */
export function addPaper(draft: Draft, paper: Paper): void {
  if (!hasRoomForPaper(draft)) return notPrinted(draft, paper, `paper-${draft.state.lastPaper}-full`);
  const lastPaper = draft.state.lastPaper + 1;
  const added: StaffPaper = { id: `paper-${lastPaper}`, paper, attempt: 1, printing: null, waiting: null };
  draft.state = { ...draft.state, lastPaper, papers: [...draft.state.papers, added] };
}

/** Brings the first paper to the printer when it is free. Called at the end of every step. */
export function servePapers(draft: Draft): void {
  const [first] = draft.state.papers;
  if (first === undefined || first.printing !== null || first.waiting !== null) return;
  if (draft.state.sale?.phase.kind === "receipt") return;
  const printing = `${first.id}:${first.attempt}`;
  draft.effects.push({ kind: "printer.print", id: printing, paper: first.paper });
  const timer = `${printing}:late`;
  const afterMs = draft.settings.receipt.printMs;
  draft.effects.push({ kind: "timer.start", id: timer, name: TIMER, purpose: "print", afterMs });
  replaceFirst(draft, { ...first, printing });
}

/** The paper of staff that the printer's news is about, undefined when it is about a receipt or an old one. */
export function paperAtThePrinter(state: TerminalState, effectId: string): StaffPaper | undefined {
  const [first] = state.papers;
  return first?.printing === effectId ? first : undefined;
}

export function staffPaperPrinted(draft: Draft): void {
  dropFirst(draft);
}

export function staffPaperFailed(draft: Draft, first: StaffPaper, paperMoved: boolean): void {
  if (first.attempt >= draft.settings.receipt.attempts) {
    notPrinted(draft, first.paper, first.id);
    return dropFirst(draft);
  }
  const waiting = `${first.id}:${first.attempt}:wait`;
  const afterMs = draft.settings.receipt.retryMs;
  draft.effects.push({ kind: "timer.start", id: waiting, name: TIMER, purpose: "print", afterMs });
  const paper = paperMoved ? copyOf(first.paper) : first.paper;
  replaceFirst(draft, { ...first, paper, attempt: first.attempt + 1, printing: null, waiting });
}

/** The printer has not said a word in time, or the wait before the next attempt is over. */
export function paperTimerFired(draft: Draft, timerId: string): void {
  const [first] = draft.state.papers;
  if (first === undefined) return;
  if (first.waiting === timerId) return replaceFirst(draft, { ...first, waiting: null });
  if (first.printing !== null && timerId === `${first.printing}:late`) staffPaperFailed(draft, first, true);
}

/** After a restart: what was at the printer may be out. */
export function resumePapers(draft: Draft): void {
  const [first] = draft.state.papers;
  if (first === undefined) return;
  const paper = first.printing === null ? first.paper : copyOf(first.paper);
  const attempt = first.printing === null ? first.attempt : first.attempt + 1;
  replaceFirst(draft, { ...first, paper, attempt, printing: null, waiting: null });
}

export function copyOf(paper: Paper): Paper {
  switch (paper.kind) {
    case "receipt":
      return { kind: "receipt", receipt: { ...paper.receipt, copy: true } };
    case "refund":
      return { kind: "refund", slip: { ...paper.slip, copy: true } };
    case "day":
      return { kind: "day", report: { ...paper.report, copy: true } };
  }
}

function replaceFirst(draft: Draft, paper: StaffPaper): void {
  draft.state = { ...draft.state, papers: [paper, ...draft.state.papers.slice(1)] };
}

function dropFirst(draft: Draft): void {
  draft.effects.push({ kind: "timer.cancel", id: `paper-${draft.state.lastPaper}:done`, name: TIMER });
  draft.state = { ...draft.state, papers: draft.state.papers.slice(1) };
}

function notPrinted(draft: Draft, paper: Paper, id: string): void {
  const alarm = { kind: "receipt-not-printed", saleId: subjectOf(paper) } as const;
  draft.effects.push({ kind: "alarm.raise", id: `${id}:alarm`, alarm });
}

function subjectOf(paper: Paper): string {
  switch (paper.kind) {
    case "receipt":
      return paper.receipt.saleId;
    case "refund":
      return paper.slip.saleId;
    case "day":
      return `day ${paper.report.day}`;
  }
}
