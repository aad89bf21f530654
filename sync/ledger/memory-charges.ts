/** Charges, their taps and their attempts in memory: what MemoryLedgerStorage stores them with. */
import type { Charge, Opening } from "./charge.ts";
import { judgeTap, UNRESOLVED } from "./charge.ts";
import { gatewayKeyOf } from "./fingerprint.ts";
import { type MemoryBooks, nameOf, saleName } from "./memory-books.ts";
import { type Step, type Transfer, transfersOf } from "./posting.ts";
import type { NewCharge } from "./storage.ts";

export function stepsOf(charge: Charge, steps: readonly Step[]): readonly Transfer[] {
  return steps.flatMap((step) => transfersOf(charge, step));
}

export function judgeTapOf(books: MemoryBooks, card: string, fresh: NewCharge): ReturnType<typeof judgeTap> {
  const taps = books.taps.get(card);
  const { counter } = fresh.card;
  const used = taps?.used.has(counter) ?? false;
  return judgeTap({ counter, mode: fresh.mode, last: taps?.last ?? null, used });
}

export function useTap(books: MemoryBooks, card: string, counter: number): void {
  const taps = books.taps.get(card);
  books.taps.set(card, {
    last: Math.max(counter, taps?.last ?? counter),
    used: (taps?.used ?? new Set<number>()).add(counter),
  });
}

export function newCharge(
  books: MemoryBooks,
  fresh: NewCharge,
  card: string,
  opening: Opening,
  nowMs: number,
): Charge {
  const attempting = opening.state === "attempting";
  if (fresh.amount.minor <= 0n) throw new Error(`a charge of ${fresh.amount.minor}`);
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
    mode: opening.mode,
    card,
    cardMasked: fresh.card.masked,
    cardToken: attempting ? fresh.card.token : null,
    state: opening.state,
    gateway: fresh.gateway,
    gatewayKey: gatewayKeyOf(books.salt, fresh.terminal, fresh.key),
    authorisation: null,
    declineReason: opening.declineReason,
    resolveCount: 0,
    nextResolveMs: fresh.nextResolveMs,
    timeMs: fresh.timeMs,
    receivedMs: nowMs,
    settledMs: attempting ? null : nowMs,
  };
}

/** Stores a charge, new or changed, with its indexes. */
export function keep(books: MemoryBooks, charge: Charge): void {
  const { id, terminal, key, merchant, saleId } = charge;
  if (id > books.charges.length) {
    books.byKey.set(nameOf(terminal, key), id);
    index(books.byTerminal, terminal, id);
    index(books.bySale, saleName(merchant, saleId), id);
  }
  books.charges[id - 1] = charge;
  if (UNRESOLVED.includes(charge.state)) books.unresolved.add(id);
  else books.unresolved.delete(id);
}

function index(ids: Map<string, number[]>, name: string, id: number): void {
  const known = ids.get(name);
  if (known === undefined) ids.set(name, [id]);
  else known.push(id);
}

export function closeAttempt(
  books: MemoryBooks,
  charge: Charge,
  closed: { id: number; result: string },
): void {
  const attempts = books.attempts.get(charge.id) ?? [];
  const index = attempts.findIndex(({ id }) => id === closed.id);
  const attempt = attempts[index];
  if (attempt !== undefined) attempts[index] = { ...attempt, result: closed.result };
}
