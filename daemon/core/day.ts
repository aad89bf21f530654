/**
 * The business day: totals that grow with every outcome, and the report that closes it.
 *
 * A day ends when staff closes it, not at midnight: a terminal may believe that it is 1970. What the ledger says later
 * about an offline sale counts in the day in which it says so, because a closed day's report is on paper already.
 */
import type { Draft } from "./draft.ts";
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";
import type { DayReport, DayTotals, Total } from "./receipt.ts";
import { EMPTY_TOTALS } from "./sale.ts";

/**
 * Adds one amount to one of the day's totals. They are in the menu's currency: money that is given back for a sale from
 * before it was changed is not among them.
 */
export function count(draft: Draft, total: keyof DayTotals, amount: Money): void {
  if (amount.currency !== draft.settings.menu.currency) return;
  const { day } = draft.state;
  const totals = { ...day.totals, [total]: plus(day.totals[total], amount.minor) };
  draft.state = { ...draft.state, day: { ...day, openedMs: day.openedMs ?? draft.atMs, totals } };
}

/** A sale was paid: its number belongs to the day. */
export function countSale(
  draft: Draft,
  total: "card" | "cardOffline",
  sequence: number,
  amount: Money,
): void {
  count(draft, total, amount);
  const { day } = draft.state;
  draft.state = {
    ...draft.state,
    day: { ...day, firstNumber: day.firstNumber ?? sequence, lastNumber: sequence },
  };
}

/** What the day has come to by now. */
export function reportOf(draft: Draft, language: Language): DayReport {
  const { day, openCharges, openRefunds } = draft.state;
  const { merchant, terminal, menu } = draft.settings;
  const offline = openCharges.filter(({ purpose }) => purpose === "offline");
  return {
    merchant,
    terminal,
    language,
    day: day.number,
    firstNumber: day.firstNumber,
    lastNumber: day.lastNumber,
    openedMs: day.openedMs ?? draft.atMs,
    closedMs: draft.atMs,
    currency: menu.currency,
    totals: day.totals,
    netMinor: netOf(day.totals),
    queued: totalOf(offline, menu.currency),
    refundsQueued: totalOf(openRefunds, menu.currency),
    copy: false,
  };
}

/** Begins the next day. */
export function nextDay(draft: Draft): void {
  const number = draft.state.day.number + 1;
  draft.state = {
    ...draft.state,
    day: { number, openedMs: null, firstNumber: null, lastNumber: null, totals: EMPTY_TOTALS },
  };
}

function netOf(totals: DayTotals): bigint {
  const { card, cardOffline, refunds, voids, declinedAfter, dismissed } = totals;
  return card.minor + cardOffline.minor - refunds.minor - voids.minor - declinedAfter.minor - dismissed.minor;
}

function totalOf(open: readonly { readonly amount: Money }[], currency: string): Total {
  return open
    .filter(({ amount }) => amount.currency === currency)
    .reduce<Total>((total, { amount }) => plus(total, amount.minor), { count: 0, minor: 0n });
}

function plus(total: Total, minor: bigint): Total {
  return { count: total.count + 1, minor: total.minor + minor };
}
