/** What one append changes in a medium, prepared by the store: nothing here can fail. */
import type { Link } from "./chain.ts";
import type { MemoryContent, MemoryRecord, MemoryRow } from "./memory-medium.ts";
import type { Commit, JournalEvent } from "./store.ts";

type AnyCommit = Commit<JournalEvent, unknown>;

/** What an append will change, made before anything is changed. */
export type Prepared = {
  readonly head: Link;
  readonly records: readonly MemoryRecord[];
  readonly state: MemoryContent["state"];
  readonly sinceSnapshot: number;
  readonly rows: readonly MemoryRow[];
  readonly atMs: number;
};

export function applyEvents(
  content: MemoryContent,
  { events }: AnyCommit,
  { head, records, state, sinceSnapshot, atMs }: Prepared,
): void {
  let position = content.head.position;
  for (const event of events) {
    position += 1;
    content.newest.set(event.kind, { position, event });
  }
  for (const record of records) content.records.push(record);
  content.head = head;
  content.newestMs = atMs;
  content.state = state;
  content.sinceSnapshot = sinceSnapshot;
}

export function applyRows(
  content: MemoryContent,
  { acknowledged }: AnyCommit,
  { rows, atMs }: Prepared,
): void {
  for (const row of rows) {
    content.rows.set(row.id, row);
    content.waiting.set(row.id, row);
    content.lastRow = row.position;
  }
  for (const { requestId: id, outcome } of acknowledged) {
    const row = content.waiting.get(id);
    if (row === undefined) continue;
    row.status = "acknowledged";
    row.answeredMs = atMs;
    content.waiting.delete(id);
    if (outcome.kind === "refused")
      content.deadLetters.set(id, { id, reason: `refused: ${outcome.reason}`, atMs });
  }
}

export function applyBeside(
  content: MemoryContent,
  { cardCounters, sold = [], refunds = [] }: AnyCommit,
  at_ms: number,
): void {
  for (const { token, counter } of cardCounters)
    content.counters.set(token, Math.max(counter, content.counters.get(token) ?? counter));
  for (const sale of sold) {
    if (!content.sold.has(sale.saleId)) content.sold.set(sale.saleId, { sale, at_ms });
  }
  for (const refund of refunds) {
    if (!content.refunds.has(refund.key)) content.refunds.set(refund.key, { refund, at_ms });
  }
}

/** Takes an append back that a power cut undoes. Made before it is applied. */
export function takingBack(content: MemoryContent, commit: AnyCommit, { rows }: Prepared): () => void {
  const { head, newestMs, state, sinceSnapshot, lastRow } = content;
  const events = content.records.length;
  const answered = commit.acknowledged.flatMap(({ requestId }) => content.waiting.get(requestId) ?? []);
  const restored = [
    restoring(
      content.newest,
      commit.events.map(({ kind }) => kind),
    ),
    restoring(
      content.counters,
      commit.cardCounters.map(({ token }) => token),
    ),
    restoring(
      content.sold,
      (commit.sold ?? []).map(({ saleId }) => saleId),
    ),
    restoring(
      content.refunds,
      (commit.refunds ?? []).map(({ key }) => key),
    ),
  ];
  return () => {
    Object.assign(content, { head, newestMs, state, sinceSnapshot, lastRow });
    content.records.length = events;
    for (const restore of restored) restore();
    for (const { id } of rows) content.rows.delete(id);
    for (const row of answered) {
      row.status = "waiting";
      content.deadLetters.delete(row.id);
    }
    // In the order of the positions again.
    content.waiting.clear();
    for (const row of content.rows.values()) if (row.status === "waiting") content.waiting.set(row.id, row);
  };
}

/** Puts the values of these keys back as they are now. */
function restoring<Key, Value>(map: Map<Key, Value>, keys: readonly Key[]): () => void {
  const before = keys.map((key) => [key, map.get(key)] as const);
  return () => {
    for (const [key, value] of before) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
    }
  };
}
