/**
 * The dialogue up to the card: wake, turns, read-back, misses. Order and amount are always read back and confirmed
 * before a card is asked for; no-input and no-match are told apart; help comes before the customer gives up.
 */
import { acceptQuestion, applyEdits, unitPrice } from "./basket.ts";
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
import type { TurnSource } from "./event.ts";
import type { BasketEdit, Intent, Turn } from "./intent.ts";
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";
import { awaitCard, remindOfCard } from "./payment.ts";
import type { Prompt } from "./prompt.ts";
import { isOrdering, type OrderingPhase, type Sale } from "./sale.ts";

export function wake(draft: Draft, saleId: string, language: Language): void {
  const sale: Sale = {
    id: saleId,
    sequence: draft.state.lastSequence + 1,
    language,
    basket: [],
    phase: { kind: "listening" },
    attempts: 0,
    misses: 0,
    effects: 0,
    startedMs: draft.atMs,
    saying: null,
    timer: null,
  };
  draft.state = { ...draft.state, sale, lastSequence: sale.sequence };
  say(draft, { kind: "welcome" });
}

/** The customer's turn, by voice or touch, in any phase. */
export function hear(draft: Draft, turn: Turn, source: TurnSource): void {
  if (turn.confidence < draft.settings.dialogue.minimumConfidence) return miss(draft, { kind: "no-match" });
  update(draft, { misses: 0, language: turn.language });
  const { phase } = saleOf(draft);
  if (isOrdering(phase)) return converse(draft, phase, turn.intent, source);
  switch (phase.kind) {
    case "awaiting-card":
      return atTheCard(draft, phase.total, turn.intent);
    case "authorising":
    case "uncertain":
      // The charge is out of our hands until the ledger answers; only then can it be taken back.
      if (turn.intent.kind === "cancel") remark(draft, { kind: "cannot-cancel-now" });
      return;
    case "receipt":
      return;
  }
}

function converse(draft: Draft, phase: OrderingPhase, intent: Intent, source: TurnSource): void {
  switch (intent.kind) {
    case "edit":
      return edit(draft, intent.edits);
    case "confirm":
      return confirm(draft, phase, source);
    case "pay":
      return phase.kind === "quantity-question" ? repeat(draft, phase) : confirm(draft, phase, source);
    case "deny":
      enter(draft, { kind: emptyOrNot(draft) });
      return say(draft, { kind: "ask-change" });
    case "cancel":
      return cancel(draft);
    case "ask-price":
      return tellPrice(draft, intent.itemId);
    case "repeat":
      return repeat(draft, phase);
    case "help":
      return say(draft, { kind: "help" });
    case "staff":
      return callStaff(draft);
  }
}

function atTheCard(draft: Draft, total: Money, intent: Intent): void {
  switch (intent.kind) {
    case "edit":
      ask(draft, { kind: "card.disarm" });
      return edit(draft, intent.edits);
    case "deny":
      ask(draft, { kind: "card.disarm" });
      enter(draft, { kind: "basket" });
      return say(draft, { kind: "ask-change" });
    case "cancel":
      return cancel(draft);
    case "staff":
      raiseStaffCall(draft);
      return tell(draft, { kind: "staff-called" });
    case "confirm":
    case "pay":
    case "repeat":
    case "help":
    case "ask-price":
      return remindOfCard(draft, total);
  }
}

/** Applies the edits and reads the new order back; what could not be done is said when nothing else changed. */
function edit(draft: Draft, edits: readonly BasketEdit[]): void {
  const { menu, quantities } = draft.settings;
  const result = applyEdits(menu, quantities, saleOf(draft).basket, edits);
  update(draft, { basket: result.basket });
  if (result.question !== null) {
    enter(draft, { kind: "quantity-question", ...result.question });
    const { itemId, quantity } = result.question;
    return say(draft, { kind: "quantity-question", itemId, quantity });
  }
  if (result.changed) return readBack(draft);
  enter(draft, { kind: emptyOrNot(draft) });
  say(draft, result.problem ?? { kind: "no-match" });
}

function emptyOrNot(draft: Draft): "listening" | "basket" {
  return saleOf(draft).basket.length === 0 ? "listening" : "basket";
}

function readBack(draft: Draft): void {
  const { basket } = saleOf(draft);
  if (basket.length === 0) {
    enter(draft, { kind: "listening" });
    return say(draft, { kind: "basket-empty" });
  }
  const total = basketTotal(draft);
  say(draft, { kind: "read-back", lines: basket, total });
  enter(draft, { kind: "read-back", total, reading: saleOf(draft).saying, told: false });
}

function confirm(draft: Draft, phase: OrderingPhase, source: TurnSource): void {
  if (phase.kind === "quantity-question") {
    update(draft, { basket: acceptQuestion(saleOf(draft).basket, phase) });
    return readBack(draft);
  }
  // A spoken yes to a price that was not told yet is no consent: tell it (again) and wait for the yes. A touch is on
  // the display that shows order and amount beside the button.
  if (phase.kind === "read-back" && (phase.told || source === "touch")) return awaitCard(draft, phase.total);
  readBack(draft);
}

function tellPrice(draft: Draft, itemId: string | undefined): void {
  const asked = itemId ?? saleOf(draft).basket.at(-1)?.itemId;
  // "How much is it?" means what was just ordered, with its options.
  const options = itemId === undefined ? (saleOf(draft).basket.at(-1)?.options ?? {}) : {};
  const price = asked === undefined ? null : unitPrice(draft.settings.menu, { itemId: asked, options });
  if (asked === undefined || price === null) return say(draft, { kind: "item-unknown" });
  say(draft, { kind: "price", itemId: asked, price });
}

/** Says again what the phase is about. */
export function repeat(draft: Draft, phase: OrderingPhase): void {
  switch (phase.kind) {
    case "listening":
      return say(draft, { kind: "welcome" });
    case "basket":
      return say(draft, { kind: "ask-change" });
    case "quantity-question":
      return say(draft, { kind: "quantity-question", itemId: phase.itemId, quantity: phase.quantity });
    case "read-back":
      return readBack(draft);
  }
}

function callStaff(draft: Draft): void {
  raiseStaffCall(draft);
  say(draft, { kind: "staff-called" });
}

function raiseStaffCall(draft: Draft): void {
  ask(draft, { kind: "alarm.raise", alarm: { kind: "staff-called", saleId: saleOf(draft).id } });
}

function cancel(draft: Draft): void {
  remark(draft, { kind: "cancelled" });
  close(draft, "cancelled", null);
}

/** Nothing said, or nothing understood: ask again, and after a few times hand over to staff. */
export function miss(draft: Draft, prompt: Prompt): void {
  const sale = saleOf(draft);
  // Beside the card reader people talk to each other: what is not understood there is not asked back.
  if (sale.phase.kind === "awaiting-card") {
    if (sale.saying === null) listen(draft, "confirmation");
    return;
  }
  if (!isOrdering(sale.phase)) return;
  const misses = sale.misses + 1;
  if (misses >= draft.settings.dialogue.misses) {
    raiseStaffCall(draft);
    remark(draft, { kind: "timed-out" });
    return close(draft, "timed-out", null);
  }
  update(draft, { misses });
  say(draft, prompt);
}

/** The terminal finished speaking: a read-back that was not cut off counts as told, and the ear opens. */
export function spoken(draft: Draft, effectId: string, outcome: "played" | "interrupted" | "failed"): void {
  const { saying, phase } = saleOf(draft);
  if (saying !== effectId) return;
  update(draft, { saying: null });
  // A spoken "cancel" counts until a card was tapped.
  if (phase.kind === "awaiting-card") return listen(draft, "confirmation");
  if (!isOrdering(phase)) return;
  // Speech that failed is told as well: the display shows the same words and the amount.
  if (phase.kind === "read-back" && phase.reading === effectId && outcome !== "interrupted") {
    enter(draft, { ...phase, told: true });
  }
  const asked = phase.kind === "read-back" || phase.kind === "quantity-question";
  listen(draft, asked ? "confirmation" : "order");
  startTimer(draft, "no-input", draft.settings.dialogue.noInputMs);
}

function listen(draft: Draft, expectation: "order" | "confirmation"): void {
  ask(draft, { kind: "ear.open", expectation, lines: saleOf(draft).basket });
}

/** After a restart at the card, nobody knows who stands there now: order and amount are told again. */
export function confirmAgain(draft: Draft): void {
  ask(draft, { kind: "card.disarm" });
  readBack(draft);
}
