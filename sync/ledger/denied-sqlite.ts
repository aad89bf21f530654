/** Cards, and which of them are denied, on SQLite. Every function runs inside the caller's transaction. */
import type Database from "better-sqlite3";
import { denyHash } from "../wire.ts";
import { prepared } from "./prepared.ts";
import type { CardOfCharge, Denied, DeniedCard } from "./registry.ts";
import { nextVersion } from "./registry.ts";
import type { Row } from "./row.ts";
import { count, text, textOrNull } from "./row.ts";

type Db = Database.Database;

/** Remembers by which hash a card of the books is denied, so that an operator can name it by one of its charges. */
export function rememberCard(db: Db, card: string, token: string): void {
  prepared(db, "INSERT INTO cards (card, deny_hash) VALUES (?, ?) ON CONFLICT DO NOTHING").run(
    card,
    Buffer.from(denyHash(token)).toString("hex"),
  );
}

export function readDenied(db: Db): Denied {
  const cards = prepared(db, "SELECT * FROM denied_cards ORDER BY since_ms, card").all();
  return { version: versionOf(db), cards: cards.map(deniedOf) };
}

export function denyCard(db: Db, denied: Omit<DeniedCard, "sinceMs">, nowMs: number): number {
  const { card, masked, reason, by } = denied;
  prepared(
    db,
    `INSERT INTO denied_cards (card, masked, reason, by_whom, since_ms) VALUES (@card, @masked, @reason, @by, @nowMs)
     ON CONFLICT (card) DO UPDATE SET masked = COALESCE(excluded.masked, masked), reason = excluded.reason,
       by_whom = excluded.by_whom`,
  ).run({ card, masked, reason, by, nowMs });
  return noteChange(db, "denied", card, by, nowMs);
}

export function allowCard(db: Db, card: string, by: string, nowMs: number): number | undefined {
  const { changes } = prepared(db, "DELETE FROM denied_cards WHERE card = ?").run(card);
  return changes === 0 ? undefined : noteChange(db, "allowed", card, by, nowMs);
}

export function cardOfCharge(db: Db, terminal: string, key: string): CardOfCharge | undefined {
  const select = `SELECT card_masked, deny_hash FROM charges LEFT JOIN cards USING (card)
    WHERE terminal = ? AND key = ?`;
  const row = prepared(db, select).get(terminal, key);
  return row === undefined
    ? undefined
    : { card: textOrNull(row, "deny_hash"), masked: text(row, "card_masked") };
}

function versionOf(db: Db): number {
  const select = "SELECT COALESCE(MAX(version), 0) AS version FROM deny_changes";
  const row = prepared(db, select).get();
  return row === undefined ? 0 : count(row, "version");
}

/** Every change stays on record with who made it. */
function noteChange(db: Db, change: "denied" | "allowed", card: string, by: string, nowMs: number): number {
  const version = nextVersion(versionOf(db), nowMs);
  prepared(
    db,
    "INSERT INTO deny_changes (version, change, card, by_whom, time_ms) VALUES (?, ?, ?, ?, ?)",
  ).run(version, change, card, by, nowMs);
  return version;
}

function deniedOf(row: Row): DeniedCard {
  return {
    card: text(row, "card"),
    masked: textOrNull(row, "masked"),
    reason: text(row, "reason"),
    by: text(row, "by_whom"),
    sinceMs: count(row, "since_ms"),
  };
}
