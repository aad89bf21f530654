/** Rows of the charges table as values. A row of another shape than the migrations made is a programmer error. */
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import type { Charge, ChargeState } from "./charge.ts";
import { CHARGE_STATES } from "./charge.ts";

export type Row = Readonly<Record<string, unknown>>;

const DECLINE_REASONS = {
  "insufficient-funds": true,
  "card-blocked": true,
  "limit-exceeded": true,
  "not-honoured": true,
  "card-replayed": true,
} as const satisfies Record<DeclineReason, true>;

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} is no text`);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

/** Integers arrive as bigint, so that amounts above 2^53 stay exact. */
export function integer(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "bigint") throw new Error(`column ${column} is no integer`);
  return value;
}

export function integerOrNull(row: Row, column: string): bigint | null {
  return row[column] === null ? null : integer(row, column);
}

/** For numbers that are known to be small: counts, times. */
export function count(row: Row, column: string): number {
  return Number(integer(row, column));
}

export function countOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : count(row, column);
}

export function stateOf(row: Row): ChargeState {
  const value = text(row, "state");
  const state = CHARGE_STATES.find((known) => known === value);
  if (state === undefined) throw new Error(`charge state ${value} is not known`);
  return state;
}

export function modeOf(row: Row): "online" | "offline" {
  return text(row, "mode") === "offline" ? "offline" : "online";
}

export function declineReasonOf(row: Row): DeclineReason | null {
  const value = textOrNull(row, "decline_reason");
  if (value === null) return null;
  if (!isDeclineReason(value)) throw new Error(`decline reason ${value} is not known`);
  return value;
}

function isDeclineReason(value: string): value is DeclineReason {
  return Object.hasOwn(DECLINE_REASONS, value);
}

export function chargeOf(row: Row): Charge {
  const currency = text(row, "currency");
  return {
    id: count(row, "id"),
    terminal: text(row, "terminal"),
    key: text(row, "key"),
    bodyHash: text(row, "body_hash"),
    saleId: text(row, "sale_id"),
    sequence: count(row, "sequence"),
    merchant: text(row, "merchant"),
    amount: { minor: integer(row, "amount_minor"), currency },
    vat: { minor: integer(row, "vat_minor"), currency },
    mode: modeOf(row),
    card: text(row, "card"),
    cardMasked: text(row, "card_masked"),
    cardToken: textOrNull(row, "card_token"),
    state: stateOf(row),
    gateway: text(row, "gateway"),
    gatewayKey: text(row, "gateway_key"),
    authorisation: textOrNull(row, "authorisation"),
    declineReason: declineReasonOf(row),
    resolveCount: count(row, "resolve_count"),
    nextResolveMs: count(row, "next_resolve_ms"),
    timeMs: count(row, "time_ms"),
    receivedMs: count(row, "received_ms"),
    settledMs: countOrNull(row, "settled_ms"),
  };
}
