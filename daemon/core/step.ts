/**
 * The one idea: everything that can hurt money is this synchronous function without I/O.
 *
 *     step(settings, state, event) -> { state, effects }
 *
 * The same settings, state and event give the same result on any machine, so the folded journal is the terminal.
 */
import {
  findOpenRefund,
  openRefundAnswered,
  refundTimerFired,
  refusedByLedger,
  resumeRefunds,
  staffAsked,
} from "./after-sale.ts";
import { revalidate } from "./basket.ts";
import type { LedgerAnswer } from "./clearing.ts";
import { ask, type Draft, enter, saleOf, update } from "./draft.ts";
import type { Effect } from "./effect.ts";
import type { SaleEvent } from "./event.ts";
import { confirmAgain, hear, miss, repeat, spoken, wake } from "./ordering.ts";
import {
  paperAtThePrinter,
  paperTimerFired,
  resumePapers,
  servePapers,
  staffPaperFailed,
  staffPaperPrinted,
} from "./papers.ts";
import {
  cardPresented,
  cardRejected,
  chargeAnswered,
  paymentTimedOut,
  receiptNotPrinted,
  receiptPrinted,
  requestBuried,
  resumePayment,
} from "./payment.ts";
import { type Charge, isOrdering, type TerminalState } from "./sale.ts";
import type { SaleSettings } from "./settings.ts";
import {
  findOpenCharge,
  openChargeAnswered,
  openRequestBuried,
  resumeSettlement,
  settleTimerFired,
} from "./settlement.ts";
import { barred, maySell, recalled, turnAway, welcomed } from "./standing.ts";

export type StepResult = { readonly state: TerminalState; readonly effects: readonly Effect[] };

export function step(settings: SaleSettings, state: TerminalState, event: SaleEvent): StepResult {
  const draft: Draft = { settings, atMs: event.atMs, state, effects: [] };
  if (isForTheCounter(state, event)) withSale(draft, event);
  else atAnyTime(draft, event);
  servePapers(draft);
  return { state: draft.state, effects: draft.effects };
}

/** What only means something while a sale is at the counter. */
type CounterEvent = Extract<
  SaleEvent,
  {
    kind:
      | "turn.heard"
      | "turn.missed"
      | "speech.ended"
      | "card.presented"
      | "card.rejected"
      | "receipt.printed"
      | "receipt.failed"
      | "settings.applied";
  }
>;

function isForTheCounter(state: TerminalState, event: SaleEvent): event is CounterEvent {
  switch (event.kind) {
    case "turn.heard":
    case "turn.missed":
    case "speech.ended":
    case "card.presented":
    case "card.rejected":
    case "settings.applied":
      return state.sale !== null;
    case "receipt.printed":
    case "receipt.failed":
      return state.sale !== null && paperAtThePrinter(state, event.effectId) === undefined;
    default:
      return false;
  }
}

/** Events that concern the terminal whether or not someone stands at the counter. */
function atAnyTime(draft: Draft, event: SaleEvent): void {
  switch (event.kind) {
    case "sale.woken":
      if (draft.state.sale !== null) return;
      if (!maySell(draft.state)) return turnAway(draft, event);
      return wake(draft, event.saleId, event.language);
    case "link.changed":
      draft.state = { ...draft.state, linkUp: event.up };
      return;
    case "daemon.started":
      return started(draft);
    case "ledger.answered":
      return ledgerAnswered(draft, event.answer);
    case "request.buried":
      return buried(draft, event);
    case "journal.welcomed":
      return welcomed(draft);
    case "journal.barred":
      return barred(draft, event.reason);
    case "journal.recalled":
      return recalled(draft, event);
    case "staff.asked":
      return staffAsked(draft, event.requestId, event.request);
    case "timer.fired":
      return timerFired(draft, event.timerId);
    case "receipt.printed":
    case "receipt.failed":
      return paperNews(draft, event);
    case "settings.applied":
    case "turn.heard":
    case "turn.missed":
    case "speech.ended":
    case "card.presented":
    case "card.rejected":
      return;
  }
}

function paperNews(
  draft: Draft,
  event: Extract<SaleEvent, { kind: "receipt.printed" | "receipt.failed" }>,
): void {
  const paper = paperAtThePrinter(draft.state, event.effectId);
  if (paper === undefined) return;
  if (event.kind === "receipt.printed") staffPaperPrinted(draft);
  else staffPaperFailed(draft, paper, event.paperMoved);
}

function started(draft: Draft): void {
  draft.state = { ...draft.state, linkUp: false };
  resumeSettlement(draft);
  resumeRefunds(draft);
  resumePapers(draft);
  if (draft.state.sale !== null) resume(draft);
}

function withSale(draft: Draft, event: CounterEvent): void {
  switch (event.kind) {
    case "turn.heard":
      return hear(draft, event.turn, event.source);
    case "turn.missed":
      return miss(draft, { kind: "no-match" });
    case "speech.ended":
      return spoken(draft, event.effectId, event.outcome);
    case "card.presented": {
      const { card, verified, denied, lastCounter } = event;
      return cardPresented(draft, card, { verified, denied }, lastCounter);
    }
    case "card.rejected":
      return cardRejected(draft, event.reason);
    case "receipt.printed":
      return receiptPrinted(draft, event.effectId);
    case "receipt.failed":
      return receiptNotPrinted(draft, event.effectId, event.reason, event.paperMoved);
    case "settings.applied":
      return applySettings(draft);
  }
}

/** A void shares its key with the charge that it takes back, so it is looked for first, by the request. */
function ledgerAnswered(draft: Draft, answer: LedgerAnswer): void {
  const refund = findOpenRefund(draft, answer.requestId, answer.key);
  if (refund !== undefined) return openRefundAnswered(draft, refund, answer);
  const open = findOpenCharge(draft, answer.key);
  if (open !== undefined) return openChargeAnswered(draft, open, answer);
  const charge = chargeAtTheCounter(draft, answer.key);
  if (charge !== null) chargeAnswered(draft, charge, answer.outcome);
}

/** The charge of this key, when the customer is waiting for the ledger's word on it. */
function chargeAtTheCounter(draft: Draft, key: string): Charge | null {
  const phase = draft.state.sale?.phase;
  const waiting = phase?.kind === "authorising" || phase?.kind === "uncertain";
  return waiting && phase.charge.key === key ? phase.charge : null;
}

function buried(draft: Draft, event: Extract<SaleEvent, { kind: "request.buried" }>): void {
  const { requestId, key, reason } = event;
  const refund = findOpenRefund(draft, requestId, key);
  if (refund !== undefined) return refusedByLedger(draft, refund, "request-refused", reason);
  const open = findOpenCharge(draft, key);
  if (open !== undefined) return openRequestBuried(draft, open, requestId, reason);
  const charge = chargeAtTheCounter(draft, key);
  if (charge !== null) requestBuried(draft, charge, requestId, reason);
}

function timerFired(draft: Draft, timerId: string): void {
  const { sale } = draft.state;
  if (sale === null || sale.timer !== timerId) {
    settleTimerFired(draft, timerId);
    refundTimerFired(draft, timerId);
    return paperTimerFired(draft, timerId);
  }
  update(draft, { timer: null });
  if (isOrdering(sale.phase)) return miss(draft, { kind: "no-input" });
  paymentTimedOut(draft, sale.phase);
}

/** A menu that changed under an open basket: what is no longer sold leaves it, and the price is told anew. */
function applySettings(draft: Draft): void {
  const { phase, basket } = saleOf(draft);
  const atTheCard = phase.kind === "awaiting-card";
  if (!isOrdering(phase) && !atTheCard) return;
  if (atTheCard) ask(draft, { kind: "card.disarm" });
  const offered = revalidate(draft.settings.menu, basket);
  update(draft, { basket: offered });
  if (phase.kind !== "listening") enter(draft, { kind: offered.length === 0 ? "listening" : "basket" });
}

/** Takes up the sale where the journal left it. Devices and timers remember nothing. */
function resume(draft: Draft): void {
  update(draft, { timer: null, saying: null });
  const { phase } = saleOf(draft);
  if (isOrdering(phase)) return repeat(draft, phase);
  if (phase.kind === "awaiting-card") return confirmAgain(draft);
  resumePayment(draft, phase);
}
