/**
 * The hash chain of a journal: hash(n) = SHA-256(hash(n - 1) || n as 64-bit big-endian || body), where body is the
 * event's canonical JSON in UTF-8. The first link hangs on the terminal and on a random id made with the journal, so
 * that records of one journal do not fit into another. It shows damage and careless editing; someone who can write the
 * file can also compute hashes, which is why the ledger's own chain and the signed answers exist.
 */
import { createHash } from "node:crypto";
import { Fault } from "../../daemon/core/fault.ts";

export type Link = { readonly position: number; readonly hash: Uint8Array };

/** A stored event before it is parsed. */
export type StoredRecord = Link & { readonly body: string };

export function genesis(terminal: string, journalId: string): Link {
  const hash = createHash("sha256").update(`saypay.journal.v1\0${terminal}\0${journalId}`).digest();
  return { position: 0, hash };
}

export function nextLink(previous: Link, body: string): Link {
  const position = previous.position + 1;
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(position));
  return { position, hash: createHash("sha256").update(previous.hash).update(place).update(body).digest() };
}

/** Binds a state snapshot to the link after which it was taken. */
export function stateHash(link: Link, body: string): Uint8Array {
  return createHash("sha256").update("saypay.state.v1\0").update(link.hash).update(body).digest();
}

/** Shows a damaged outbox row before it is sent. */
export function rowHash(id: string, request: string): Uint8Array {
  return createHash("sha256").update(`saypay.outbox.v1\0${id}\0${request}`).digest();
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

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** `place` is the file. Nothing is deleted or repaired: the file is evidence. */
export function damaged(place: string, what: string, cause?: unknown): Fault {
  return new Fault(
    "journal.damaged",
    `${place}: ${what}. Nothing was deleted. Keep a copy of the file and of its -wal, then restore a backup or move it aside to start a new journal`,
    { retry: "unsafe", ...(cause === undefined ? {} : { cause }) },
  );
}
