/** Forgetting what is old in a medium: the same rules and the same pieces as in a file, see forgetting.ts. */
import { type Age, KEPT_SALES, leadingOld, PRUNE_ROWS } from "./forgetting.ts";
import type { MemoryContent } from "./memory-medium.ts";
import type { Retention } from "./store.ts";

/** True when a piece was full. */
export function forgetOldIn(content: MemoryContent, retention: Retention, nowMs: number): boolean {
  if (content.newestMs > nowMs) return false;
  const age: Age = { beforeMs: nowMs - retention.keepMs, nowMs };
  const full = [
    forgetEvents(content, age, retention.keepEvents),
    forgetAnswered(content, age),
    forgetSales(content, age),
    forgetRefunds(content, age),
  ];
  return full.includes(true);
}

function forgetEvents(content: MemoryContent, age: Age, keepEvents: number): boolean {
  const last = Math.min(content.head.position - Math.max(1, keepEvents), content.state?.position ?? 0);
  const spare = Math.max(0, last - content.anchor.position);
  const oldest = content.records.slice(0, Math.min(PRUNE_ROWS, spare));
  const count = leadingOld(
    oldest.map(({ atMs }) => ({ at_ms: atMs })),
    age,
  );
  const newest = oldest[count - 1];
  if (newest === undefined) return false;
  content.records.splice(0, count);
  content.anchor = { position: newest.position, hash: newest.hash };
  return count === PRUNE_ROWS;
}

function forgetAnswered(content: MemoryContent, age: Age): boolean {
  const answered = take(content.rows.values(), PRUNE_ROWS, (row) => {
    return row.status === "acknowledged" && !content.deadLetters.has(row.id);
  });
  const count = leadingOld(
    answered.map(({ answeredMs }) => ({ at_ms: answeredMs })),
    age,
  );
  for (const { id } of answered.slice(0, count)) content.rows.delete(id);
  return count === PRUNE_ROWS;
}

function forgetSales(content: MemoryContent, age: Age): boolean {
  const spare = Math.max(0, content.sold.size - KEPT_SALES);
  const oldest = take(content.sold.entries(), Math.min(PRUNE_ROWS, spare), () => true);
  const count = leadingOld(
    oldest.map(([, sold]) => sold),
    age,
  );
  for (const [saleId] of oldest.slice(0, count)) content.sold.delete(saleId);
  return count === PRUNE_ROWS;
}

function forgetRefunds(content: MemoryContent, age: Age): boolean {
  const oldest = take(content.refunds.entries(), PRUNE_ROWS, ([, { refund }]) => {
    return !content.sold.has(refund.saleId);
  });
  const count = leadingOld(
    oldest.map(([, refund]) => refund),
    age,
  );
  for (const [key] of oldest.slice(0, count)) content.refunds.delete(key);
  return count === PRUNE_ROWS;
}

function take<Item>(
  items: Iterable<Item>,
  limit: number,
  isWanted: (item: Item) => boolean,
): readonly Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    if (taken.length >= limit) break;
    if (isWanted(item)) taken.push(item);
  }
  return taken;
}
