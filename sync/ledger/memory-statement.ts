/** The statement of the books in memory, from the sums that every posting adds to. */
import type { Money } from "../../daemon/core/money.ts";
import type { Charge } from "./charge.ts";
import { type MemoryBooks, nameOf } from "./memory-books.ts";
import { accountKind, type Layer } from "./posting.ts";
import type { Refund } from "./refund.ts";
import type {
  AccountBalance,
  Statement,
  StatementFilter,
  StatementRefund,
  StatementTransaction,
  Transactions,
} from "./storage.ts";

export function memoryStatement(books: MemoryBooks, filter: StatementFilter): Statement {
  return {
    ...memoryTransactions(books, filter),
    accounts: accountsOf(books),
    totals: totalsOf(books.charges),
    refundTotals: totalsOf(books.refunds),
    balanced: isWhole(books),
  };
}

export function memoryTransactions(books: MemoryBooks, filter: StatementFilter): Transactions {
  const found = chargesOf(books, filter);
  return {
    transactions: found.slice(0, filter.limit).map((charge) => transactionOf(books, charge)),
    truncated: found.length > filter.limit,
  };
}

/** Whether debits equal credits in every currency and layer, over all that was ever posted. */
export function isWhole(books: MemoryBooks): boolean {
  const differences = new Map<string, bigint>();
  for (const [name, { debit, credit }] of books.balances) {
    const sum = name.slice(name.indexOf("|"));
    differences.set(sum, (differences.get(sum) ?? 0n) + debit - credit);
  }
  return [...differences.values()].every((difference) => difference === 0n);
}

function chargesOf(books: MemoryBooks, { terminal, key }: StatementFilter): readonly Charge[] {
  if (terminal !== undefined && key !== undefined) {
    const id = books.byKey.get(nameOf(terminal, key));
    return books.charges.filter((charge) => charge.id === id);
  }
  return books.charges.filter(
    (charge) =>
      (terminal === undefined || charge.terminal === terminal) && (key === undefined || charge.key === key),
  );
}

function transactionOf(books: MemoryBooks, charge: Charge): StatementTransaction {
  const { terminal, key, saleId, sequence, amount, mode, state } = charge;
  const { authorisation, declineReason, gateway, timeMs, receivedMs, settledMs } = charge;
  return {
    terminal,
    key,
    saleId,
    sequence,
    amount,
    mode,
    state,
    authorisation,
    declineReason,
    gateway,
    card: charge.cardMasked,
    attempts: books.attempts.get(charge.id)?.length ?? 0,
    timeMs,
    receivedMs,
    settledMs,
    refundedMinor: books.refundedMinor(charge.id),
    refunds: books.refundsOf(charge.id).map(statementRefundOf),
  };
}

function statementRefundOf(refund: Refund): StatementRefund {
  const { terminal, key, amount, state, refusal, timeMs, receivedMs, settledMs } = refund;
  return { terminal, key, minor: amount.minor, state, refusal, timeMs, receivedMs, settledMs };
}

function accountsOf(books: MemoryBooks): AccountBalance[] {
  return [...books.balances]
    .map(([name, { debit, credit }]) => {
      const [account = "", currency = "", layer] = name.split("|");
      const of: Layer = layer === "pending" ? "pending" : "posted";
      return { account, kind: accountKind(account), currency, layer: of, debit, credit };
    })
    .sort(
      (a, b) => compare(a.account, b.account) || compare(a.currency, b.currency) || compare(a.layer, b.layer),
    );
}

type StateSum<State> = {
  readonly state: State;
  readonly currency: string;
  readonly count: number;
  readonly minor: bigint;
};

function totalsOf<State extends string>(
  items: readonly { readonly state: State; readonly amount: Money }[],
): StateSum<State>[] {
  const totals = new Map<string, StateSum<State>>();
  for (const { state, amount } of items) {
    const { currency, minor } = amount;
    const name = `${state}|${currency}`;
    const before = totals.get(name) ?? { state, currency, count: 0, minor: 0n };
    totals.set(name, { ...before, count: before.count + 1, minor: before.minor + minor });
  }
  return [...totals.values()].sort((a, b) => compare(a.state, b.state) || compare(a.currency, b.currency));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
