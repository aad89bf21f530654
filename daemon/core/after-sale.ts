/**
 * What staff asks for after a sale: void, refund, reprint, day close, and giving up on a charge that never resolves.
 *
 * Money goes back only with the ledger's word. The request has a key of its own that is journalled before it is sent; a
 * refund that stays unanswered is asked for again under the same key, so that nothing is given back twice.
 */
import type { LedgerAnswer } from "./clearing.ts";
import { count, nextDay, reportOf } from "./day.ts";
import type { Draft } from "./draft.ts";
import { type Money, sameMoney } from "./money.ts";
import { addPaper, copyOf, hasRoomForPaper } from "./papers.ts";
import type { Receipt, RefundSlip } from "./receipt.ts";
import type { OpenRefund } from "./sale.ts";
import { repeatAfterMs, watchAgain } from "./settlement.ts";
import {
  type FoundSale,
  MAXIMUM_OPEN_REFUNDS,
  type StaffAnswer,
  type StaffRefusal,
  type StaffRequest,
} from "./staff.ts";

type Refund = Extract<StaffRequest, { kind: "refund" }>;

export function staffAsked(draft: Draft, requestId: string, request: StaffRequest): void {
  const refusal = refusalOf(draft, request);
  if (refusal !== null) return tell(draft, requestId, { kind: "refused", reason: refusal });
  switch (request.kind) {
    case "void":
      return takeBack(draft, requestId, request.sale);
    case "refund":
      return giveBack(draft, requestId, request);
    case "reprint":
      addPaper(draft, copyOf({ kind: "receipt", receipt: receiptNow(request.sale) }));
      return tell(draft, requestId, { kind: "printing" });
    case "close-day":
      return closeDay(draft, requestId, request.language);
    case "dismiss":
      return dismiss(draft, requestId, request.key);
  }
}

/** The receipt as it was printed, with what was given back since. */
function receiptNow({ receipt, refundedMinor }: FoundSale): Receipt {
  if (refundedMinor === 0n) return receipt;
  return { ...receipt, givenBack: { minor: refundedMinor, currency: receipt.total.currency } };
}

function refusalOf(draft: Draft, request: StaffRequest): StaffRefusal | null {
  switch (request.kind) {
    case "void":
      return movingRefusal(draft, request.sale.saleId) ?? voidRefusal(draft, request.sale);
    case "refund":
      return movingRefusal(draft, request.saleId) ?? refundRefusal(draft, request);
    case "reprint":
      return hasRoomForPaper(draft) ? null : "too-many-waiting";
    case "close-day":
      if (isPaying(draft)) return "sale-at-the-counter";
      return hasRoomForPaper(draft) ? null : "too-many-waiting";
    case "dismiss":
      return isOpen(draft, request.key) ? null : "unknown-charge";
  }
}

/** What forbids moving any money back now. */
function movingRefusal(draft: Draft, saleId: string): StaffRefusal | null {
  const { standing, openRefunds, sale } = draft.state;
  if (standing.kind === "barred") return "journal-barred";
  if (sale?.id === saleId) return "sale-at-the-counter";
  if (openRefunds.length >= MAXIMUM_OPEN_REFUNDS || !hasRoomForPaper(draft)) return "too-many-waiting";
  const taking = openRefunds.some((open) => open.saleId === saleId && open.purpose === "void");
  return taking ? "refund-under-way" : null;
}

function voidRefusal(draft: Draft, sale: FoundSale): StaffRefusal | null {
  if (sale.unpaid) return "not-charged";
  if (sale.voided) return "already-voided";
  if (sale.refundedMinor > 0n) return "partly-refunded";
  if (refundsUnderWay(draft, sale.saleId) > 0n) return "refund-under-way";
  return sale.day === draft.state.day.number ? null : "another-day";
}

function refundRefusal(draft: Draft, request: Refund): StaffRefusal | null {
  const { sale, amount } = request;
  if (amount !== null && amount.currency !== (sale?.amount.currency ?? draft.settings.menu.currency)) {
    return "wrong-currency";
  }
  if (amount !== null && amount.minor <= 0n) return "amount-needed";
  // Sold on another terminal: the ledger knows what is left.
  if (sale === null) return null;
  if (sale.unpaid) return "not-charged";
  if (sale.voided) return "already-voided";
  const left = leftOf(draft, sale);
  if (left <= 0n) return "nothing-left";
  return amount !== null && amount.minor > left ? "exceeds" : null;
}

function leftOf(draft: Draft, sale: FoundSale): bigint {
  return sale.amount.minor - sale.refundedMinor - refundsUnderWay(draft, sale.saleId);
}

function refundsUnderWay(draft: Draft, saleId: string): bigint {
  return draft.state.openRefunds
    .filter((open) => open.saleId === saleId)
    .reduce((sum, { amount }) => sum + amount.minor, 0n);
}

/** What was asked for, or all that is left; null when only the ledger knows what is left. */
function wanted(draft: Draft, { sale, amount }: Refund): Money | null {
  if (amount !== null || sale === null) return amount;
  return { minor: leftOf(draft, sale), currency: sale.amount.currency };
}

function isPaying(draft: Draft): boolean {
  const { phase } = draft.state.sale ?? {};
  return phase?.kind === "authorising" || phase?.kind === "uncertain" || phase?.kind === "receipt";
}

function takeBack(draft: Draft, requestId: string, sale: FoundSale): void {
  const { key, saleId, amount } = sale;
  // An offline sale that still waits is watched as a void from now on; its authorisation goes out before the void.
  const charge = draft.state.openCharges.find((open) => open.key === key) ?? null;
  const openCharges = draft.state.openCharges.filter((open) => open !== charge);
  draft.state = { ...draft.state, openCharges };
  open(draft, { requestId, saleId, key, amount, purpose: "void", charge }, sale);
}

function giveBack(draft: Draft, requestId: string, request: Refund): void {
  const { saleId, sale } = request;
  const amount = wanted(draft, request);
  if (amount === null) return tell(draft, requestId, { kind: "refused", reason: "amount-needed" });
  const key = `${saleId}/refund-${requestId}`;
  open(draft, { requestId, saleId, key, amount, purpose: "refund", charge: null }, sale);
}

type MoneyBack = Omit<OpenRefund, "timeMs" | "repeats" | "pending" | "slip">;

function open(draft: Draft, money: MoneyBack, sale: FoundSale | null): void {
  const slip = slipOf(draft, money, sale);
  const refund: OpenRefund = { ...money, timeMs: draft.atMs, repeats: 0, pending: false, slip };
  draft.state = { ...draft.state, openRefunds: [...draft.state.openRefunds, refund] };
  send(draft, refund);
  const { linkUp } = draft.state;
  // Without the ledger the customer leaves with a paper that says so; the money follows.
  if (!linkUp) addPaper(draft, { kind: "refund", slip });
  tell(draft, refund.requestId, { kind: "queued", key: refund.key, linkUp });
}

function slipOf(draft: Draft, money: MoneyBack, sale: FoundSale | null): RefundSlip {
  const { merchant, terminal } = draft.settings;
  return {
    saleId: money.saleId,
    number: sale?.sequence ?? null,
    merchant,
    terminal,
    language: sale?.receipt.language ?? "ko",
    timeMs: draft.atMs,
    amount: money.amount,
    saleAmount: sale?.amount ?? null,
    card: sale?.receipt.payment.card ?? null,
    status: "requested",
    purpose: money.purpose,
    copy: false,
  };
}

/**
 * The outbox row of a refund. Its key is its own, and names its request; a void has the charge's key, and staff may ask
 * for it again after the ledger has refused it: that is another row, for a row that was answered is not sent again.
 */
function rowOf({ key, purpose, requestId }: OpenRefund): string {
  return purpose === "void" ? `${key}:void-${requestId}` : `${key}:refund`;
}

/** The n-th sending has a row of its own; the key, and with it the ledger's decision, stays the same. */
function send(draft: Draft, refund: OpenRefund): void {
  const { key, saleId, amount, timeMs, purpose, repeats } = refund;
  const id = repeats === 0 ? rowOf(refund) : `${rowOf(refund)}-${repeats + 1}`;
  const request =
    purpose === "void"
      ? ({ kind: "reverse", key, saleId, reason: "void" } as const)
      : ({ kind: "refund", key, saleId, amount, timeMs } as const);
  draft.effects.push({ kind: "ledger.send", id, request });
}

/** The refund that an answer is about. A void shares its key with the charge, so the request decides. */
export function findOpenRefund(draft: Draft, requestId: string, key: string): OpenRefund | undefined {
  return draft.state.openRefunds.find((refund) => refund.key === key && requestId.startsWith(rowOf(refund)));
}

/** The ledger's word on a refund or a void. */
export function openRefundAnswered(draft: Draft, refund: OpenRefund, answer: LedgerAnswer): void {
  const { outcome } = answer;
  switch (outcome.kind) {
    case "refunded":
      if (refund.purpose === "void") return repeatLater(draft, refund);
      if (!sameMoney(outcome.amount, refund.amount)) {
        alarm(draft, refund, { kind: "amount-mismatch", saleId: refund.saleId, key: refund.key });
      }
      return done(draft, refund);
    case "reversed":
      return refund.purpose === "void" ? done(draft, refund) : repeatLater(draft, refund);
    case "refund-refused":
      return refusedByLedger(draft, refund, "refund-refused", outcome.reason);
    case "refused":
      return refusedByLedger(draft, refund, "request-refused", outcome.reason);
    // Not the answer to what was asked, or not yet one: unknown is a state.
    case "approved":
    case "declined":
    case "pending":
    case "not-found":
      return repeatLater(draft, refund);
  }
}

function done(draft: Draft, refund: OpenRefund): void {
  const { amount, purpose, slip, requestId } = refund;
  count(draft, purpose === "void" ? "voids" : "refunds", amount);
  record(draft, refund);
  addPaper(draft, { kind: "refund", slip: { ...slip, status: "done", timeMs: draft.atMs } });
  settle(draft, refund);
  tell(draft, requestId, { kind: "refunded", amount });
}

function record(draft: Draft, refund: OpenRefund): void {
  const { key, saleId, amount, purpose } = refund;
  draft.effects.push({ kind: "refund.record", id: `${key}:${purpose}-record`, key, saleId, amount, purpose });
}

export function refusedByLedger(
  draft: Draft,
  refund: OpenRefund,
  kind: "refund-refused" | "request-refused",
  reason: string,
): void {
  const { key, saleId, requestId } = refund;
  alarm(draft, refund, { kind, saleId, key, reason });
  settle(draft, refund);
  if (refund.charge !== null) watchAgain(draft, refund.charge);
  tell(draft, requestId, { kind: "not-refunded", reason });
}

function settle(draft: Draft, refund: OpenRefund): void {
  const openRefunds = draft.state.openRefunds.filter((other) => other !== refund);
  draft.state = { ...draft.state, openRefunds };
}

function timerOf(refund: OpenRefund): string {
  return `${refund.key}:${refund.purpose}-wait-${refund.repeats}`;
}

function repeatLater(draft: Draft, refund: OpenRefund): void {
  const afterMs = repeatAfterMs(refund.repeats);
  const name = `${refund.purpose}:${refund.key}`;
  replace(draft, refund, { ...refund, pending: true });
  draft.effects.push({ kind: "timer.start", id: timerOf(refund), name, purpose: "settle", afterMs });
}

/** Asks again for a refund whose wait is over. */
export function refundTimerFired(draft: Draft, timerId: string): void {
  const refund = draft.state.openRefunds.find(
    (candidate) => candidate.pending && timerOf(candidate) === timerId,
  );
  if (refund === undefined) return;
  const again = { ...refund, repeats: refund.repeats + 1, pending: false };
  replace(draft, refund, again);
  send(draft, again);
}

function replace(draft: Draft, refund: OpenRefund, changed: OpenRefund): void {
  const openRefunds = draft.state.openRefunds.map((other) => (other === refund ? changed : other));
  draft.state = { ...draft.state, openRefunds };
}

/** After a restart the timers are gone. What the outbox still holds is answered by itself. */
export function resumeRefunds(draft: Draft): void {
  for (const refund of draft.state.openRefunds) if (refund.pending) repeatLater(draft, refund);
}

function closeDay(
  draft: Draft,
  requestId: string,
  language: Extract<StaffRequest, { kind: "close-day" }>["language"],
): void {
  const report = reportOf(draft, language);
  addPaper(draft, { kind: "day", report });
  nextDay(draft);
  tell(draft, requestId, { kind: "day-closed", report });
}

function isOpen(draft: Draft, key: string): boolean {
  const { openCharges, openRefunds } = draft.state;
  return [...openCharges, ...openRefunds].some((open) => open.key === key);
}

/** The ledger's answer, should it come yet, is journalled and changes nothing any more. */
function dismiss(draft: Draft, requestId: string, key: string): void {
  const refund = draft.state.openRefunds.find((open) => open.key === key);
  const charge = draft.state.openCharges.find((open) => open.key === key) ?? refund?.charge;
  // An offline sale was counted as sold; whether its money comes nobody knows, so it is taken out of the net.
  if (charge?.purpose === "offline") count(draft, "dismissed", charge.amount);
  // Perhaps the money went back after all: what is left of the sale shrinks as if it had.
  if (refund !== undefined) record(draft, refund);
  const openCharges = draft.state.openCharges.filter((open) => open.key !== key);
  const openRefunds = draft.state.openRefunds.filter((open) => open.key !== key);
  draft.state = { ...draft.state, openCharges, openRefunds };
  tell(draft, requestId, { kind: "dismissed" });
}

function alarm(
  draft: Draft,
  refund: OpenRefund,
  what: Extract<Draft["effects"][number], { kind: "alarm.raise" }>["alarm"],
): void {
  const id = `${refund.key}:${refund.purpose}-alarm-${what.kind}`;
  draft.effects.push({ kind: "alarm.raise", id, alarm: what });
}

/** One request may be answered more than once: queued, then refunded. */
function tell(draft: Draft, requestId: string, answer: StaffAnswer): void {
  draft.effects.push({ kind: "staff.answer", id: `${requestId}:${answer.kind}`, requestId, answer });
}
