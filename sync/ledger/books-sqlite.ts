/** Writing the books on SQLite: transfers and their entries. */
import type Database from "better-sqlite3";
import type { Booked, Entry, RefundBooked, Step, Transfer } from "./posting.ts";
import { accountKind, entriesOf, isBalanced, refundTransfersOf, transfersOf } from "./posting.ts";
import { prepared } from "./prepared.ts";

type Db = Database.Database;

/**
 * Stores the transfers of the steps with their entries, inside the caller's transaction. Throws, so that nothing is
 * stored, when debits and credits differ, a transfer exists already, or a hold would be resolved twice.
 */
export function book(db: Db, charge: Booked, steps: readonly Step[], nowMs: number): void {
  store(
    db,
    charge.id,
    steps.flatMap((step) => transfersOf(charge, step)),
    nowMs,
  );
}

/** Stores the transfers of one refund in the same way. */
export function bookRefund(
  db: Db,
  charge: Omit<Booked, "amount">,
  refund: RefundBooked,
  nowMs: number,
): void {
  store(db, charge.id, refundTransfersOf(charge, refund), nowMs);
}

function store(db: Db, chargeId: number, transfers: readonly Transfer[], nowMs: number): void {
  const booked: Entry[] = [];
  for (const transfer of transfers) {
    const { minor, currency } = transfer.amount;
    prepared(
      db,
      `INSERT INTO transfers (id, charge_id, kind, debit, credit, amount_minor, currency, resolves, booked_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      transfer.id,
      chargeId,
      transfer.kind,
      transfer.debit,
      transfer.credit,
      minor,
      currency,
      transfer.resolves,
      nowMs,
    );
    entriesOf(transfer).forEach((entry, line) => {
      const open = "INSERT INTO accounts (code, currency, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
      prepared(db, open).run(entry.account, currency, accountKind(entry.account));
      prepared(
        db,
        `INSERT INTO entries (transfer_id, line, account, currency, layer, side, amount_minor)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(transfer.id, line, entry.account, currency, entry.layer, entry.side, minor);
      booked.push(entry);
    });
  }
  if (!isBalanced(booked)) throw new Error(`the postings of charge ${chargeId} do not balance`);
}
