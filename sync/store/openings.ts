/**
 * The random numbers of a journal's openings since the ledger last welcomed it, oldest first, the present one last. The
 * ledger lets a journal in that names the opening which it welcomed last (sync/ledger/journal-registry.ts).
 *
 * A list begins with an opening that the ledger is known to have welcomed, or with the journal's first. It grows with
 * every opening that never reaches the ledger; what goes then is in the middle, because the first is the one that the
 * ledger most probably knows.
 */
import { MAX_OPENINGS } from "../wire/limits.ts";

/** The list after one more opening. */
export function withOpening(openings: readonly string[], bootNonce: string): readonly string[] {
  const [first, ...later] = [...openings, bootNonce];
  if (first === undefined || later.length < MAX_OPENINGS) return [...openings, bootNonce];
  return [first, ...later.slice(1 - MAX_OPENINGS)];
}

/** As it is written in a file: a nonce holds no comma. */
export function openingsText(openings: readonly string[]): string {
  return openings.join(",");
}

/** Reads what `openingsText` wrote. Of a damaged file anything may come: it is found out by the row's hash. */
export function readOpenings(text: unknown): readonly string[] {
  const written = String(text);
  return written === "" ? [] : written.split(",");
}
