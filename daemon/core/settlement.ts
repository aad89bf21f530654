/**
 * Charges that left the counter without the ledger's word: approved offline, or under reversal. Each stays in the
 * state until the ledger has said the last word about its key.
 */
import type { LedgerAnswer } from "./clearing.ts";
import { count } from "./day.ts";
import type { Draft } from "./draft.ts";
import type { Alarm } from "./effect.ts";
import { sameMoney } from "./money.ts";
import type { OpenCharge } from "./sale.ts";

/** Wait before what is pending is asked for again: doubles from the first to the last. */
const FIRST_SETTLE_MS = 5_000;
const LAST_SETTLE_MS = 3_600_000;
/** Between the timers of two charges after a start: ten thousand that fire at once would hold up the counter. */
const RESUME_SPACING_MS = 20;

export function repeatAfterMs(repeats: number): number {
  return Math.min(FIRST_SETTLE_MS * 2 ** repeats, LAST_SETTLE_MS);
}

export function findOpenCharge(draft: Draft, key: string): OpenCharge | undefined {
  return draft.state.openCharges.find((charge) => charge.key === key);
}

export function reversalsWaiting(draft: Draft): number {
  return draft.state.openCharges.filter((charge) => charge.purpose === "reversal").length;
}

export function openChargeAnswered(draft: Draft, charge: OpenCharge, answer: LedgerAnswer): void {
  const { outcome } = answer;
  // A charge under reversal ends with the answer to the reversal, whatever an earlier request is answered late.
  if (charge.purpose === "reversal" && !isReversalAnswer(answer) && outcome.kind !== "reversed") return;
  switch (outcome.kind) {
    case "approved":
      if (charge.purpose === "reversal") return askAgainLater(draft, charge);
      if (!sameMoney(outcome.amount, charge.amount)) {
        alarm(draft, charge, { kind: "amount-mismatch", saleId: charge.saleId, key: charge.key });
      }
      return settle(draft, charge);
    case "declined":
      // Declined after the fact: the goods are gone. Reported, never hidden.
      if (charge.purpose === "offline") notPaidAfterAll(draft, charge, outcome.reason);
      return settle(draft, charge);
    case "not-found":
      // Only a claim that the ledger had is asked for, and one that was lost here: the ledger has none any more.
      return answer.requestId === settleQuery(charge)
        ? unresolved(draft, charge)
        : askAgainLater(draft, charge);
    case "pending":
      return askAgainLater(draft, charge);
    case "reversed":
      // The goods are gone and the money was given back: the shop has to know, as of a decline.
      if (charge.purpose === "offline") notPaidAfterAll(draft, charge, "reversed");
      return settle(draft, charge);
    case "refused":
      return requestRefused(draft, charge, answer.requestId, outcome.reason);
    case "refund-refused":
      // Another terminal has given back a part of what is to be taken back whole: somebody has to look at the rest.
      return charge.purpose === "reversal" ? unresolved(draft, charge) : askAgainLater(draft, charge);
    // What a ledger says of another kind of request tells nothing of the charge.
    case "refunded":
      return askAgainLater(draft, charge);
  }
}

/** Nobody will ever say more about it. An offline sale is money that will not come. */
function refusedForGood(
  draft: Draft,
  charge: OpenCharge,
  kind: "request-refused" | "request-buried",
  reason: string,
): void {
  const { saleId, key } = charge;
  alarm(draft, charge, { kind, saleId, key, reason });
  if (charge.purpose === "offline") writeOff(draft, charge);
  settle(draft, charge);
}

/** A question that was refused tells nothing of the claim that it was about. */
function requestRefused(draft: Draft, charge: OpenCharge, requestId: string, reason: string): void {
  const { purpose, saleId, key } = charge;
  if (purpose === "reversal" || requestId === `${key}:authorise`)
    return refusedForGood(draft, charge, "request-refused", reason);
  askAgainLater(draft, charge);
  alarm(draft, charge, { kind: "request-refused", saleId, key, reason });
}

/** A claim that cannot be sent is lost; a query or a reversal that cannot be sent is tried again, ever more slowly. */
export function openRequestBuried(draft: Draft, charge: OpenCharge, requestId: string, reason: string): void {
  const { saleId, key } = charge;
  if (requestId === `${key}:authorise`) return refusedForGood(draft, charge, "request-buried", reason);
  alarm(draft, charge, { kind: "request-buried", saleId, key, reason });
  askAgainLater(draft, charge);
}

/** Somebody has to find out what became of it; until they dismiss it, it is asked for again. */
function unresolved(draft: Draft, charge: OpenCharge): void {
  const { saleId, key } = charge;
  askAgainLater(draft, charge);
  alarm(draft, charge, { kind: "charge-unresolved", saleId, key });
}

function notPaidAfterAll(draft: Draft, charge: OpenCharge, reason: string): void {
  const { saleId, key } = charge;
  alarm(draft, charge, { kind: "offline-declined", saleId, key, reason });
  writeOff(draft, charge);
}

/** The day is told, and staff who wants to give the money back. */
function writeOff(draft: Draft, { saleId, key, amount }: OpenCharge): void {
  count(draft, "declinedAfter", amount);
  draft.effects.push({
    kind: "refund.record",
    id: `${key}:unpaid`,
    key,
    saleId,
    amount,
    purpose: "unpaid",
  });
}

function isReversalAnswer(answer: LedgerAnswer): boolean {
  return answer.requestId.startsWith(`${answer.key}:reverse`);
}

function settle(draft: Draft, charge: OpenCharge): void {
  const openCharges = draft.state.openCharges.filter((other) => other.key !== charge.key);
  draft.state = { ...draft.state, openCharges };
}

/** A void that the ledger refuses leaves the offline approval as it was: its outcome is asked for. */
export function watchAgain(draft: Draft, charge: OpenCharge): void {
  draft.state = { ...draft.state, openCharges: [...draft.state.openCharges, charge] };
  askAgainLater(draft, charge);
}

function askAgainLater(draft: Draft, charge: OpenCharge): void {
  replace(draft, charge, { ...charge, pending: true });
  startTimer(draft, charge, repeatAfterMs(charge.queries));
}

function startTimer(draft: Draft, charge: OpenCharge, afterMs: number): void {
  draft.effects.push({
    kind: "timer.start",
    id: settleTimer(charge),
    name: `settle:${charge.key}`,
    purpose: "settle",
    afterMs,
  });
}

function settleTimer(charge: OpenCharge): string {
  return `${charge.key}:settle-${charge.queries}`;
}

/** A settle timer ran out. One request per pending answer, so the outbox cannot grow while the ledger is silent. */
export function settleTimerFired(draft: Draft, timerId: string): void {
  const charge = draft.state.openCharges.find(
    (candidate) =>
      candidate.pending && timerId.startsWith(candidate.key) && settleTimer(candidate) === timerId,
  );
  if (charge === undefined) return;
  const { key, saleId } = charge;
  const queries = charge.queries + 1;
  if (charge.purpose === "reversal") {
    const request = { kind: "reverse", key, saleId, reason: "uncertain" } as const;
    draft.effects.push({ kind: "ledger.send", id: `${key}:reverse-${queries}`, request });
  } else {
    draft.effects.push({
      kind: "ledger.send",
      id: settleQuery({ key, queries }),
      request: { kind: "query", key, saleId },
    });
  }
  replace(draft, charge, { ...charge, queries, pending: false });
}

/** The newest question about an offline sale. */
function settleQuery({ key, queries }: Pick<OpenCharge, "key" | "queries">): string {
  return `${key}:settle-query-${queries}`;
}

function replace(draft: Draft, charge: OpenCharge, changed: OpenCharge): void {
  const openCharges = draft.state.openCharges.map((other) => (other.key === charge.key ? changed : other));
  draft.state = { ...draft.state, openCharges };
}

/** After a restart the timers are gone. What the outbox still holds is answered by itself. */
export function resumeSettlement(draft: Draft): void {
  const waiting = draft.state.openCharges.filter(({ pending }) => pending);
  for (const [index, charge] of waiting.entries())
    startTimer(draft, charge, repeatAfterMs(charge.queries) + index * RESUME_SPACING_MS);
}

function alarm(draft: Draft, charge: OpenCharge, what: Alarm): void {
  draft.effects.push({ kind: "alarm.raise", id: `${charge.key}:alarm-${what.kind}`, alarm: what });
}
