/** New charges on SQLite: judging the tap, storing the row. Every function runs inside the caller's transaction. */
import type Database from "better-sqlite3";
import { type Charge, judgeTap, type Opening } from "./charge.ts";
import { gatewayKeyOf } from "./fingerprint.ts";
import { prepared } from "./prepared.ts";
import { chargeOf } from "./row.ts";
import type { NewCharge } from "./storage.ts";

type Db = Database.Database;

/** `card`: fingerprint of the card's token. */
export function judgeTapOf(db: Db, card: string, fresh: NewCharge): ReturnType<typeof judgeTap> {
  const row = prepared(db, "SELECT MAX(counter) AS last FROM card_taps WHERE card = ?").get(card);
  const last = row?.["last"];
  const used = prepared(db, "SELECT 1 FROM card_taps WHERE card = ? AND counter = ?").get(
    card,
    fresh.card.counter,
  );
  return judgeTap({
    counter: fresh.card.counter,
    mode: fresh.mode,
    last: last === null || last === undefined ? null : Number(last),
    used: used !== undefined,
  });
}

/** The tap has paid, or may yet: it is used. */
export function useTap(db: Db, card: string, fresh: NewCharge): void {
  prepared(db, "INSERT INTO card_taps (card, counter, terminal, key) VALUES (?, ?, ?, ?)").run(
    card,
    fresh.card.counter,
    fresh.terminal,
    fresh.key,
  );
}

export function insertCharge(
  db: Db,
  fresh: NewCharge,
  decided: {
    readonly card: string;
    readonly opening: Opening;
    readonly salt: Uint8Array;
    readonly nowMs: number;
  },
): Charge {
  const { card, opening, salt, nowMs } = decided;
  const attempting = opening.state === "attempting";
  prepared(
    db,
    `INSERT INTO terminals (id, merchant, first_seen_ms, last_seen_ms) VALUES (@id, @merchant, @nowMs, @nowMs)
     ON CONFLICT (id) DO UPDATE SET merchant = excluded.merchant, last_seen_ms = excluded.last_seen_ms`,
  ).run({ id: fresh.terminal, merchant: fresh.merchant, nowMs });
  const { lastInsertRowid } = prepared(
    db,
    `INSERT INTO charges (terminal, key, body_hash, sale_id, sequence, merchant, amount_minor, vat_minor, currency,
         mode, card, card_masked, card_token, lines, state, gateway, gateway_key, decline_reason, next_resolve_ms,
         time_ms, received_ms, settled_ms)
       VALUES (@terminal, @key, @bodyHash, @saleId, @sequence, @merchant, @amount, @vat, @currency,
         @mode, @card, @masked, @token, @lines, @state, @gateway, @gatewayKey, @reason, @nextMs,
         @timeMs, @nowMs, @settledMs)`,
  ).run({
    terminal: fresh.terminal,
    key: fresh.key,
    bodyHash: fresh.bodyHash,
    saleId: fresh.saleId,
    sequence: fresh.sequence,
    merchant: fresh.merchant,
    amount: fresh.amount.minor,
    vat: fresh.vat.minor,
    currency: fresh.amount.currency,
    mode: opening.mode,
    card,
    masked: fresh.card.masked,
    token: attempting ? fresh.card.token : null,
    lines: linesText(fresh),
    state: opening.state,
    gateway: fresh.gateway,
    gatewayKey: gatewayKeyOf(salt, fresh.terminal, fresh.key),
    reason: opening.declineReason,
    nowMs,
    nextMs: fresh.nextResolveMs,
    timeMs: fresh.timeMs,
    settledMs: attempting ? null : nowMs,
  });
  const row = prepared(db, "SELECT * FROM charges WHERE id = ?").get(lastInsertRowid);
  if (row === undefined) throw new Error("a charge that was just stored is gone");
  return chargeOf(row);
}

function linesText(fresh: NewCharge): string {
  return JSON.stringify(fresh.lines, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
