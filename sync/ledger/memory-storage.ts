/**
 * The twin in memory of the ledger's storage, for simulations and tests: the same promises on `MemoryBooks` in place of
 * a file. Every operation is one synchronous piece that checks first and changes afterwards, so a crash can only fall
 * between two of them: it is to set the books' `holder` to null, forget the storage and open another. No promise occurs
 * in it. Left out is what is for people only: the audit log, and when a terminal was seen.
 */
import { Fault } from "../../daemon/core/fault.ts";
import type { Charge, ChargeState } from "./charge.ts";
import { judgeTap, moveOf, refusalOf, UNRESOLVED } from "./charge.ts";
import { cardFingerprint, gatewayKeyOf } from "./fingerprint.ts";
import { bookingOf, type MemoryBooks, nameOf, post } from "./memory-books.ts";
import { memoryStatement } from "./memory-statement.ts";
import {
  type Alarm,
  type DeadLetter,
  MAX_ALARMS_PER_KIND,
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  type NewCharge,
  type Opened,
  type Operation,
  OVERFLOW_SUBJECT,
  type PromptLedgerStorage,
  type Raise,
  RESOLVE_HORIZON_MS,
  type Settlement,
  type Statement,
  type StatementFilter,
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
    const known = this.find(fresh.terminal, fresh.key);
    if (known !== undefined) {
      return { kind: known.bodyHash === fresh.bodyHash ? "known" : "conflict", charge: known };
    }
    const card = cardFingerprint(books.salt, fresh.card.token);
    const entombed = this.isEntombed(fresh.terminal, fresh.key);
    const { counter } = fresh.card;
    const taps = books.taps.get(card);
    const verdict = entombed
      ? "fresh"
      : judgeTap({
          counter,
          mode: fresh.mode,
          last: taps?.last ?? null,
          used: taps?.used.has(counter) ?? false,
        });
    const refusal = entombed ? null : refusalOf(verdict, fresh.denied);
    const state = entombed ? "reversed" : refusal === null ? "attempting" : "declined";
    const charge = { ...newCharge(books, fresh, card, state, nowMs), declineReason: refusal };
    const booking = bookingOf(books, charge, state === "attempting" ? ["hold"] : []);

    keep(books, charge);
    const subject = `${fresh.terminal} ${fresh.key}`;
    if (verdict !== "fresh") {
      const kind = verdict === "late" ? "card-counter-late" : "card-replayed";
      this.raise({ kind, subject, detail: `counter ${counter}` }, nowMs);
    }
    if (refusal === "card-blocked")
      this.raise({ kind: "card-denied", subject, detail: fresh.card.masked }, nowMs);
    if (state !== "attempting") return { kind: "decided", charge };
    books.taps.set(card, {
      last: Math.max(counter, taps?.last ?? counter),
      used: (taps?.used ?? new Set<number>()).add(counter),
    });
    post(books, booking);
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

  lastAuthoriseMs(charge: Charge): number | null {
    const started = (this.#open().attempts.get(charge.id) ?? [])
      .filter(({ operation }) => operation === "authorise")
      .map(({ startedMs }) => startedMs);
    return started.length === 0 ? null : Math.max(...started);
  }

  settle(charge: Charge, settlement: Settlement): Charge {
    const books = this.#open();
    const { learnt, attempt, nowMs } = settlement;
    const move = moveOf(charge, learnt);
    const current = books.charges[charge.id - 1];
    if (current === undefined || current.state !== charge.state) {
      throw new Error(`charge ${charge.id} is not ${charge.state} any more`);
    }
    const booking = bookingOf(books, charge, move.steps);
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
    const horizonMs = nowMs + RESOLVE_HORIZON_MS;
    return this.#unresolved()
      .filter(({ nextResolveMs }) => nextResolveMs <= nowMs || nextResolveMs > horizonMs)
      .sort((a, b) => a.nextResolveMs - b.nextResolveMs)
      .slice(0, limit);
  }

  makeAllDue(nowMs: number): number {
    const books = this.#open();
    const unresolved = this.#unresolved();
    for (const charge of unresolved) keep(books, { ...charge, nextResolveMs: nowMs });
    return unresolved.length;
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

function newCharge(
  books: MemoryBooks,
  fresh: NewCharge,
  card: string,
  state: ChargeState,
  nowMs: number,
): Omit<Charge, "declineReason"> {
  const attempting = state === "attempting";
  return {
    id: books.charges.length + 1,
    terminal: fresh.terminal,
    key: fresh.key,
    bodyHash: fresh.bodyHash,
    saleId: fresh.saleId,
    sequence: fresh.sequence,
    merchant: fresh.merchant,
    amount: fresh.amount,
    vat: fresh.vat,
    mode: fresh.mode,
    card,
    cardMasked: fresh.card.masked,
    cardToken: attempting ? fresh.card.token : null,
    state,
    gateway: fresh.gateway,
    gatewayKey: gatewayKeyOf(books.salt, fresh.terminal, fresh.key),
    authorisation: null,
    resolveCount: 0,
    nextResolveMs: fresh.nextResolveMs,
    timeMs: fresh.timeMs,
    receivedMs: nowMs,
    settledMs: attempting ? null : nowMs,
  };
}

/** Stores a charge, new or changed, with its indexes. */
function keep(books: MemoryBooks, charge: Charge): void {
  if (charge.id > books.charges.length) {
    books.byKey.set(nameOf(charge.terminal, charge.key), charge.id);
    const ids = books.byTerminal.get(charge.terminal);
    if (ids === undefined) books.byTerminal.set(charge.terminal, [charge.id]);
    else ids.push(charge.id);
  }
  books.charges[charge.id - 1] = charge;
  if (UNRESOLVED.includes(charge.state)) books.unresolved.add(charge.id);
  else books.unresolved.delete(charge.id);
}

function closeAttempt(books: MemoryBooks, charge: Charge, closed: { id: number; result: string }): void {
  const attempts = books.attempts.get(charge.id) ?? [];
  const index = attempts.findIndex(({ id }) => id === closed.id);
  const attempt = attempts[index];
  if (attempt !== undefined) attempts[index] = { ...attempt, result: closed.result };
}

/** By code units, as SQLite's binary order for the names that occur here. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
