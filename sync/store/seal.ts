/**
 * What vouches for the queue and for the end of the chain, written with every append: a sum of the rows that wait, the
 * highest position that one ever had, and the last link. A row that vanishes from the queue, be it through a flipped bit
 * in an index, is missed at the next opening, and so is a last event. A snapshot of the state has a hash of its own,
 * because it is large and written less often.
 */
import { fieldHash, HASH_BYTES, type Link, type StoredRow } from "./chain.ts";

/** The rows that wait: their number and the exclusive or of their hashes, which needs no order. */
export type Waiting = { readonly count: number; readonly digest: Uint8Array };

export const NONE_WAITING: Waiting = { count: 0, digest: new Uint8Array(HASH_BYTES) };

export type Seal = {
  /** The transaction that wrote it waited for the disk. */
  readonly synced: boolean;
  readonly journalId: string;
  readonly head: Link;
  readonly waiting: Waiting;
  /** The highest position that an outbox row ever had. */
  readonly lastRow: number;
};

export type Snapshot = {
  /** The event after which it was taken. */
  readonly link: Link;
  /** The state as canonical JSON. */
  readonly body: string;
};

export function withRow(waiting: Waiting, row: Pick<StoredRow, "position" | "hash">): Waiting {
  return { count: waiting.count + 1, digest: combined(waiting.digest, row) };
}

export function withoutRow(waiting: Waiting, row: Pick<StoredRow, "position" | "hash">): Waiting {
  return { count: waiting.count - 1, digest: combined(waiting.digest, row) };
}

export function sealHash({ synced, journalId, head, waiting, lastRow }: Seal): Uint8Array {
  const { count, digest } = waiting;
  return fieldHash("seal.v2", synced ? 1 : 0, journalId, head.position, head.hash, count, digest, lastRow);
}

export function snapshotHash({ link, body }: Snapshot): Uint8Array {
  return fieldHash("state.v2", link.position, link.hash, body);
}

function combined(digest: Uint8Array, { position, hash }: Pick<StoredRow, "position" | "hash">): Uint8Array {
  const item = fieldHash("waiting.v1", position, hash);
  return digest.map((byte, index) => byte ^ Number(item[index]));
}
