/**
 * From the confirmed amount to the paper: card, authorisation, uncertainty, offline approval, receipt.
 *
 * The n-th charge of a sale has the key `${saleId}/${n}`. A new key is made only after an explicit decline: an
 * unanswered charge is queried and then, under the same key, either approved offline (the request in the outbox is the
 * claim) or reversed. Whatever the ledger decides later about such a charge is settled in settlement.ts.
 */
import { optionNames, priceLines, revalidate } from "./basket.ts";
import type { CardProof, CardStanding, LedgerOutcome, SoldLine } from "./clearing.ts";
import { countSale } from "./day.ts";
import {
  ask,
  basketTotal,
  close,
  type Draft,
  enter,
  remark,
  saleOf,
  say,
  startTimer,
  tell,
  update,
} from "./draft.ts";
import type { Alarm } from "./effect.ts";
import { type Money, sameMoney } from "./money.ts";
import { offlineLimit, rememberTap } from "./offline.ts";
import type { CardProblem, OfflineLimit, PrintProblem } from "./prompt.ts";
import { type Receipt, type ReceiptLine, vatIn } from "./receipt.ts";
import type { Charge, OpenCharge, Paid, PaymentPhase, ReceiptPhase } from "./sale.ts";
import { reversalsWaiting } from "./settlement.ts";
import { maySell } from "./standing.ts";

/**
 * Charges under reversal that may wait for the ledger. One that can be reached and yet gives no answers adds one with
 * every sale; at this number no more cards are taken, so that neither the state nor the outbox grows without end.
 */
export const MAXIMUM_REVERSALS = 50;

/** How long a daemon may have been away for the customer of an unanswered charge to be there still. */
const RESUME_LIMIT_MS = 120_000;

/** Asks for the card. Only a read-back that was confirmed leads here. */
export function awaitCard(draft: Draft, total: Money): void {
  enter(draft, { kind: "awaiting-card", total });
  ask(draft, { kind: "card.arm" });
  tell(draft, { kind: "tap-card", total });
  startTimer(draft, "card", draft.settings.payment.cardMs);
}

export function remindOfCard(draft: Draft, total: Money): void {
  tell(draft, { kind: "tap-card", total });
}

/** A card that cannot be used: say why and wait for the next. */
export function cardRejected(draft: Draft, reason: CardProblem): void {
  if (saleOf(draft).phase.kind !== "awaiting-card") return;
  ask(draft, { kind: "card.arm" });
  tell(draft, { kind: "tap-again", reason });
}

/** A genuine card was tapped. */
export function cardPresented(
  draft: Draft,
  card: CardProof,
  standing: CardStanding,
  lastCounter: number | null,
): void {
  const { id, phase, attempts, basket, language } = saleOf(draft);
  if (phase.kind !== "awaiting-card") return;
  // NTAG 424 DNA counts every read; a counter that did not grow is a copy of an earlier tap.
  if (lastCounter !== null && card.counter <= lastCounter) return cardRejected(draft, "replayed");
  const { menu } = draft.settings;
  const charge: Charge = {
    key: `${id}/${attempts + 1}`,
    amount: phase.total,
    vat: vatIn(phase.total, menu.vatPercent),
    lines: priceLines(menu, basket, language),
    card,
    standing,
    timeMs: draft.atMs,
  };
  ask(draft, { kind: "card.disarm" });
  ask(draft, { kind: "ear.close" });
  update(draft, { attempts: attempts + 1 });
  if (draft.state.linkUp && reversalsWaiting(draft) < MAXIMUM_REVERSALS) return authorise(draft, charge);
  const limit = draft.state.linkUp ? "ledger-silent" : limitOn(draft, charge);
  if (limit === null) return approveOffline(draft, charge, "unsent");
  remark(draft, { kind: "offline-refused", reason: limit });
  close(draft, "declined", null);
}

function authorise(draft: Draft, charge: Charge): void {
  enter(draft, { kind: "authorising", charge });
  send(draft, charge, "online");
  startTimer(draft, "answer", draft.settings.payment.answerMs);
}

function send(draft: Draft, charge: Charge, mode: "online" | "offline"): void {
  const { id, sequence } = saleOf(draft);
  const { key, amount, vat, card, lines, timeMs } = charge;
  draft.effects.push({
    kind: "ledger.send",
    id: `${key}:authorise`,
    request: { kind: "authorise", key, saleId: id, sequence, amount, vat, card, mode, lines, timeMs },
  });
}

function limitOn(draft: Draft, charge: Charge): OfflineLimit | null {
  const { amount, card, standing } = charge;
  const sale = { amount, token: card.token, card: standing, nowMs: draft.atMs };
  return offlineLimit(draft.settings.offline, draft.state, sale);
}

/**
 * `sent`: the authorisation is in the outbox already and goes on under its key. The ledger took it for an online one,
 * so it is told that the goods are gone: should it be declined, the shop has a claim.
 */
function approveOffline(draft: Draft, charge: Charge, request: "unsent" | "sent"): void {
  if (request === "unsent") send(draft, charge, "offline");
  else honour(draft, charge);
  openCharge(draft, charge, "offline");
  const offlineTaps = rememberTap(draft.state.offlineTaps, charge.card.token, draft.atMs);
  draft.state = { ...draft.state, offlineTaps };
  pay(draft, charge, { kind: "approved-offline" });
}

function honour(draft: Draft, charge: Charge): void {
  const { key } = charge;
  const request = { kind: "honour", key, saleId: saleOf(draft).id } as const;
  draft.effects.push({ kind: "ledger.send", id: `${key}:honour`, request });
}

function openCharge(draft: Draft, charge: Charge, purpose: OpenCharge["purpose"]): void {
  const { key, amount, card, timeMs } = charge;
  const open: OpenCharge = {
    saleId: saleOf(draft).id,
    key,
    amount,
    token: card.token,
    timeMs,
    purpose,
    queries: 0,
    pending: false,
  };
  draft.state = { ...draft.state, openCharges: [...draft.state.openCharges, open] };
}

/** The ledger's word on the charge that the counter waits for. */
export function chargeAnswered(draft: Draft, charge: Charge, outcome: LedgerOutcome): void {
  switch (outcome.kind) {
    case "approved":
      if (sameMoney(outcome.amount, charge.amount)) {
        return pay(draft, charge, { kind: "approved", authorisation: outcome.authorisation });
      }
      // Another amount than we asked for was charged: not our sale. It stays uncertain until it is reversed.
      alarm(draft, { kind: "amount-mismatch", saleId: saleOf(draft).id, key: charge.key });
      return reverse(draft, charge);
    case "declined":
      return declined(draft, charge, outcome.reason);
    case "pending":
    case "not-found":
    // Answers to refunds say nothing of a charge: it is still unknown.
    case "refunded":
    case "refund-refused":
      return becomeUncertain(draft, charge);
    case "reversed":
      remark(draft, { kind: "not-charged" });
      return close(draft, "reversed", null);
    case "refused":
      alarm(draft, {
        kind: "request-refused",
        saleId: saleOf(draft).id,
        key: charge.key,
        reason: outcome.reason,
      });
      // A query that was refused tells nothing of the charge that it asked for: that one is still unknown.
      if (saleOf(draft).phase.kind === "uncertain") return reverse(draft, charge);
      remark(draft, { kind: "not-charged" });
      return close(draft, "declined", null);
  }
}

function declined(
  draft: Draft,
  charge: Charge,
  reason: Extract<LedgerOutcome, { kind: "declined" }>["reason"],
): void {
  const { attempts, basket } = saleOf(draft);
  // A journal that was barred meanwhile finishes what is under way and takes no other card.
  if (attempts >= draft.settings.payment.attempts || !maySell(draft.state)) {
    remark(draft, { kind: "declined", reason });
    return close(draft, "declined", null);
  }
  if (!sameMoney(basketTotal(draft), charge.amount)) {
    // Prices changed since the amount was agreed: the next card is asked for only after the new one was told.
    const offered = revalidate(draft.settings.menu, basket);
    update(draft, { basket: offered });
    enter(draft, { kind: offered.length === 0 ? "listening" : "basket" });
    return say(draft, { kind: "declined", reason });
  }
  enter(draft, { kind: "awaiting-card", total: charge.amount });
  ask(draft, { kind: "card.arm" });
  tell(draft, { kind: "declined", reason });
  startTimer(draft, "card", draft.settings.payment.cardMs);
}

function becomeUncertain(draft: Draft, charge: Charge): void {
  if (saleOf(draft).phase.kind === "uncertain") return;
  enter(draft, { kind: "uncertain", charge, queries: 0 });
  remark(draft, { kind: "checking" });
  startTimer(draft, "query", draft.settings.payment.queryMs);
}

/** The sale's timer ran out while money was at stake. */
export function paymentTimedOut(draft: Draft, phase: PaymentPhase): void {
  switch (phase.kind) {
    case "awaiting-card":
      remark(draft, { kind: "timed-out" });
      return close(draft, "timed-out", null);
    case "authorising":
      becomeUncertain(draft, phase.charge);
      return query(draft, phase.charge, 1);
    case "uncertain":
      if (phase.queries < draft.settings.payment.queries)
        return query(draft, phase.charge, phase.queries + 1);
      // Without a ledger to ask, the sale is one of the offline sales, under the key that was sent.
      if (!draft.state.linkUp && limitOn(draft, phase.charge) === null)
        return approveOffline(draft, phase.charge, "sent");
      return giveUp(draft, phase.charge);
    case "receipt":
      // No word from the printer: some paper may be out, so what comes next is a copy.
      return receiptFailed(draft, phase, "offline", true);
  }
}

function query(draft: Draft, charge: Charge, number: number): void {
  enter(draft, { kind: "uncertain", charge, queries: number });
  draft.effects.push({
    kind: "ledger.send",
    id: `${charge.key}:query-${number}`,
    request: { kind: "query", key: charge.key, saleId: saleOf(draft).id },
  });
  startTimer(draft, "query", draft.settings.payment.queryMs);
}

/** Takes the charge back under its own key. The outbox keeps the order: authorisation first, reversal after. */
function reverse(draft: Draft, charge: Charge): void {
  draft.effects.push({
    kind: "ledger.send",
    id: `${charge.key}:reverse`,
    request: { kind: "reverse", key: charge.key, saleId: saleOf(draft).id, reason: "uncertain" },
  });
  openCharge(draft, charge, "reversal");
  remark(draft, { kind: "not-charged" });
  close(draft, "reversed", null);
}

function pay(draft: Draft, charge: Charge, result: Paid): void {
  const { id: saleId, sequence } = saleOf(draft);
  const { key, amount } = charge;
  const receipt = receiptOf(draft, charge, result);
  const day = draft.state.day.number;
  const sale = { saleId, sequence, day, key, amount, result, receipt };
  // Named after the charge and not numbered: the effects of a sale keep the numbers that older journals know.
  draft.effects.push({ kind: "sale.record", id: `${key}:record`, sale });
  countSale(draft, result.kind === "approved" ? "card" : "cardOffline", sequence, amount);
  print(draft, { kind: "receipt", charge, result, receipt, attempt: 1, copy: false, printing: null });
  const kind = result.kind === "approved" ? "approved" : "approved-offline";
  remark(draft, { kind, total: charge.amount });
}

function print(draft: Draft, phase: ReceiptPhase): void {
  const paid = phase.receipt ?? receiptOf(draft, phase.charge, phase.result);
  const receipt = { ...paid, copy: phase.copy };
  const printing = ask(draft, { kind: "printer.print", paper: { kind: "receipt", receipt } });
  enter(draft, { ...phase, printing });
  startTimer(draft, "print", draft.settings.receipt.printMs);
}

export function receiptPrinted(draft: Draft, effectId: string): void {
  const { phase } = saleOf(draft);
  if (phase.kind !== "receipt" || phase.printing !== effectId) return;
  close(draft, phase.result.kind, phase.charge.amount);
}

/** What the printer says of an attempt; news of an earlier one changes nothing. */
export function receiptNotPrinted(
  draft: Draft,
  effectId: string,
  reason: PrintProblem,
  paperMoved: boolean,
): void {
  const { phase } = saleOf(draft);
  if (phase.kind === "receipt" && phase.printing === effectId)
    receiptFailed(draft, phase, reason, paperMoved);
}

/** The money is settled whatever the paper does: print again later, then leave it to staff. */
function receiptFailed(draft: Draft, phase: ReceiptPhase, reason: PrintProblem, paperMoved: boolean): void {
  // The timer of a failed attempt has become the wait before the next one.
  if (phase.printing === null) return print(draft, phase);
  if (phase.attempt >= draft.settings.receipt.attempts) {
    alarm(draft, { kind: "receipt-not-printed", saleId: saleOf(draft).id });
    return close(draft, phase.result.kind, phase.charge.amount);
  }
  if (phase.attempt === 1) remark(draft, { kind: "receipt-problem", reason });
  enter(draft, { ...phase, attempt: phase.attempt + 1, copy: phase.copy || paperMoved, printing: null });
  startTimer(draft, "print", draft.settings.receipt.retryMs);
}

/**
 * The request can never be sent, so the ledger will never answer it. An authorisation that never left charged nothing;
 * a query or a reversal that never left tells nothing, and the charge goes on being asked for.
 */
export function requestBuried(draft: Draft, charge: Charge, requestId: string, reason: string): void {
  alarm(draft, { kind: "request-buried", saleId: saleOf(draft).id, key: charge.key, reason });
  if (requestId !== `${charge.key}:authorise`) return;
  remark(draft, { kind: "not-charged" });
  close(draft, "declined", null);
}

/**
 * After a restart: the charge is under way or done, the devices know nothing of it. A charge from long ago, or from a
 * time that this clock has not reached, belongs to a customer who is gone: it is taken back, not approved.
 */
export function resumePayment(draft: Draft, phase: Exclude<PaymentPhase, { kind: "awaiting-card" }>): void {
  if (phase.kind === "receipt") return print(draft, { ...phase, copy: true });
  const awayMs = draft.atMs - phase.charge.timeMs;
  if (awayMs < 0 || awayMs > RESUME_LIMIT_MS) return giveUp(draft, phase.charge);
  if (phase.kind === "authorising") return startTimer(draft, "answer", draft.settings.payment.answerMs);
  startTimer(draft, "query", draft.settings.payment.queryMs);
}

/** Nobody knows whether it was charged, and nobody waits for the answer any more. */
function giveUp(draft: Draft, charge: Charge): void {
  alarm(draft, { kind: "charge-unresolved", saleId: saleOf(draft).id, key: charge.key });
  reverse(draft, charge);
}

function alarm(draft: Draft, what: Alarm): void {
  ask(draft, { kind: "alarm.raise", alarm: what });
}

function receiptOf(draft: Draft, charge: Charge, result: Paid): Receipt {
  const { merchant, terminal, menu } = draft.settings;
  const { id, sequence, language } = saleOf(draft);
  const card = charge.card.masked;
  return {
    saleId: id,
    number: sequence,
    merchant,
    terminal,
    language,
    timeMs: charge.timeMs,
    lines: charge.lines.map((line) => receiptLine(line, optionNames(menu, line, language))),
    total: charge.amount,
    vat: charge.vat,
    vatPercent: menu.vatPercent,
    payment: result.kind === "approved" ? { ...result, card } : { kind: "approved-offline", card },
    copy: false,
  };
}

function receiptLine(line: SoldLine, options: readonly string[]): ReceiptLine {
  const { name, quantity, amount } = line;
  const unitPrice = { minor: amount.minor / BigInt(quantity), currency: amount.currency };
  return { name, options, quantity, unitPrice, amount };
}
