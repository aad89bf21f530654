/**
 * Charges that left the counter without the ledger's word: approved offline, or under reversal. Each stays in the
 * state until the ledger has said the last word about its key.
 */
import type { LedgerAnswer } from "./clearing.ts";
import type { Draft } from "./draft.ts";
import type { Alarm } from "./effect.ts";
import { sameMoney } from "./money.ts";
import type { OpenCharge } from "./sale.ts";

/** Wait before a pending charge is asked for again: doubles from the first to the last. */
const FIRST_SETTLE_MS = 5_000;
const LAST_SETTLE_MS = 3_600_000;

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
      if (charge.purpose === "offline") {
        alarm(draft, charge, {
          kind: "offline-declined",
          saleId: charge.saleId,
          key: charge.key,
          reason: outcome.reason,
        });
      }
      return settle(draft, charge);
    case "pending":
    case "not-found":
      return askAgainLater(draft, charge);
    case "reversed":
      // The goods are gone and the money was given back: the shop has to know, as of a decline.
      if (charge.purpose === "offline") {
        const { saleId, key } = charge;
        alarm(draft, charge, { kind: "offline-declined", saleId, key, reason: "reversed" });
      }
      return settle(draft, charge);
    case "refused":
      alarm(draft, charge, {
        kind: "request-refused",
        saleId: charge.saleId,
        key: charge.key,
        reason: outcome.reason,
      });
      return settle(draft, charge);
  }
}

function isReversalAnswer(answer: LedgerAnswer): boolean {
  return answer.requestId.startsWith(`${answer.key}:reverse`);
}

function settle(draft: Draft, charge: OpenCharge): void {
  const openCharges = draft.state.openCharges.filter((other) => other.key !== charge.key);
  draft.state = { ...draft.state, openCharges };
}

function askAgainLater(draft: Draft, charge: OpenCharge): void {
  const afterMs = Math.min(FIRST_SETTLE_MS * 2 ** charge.queries, LAST_SETTLE_MS);
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
  const charge = draft.state.openCharges.find((candidate) => settleTimer(candidate) === timerId);
  if (charge === undefined) return;
  const { key, saleId } = charge;
  const queries = charge.queries + 1;
  if (charge.purpose === "reversal") {
    const request = { kind: "reverse", key, saleId, reason: "uncertain" } as const;
    draft.effects.push({ kind: "ledger.send", id: `${key}:reverse-${queries}`, request });
  } else {
    draft.effects.push({
      kind: "ledger.send",
      id: `${key}:settle-query-${queries}`,
      request: { kind: "query", key, saleId },
    });
  }
  const openCharges = draft.state.openCharges.map((other) =>
    other.key === key ? { ...charge, queries } : other,
  );
  draft.state = { ...draft.state, openCharges };
}

/** After a restart the timers are gone; what the outbox still holds is answered by itself. */
export function resumeSettlement(draft: Draft): void {
  for (const charge of draft.state.openCharges) askAgainLater(draft, charge);
}

function alarm(draft: Draft, charge: OpenCharge, what: Alarm): void {
  draft.effects.push({ kind: "alarm.raise", id: `${charge.key}:alarm-${what.kind}`, alarm: what });
}
