/**
 * Forgetting what is old, a bounded piece at a time, so that the counter never waits for it. The oldest goes first and
 * nothing out of order: positions say what is older, times only say how old it is.
 *
 * The file is not made smaller: SQLite uses the pages again, so it stays as large as the retention needs. auto_vacuum
 * would have to rewrite journals that exist already, adds pages to every transaction and moves rows about, all to give
 * back room that the next day needs again.
 */
import type { Link } from "./chain.ts";
import { anchorHash, keptHash } from "./sealed-rows.ts";
import { type Session, saveVerified } from "./sqlite-session.ts";
import type { Retention } from "./store.ts";

/** Events, and as many rows of each other kind, that go in one piece. */
export const PRUNE_ROWS = 500;

/** Sold sales that stay in any case, newest first: a clock that leaps ahead must not make the shop forget its day. */
export const KEPT_SALES = 1_000;

/** The settings that the events after the snapshot were decided by. */
export const KEPT_KINDS: readonly string[] = ["settings.applied"];

export type Forgotten = { readonly origin: Link; readonly more: boolean };

/** When something stops counting as old; null when the clock is behind the journal and cannot tell. */
export type Age = { readonly beforeMs: number; readonly nowMs: number };

/**
 * How many of the oldest items go. A time that lies in the future tells nothing, and the item goes with its
 * neighbours; the first that is too young ends the piece.
 */
export function leadingOld(items: readonly { readonly at_ms: number }[], { beforeMs, nowMs }: Age): number {
  const young = items.findIndex(({ at_ms }) => at_ms >= beforeMs && at_ms <= nowMs);
  return young === -1 ? items.length : young;
}

/** Runs inside a transaction. */
export function forgetOld(session: Session, retention: Retention, nowMs: number): Forgotten {
  const { statements, origin, head } = session;
  const newest = statements.timesFrom.get(head.position, 1);
  // A clock behind the newest event would find everything young or, with nonsense times, everything old.
  if (newest === undefined || newest.at_ms > nowMs) return { origin, more: false };
  const age: Age = { beforeMs: nowMs - retention.keepMs, nowMs };
  const events = forgetEvents(session, age, retention.keepEvents);
  const answered = forget(statements.answeredFrom.all(PRUNE_ROWS), age, (position) =>
    statements.forgetRow.run(position),
  );
  const spare = Math.max(0, Number(statements.salesCount.get()) - KEPT_SALES);
  const sales = forget(statements.oldestSales.all(Math.min(PRUNE_ROWS, spare)), age, (position) =>
    statements.forgetSale.run(position),
  );
  const refunds = forget(statements.oldestRefunds.all(PRUNE_ROWS), age, (position) =>
    statements.forgetRefund.run(position),
  );
  return { origin: events.origin, more: events.more || answered || sales || refunds };
}

function forgetEvents(session: Session, age: Age, keepEvents: number): Forgotten {
  const { statements, origin, head } = session;
  // What the snapshot does not hold stays, and the newest event in any case.
  const last = Math.min(head.position - Math.max(1, keepEvents), session.snapshot?.link.position ?? 0);
  const spare = last - origin.position;
  const oldest = statements.timesFrom.all(origin.position + 1, Math.min(PRUNE_ROWS, Math.max(0, spare)));
  const count = leadingOld(oldest, age);
  const newest = oldest[count - 1];
  if (newest === undefined) return { origin, more: false };
  const anchor: Link = { position: newest.position, hash: newest.hash };
  for (const kind of KEPT_KINDS) keepLast(session, kind, anchor.position);
  statements.saveAnchor.run(anchor.position, anchor.hash, anchorHash(anchor.position, anchor.hash));
  statements.forgetEvents.run(anchor.position);
  // All that is left was followed when it was opened or was written since.
  saveVerified(session, head);
  return { origin: anchor, more: count === PRUNE_ROWS };
}

/** What is about to be forgotten and must still be found. */
function keepLast({ statements }: Session, kind: string, upTo: number): void {
  const event = statements.lastOfKind.get(kind, upTo);
  if (event === undefined) return;
  statements.keepEvent.run(kind, event.position, keptHash(event.position, event.body), event.body);
}

/** Deletes the leading old rows; true when the piece was full. */
function forget(
  rows: readonly { readonly position: number; readonly at_ms: number }[],
  age: Age,
  remove: (position: number) => void,
): boolean {
  const count = leadingOld(rows, age);
  for (const { position } of rows.slice(0, count)) remove(position);
  return count === PRUNE_ROWS;
}
