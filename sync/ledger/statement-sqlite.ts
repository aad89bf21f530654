/** Reading the books on SQLite: the statement, computed from the entries every time. */
import type Database from "better-sqlite3";
import { accountKind } from "./posting.ts";
import { prepared } from "./prepared.ts";
import { refundStateOf, refusalOf } from "./refunds-sqlite.ts";
import type { Row } from "./row.ts";
import { count, countOrNull, declineReasonOf, integer, modeOf, stateOf, text, textOrNull } from "./row.ts";
import type {
  AccountBalance,
  RefundTotal,
  Statement,
  StatementFilter,
  StatementRefund,
  StatementTransaction,
  StateTotal,
  Transactions,
} from "./storage.ts";

type Db = Database.Database;

/** The transactions that the filter asks for; accounts, totals and balance are those of the whole ledger. */
export function readStatement(db: Db, filter: StatementFilter): Statement {
  const accounts = readAccounts(db);
  return {
    ...readTransactions(db, filter),
    accounts,
    totals: readTotals(db),
    refundTotals: readRefundTotals(db),
    balanced: accountsBalance(accounts),
  };
}

export function readTransactions(db: Db, filter: StatementFilter): Transactions {
  const conditions = [
    ...(filter.terminal === undefined ? [] : ["terminal = @terminal"]),
    ...(filter.key === undefined ? [] : ["key = @key"]),
  ];
  const select = `
    SELECT charges.*, (
        SELECT COUNT(*) FROM attempts WHERE attempts.charge_id = charges.id AND attempts.refund_id IS NULL
      ) AS attempts
    FROM charges
    WHERE ${conditions.length === 0 ? "TRUE" : conditions.join(" AND ")}
    ORDER BY charges.id LIMIT @limit`;
  const found = prepared(db, select).all({
    terminal: filter.terminal ?? null,
    key: filter.key ?? null,
    limit: filter.limit + 1,
  });
  const refunds = prepared(db, "SELECT * FROM refunds WHERE charge_id = ? ORDER BY id");
  return {
    transactions: found
      .slice(0, filter.limit)
      .map((row) => transactionOf(row, refunds.all(count(row, "id")).map(statementRefundOf))),
    truncated: found.length > filter.limit,
  };
}

function transactionOf(row: Row, refunds: readonly StatementRefund[]): StatementTransaction {
  return {
    terminal: text(row, "terminal"),
    key: text(row, "key"),
    saleId: text(row, "sale_id"),
    sequence: count(row, "sequence"),
    amount: { minor: integer(row, "amount_minor"), currency: text(row, "currency") },
    mode: modeOf(row),
    state: stateOf(row),
    authorisation: textOrNull(row, "authorisation"),
    declineReason: declineReasonOf(row),
    gateway: text(row, "gateway"),
    card: text(row, "card_masked"),
    attempts: count(row, "attempts"),
    timeMs: count(row, "time_ms"),
    receivedMs: count(row, "received_ms"),
    settledMs: countOrNull(row, "settled_ms"),
    refundedMinor: refunds.reduce((sum, { state, minor }) => (state === "refunded" ? sum + minor : sum), 0n),
    refunds,
  };
}

function statementRefundOf(row: Row): StatementRefund {
  return {
    terminal: text(row, "terminal"),
    key: text(row, "key"),
    minor: integer(row, "amount_minor"),
    state: refundStateOf(row),
    refusal: refusalOf(row),
    timeMs: count(row, "time_ms"),
    receivedMs: count(row, "received_ms"),
    settledMs: countOrNull(row, "settled_ms"),
  };
}

function readAccounts(db: Db): AccountBalance[] {
  const select = `
    SELECT account, currency, layer,
      SUM(iif(side = 'debit', amount_minor, 0)) AS debit, SUM(iif(side = 'credit', amount_minor, 0)) AS credit
    FROM entries GROUP BY account, currency, layer ORDER BY account, currency, layer`;
  return prepared(db, select)
    .all()
    .map((row) => ({
      account: text(row, "account"),
      kind: accountKind(text(row, "account")),
      currency: text(row, "currency"),
      layer: text(row, "layer") === "pending" ? "pending" : "posted",
      debit: integer(row, "debit"),
      credit: integer(row, "credit"),
    }));
}

function accountsBalance(accounts: readonly AccountBalance[]): boolean {
  const differences = new Map<string, bigint>();
  for (const { currency, layer, debit, credit } of accounts) {
    const key = `${currency}|${layer}`;
    differences.set(key, (differences.get(key) ?? 0n) + debit - credit);
  }
  return [...differences.values()].every((difference) => difference === 0n);
}

function readTotals(db: Db): StateTotal[] {
  const select = `SELECT state, currency, COUNT(*) AS n, SUM(amount_minor) AS minor FROM charges
    GROUP BY state, currency ORDER BY state, currency`;
  return prepared(db, select)
    .all()
    .map((row) => ({
      state: stateOf(row),
      currency: text(row, "currency"),
      count: count(row, "n"),
      minor: integer(row, "minor"),
    }));
}

/** Refunds of every sale, also those that were refused because there is no such sale. */
function readRefundTotals(db: Db): RefundTotal[] {
  const select = `SELECT state, currency, COUNT(*) AS n, SUM(amount_minor) AS minor FROM refunds
    GROUP BY state, currency ORDER BY state, currency`;
  return prepared(db, select)
    .all()
    .map((row) => ({
      state: refundStateOf(row),
      currency: text(row, "currency"),
      count: count(row, "n"),
      minor: integer(row, "minor"),
    }));
}
