/** Terminals, their journals, denied cards and what terminals recall, in memory: the twin of registry-sqlite.ts. */
import type { RecalledSale } from "../../daemon/core/staff.ts";
import { type JournalClaim, type Verdict, verdictOf } from "./journal-registry.ts";
import type { MemoryBooks } from "./memory-books.ts";
import type {
  Denied,
  DeniedCard,
  OutboxPlace,
  RecallSearch,
  Remembered,
  TerminalRecord,
} from "./registry.ts";
import { nextVersion, recalledSale } from "./registry.ts";

export function greetInMemory(
  books: MemoryBooks,
  terminal: string,
  claim: JournalClaim,
  nowMs: number,
): Verdict {
  const current = books.terminals.get(terminal) ?? null;
  const verdict = verdictOf(current, claim);
  if (verdict.kind !== "welcome") return verdict;
  const { journalId, boots, bootNonce } = claim;
  const name = journalName(terminal, journalId);
  const seen = books.journals.get(name) ?? { highestPosition: 0, firstMs: nowMs };
  books.journals.set(name, seen);
  const expected = current?.expected === journalId ? null : (current?.expected ?? null);
  books.terminals.set(terminal, { terminal, journalId, boots, bootNonce, expected, ...seen, lastMs: nowMs });
  return verdict;
}

export function expectInMemory(books: MemoryBooks, terminal: string, journalId: string): boolean {
  const current = books.terminals.get(terminal);
  if (current === undefined) return false;
  books.terminals.set(terminal, { ...current, expected: journalId });
  return true;
}

export function noteInMemory(books: MemoryBooks, terminal: string, place: OutboxPlace): void {
  const { journalId, position } = place;
  const name = journalName(terminal, journalId);
  const seen = books.journals.get(name);
  if (seen === undefined || seen.highestPosition >= position) return;
  books.journals.set(name, { ...seen, highestPosition: position });
  const current = books.terminals.get(terminal);
  if (current?.journalId !== journalId) return;
  books.terminals.set(terminal, { ...current, highestPosition: position });
}

export function terminalsInMemory(books: MemoryBooks, limit: number): readonly TerminalRecord[] {
  return [...books.terminals.values()].sort((a, b) => (a.terminal < b.terminal ? -1 : 1)).slice(0, limit);
}

export function recallFromMemory(
  books: MemoryBooks,
  terminal: string,
  { afterSequence, sinceMs, limit }: RecallSearch,
): Remembered {
  const charges = (books.byTerminal.get(terminal) ?? []).flatMap((id) => books.charges[id - 1] ?? []);
  const sales: RecalledSale[] = charges
    .filter(({ sequence, receivedMs }) => sequence > afterSequence && receivedMs >= sinceMs)
    .sort((a, b) => a.sequence - b.sequence || last(a.state) - last(b.state) || a.id - b.id)
    .slice(0, limit)
    .map((charge) => recalledSale(charge, books.refundedMinor(charge.id)));
  return { lastSequence: charges.reduce((last, { sequence }) => Math.max(last, sequence), 0), sales };
}

export function denyInMemory(books: MemoryBooks, denied: Omit<DeniedCard, "sinceMs">, nowMs: number): number {
  const before = books.denied.get(denied.card);
  books.denied.set(denied.card, {
    ...denied,
    masked: denied.masked ?? before?.masked ?? null,
    sinceMs: before?.sinceMs ?? nowMs,
  });
  books.denyVersion = nextVersion(books.denyVersion, nowMs);
  return books.denyVersion;
}

export function allowInMemory(books: MemoryBooks, card: string, nowMs: number): number | undefined {
  if (!books.denied.delete(card)) return undefined;
  books.denyVersion = nextVersion(books.denyVersion, nowMs);
  return books.denyVersion;
}

export function deniedInMemory(books: MemoryBooks): Denied {
  const cards = [...books.denied.values()].sort(
    (a, b) => a.sinceMs - b.sinceMs || (a.card < b.card ? -1 : 1),
  );
  return { version: books.denyVersion, cards };
}

function journalName(terminal: string, journalId: string): string {
  return `${terminal}\n${journalId}`;
}

/** Charges that took no money come after those of the same sequence that did or may have. */
function last(state: string): number {
  return state === "declined" || state === "reversed" ? 1 : 0;
}
