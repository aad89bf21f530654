/**
 * What a damaged journal still proves: rows that were found in its bytes, taken when their own hashes are right. Where
 * a row is found more than once, in the file, in the log or in what a page has left over, the rules are those of the
 * store: an answer ends a request, a counter only grows, the newest state and the newest list count.
 *
 * Long rows are kept as places and read again, because a journal may be larger than the memory.
 */
import type { DenyList } from "../wire/deny-list.ts";
import { HASH_BYTES, isRowIntact, type Link, type StoredRecord, type StoredRow, sameHash } from "./chain.ts";
import { readOpenings } from "./openings.ts";
import type { Place, RawFile, RawRow } from "./raw-file.ts";
import type { RawValue } from "./raw-records.ts";
import { type Seal, type Snapshot, sealHash, snapshotHash } from "./seal.ts";
import {
  anchorHash,
  counterHash,
  denyListHash,
  identityHash,
  keptHash,
  refundHash,
  type StoredIdentity,
  saleHash,
} from "./sealed-rows.ts";

type Status = "waiting" | "acknowledged" | "dead";

/** A request as it was stored, with the hints that its hash does not cover. */
export type FoundRow = StoredRow & {
  readonly status: Status;
  readonly createdMs: number;
  readonly sentCount: number;
  readonly acknowledgedMs: number | null;
  readonly answer: string | null;
};

/** A row of staff's table of sales or of refunds. */
export type FoundBody = {
  readonly name: string;
  readonly saleId: string;
  readonly atMs: number;
  readonly body: string;
};

export type KeptEvent = { readonly kind: string; readonly position: number; readonly body: string };

type SnapshotOfVersion1 = { readonly position: number; readonly body: string; readonly hash: Uint8Array };

/** Where a row lies, and its number in its table. */
export type Placed = { readonly place: Place; readonly position: number };

export class Findings {
  identity: StoredIdentity | null = null;
  /** Version 1 did not hash its identity: the chain has to prove it. */
  identityOfVersion1: StoredIdentity | null = null;
  anchor: Link | null = null;
  seal: Seal | null = null;
  snapshot: Snapshot | null = null;
  /** The settings that were kept beside a forgotten past. */
  readonly kept = new Map<string, KeptEvent>();
  readonly snapshotsOfVersion1: SnapshotOfVersion1[] = [];
  readonly events = new Map<number, Place[]>();
  readonly rows = new Map<string, Placed & { readonly status: Status }>();
  readonly letters = new Map<string, { readonly reason: string; readonly atMs: number }>();
  readonly counters = new Map<string, number>();
  readonly sales = new Map<string, Placed>();
  readonly refunds = new Map<string, Placed>();
  denyList: DenyList | null = null;

  collect(file: Pick<RawFile, "rows">): void {
    for (const row of file.rows()) this.#take(row);
  }

  #take(row: RawRow): void {
    const { values, place } = row;
    const event = eventOf(row);
    if (event !== null) {
      const places = this.events.get(event.position);
      if (places === undefined) this.events.set(event.position, [place]);
      else places.push(place);
      return;
    }
    const request = requestOf(row);
    if (request !== null) return this.#takeRequest(request, place);
    const sale = saleOf(values);
    if (sale !== null) return void this.sales.set(sale.saleId, { place, position: row.rowid });
    const refund = refundOf(values);
    if (refund !== null) return void this.refunds.set(refund.name, { place, position: row.rowid });
    this.#takeSmall(values);
  }

  #takeRequest({ id, position, status }: FoundRow, place: Place): void {
    const known = this.rows.get(id);
    // Nothing makes an answered request wait again.
    if (known !== undefined && known.status !== "waiting") return;
    this.rows.set(id, { place, position, status });
  }

  #takeSmall(values: readonly RawValue[]): void {
    const identity = identityOf(values);
    if (identity !== null && identity.boots >= (this.identity?.boots ?? 0)) this.identity = identity;
    this.identityOfVersion1 = identityOfVersion1(values) ?? this.identityOfVersion1;
    const anchor = anchorOf(values);
    if (anchor !== null && anchor.position >= (this.anchor?.position ?? 0)) this.anchor = anchor;
    const snapshot = snapshotOf(values);
    if (snapshot !== null && snapshot.link.position >= (this.snapshot?.link.position ?? 0))
      this.snapshot = snapshot;
    const seal = sealOf(values);
    if (seal !== null && seal.head.position >= (this.seal?.head.position ?? 0)) this.seal = seal;
    const kept = keptOf(values);
    if (kept !== null && kept.position >= (this.kept.get(kept.kind)?.position ?? 0))
      this.kept.set(kept.kind, kept);
    const old = snapshotOfVersion1(values);
    if (old !== null) this.snapshotsOfVersion1.push(old);
    const counter = counterOf(values);
    if (counter !== null)
      this.counters.set(counter.token, Math.max(counter.counter, this.counters.get(counter.token) ?? 0));
    const list = denyListOf(values);
    if (list !== null && list.version >= (this.denyList?.version ?? 0)) this.denyList = list;
    const letter = letterOf(values);
    if (letter !== null) this.letters.set(letter.id, letter);
  }
}

/** One or none, to go through. */
export function present<Value>(value: Value | null): readonly Value[] {
  return [value].filter((found) => found !== null);
}

export function eventOf({
  rowid,
  values: [only, body, hash, ...rest],
}: Omit<RawRow, "place">): StoredRecord | null {
  if (only !== null || !isText(body) || !isHash(hash) || rest.length > 0) return null;
  return { position: rowid, body, hash };
}

export function requestOf({ rowid, values }: Omit<RawRow, "place">): FoundRow | null {
  const [only, id, request, hash, status, createdMs, sentCount, acknowledgedMs, answer] = values;
  if (values.length !== 9 || only !== null || !isText(id) || !isText(request) || !isHash(hash)) return null;
  if (!isRowIntact({ position: rowid, id, request, hash })) return null;
  return {
    position: rowid,
    id,
    request,
    hash,
    // In doubt it waits: asking the ledger twice under one key is harmless, not asking is not.
    status: status === "acknowledged" || status === "dead" ? status : "waiting",
    createdMs: isNumber(createdMs) ? createdMs : 0,
    sentCount: isNumber(sentCount) ? sentCount : 0,
    acknowledgedMs: isNumber(acknowledgedMs) ? acknowledgedMs : null,
    answer: isText(answer) ? answer : null,
  };
}

export function saleOf(values: readonly RawValue[]): FoundBody | null {
  const [only, saleId, atMs, hash, body] = values;
  if (values.length !== 5 || only !== null || !isText(saleId) || !isNumber(atMs)) return null;
  if (!isHash(hash) || !isText(body) || !sameHash(saleHash(body), hash)) return null;
  return { name: saleId, saleId, atMs, body };
}

export function refundOf(values: readonly RawValue[]): FoundBody | null {
  const [only, name, saleId, atMs, hash, body] = values;
  if (values.length !== 6 || only !== null || !isText(name) || !isText(saleId) || !isNumber(atMs))
    return null;
  if (!isHash(hash) || !isText(body) || !sameHash(refundHash(body), hash)) return null;
  return { name, saleId, atMs, body };
}

function identityOf(values: readonly RawValue[]): StoredIdentity | null {
  const [, terminal, journalId, predecessor, boots, openings, clean, hash] = values;
  if (values.length !== 8 || !isText(terminal) || !isText(journalId) || !isNumber(boots)) return null;
  const before = isText(predecessor) ? predecessor : null;
  const named = { terminal, journalId, predecessor: before };
  const identity = { ...named, boots, openings: readOpenings(openings), clean: clean === 1 };
  return isHash(hash) && sameHash(identityHash(identity), hash) ? identity : null;
}

function identityOfVersion1([, terminal, journalId, ...rest]: readonly RawValue[]): StoredIdentity | null {
  const isOurs = rest.length === 0 || (rest.length === 5 && rest[4] === null);
  if (!isOurs || !isText(terminal) || !isText(journalId)) return null;
  return { terminal, journalId, predecessor: null, boots: 0, openings: [], clean: true };
}

function anchorOf(values: readonly RawValue[]): Link | null {
  const [, position, link, hash] = values;
  if (values.length !== 4 || !isNumber(position) || !isHash(link) || !isHash(hash)) return null;
  return sameHash(anchorHash(position, link), hash) ? { position, hash: link } : null;
}

function sealOf(values: readonly RawValue[]): Seal | null {
  const [, synced, journalId, position, link, count, digest, lastRow, hash] = values;
  if (values.length !== 9 || !isText(journalId) || !isNumber(position) || !isHash(link)) return null;
  if (!isNumber(count) || !isHash(digest) || !isNumber(lastRow) || !isHash(hash)) return null;
  const head = { position, hash: link };
  const seal: Seal = { synced: synced === 1, journalId, head, waiting: { count, digest }, lastRow };
  return sameHash(sealHash(seal), hash) ? seal : null;
}

function snapshotOf(values: readonly RawValue[]): Snapshot | null {
  const [, position, link, hash, body] = values;
  if (values.length !== 5 || !isNumber(position) || !isHash(link) || !isHash(hash) || !isText(body))
    return null;
  const snapshot: Snapshot = { link: { position, hash: link }, body };
  return sameHash(snapshotHash(snapshot), hash) ? snapshot : null;
}

function keptOf(values: readonly RawValue[]): KeptEvent | null {
  const [kind, position, hash, body] = values;
  if (values.length !== 4 || !isText(kind) || !isNumber(position) || !isHash(hash) || !isText(body))
    return null;
  return sameHash(keptHash(position, body), hash) ? { kind, position, body } : null;
}

/** As version 1 wrote it, or as it lies in a file that was migrated and not yet opened. */
function snapshotOfVersion1(values: readonly RawValue[]): SnapshotOfVersion1 | null {
  const [only, position, ...rest] = values;
  const [body, hash] = rest.length === 3 && rest[0] === null ? [rest[2], rest[1]] : rest;
  if (rest.length > 3 || only !== null || !isNumber(position) || !isText(body) || !isHash(hash)) return null;
  return { position, body, hash };
}

function counterOf(values: readonly RawValue[]): { readonly token: string; readonly counter: number } | null {
  const [token, counter, hash] = values;
  if (values.length !== 3 || !isText(token) || !isNumber(counter) || !isHash(hash)) return null;
  return sameHash(counterHash(token, counter), hash) ? { token, counter } : null;
}

function denyListOf(values: readonly RawValue[]): DenyList | null {
  const [, version, count, hash, coded] = values;
  if (values.length !== 5 || !isNumber(version) || !isNumber(count) || !isHash(hash)) return null;
  if (!Buffer.isBuffer(coded)) return null;
  const list: DenyList = { version, count, set: new Uint8Array(coded) };
  return sameHash(denyListHash(list), hash) ? list : null;
}

/** Without a hash: the words are for people, the request that they speak of has its own. */
function letterOf(
  values: readonly RawValue[],
): { readonly id: string; readonly reason: string; readonly atMs: number } | null {
  const [id, reason, atMs] = values;
  if (values.length !== 3 || !isText(id) || !isText(reason) || !isNumber(atMs)) return null;
  return { id, reason, atMs };
}

function isText(value: RawValue | undefined): value is string {
  return typeof value === "string";
}

function isNumber(value: RawValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function isHash(value: RawValue | undefined): value is Buffer {
  return Buffer.isBuffer(value) && value.length === HASH_BYTES;
}
