/**
 * What vouches for the snapshot and for the queue: one hash over the state, the link that it was taken after, and a
 * sum of the rows that wait. A row that vanishes from the queue, be it through a flipped bit in an index, is missed at
 * the next opening, and so is a snapshot of another time.
 */
import { fieldHash, HASH_BYTES, type StoredRow } from "./chain.ts";

/** The rows that wait: their number and the exclusive or of their hashes, which needs no order. */
export type Waiting = { readonly count: number; readonly digest: Uint8Array };

export const NONE_WAITING: Waiting = { count: 0, digest: new Uint8Array(HASH_BYTES) };

export type Snapshot = {
  /** The transaction that wrote it waited for the disk. */
  readonly synced: boolean;
  readonly journalId: string;
  readonly position: number;
  /** Hash of the event at `position`. */
  readonly link: Uint8Array;
  readonly waiting: Waiting;
  /** The highest position that an outbox row ever had. */
  readonly lastRow: number;
  readonly body: string;
};

export function withRow(waiting: Waiting, row: Pick<StoredRow, "position" | "hash">): Waiting {
  return { count: waiting.count + 1, digest: combined(waiting.digest, row) };
}

export function withoutRow(waiting: Waiting, row: Pick<StoredRow, "position" | "hash">): Waiting {
  return { count: waiting.count - 1, digest: combined(waiting.digest, row) };
}

export function sealOf(snapshot: Snapshot): Uint8Array {
  const { synced, journalId, position, link, waiting, lastRow, body } = snapshot;
  const { count, digest } = waiting;
  return fieldHash("state.v2", synced ? 1 : 0, journalId, position, link, count, digest, lastRow, body);
}

function combined(digest: Uint8Array, { position, hash }: Pick<StoredRow, "position" | "hash">): Uint8Array {
  const item = fieldHash("waiting.v1", position, hash);
  return digest.map((byte, index) => byte ^ (item[index] ?? 0));
}
