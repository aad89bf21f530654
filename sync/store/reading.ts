/** What is read beside the events, each row checked against its own hash before anyone acts on it. */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { FoundSale, SoldSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";
import { damaged, isRowIntact, type StoredRow, sameHash } from "./chain.ts";
import { counterHash, denyListHash, foundSale, keptHash, refundHash, saleHash } from "./sealed-rows.ts";
import { parse, type Session } from "./sqlite-session.ts";
import type { DeadLetter, OutboxRow, SoldRefund } from "./store.ts";

export function readPending(session: Session, afterPosition: number, limit: number): readonly OutboxRow[] {
  return session.statements.pending.all(afterPosition, limit).map((row) => ({
    position: row.position,
    id: row.id,
    request: readRequest(session.path, row),
    createdMs: row.created_ms,
    sentCount: row.sent_count + (session.unsavedSends.get(row.id) ?? 0),
  }));
}

export function readDeadLetters({ path, statements }: Session): readonly DeadLetter[] {
  return statements.deadLetters.all().map((row) => ({
    id: row.id,
    reason: row.reason,
    atMs: row.at_ms,
    request: readRequest(path, row),
  }));
}

/** Settings are found even when they are forgotten. */
export function readLastOfKind({ path, statements }: Session, kind: string, upTo: number): unknown {
  const row = statements.lastOfKind.get(kind, upTo);
  if (row !== undefined) return parse(path, row.body);
  const kept = statements.keptEvent.get(kind, upTo);
  if (kept === undefined) return null;
  return readBody(path, kept, keptHash(kept.position, kept.body), `the last ${kind}`);
}

export function readCounter({ path, statements }: Session, token: string): number | null {
  const row = statements.lastCounter.get(token);
  if (row === undefined) return null;
  if (!sameHash(counterHash(token, row.counter), row.hash))
    throw damaged(path, `the tap counter of card ${token} was changed`);
  return row.counter;
}

export function readSale(session: Session, saleId: string): FoundSale | null {
  const row = session.statements.sale.get(saleId);
  return row === undefined ? null : found(session, row);
}

export function readSales(session: Session, limit: number): readonly FoundSale[] {
  return session.statements.sales.all(limit).map((row) => found(session, row));
}

export function readDenyList({ path, statements }: Session): DenyList | null {
  const row = statements.denyList.get();
  if (row === undefined) return null;
  const { version, count, coded } = row;
  const list: DenyList = { version, count, set: new Uint8Array(coded) };
  if (!sameHash(denyListHash(list), row.hash)) throw damaged(path, "the deny list was changed");
  return list;
}

export function writeDenyList(session: Session, list: DenyList): void {
  const kept = session.statements.denyList.get();
  if (kept !== undefined && kept.version >= list.version) return;
  const { version, count, set } = list;
  session.statements.saveDenyList.run(version, count, set, denyListHash(list));
}

/** Throws Fault "journal.damaged" at the first that is wrong. */
export function checkCounters(session: Session): void {
  for (const { token } of session.statements.counters.all()) readCounter(session, token);
}

/** Throws Fault "journal.damaged" at the first sale or refund that is wrong. */
export function checkSales(session: Session): void {
  readSales(session, Number.MAX_SAFE_INTEGER);
  for (const row of session.statements.refunds.all())
    readBody(session.path, row, refundHash(row.body), "a refund");
}

type Body = { readonly body: string; readonly hash: Uint8Array };

function found(session: Session, row: Body): FoundSale {
  const { path, statements } = session;
  const sale = readBody(path, row, saleHash(row.body), "a sale that was sold") as SoldSale;
  const refunds = statements.refundsOf
    .all(sale.saleId)
    .map((refund) => readBody(path, refund, refundHash(refund.body), "a refund") as SoldRefund);
  return foundSale(sale, refunds);
}

function readBody(path: string, row: Body, hash: Uint8Array, what: string): unknown {
  if (!sameHash(hash, row.hash)) throw damaged(path, `the record of ${what} was changed`);
  return parse(path, row.body);
}

function readRequest(path: string, row: StoredRow): LedgerRequest {
  if (!isRowIntact(row)) throw damaged(path, `outbox row ${row.id} was changed`);
  return parse(path, row.request) as LedgerRequest;
}
