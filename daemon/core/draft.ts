/**
 * The working copy of one step: the state as it becomes and the effects as they are asked for. It lives inside one
 * call of step() and never leaves it, so step() stays a pure function.
 */
import { priceLines, totalOf } from "./basket.ts";
import type { Effect, TimerPurpose } from "./effect.ts";
import type { Money } from "./money.ts";
import type { Prompt } from "./prompt.ts";
import {
  type ClosedSale,
  type Ending,
  type Phase,
  RECENT_SALES,
  type Sale,
  type TerminalState,
} from "./sale.ts";
import type { SaleSettings } from "./settings.ts";

export type Draft = {
  readonly settings: SaleSettings;
  readonly atMs: number;
  state: TerminalState;
  readonly effects: Effect[];
};

const SALE_TIMER = "sale";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** The sale at the counter. Every function of the dialogue and the payment is called only while there is one. */
export function saleOf(draft: Draft): Sale {
  if (draft.state.sale === null) throw new Error("no sale at the counter");
  return draft.state.sale;
}

/** Asks for an effect under the sale's next number and gives back its id. */
export function ask(draft: Draft, effect: WithoutId<Effect>): string {
  const sale = saleOf(draft);
  const id = `${sale.id}:${sale.effects}`;
  draft.effects.push({ ...effect, id });
  update(draft, { effects: sale.effects + 1 });
  return id;
}

/** Changes fields of the sale at the counter. */
export function update(draft: Draft, change: Partial<Sale>): void {
  draft.state = { ...draft.state, sale: { ...saleOf(draft), ...change } };
}

export function enter(draft: Draft, phase: Phase): void {
  update(draft, { phase });
}

/** Says a prompt that the customer answers: its end opens the ear. Half duplex: the ear is closed meanwhile. */
export function say(draft: Draft, prompt: Prompt): void {
  stopTimer(draft);
  tell(draft, prompt);
}

/** The same while something else is awaited too: the sale's timer runs on. */
export function tell(draft: Draft, prompt: Prompt): void {
  ask(draft, { kind: "ear.close" });
  const saying = ask(draft, { kind: "speech.say", prompt, language: saleOf(draft).language });
  update(draft, { saying });
}

/** Says something without changing what the terminal waits for. */
export function remark(draft: Draft, prompt: Prompt): void {
  ask(draft, { kind: "speech.say", prompt, language: saleOf(draft).language });
}

/** A sale has at most one timer; a new one replaces it. */
export function startTimer(draft: Draft, purpose: TimerPurpose, afterMs: number): void {
  const timer = ask(draft, { kind: "timer.start", name: SALE_TIMER, purpose, afterMs });
  update(draft, { timer });
}

export function stopTimer(draft: Draft): void {
  if (saleOf(draft).timer === null) return;
  ask(draft, { kind: "timer.cancel", name: SALE_TIMER });
  update(draft, { timer: null });
}

/** Ends the sale at the counter. Whatever was to be said about it has been asked for before. */
export function close(draft: Draft, ending: Ending, total: Money | null): void {
  const sale = saleOf(draft);
  stopTimer(draft);
  ask(draft, { kind: "ear.close" });
  ask(draft, { kind: "card.disarm" });
  const closed: ClosedSale = { saleId: sale.id, sequence: sale.sequence, ending, total };
  draft.state = { ...draft.state, sale: null, recent: [...draft.state.recent, closed].slice(-RECENT_SALES) };
}

/** What the basket costs by the menu of now. */
export function basketTotal(draft: Draft): Money {
  const { menu } = draft.settings;
  const { basket, language } = saleOf(draft);
  return totalOf(menu, priceLines(menu, basket, language));
}
