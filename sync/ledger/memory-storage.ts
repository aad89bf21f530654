/**
 * The twin in memory of the ledger's storage, for simulations and tests: the same promises on `MemoryBooks` in place of
 * a file. Every operation is one synchronous piece that checks first and changes afterwards, so a crash can only fall
 * between two of them: it is to set the books' `holder` to null, forget the storage and open another. No promise occurs
 * in it. Left out is what is for people only: the audit log, and when a terminal was seen.
 */
import { Fault } from "../../daemon/core/fault.ts";
import { denyHash } from "../wire.ts";
import type { Charge, Learnt } from "./charge.ts";
import { honouringOf, moveOf, openingOf, UNRESOLVED } from "./charge.ts";
import { cardFingerprint } from "./fingerprint.ts";
import type { JournalClaim, Verdict } from "./journal-registry.ts";
import { bookingOf, type MemoryBooks, nameOf, post } from "./memory-books.ts";
import { closeAttempt, judgeTapOf, keep, newCharge, stepsOf, useTap } from "./memory-charges.ts";
import {
  beginRefundAttemptInMemory,
  dueRefundsInMemory,
  findRefundInMemory,
  hasRefundsInMemory,
  makeRefundsDueInMemory,
  openRefundInMemory,
  settleRefundInMemory,
} from "./memory-refunds.ts";
import {
  allowInMemory,
  deniedInMemory,
  denyInMemory,
  expectInMemory,
  greetInMemory,
  noteInMemory,
  recallFromMemory,
  terminalsInMemory,
} from "./memory-registry.ts";
import { memoryStatement, memoryTransactions } from "./memory-statement.ts";
import { isEarly } from "./patience.ts";
import type { Refund } from "./refund.ts";
import type {
  CardOfCharge,
  Denied,
  DeniedCard,
  RecallSearch,
  Remembered,
  TerminalRecord,
} from "./registry.ts";
import {
  type Alarm,
  type DeadLetter,
  MAX_ALARMS_PER_KIND,
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  type NewCharge,
  type NewRefund,
  type Opened,
  type OpenedRefund,
  type Operation,
  OVERFLOW_SUBJECT,
  type PromptLedgerStorage,
  type Raise,
  type RefundSettlement,
  type ReversalAsked,
  type Settlement,
  type Statement,
  type StatementFilter,
  type Transactions,
} from "./storage.ts";

export class MemoryLedgerStorage implements PromptLedgerStorage {
  readonly #books: MemoryBooks;

  constructor(books: MemoryBooks) {
    this.#books = books;
  }

  open(): void {
    if (this.#books.holder !== null) {
      throw new Fault("journal.locked", "these books are held by another ledger; stop it first");
    }
    this.#books.holder = this;
  }

  close(): void {
    if (this.#books.holder === this) this.#books.holder = null;
  }

  openCharge(fresh: NewCharge, nowMs: number): Opened {
    const books = this.#open();
    const { terminal, key } = fresh;
    const known = this.find(terminal, key);
    if (known !== undefined) {
      if (known.bodyHash !== fresh.bodyHash) return { kind: "conflict", charge: known };
      if (fresh.outbox !== null) noteInMemory(books, terminal, fresh.outbox);
      return { kind: "known", charge: known };
    }
    const card = cardFingerprint(books.salt, fresh.card.token);
    const opening = openingOf(fresh, {
      entombed: this.isEntombed(terminal, key),
      honoured: books.honours.has(nameOf(terminal, key)),
      tap: judgeTapOf(books, card, fresh),
    });
    const charge = newCharge(books, fresh, card, opening, nowMs);
    const booking = bookingOf(books, charge.id, stepsOf(charge, opening.steps));

    keep(books, charge);
    if (fresh.outbox !== null) noteInMemory(books, terminal, fresh.outbox);
    if (!books.cards.has(card))
      books.cards.set(card, Buffer.from(denyHash(fresh.card.token)).toString("hex"));
    for (const alarm of opening.alarms) this.raise({ ...alarm, subject: `${terminal} ${key}` }, nowMs);
    post(books, booking);
    if (opening.state !== "attempting") return { kind: "decided", charge };
    useTap(books, card, fresh.card.counter);
    return { kind: "opened", charge, attempt: this.beginAttempt(charge, "authorise", nowMs) };
  }

  find(terminal: string, key: string): Charge | undefined {
    const books = this.#open();
    const id = books.byKey.get(nameOf(terminal, key));
    return id === undefined ? undefined : books.charges[id - 1];
  }

  entomb(terminal: string, key: string, _saleId: string, _nowMs: number): boolean {
    if (this.find(terminal, key) !== undefined) return false;
    this.#open().tombstones.add(nameOf(terminal, key));
    return true;
  }

  isEntombed(terminal: string, key: string): boolean {
    return this.#open().tombstones.has(nameOf(terminal, key));
  }

  honour(terminal: string, key: string, saleId: string, nowMs: number): Charge | undefined {
    const books = this.#open();
    const charge = this.find(terminal, key);
    if (charge === undefined) {
      books.honours.add(nameOf(terminal, key));
      return undefined;
    }
    if (charge.saleId !== saleId) throw new Error(`charge ${charge.id} is not of sale ${saleId}`);
    if (charge.mode === "offline") return charge;
    const { steps, alarms } = honouringOf(charge);
    const booking = bookingOf(books, charge.id, stepsOf(charge, steps));
    const honoured: Charge = { ...charge, mode: "offline" };
    keep(books, honoured);
    post(books, booking);
    for (const alarm of alarms) this.raise({ ...alarm, subject: `${terminal} ${key}` }, nowMs);
    return honoured;
  }

  beginAttempt(charge: Charge, operation: Operation, nowMs: number): number {
    const books = this.#open();
    if (books.charges[charge.id - 1] === undefined) throw new Error(`there is no charge ${charge.id}`);
    books.lastAttempt += 1;
    const attempt = { id: books.lastAttempt, operation, startedMs: nowMs, result: null };
    const attempts = books.attempts.get(charge.id);
    if (attempts === undefined) books.attempts.set(charge.id, [attempt]);
    else attempts.push(attempt);
    return attempt.id;
  }

  beginResend(charge: Charge, sentBeforeMs: number | null, nowMs: number): number | null {
    const books = this.#open();
    if (books.charges[charge.id - 1]?.state !== charge.state)
      throw new Error(`charge ${charge.id} is not ${charge.state} any more`);
    const later = (books.attempts.get(charge.id) ?? []).some(
      ({ operation, startedMs }) =>
        operation === "authorise" && sentBeforeMs !== null && startedMs >= sentBeforeMs,
    );
    return later ? null : this.beginAttempt(charge, "authorise", nowMs);
  }

  askReversal(charge: Charge, nextResolveMs: number, nowMs: number): ReversalAsked {
    if (hasRefundsInMemory(this.#open(), charge.id)) return { kind: "refunded" };
    const learnt = { kind: "reversal-asked" } as const;
    const asked = { learnt, attempt: null, nextResolveMs, alarms: [], nowMs };
    return { kind: "reversing", charge: this.#settle(charge, asked) };
  }

  settle(charge: Charge, settlement: Settlement): Charge {
    return this.#settle(charge, settlement);
  }

  #settle(charge: Charge, settlement: Omit<Settlement, "learnt"> & { readonly learnt: Learnt }): Charge {
    const books = this.#open();
    const { learnt, attempt, nowMs } = settlement;
    const move = moveOf(charge, learnt);
    const current = books.charges[charge.id - 1];
    if (current === undefined || current.state !== charge.state || current.mode !== charge.mode) {
      throw new Error(`charge ${charge.id} is not ${charge.state} any more, or not ${charge.mode}`);
    }
    const booking = bookingOf(books, charge.id, stepsOf(charge, move.steps));
    const unresolved = UNRESOLVED.includes(move.state);
    const settled: Charge = {
      ...current,
      state: move.state,
      authorisation: learnt.kind === "approved" ? learnt.authorisation : current.authorisation,
      declineReason: learnt.kind === "declined" ? learnt.reason : current.declineReason,
      cardToken: unresolved ? current.cardToken : null,
      resolveCount: current.resolveCount + (attempt === null ? 0 : 1),
      nextResolveMs: settlement.nextResolveMs,
      settledMs: unresolved ? null : nowMs,
    };

    keep(books, settled);
    post(books, booking);
    if (attempt !== null) closeAttempt(books, charge, attempt);
    for (const alarm of settlement.alarms) this.raise(alarm, nowMs);
    return settled;
  }

  due(nowMs: number, limit: number): readonly Charge[] {
    if (this.#open().unresolved.size === 0) return [];
    return this.#unresolved()
      .filter(({ nextResolveMs }) => !isEarly(nextResolveMs, nowMs))
      .sort((a, b) => a.nextResolveMs - b.nextResolveMs)
      .slice(0, limit);
  }

  makeAllDue(nowMs: number): number {
    const books = this.#open();
    const unresolved = this.#unresolved();
    for (const charge of unresolved) keep(books, { ...charge, nextResolveMs: nowMs });
    return unresolved.length + makeRefundsDueInMemory(books, nowMs);
  }

  openRefund(fresh: NewRefund, nowMs: number): OpenedRefund {
    return openRefundInMemory(this.#open(), fresh, nowMs);
  }

  findRefund(terminal: string, key: string): Refund | undefined {
    return findRefundInMemory(this.#open(), terminal, key);
  }

  beginRefundAttempt(refund: Refund, nowMs: number): number {
    return beginRefundAttemptInMemory(this.#open(), refund, nowMs);
  }

  settleRefund(refund: Refund, settlement: RefundSettlement): Refund {
    const settled = settleRefundInMemory(this.#open(), refund, settlement);
    for (const alarm of settlement.alarms) this.raise(alarm, settlement.nowMs);
    return settled;
  }

  dueRefunds(nowMs: number, limit: number): readonly Refund[] {
    return dueRefundsInMemory(this.#open(), nowMs, limit);
  }

  greet(terminal: string, claim: JournalClaim, nowMs: number): Verdict {
    const verdict = greetInMemory(this.#open(), terminal, claim, nowMs);
    if (verdict.kind !== "welcome") {
      this.raise({ kind: `journal-${verdict.kind}`, subject: terminal, detail: verdict.because }, nowMs);
    }
    return verdict;
  }

  expectJournal(terminal: string, journalId: string): boolean {
    return expectInMemory(this.#open(), terminal, journalId);
  }

  terminals(limit: number): readonly TerminalRecord[] {
    return terminalsInMemory(this.#open(), limit);
  }

  recall(terminal: string, search: RecallSearch): Remembered {
    return recallFromMemory(this.#open(), terminal, search);
  }

  denied(): Denied {
    return deniedInMemory(this.#open());
  }

  deny(denied: Omit<DeniedCard, "sinceMs">, nowMs: number): number {
    return denyInMemory(this.#open(), denied, nowMs);
  }

  allow(card: string, _by: string, nowMs: number): number | undefined {
    return allowInMemory(this.#open(), card, nowMs);
  }

  cardOfCharge(terminal: string, key: string): CardOfCharge | undefined {
    const charge = this.find(terminal, key);
    if (charge === undefined) return undefined;
    return { card: this.#open().cards.get(charge.card) ?? null, masked: charge.cardMasked };
  }

  raise(alarm: Raise, nowMs: number): void {
    const { alarms, alarmCounts } = this.#open();
    const { kind, detail } = alarm;
    const count = alarmCounts.get(kind) ?? 0;
    const full = !alarms.has(nameOf(kind, alarm.subject)) && count >= MAX_ALARMS_PER_KIND;
    const subject = full ? OVERFLOW_SUBJECT : alarm.subject;
    const known = alarms.get(nameOf(kind, subject));
    if (known === undefined) alarmCounts.set(kind, count + 1);
    alarms.set(
      nameOf(kind, subject),
      known === undefined
        ? { kind, subject, detail, count: 1, firstMs: nowMs, lastMs: nowMs }
        : { ...known, detail, count: known.count + 1, lastMs: nowMs },
    );
  }

  bury(letter: DeadLetter, nowMs: number): void {
    const { deadLetters } = this.#open();
    if (deadLetters.length < MAX_DEAD_LETTERS) {
      const payload = letter.payload.slice(0, MAX_DEAD_LETTER_BYTES);
      deadLetters.push({ ...letter, payload, bytes: letter.payload.byteLength, receivedMs: nowMs });
    }
    this.raise({ kind: "dead-letter", subject: letter.topic, detail: letter.reason }, nowMs);
  }

  alarms(limit: number): readonly Alarm[] {
    return [...this.#open().alarms.values()]
      .sort((a, b) => b.lastMs - a.lastMs || compare(a.kind, b.kind) || compare(a.subject, b.subject))
      .slice(0, limit);
  }

  transactions(filter: StatementFilter): Transactions {
    return memoryTransactions(this.#open(), filter);
  }

  statement(filter: StatementFilter): Statement {
    return memoryStatement(this.#open(), filter);
  }

  #open(): MemoryBooks {
    if (this.#books.holder !== this) throw new Error("the ledger's storage is not open");
    return this.#books;
  }

  #unresolved(): Charge[] {
    const books = this.#open();
    return [...books.unresolved].flatMap((id) => books.charges[id - 1] ?? []);
  }
}

/** By code units, as SQLite's binary order for the names that occur here. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
