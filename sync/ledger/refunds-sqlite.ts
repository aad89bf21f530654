/** The refunds on SQLite. Every function runs inside the caller's transaction. */
import type Database from "better-sqlite3";
import type { RefundRefusal } from "../../daemon/core/clearing.ts";
import { raiseAlarm } from "./alarms-sqlite.ts";
import { appendAudit } from "./audit-sqlite.ts";
import { bookRefund } from "./books-sqlite.ts";
import type { Charge } from "./charge.ts";
import { RESOLVE_HORIZON_MS } from "./patience.ts";
import { prepared } from "./prepared.ts";
import type { Refund, RefundState } from "./refund.ts";
import {
  isSameRefund,
  REFUND_STATES,
  refundMoveOf,
  refundRefusal,
  saleCharge,
  UNRESOLVED_REFUND,
} from "./refund.ts";
import { notePosition } from "./registry-sqlite.ts";
import type { Row } from "./row.ts";
import { chargeOf, count, countOrNull, integer, integerOrNull, text, textOrNull } from "./row.ts";
import type { NewRefund, OpenedRefund, RefundSettlement } from "./storage.ts";

type Db = Database.Database;

const REFUSALS = {
  exceeds: true,
  "not-charged": true,
  "partly-refunded": true,
  gateway: true,
} as const satisfies Record<RefundRefusal, true>;

const SELECT = `
  SELECT refunds.*, charges.terminal AS charge_terminal, charges.key AS charge_key, charges.gateway AS charge_gateway,
    charges.gateway_key AS charge_gateway_key, charges.card AS charge_card
  FROM refunds LEFT JOIN charges ON charges.id = refunds.charge_id`;

/** `refundKey`: the gateway's idempotency key for it, should it be sent. */
export function openRefund(db: Db, fresh: NewRefund, refundKey: string, nowMs: number): OpenedRefund {
  const known = findRefund(db, fresh.terminal, fresh.key);
  if (known !== undefined) {
    const same = isSameRefund(known, fresh);
    if (same && fresh.outbox !== null) notePosition(db, fresh.terminal, fresh.outbox);
    return { kind: same ? "known" : "conflict", refund: known };
  }
  const sale = saleCharge(chargesOfSale(db, fresh.merchant, fresh.saleId));
  if (sale.kind === "undecided") return sale;
  const charge = sale.kind === "charged" ? sale.charge : null;
  if (charge !== null && charge.amount.currency !== fresh.amount.currency) return { kind: "other-currency" };
  const refusal =
    charge === null ? "not-charged" : refundRefusal(charge.amount, reservedMinor(db, charge.id), fresh);
  const refund = insertRefund(db, fresh, { refundKey, charge, refusal, nowMs });
  if (fresh.outbox !== null) notePosition(db, fresh.terminal, fresh.outbox);
  return refusal === null
    ? { kind: "opened", refund, attempt: beginRefundAttempt(db, refund, nowMs) }
    : { kind: "decided", refund };
}

export function findRefund(db: Db, terminal: string, key: string): Refund | undefined {
  const row = prepared(db, `${SELECT} WHERE refunds.terminal = ? AND refunds.key = ?`).get(terminal, key);
  return row === undefined ? undefined : refundOf(row);
}

export function beginRefundAttempt(db: Db, refund: Refund, nowMs: number): number {
  const { id, charge, refundKey } = refund;
  if (charge === null) throw new Error(`refund ${id} has no charge to give back of`);
  const insert = `INSERT INTO attempts (charge_id, refund_id, operation, gateway_key, started_ms)
    VALUES (?, ?, 'refund', ?, ?)`;
  return Number(prepared(db, insert).run(charge.id, id, refundKey, nowMs).lastInsertRowid);
}

export function settleRefund(db: Db, refund: Refund, settlement: RefundSettlement): Refund {
  const { id, terminal, key, charge, amount } = refund;
  const { learnt, attempt, nowMs } = settlement;
  const state = refundMoveOf(refund, learnt);
  if (charge === null) throw new Error(`refund ${id} has no charge to give back of`);
  const total = state === "refunded" ? refundedMinor(db, charge.id) + amount.minor : null;
  const update = prepared(
    db,
    `
    UPDATE refunds SET state = @state, refusal = @refusal, total_minor = @total, resolve_count = resolve_count + 1,
      next_resolve_ms = @nextMs, settled_ms = @settledMs
    WHERE id = @id AND state = @from`,
  );
  const { changes } = update.run({
    state,
    refusal: state === "refused" ? "gateway" : null,
    total,
    nextMs: settlement.nextResolveMs,
    settledMs: UNRESOLVED_REFUND.includes(state) ? null : nowMs,
    id,
    from: refund.state,
  });
  if (changes !== 1) throw new Error(`refund ${id} is not ${refund.state} any more`);
  if (state === "refunded") bookRefund(db, charge, refund, nowMs);
  prepared(db, "UPDATE attempts SET finished_ms = ?, result = ? WHERE id = ?").run(
    nowMs,
    attempt.result,
    attempt.id,
  );
  for (const alarm of settlement.alarms) raiseAlarm(db, alarm, nowMs);
  if (state !== refund.state) auditRefund(db, { terminal, key, amount, state }, nowMs);
  return requireRefund(db, terminal, key);
}

export function dueRefunds(db: Db, nowMs: number, limit: number): Refund[] {
  const horizonMs = nowMs + RESOLVE_HORIZON_MS;
  return prepared(
    db,
    `${SELECT} WHERE refunds.state IN ('attempting', 'pending')
       AND (refunds.next_resolve_ms <= @nowMs OR refunds.next_resolve_ms > @horizonMs)
       ORDER BY refunds.next_resolve_ms, refunds.id LIMIT @limit`,
  )
    .all({ nowMs, horizonMs, limit })
    .map(refundOf);
}

export function makeRefundsDue(db: Db, nowMs: number): number {
  const update = "UPDATE refunds SET next_resolve_ms = ? WHERE state IN ('attempting', 'pending')";
  return prepared(db, update).run(nowMs).changes;
}

/** Whether something of the charge was given back, or may have been. */
export function hasRefunds(db: Db, charge: Pick<Charge, "id">): boolean {
  return reservedMinor(db, charge.id) > 0n;
}

export function refundStateOf(row: Row): RefundState {
  const value = text(row, "state");
  const state = REFUND_STATES.find((known) => known === value);
  if (state === undefined) throw new Error(`refund state ${value} is not known`);
  return state;
}

export function refusalOf(row: Row): RefundRefusal | null {
  const value = textOrNull(row, "refusal");
  if (value === null) return null;
  if (!isRefusal(value)) throw new Error(`refusal ${value} is not known`);
  return value;
}

function isRefusal(value: string): value is RefundRefusal {
  return Object.hasOwn(REFUSALS, value);
}

function refundOf(row: Row): Refund {
  const chargeId = countOrNull(row, "charge_id");
  const currency = text(row, "currency");
  const merchant = text(row, "merchant");
  const total = integerOrNull(row, "total_minor");
  return {
    id: count(row, "id"),
    terminal: text(row, "terminal"),
    key: text(row, "key"),
    merchant,
    saleId: text(row, "sale_id"),
    amount: { minor: integer(row, "amount_minor"), currency },
    state: refundStateOf(row),
    refusal: refusalOf(row),
    total: total === null ? null : { minor: total, currency },
    refundKey: text(row, "refund_key"),
    resolveCount: count(row, "resolve_count"),
    nextResolveMs: count(row, "next_resolve_ms"),
    timeMs: count(row, "time_ms"),
    receivedMs: count(row, "received_ms"),
    settledMs: countOrNull(row, "settled_ms"),
    charge:
      chargeId === null
        ? null
        : {
            id: chargeId,
            terminal: text(row, "charge_terminal"),
            key: text(row, "charge_key"),
            merchant,
            gateway: text(row, "charge_gateway"),
            gatewayKey: text(row, "charge_gateway_key"),
            card: text(row, "charge_card"),
          },
  };
}

function chargesOfSale(db: Db, merchant: string, saleId: string): Charge[] {
  return prepared(db, "SELECT * FROM charges WHERE sale_id = ? AND merchant = ? ORDER BY id")
    .all(saleId, merchant)
    .map(chargeOf);
}

function reservedMinor(db: Db, chargeId: number): bigint {
  const select = "SELECT COALESCE(SUM(amount_minor), 0) AS minor FROM refunds WHERE charge_id = ?";
  return minorOf(prepared(db, `${select} AND state <> 'refused'`).get(chargeId));
}

function refundedMinor(db: Db, chargeId: number): bigint {
  const select = "SELECT COALESCE(SUM(amount_minor), 0) AS minor FROM refunds WHERE charge_id = ?";
  return minorOf(prepared(db, `${select} AND state = 'refunded'`).get(chargeId));
}

function minorOf(row: Row | undefined): bigint {
  return row === undefined ? 0n : integer(row, "minor");
}

function insertRefund(
  db: Db,
  fresh: NewRefund,
  decided: {
    readonly refundKey: string;
    readonly charge: Charge | null;
    readonly refusal: RefundRefusal | null;
    readonly nowMs: number;
  },
): Refund {
  const { refundKey, charge, refusal, nowMs } = decided;
  const { terminal, key, merchant, saleId, amount } = fresh;
  const state = refusal === null ? "attempting" : "refused";
  prepared(
    db,
    `INSERT INTO refunds (terminal, key, charge_id, merchant, sale_id, amount_minor, currency, state, refusal,
       refund_key, next_resolve_ms, time_ms, received_ms, settled_ms)
     VALUES (@terminal, @key, @chargeId, @merchant, @saleId, @minor, @currency, @state, @refusal,
       @refundKey, @nextMs, @timeMs, @nowMs, @settledMs)`,
  ).run({
    terminal,
    key,
    chargeId: charge?.id ?? null,
    merchant,
    saleId,
    minor: amount.minor,
    currency: amount.currency,
    state,
    refusal,
    refundKey,
    nextMs: fresh.nextResolveMs,
    timeMs: fresh.timeMs,
    nowMs,
    settledMs: refusal === null ? null : nowMs,
  });
  auditRefund(db, { terminal, key, amount, state }, nowMs);
  return requireRefund(db, terminal, key);
}

function auditRefund(
  db: Db,
  refund: Pick<Refund, "terminal" | "key" | "amount" | "state">,
  nowMs: number,
): void {
  appendAudit(db, nowMs, {
    event: `refund-${refund.state}`,
    terminal: refund.terminal,
    key: refund.key,
    amountMinor: refund.amount.minor.toString(),
    currency: refund.amount.currency,
  });
}

function requireRefund(db: Db, terminal: string, key: string): Refund {
  const refund = findRefund(db, terminal, key);
  if (refund === undefined) throw new Error(`refund ${key} of ${terminal} is gone`);
  return refund;
}
