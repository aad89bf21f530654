/** The refunds in memory: the twin of refunds-sqlite.ts. Every function checks first and changes afterwards. */
import type { Charge } from "./charge.ts";
import { refundKeyOf } from "./fingerprint.ts";
import { bookingOf, type MemoryBooks, nameOf, post, saleName } from "./memory-books.ts";
import { noteInMemory } from "./memory-registry.ts";
import { isEarly } from "./patience.ts";
import { refundTransfersOf } from "./posting.ts";
import type { Refund } from "./refund.ts";
import { isSameRefund, refundMoveOf, refundRefusal, saleCharge, UNRESOLVED_REFUND } from "./refund.ts";
import type { NewRefund, OpenedRefund, RefundSettlement } from "./storage.ts";

export function openRefundInMemory(books: MemoryBooks, fresh: NewRefund, nowMs: number): OpenedRefund {
  const known = findRefundInMemory(books, fresh.terminal, fresh.key);
  if (known !== undefined) {
    const same = isSameRefund(known, fresh);
    if (same && fresh.outbox !== null) noteInMemory(books, fresh.terminal, fresh.outbox);
    return { kind: same ? "known" : "conflict", refund: known };
  }
  const sale = saleCharge(chargesOfSale(books, fresh.merchant, fresh.saleId));
  if (sale.kind === "undecided") return sale;
  const charge = sale.kind === "charged" ? sale.charge : null;
  if (charge !== null && charge.amount.currency !== fresh.amount.currency) return { kind: "other-currency" };
  if (fresh.amount.minor <= 0n) throw new Error(`a refund of ${fresh.amount.minor}`);
  const refusal =
    charge === null ? "not-charged" : refundRefusal(charge.amount, reservedMinor(books, charge.id), fresh);
  const refund: Refund = {
    id: books.refunds.length + 1,
    terminal: fresh.terminal,
    key: fresh.key,
    merchant: fresh.merchant,
    saleId: fresh.saleId,
    amount: fresh.amount,
    state: refusal === null ? "attempting" : "refused",
    refusal,
    total: null,
    refundKey: refundKeyOf(books.salt, fresh.terminal, fresh.key),
    resolveCount: 0,
    nextResolveMs: fresh.nextResolveMs,
    timeMs: fresh.timeMs,
    receivedMs: nowMs,
    settledMs: refusal === null ? null : nowMs,
    charge: charge === null ? null : refundedCharge(charge),
  };
  keepRefund(books, refund);
  if (fresh.outbox !== null) noteInMemory(books, fresh.terminal, fresh.outbox);
  return refusal === null
    ? { kind: "opened", refund, attempt: beginRefundAttemptInMemory(books, refund, nowMs) }
    : { kind: "decided", refund };
}

export function findRefundInMemory(books: MemoryBooks, terminal: string, key: string): Refund | undefined {
  const id = books.refundsByKey.get(nameOf(terminal, key));
  return id === undefined ? undefined : books.refunds[id - 1];
}

/** Only counted: what a refund's attempts said is for people. */
export function beginRefundAttemptInMemory(books: MemoryBooks, refund: Refund, _nowMs: number): number {
  if (refund.charge === null) throw new Error(`refund ${refund.id} has no charge to give back of`);
  books.lastAttempt += 1;
  return books.lastAttempt;
}

export function settleRefundInMemory(
  books: MemoryBooks,
  refund: Refund,
  { learnt, nextResolveMs, nowMs }: RefundSettlement,
): Refund {
  const { id, charge, amount } = refund;
  const state = refundMoveOf(refund, learnt);
  const current = books.refunds[id - 1];
  if (charge === null) throw new Error(`refund ${id} has no charge to give back of`);
  if (current?.state !== refund.state) throw new Error(`refund ${id} is not ${refund.state} any more`);
  const refunded = state === "refunded";
  const booking = bookingOf(books, charge.id, refunded ? refundTransfersOf(charge, refund) : []);
  const minor = books.refundedMinor(charge.id) + amount.minor;
  const settled: Refund = {
    ...current,
    state,
    refusal: state === "refused" ? "gateway" : null,
    total: refunded ? { minor, currency: amount.currency } : null,
    resolveCount: current.resolveCount + 1,
    nextResolveMs,
    settledMs: UNRESOLVED_REFUND.includes(state) ? null : nowMs,
  };
  keepRefund(books, settled);
  post(books, booking);
  return settled;
}

export function dueRefundsInMemory(books: MemoryBooks, nowMs: number, limit: number): readonly Refund[] {
  // Asked for twice a second by whoever simulates months.
  if (books.unresolvedRefunds.size === 0) return [];
  return unresolvedRefunds(books)
    .filter(({ nextResolveMs }) => !isEarly(nextResolveMs, nowMs))
    .sort((a, b) => a.nextResolveMs - b.nextResolveMs || a.id - b.id)
    .slice(0, limit);
}

export function makeRefundsDueInMemory(books: MemoryBooks, nowMs: number): number {
  const unresolved = unresolvedRefunds(books);
  for (const refund of unresolved) keepRefund(books, { ...refund, nextResolveMs: nowMs });
  return unresolved.length;
}

/** Whether something of the charge was given back, or may have been. */
export function hasRefundsInMemory(books: MemoryBooks, chargeId: number): boolean {
  return reservedMinor(books, chargeId) > 0n;
}

function keepRefund(books: MemoryBooks, refund: Refund): void {
  const { id, charge } = refund;
  if (id > books.refunds.length) {
    books.refundsByKey.set(nameOf(refund.terminal, refund.key), id);
    if (charge !== null) {
      const ids = books.refundsByCharge.get(charge.id);
      if (ids === undefined) books.refundsByCharge.set(charge.id, [id]);
      else ids.push(id);
    }
  }
  books.refunds[id - 1] = refund;
  if (UNRESOLVED_REFUND.includes(refund.state)) books.unresolvedRefunds.add(id);
  else books.unresolvedRefunds.delete(id);
}

function unresolvedRefunds(books: MemoryBooks): Refund[] {
  return [...books.unresolvedRefunds].flatMap((id) => books.refunds[id - 1] ?? []);
}

function reservedMinor(books: MemoryBooks, chargeId: number): bigint {
  return books
    .refundsOf(chargeId)
    .reduce((sum, { state, amount }) => (state === "refused" ? sum : sum + amount.minor), 0n);
}

function chargesOfSale(books: MemoryBooks, merchant: string, saleId: string): Charge[] {
  const ids = books.bySale.get(saleName(merchant, saleId)) ?? [];
  return ids.flatMap((id) => books.charges[id - 1] ?? []);
}

function refundedCharge(charge: Charge): NonNullable<Refund["charge"]> {
  const { id, terminal, key, merchant, gateway, gatewayKey, card } = charge;
  return { id, terminal, key, merchant, gateway, gatewayKey, card };
}
