/**
 * The "file" of the ledger's storage in memory: everything a ledger would find again after a crash, with the indexes
 * that make it quick. It outlives the storage that wrote it.
 *
 * What the SQLite file refuses by unique columns and foreign keys is refused here by hand, and before anything is
 * changed, so a change that is refused leaves nothing behind.
 */
import type { Charge } from "./charge.ts";
import type { Balance, Entry, Transfer } from "./posting.ts";
import { balancesOf, entriesOf, isBalanced } from "./posting.ts";
import type { Refund } from "./refund.ts";
import type { DeniedCard, TerminalRecord } from "./registry.ts";
import type { Alarm, AlarmKind, DeadLetter, Operation } from "./storage.ts";

export type MemoryAttempt = {
  readonly id: number;
  readonly operation: Operation;
  readonly startedMs: number;
  readonly result: string | null;
};

/** What was seen of one card. */
export type MemoryTaps = { readonly last: number; readonly used: Set<number> };

export class MemoryBooks {
  /** The storage that has it open; a crash is to set it to null. */
  holder: object | null = null;
  readonly salt: Uint8Array;

  /** A charge's id is its place in here, counted from 1. */
  readonly charges: Charge[] = [];
  readonly byKey = new Map<string, number>();
  readonly byTerminal = new Map<string, number[]>();
  readonly bySale = new Map<string, number[]>();
  readonly unresolved = new Set<number>();
  readonly tombstones = new Set<string>();
  /** Goods handed over for charges that have not arrived. */
  readonly honours = new Set<string>();
  /** A refund's id is its place in here, counted from 1. */
  readonly refunds: Refund[] = [];
  readonly refundsByKey = new Map<string, number>();
  readonly refundsByCharge = new Map<number, number[]>();
  readonly unresolvedRefunds = new Set<number>();
  readonly attempts = new Map<number, MemoryAttempt[]>();
  /** How many attempts were begun. */
  lastAttempt = 0;
  readonly taps = new Map<string, MemoryTaps>();
  readonly transfers = new Map<string, Transfer>();
  /** Ids of transfers that are resolved or undone. */
  readonly resolved = new Set<string>();
  /** Sums of all entries, by account, currency and layer. */
  readonly balances = new Map<string, Balance>();
  readonly alarms = new Map<string, Alarm>();
  /** Subjects of each kind of alarm. */
  readonly alarmCounts = new Map<AlarmKind, number>();
  readonly deadLetters: (DeadLetter & { readonly bytes: number; readonly receivedMs: number })[] = [];

  /** The journal that each terminal sells with. */
  readonly terminals = new Map<string, TerminalRecord>();
  /** Every journal that was ever welcome, by terminal and journal. */
  readonly journals = new Map<string, { readonly highestPosition: number; readonly firstMs: number }>();
  /** The deny list's hash of each card of the books. */
  readonly cards = new Map<string, string>();
  readonly denied = new Map<string, DeniedCard>();
  denyVersion = 0;

  /** Two ledgers that share one gateway need two salts; the same salt gives the same keys in every run. */
  constructor(salt = "memory") {
    this.salt = new TextEncoder().encode(salt);
  }

  refundsOf(chargeId: number): readonly Refund[] {
    return (this.refundsByCharge.get(chargeId) ?? []).flatMap((id) => this.refunds[id - 1] ?? []);
  }

  /** What was given back of a charge. */
  refundedMinor(chargeId: number): bigint {
    return this.refundsOf(chargeId).reduce(
      (sum, { state, amount }) => (state === "refunded" ? sum + amount.minor : sum),
      0n,
    );
  }
}

/** A charge by the terminal and the key that it came under. */
export function nameOf(terminal: string, key: string): string {
  return `${terminal}\n${key}`;
}

export function saleName(merchant: string, saleId: string): string {
  return `${merchant}\n${saleId}`;
}

/** Transfers and their entries that were checked and may be stored. */
export type Booking = { readonly transfers: readonly Transfer[]; readonly entries: readonly Entry[] };

/**
 * Checks what a charge or a refund of it posts. Throws when debits and credits differ, a transfer exists already, or a hold would be resolved
 * twice; changes nothing.
 */
export function bookingOf(books: MemoryBooks, chargeId: number, transfers: readonly Transfer[]): Booking {
  const ids = new Set<string>();
  const resolved = new Set<string>();
  for (const { id, resolves } of transfers) {
    if (books.transfers.has(id) || ids.has(id)) throw new Error(`transfer ${id} exists already`);
    ids.add(id);
    if (resolves === null) continue;
    if (!books.transfers.has(resolves))
      throw new Error(`transfer ${id} resolves ${resolves}, which is not there`);
    if (books.resolved.has(resolves) || resolved.has(resolves))
      throw new Error(`transfer ${resolves} is resolved already`);
    resolved.add(resolves);
  }
  const entries = transfers.flatMap(entriesOf);
  if (!isBalanced(entries)) throw new Error(`the postings of charge ${chargeId} do not balance`);
  return { transfers, entries };
}

/** Stores what `bookingOf` has checked. */
export function post(books: MemoryBooks, booking: Booking): void {
  for (const transfer of booking.transfers) {
    books.transfers.set(transfer.id, transfer);
    if (transfer.resolves !== null) books.resolved.add(transfer.resolves);
  }
  for (const [name, { debit, credit }] of balancesOf(booking.entries)) {
    const before = books.balances.get(name) ?? { debit: 0n, credit: 0n };
    books.balances.set(name, { debit: before.debit + debit, credit: before.credit + credit });
  }
}
