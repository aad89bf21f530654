/**
 * The one idea: everything that can hurt money is this synchronous function without I/O.
 *
 *     step(settings, state, event) -> { state, effects }
 *
 * The same settings, state and event give the same result on any machine, so the folded journal is the terminal.
 */
import { revalidate } from "./basket.ts";
import type { LedgerAnswer } from "./clearing.ts";
import { ask, type Draft, enter, saleOf, update } from "./draft.ts";
import type { Effect } from "./effect.ts";
import type { SaleEvent } from "./event.ts";
import { confirmAgain, hear, miss, repeat, spoken, wake } from "./ordering.ts";
import {
  cardPresented,
  cardRejected,
  chargeAnswered,
  paymentTimedOut,
  receiptNotPrinted,
  receiptPrinted,
  resumePayment,
} from "./payment.ts";
import { isOrdering, type TerminalState } from "./sale.ts";
import type { SaleSettings } from "./settings.ts";
import { findOpenCharge, openChargeAnswered, resumeSettlement, settleTimerFired } from "./settlement.ts";

export type StepResult = { readonly state: TerminalState; readonly effects: readonly Effect[] };

export function step(settings: SaleSettings, state: TerminalState, event: SaleEvent): StepResult {
  const draft: Draft = { settings, atMs: event.atMs, state, effects: [] };
  if (state.sale === null) withoutSale(draft, event);
  else withSale(draft, event);
  return { state: draft.state, effects: draft.effects };
}

/** Events that concern the terminal whether or not someone stands at the counter. */
function withoutSale(draft: Draft, event: SaleEvent): void {
  switch (event.kind) {
    case "sale.woken":
      return wake(draft, event.saleId, event.language);
    case "link.changed":
      draft.state = { ...draft.state, linkUp: event.up };
      return;
    case "daemon.started":
      draft.state = { ...draft.state, linkUp: false };
      return resumeSettlement(draft);
    case "ledger.answered":
      return ledgerAnswered(draft, event.answer);
    case "timer.fired":
      return settleTimerFired(draft, event.timerId);
    case "settings.applied":
    case "turn.heard":
    case "turn.missed":
    case "speech.ended":
    case "card.presented":
    case "card.rejected":
    case "receipt.printed":
    case "receipt.failed":
      return;
  }
}

function withSale(draft: Draft, event: SaleEvent): void {
  switch (event.kind) {
    case "turn.heard":
      return hear(draft, event.turn, event.source);
    case "turn.missed":
      return miss(draft, { kind: "no-match" });
    case "speech.ended":
      return spoken(draft, event.effectId, event.outcome);
    case "card.presented":
      return cardPresented(draft, event.card, event.lastCounter);
    case "card.rejected":
      return cardRejected(draft, event.reason);
    case "receipt.printed":
      return receiptPrinted(draft, event.effectId);
    case "receipt.failed":
      return receiptNotPrinted(draft, event.effectId, event.reason, event.paperMoved);
    case "settings.applied":
      return applySettings(draft);
    case "timer.fired":
      return timerFired(draft, event.timerId);
    case "daemon.started":
      withoutSale(draft, event);
      return resume(draft);
    case "link.changed":
    case "ledger.answered":
      return withoutSale(draft, event);
    case "sale.woken":
      return;
  }
}

function ledgerAnswered(draft: Draft, answer: LedgerAnswer): void {
  const open = findOpenCharge(draft, answer.key);
  if (open !== undefined) return openChargeAnswered(draft, open, answer);
  const phase = draft.state.sale?.phase;
  const waiting = phase?.kind === "authorising" || phase?.kind === "uncertain";
  if (waiting && phase.charge.key === answer.key) chargeAnswered(draft, phase.charge, answer.outcome);
}

function timerFired(draft: Draft, timerId: string): void {
  const sale = saleOf(draft);
  if (sale.timer !== timerId) return settleTimerFired(draft, timerId);
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
