/**
 * The hash chain of a journal: hash(n) = SHA-256(hash(n - 1) || n as 64-bit big-endian || body), where body is the
 * event's canonical JSON in UTF-8. The first link hangs on the terminal and on a random id made with the journal, so
 * that records of one journal do not fit into another. It shows damage and careless editing; someone who can write the
 * file can also compute hashes, which is why the ledger's own chain and the signed answers exist.
 *
 * What is not an event has a hash of its own, made over its fields under a name that no other kind of row uses.
 */
import { createHash } from "node:crypto";
import { Fault } from "../../daemon/core/fault.ts";

export const HASH_BYTES = 32;

export type Link = { readonly position: number; readonly hash: Uint8Array };

/** A stored event before it is parsed. */
export type StoredRecord = Link & { readonly body: string };

/** An outbox row as it is stored. */
export type StoredRow = {
  readonly position: number;
  readonly id: string;
  readonly request: string;
  readonly hash: Uint8Array;
};

export function genesis(terminal: string, journalId: string): Link {
  const hash = createHash("sha256").update(`saypay.journal.v1\0${terminal}\0${journalId}`).digest();
  return { position: 0, hash };
}

export function nextLink(previous: Link, body: string): Link {
  const position = previous.position + 1;
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(position));
  return {
    position,
    hash: createHash("sha256").update(previous.hash).update(place).update(String(body)).digest(),
  };
}

/** SHA-256 over fields, each after its length, so that no two lists of fields are hashed alike. */
export function fieldHash(what: string, ...fields: readonly (string | number | Uint8Array)[]): Uint8Array {
  const hash = createHash("sha256").update(`saypay.${what}\0`);
  for (const field of fields) {
    // A damaged file gives null where there is a hash; that is hashed too, and does not fit.
    const bytes = field instanceof Uint8Array ? field : Buffer.from(String(field));
    hash.update(`${bytes.length}\0`).update(bytes);
  }
  return hash.digest();
}

/** Binds a state snapshot to the link after which it was taken, as version 1 of the schema did. */
export function stateHash(link: Link, body: string): Uint8Array {
  return createHash("sha256").update("saypay.state.v1\0").update(link.hash).update(String(body)).digest();
}

/** Shows a damaged outbox row before it is sent. */
export function rowHash(position: number, id: string, request: string): Uint8Array {
  return fieldHash("outbox.v2", position, id, request);
}

/** Rows that version 1 of the schema wrote do not vouch for their position. */
function rowHashOfVersion1(id: string, request: string): Uint8Array {
  return createHash("sha256").update(`saypay.outbox.v1\0${id}\0${request}`).digest();
}

export function isRowIntact({ position, id, request, hash }: StoredRow): boolean {
  return sameHash(rowHash(position, id, request), hash) || sameHash(rowHashOfVersion1(id, request), hash);
}

/** Follows records from a trusted link and returns the last. Throws Fault "journal.damaged" at the first that is wrong. */
export function followChain(from: Link, records: Iterable<StoredRecord>, place: string): Link {
  let link = from;
  for (const record of records) {
    const expected = nextLink(link, record.body);
    if (record.position !== expected.position) throw damaged(place, `event ${expected.position} is missing`);
    if (!sameHash(record.hash, expected.hash)) throw damaged(place, `event ${record.position} was changed`);
    link = expected;
  }
  return link;
}

/** `found` is whatever a damaged file may give. */
export function sameHash(right: Uint8Array, found: unknown): boolean {
  return found instanceof Uint8Array && Buffer.compare(right, found) === 0;
}

/** `place` is the file. Nothing is deleted or repaired where this is thrown: the file is evidence. */
export function damaged(place: string, what: string, cause?: unknown): Fault {
  return new Fault(
    "journal.damaged",
    `${place}: ${what}. Nothing was deleted. Keep a copy of the file and of its -wal; the daemon sets both aside and goes on with what still verifies`,
    { retry: "unsafe", ...(cause === undefined ? {} : { cause }) },
  );
}
