/** What one append writes, piece by piece, inside its transaction. The session changes when that has succeeded. */
import { toCanonicalJson } from "./canonical-json.ts";
import { type Link, nextLink, rowHash } from "./chain.ts";
import { type Snapshot, type Waiting, withoutRow, withRow } from "./seal.ts";
import { counterHash, refundHash, saleHash } from "./sealed-rows.ts";
import { type Session, saveSnapshot } from "./sqlite-session.ts";
import type { Commit, JournalEvent } from "./store.ts";

/** A state that is shorter than this is written with every append: it costs less than to read events again. */
export const SMALL_STATE = 4_096;

/** The last link, and how many characters the events are long. */
export function writeEvents(
  session: Session,
  events: readonly JournalEvent[],
): { readonly head: Link; readonly weight: number } {
  let link = session.head;
  let weight = 0;
  for (const event of events) {
    const body = toCanonicalJson(event);
    link = nextLink(link, body);
    weight += body.length;
    session.statements.insertRecord.run(link.position, body, link.hash);
  }
  return { head: link, weight };
}

/**
 * Writes the state when the events since the last snapshot weigh as much as it, so that the cost of an append does not
 * grow with what waits. Before the first append of a session there is no state to write.
 */
export function takeSnapshot(
  session: Session,
  link: Link,
  state: unknown,
  weight: number,
): Pick<Session, "snapshot" | "sinceSnapshot"> {
  const { snapshot } = session;
  const sinceSnapshot = session.sinceSnapshot + weight;
  const length = snapshot?.body.length ?? 0;
  if (state === undefined || (length >= SMALL_STATE && sinceSnapshot < length))
    return { snapshot, sinceSnapshot };
  if (snapshot?.link.position === link.position) return { snapshot, sinceSnapshot: 0 };
  const taken: Snapshot = { link, body: toCanonicalJson(state) };
  saveSnapshot(session, taken);
  return { snapshot: taken, sinceSnapshot: 0 };
}

/** The queue as it is after the append. Throws plain Error for another request under an id that exists. */
export function writeOutbox(
  { statements, unsavedSends, ...before }: Session,
  { outbox, acknowledged }: Pick<Commit<JournalEvent, unknown>, "outbox" | "acknowledged">,
  atMs: number,
): { readonly waiting: Waiting; readonly lastRow: number } {
  let { waiting, lastRow } = before;
  for (const { id, request } of outbox) {
    const text = toCanonicalJson(request);
    const position = lastRow + 1;
    const hash = rowHash(position, id, text);
    if (statements.insertRow.run(position, id, text, hash, atMs).changes === 1) {
      lastRow = position;
      waiting = withRow(waiting, { position, hash });
    } else if (statements.requestOf.get(id)?.request !== text) {
      throw new Error(`outbox row ${id} exists with another request`);
    }
  }
  for (const answer of acknowledged) {
    const { requestId, outcome } = answer;
    const row = statements.acknowledge.get(atMs, toCanonicalJson(answer), requestId);
    if (row === undefined) continue;
    waiting = withoutRow(waiting, row);
    if (outcome.kind === "refused")
      statements.insertDeadLetter.run(requestId, `refused: ${outcome.reason}`, atMs);
  }
  for (const [id, count] of unsavedSends) statements.addSent.run(count, id);
  return { waiting, lastRow };
}

/** Card counters, and what staff will look for. */
export function writeBeside(
  { statements }: Session,
  {
    cardCounters,
    sold = [],
    refunds = [],
  }: Pick<Commit<JournalEvent, unknown>, "cardCounters" | "sold" | "refunds">,
  atMs: number,
): void {
  for (const { token, counter } of cardCounters)
    statements.saveCounter.run(token, counter, counterHash(token, counter));
  for (const sale of sold) {
    const body = toCanonicalJson(sale);
    statements.insertSale.run(sale.saleId, atMs, saleHash(body), body);
  }
  for (const refund of refunds) {
    const body = toCanonicalJson(refund);
    statements.insertRefund.run(refund.key, refund.saleId, atMs, refundHash(body), body);
  }
}
