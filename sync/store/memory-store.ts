/**
 * The store's twin in memory, for simulations and tests: the same promises, on a `MemoryMedium` in place of a file.
 * A transaction is prepared first, which may fail, and applied then, which cannot: half an append does not exist.
 */
import { randomUUID } from "node:crypto";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { FoundSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";
import { fromCanonicalJson, toCanonicalJson } from "./canonical-json.ts";
import { damaged, followChain, genesis, type Link, nextLink, sameHash, stateHash } from "./chain.ts";
import { KEPT_KINDS } from "./forgetting.ts";
import { applyBeside, applyEvents, applyRows, type Prepared, takingBack } from "./memory-append.ts";
import { forgetOldIn } from "./memory-forgetting.ts";
import type { Form, MemoryContent, MemoryMedium, MemoryRecord, MemoryRow } from "./memory-medium.ts";
import { withOpening } from "./openings.ts";
import { foundSale } from "./sealed-rows.ts";
import { locked, unwritable } from "./sqlite-fault.ts";
import {
  type Commit,
  type DeadLetter,
  type JournalEvent,
  type JournalIdentity,
  type JournalRecord,
  lastTimeOf,
  type Opened,
  type OutboxRow,
  type Retention,
  type Store,
} from "./store.ts";
import { SMALL_STATE } from "./writing.ts";

export { type MemoryContent, MemoryMedium } from "./memory-medium.ts";

const NAME = "memory";
const NO_HASH = new Uint8Array();

const TEXT: Form = {
  keep: toCanonicalJson,
  give: (kept) => fromCanonicalJson(String(kept)),
  same: (kept, request) => kept === toCanonicalJson(request),
};
const REFERENCE: Form = {
  keep: (value) => value,
  give: (kept) => kept,
  same: (kept, request) => kept === request || toCanonicalJson(kept) === toCanonicalJson(request),
};

type Settings = {
  readonly terminal: string;
  readonly medium: MemoryMedium;
  /** Source of the journal's id and of each opening's nonce; a simulator gives its own, so that runs repeat. */
  readonly randomId?: () => string;
};

export class MemoryStore<Event extends JournalEvent, State> implements Store<Event, State> {
  readonly #terminal: string;
  readonly #medium: MemoryMedium;
  readonly #form: Form;
  readonly #randomId: () => string;
  #isOpen = false;
  #bootNonce = "";
  #failure: Fault | undefined;
  #unsavedSends = new Map<string, number>();
  /** After the last append of this opening. */
  #state: State | undefined;

  constructor({ terminal, medium, randomId = randomUUID }: Settings) {
    this.#terminal = terminal;
    this.#medium = medium;
    this.#form = medium.history === "kept" ? TEXT : REFERENCE;
    this.#randomId = randomId;
  }

  open(): Opened<Event, State> {
    if (this.#isOpen) throw new Error("the store is open");
    if (this.#medium.holder !== null) throw locked(NAME, undefined);
    const content = this.#medium.content ?? emptyContent(this.#terminal, this.#randomId());
    if (content.terminal !== this.#terminal) {
      throw new Fault(
        "settings.invalid",
        `this is the journal of terminal ${content.terminal}, the settings say ${this.#terminal}`,
      );
    }
    if (this.#medium.history === "kept") checkContent(content);
    this.#bootNonce = this.#randomId();
    content.boots += 1;
    content.openings = withOpening(content.openings, this.#bootNonce);
    this.#medium.content = content;
    this.#medium.holder = this;
    this.#isOpen = true;
    this.#failure = undefined;
    this.#unsavedSends = new Map();
    this.#state = undefined;
    const { state } = content;
    const statePosition = state?.position ?? 0;
    return {
      state: state === null ? null : (this.#form.give(state.body) as State),
      statePosition,
      tail: this.events(statePosition + 1),
    };
  }

  append(commit: Commit<Event, State>): number {
    const synced = commit.synced ?? true;
    return this.#write(synced, (content) => {
      const prepared = this.#prepare(content, commit);
      if (!synced) this.#medium.unsynced.push(takingBack(content, commit, prepared));
      applyEvents(content, commit, prepared);
      applyRows(content, commit, prepared);
      this.#saveSends(content);
      applyBeside(content, commit, prepared.atMs);
      this.#state = commit.state;
      return prepared.head.position;
    });
  }

  /** With history "newest" nothing is kept to be walked. */
  events(fromPosition = 1): Iterable<JournalRecord<Event>> {
    const { records, anchor } = this.#content();
    return records.slice(Math.max(0, fromPosition - anchor.position - 1)).map(({ position, body, hash }) => ({
      position,
      event: fromCanonicalJson(body) as Event,
      hash,
    }));
  }

  lastOfKind(kind: Event["kind"], upToPosition: number): Event | null {
    const { newest, records, anchor } = this.#content();
    const last = newest.get(kind);
    if (last === undefined) return null;
    if (last.position <= anchor.position && !KEPT_KINDS.includes(kind)) return null;
    if (last.position <= upToPosition) return this.#form.give(this.#form.keep(last.event)) as Event;
    const found = records.findLast((record) => record.kind === kind && record.position <= upToPosition);
    return found === undefined ? null : (fromCanonicalJson(found.body) as Event);
  }

  verify(): { readonly events: number } {
    const content = this.#content();
    if (this.#medium.history === "kept") checkContent(content);
    return { events: content.head.position };
  }

  pending(afterPosition: number, limit: number): readonly OutboxRow[] {
    const found: OutboxRow[] = [];
    for (const { position, id, request, createdMs, sentCount } of this.#content().waiting.values()) {
      if (found.length >= limit) break;
      if (position <= afterPosition) continue;
      found.push({
        position,
        id,
        request: this.#form.give(request) as LedgerRequest,
        createdMs,
        sentCount: sentCount + (this.#unsavedSends.get(id) ?? 0),
      });
    }
    return found;
  }

  depth(): number {
    return this.#content().waiting.size;
  }

  markSent(id: string): void {
    this.#content();
    this.#unsavedSends.set(id, (this.#unsavedSends.get(id) ?? 0) + 1);
  }

  deadLetter(id: string, reason: string, atMs: number): void {
    this.#write(true, (content) => {
      const row = content.waiting.get(id);
      if (row === undefined) return;
      row.status = "dead";
      content.waiting.delete(id);
      content.deadLetters.set(id, { id, reason, atMs });
    });
  }

  deadLetters(): readonly DeadLetter[] {
    const { rows, deadLetters } = this.#content();
    return [...deadLetters.values()]
      .flatMap((letter) => {
        const row = rows.get(letter.id);
        return row === undefined ? [] : [{ row, letter }];
      })
      .sort((a, b) => a.row.position - b.row.position)
      .map(({ row, letter }) => ({ ...letter, request: this.#form.give(row.request) as LedgerRequest }));
  }

  lastCounter(token: string): number | null {
    return this.#content().counters.get(token) ?? null;
  }

  identity(): JournalIdentity {
    const { journalId, predecessor, boots, openings, lastRow } = this.#content();
    const bootNonce = this.#bootNonce;
    return { journalId, predecessor, boots, bootNonce, openings, lastOutboxPosition: lastRow };
  }

  markWelcomed(): void {
    if (this.#content().openings.length === 1) return;
    this.#write(true, (content) => {
      content.openings = [this.#bootNonce];
    });
  }

  soldSale(saleId: string): FoundSale | null {
    const { sold, refunds } = this.#content();
    const found = sold.get(saleId);
    if (found === undefined) return null;
    const back = [...refunds.values()]
      .map(({ refund }) => refund)
      .filter((refund) => refund.saleId === saleId);
    return foundSale(found.sale, back);
  }

  soldSales(limit: number): readonly FoundSale[] {
    const newest = [...this.#content().sold.keys()].slice(-limit).reverse();
    return newest.map((saleId) => this.soldSale(saleId)).filter((found) => found !== null);
  }

  saveDenyList(list: DenyList): void {
    this.#write(true, (content) => {
      if (content.denyList === null || content.denyList.version < list.version) content.denyList = list;
    });
  }

  denyList(): DenyList | null {
    return this.#content().denyList;
  }

  /** There is no log beside this medium. */
  tidy(): void {
    this.#content();
  }

  prune(retention: Retention, nowMs: number): boolean {
    return this.#write(true, (content) => {
      this.#catchUp(content);
      return forgetOldIn(content, retention, nowMs);
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    if (this.#failure === undefined) {
      this.#saveSends(this.#content());
      this.#catchUp(this.#content());
    }
    this.#medium.holder = null;
    this.#isOpen = false;
  }

  #prepare(content: MemoryContent, commit: Commit<Event, State>): Prepared {
    const atMs = lastTimeOf(commit.events);
    const isKept = this.#medium.history === "kept";
    let { head } = content;
    const records: MemoryRecord[] = [];
    for (const event of commit.events) {
      const body = isKept ? toCanonicalJson(event) : "";
      head = isKept ? nextLink(head, body) : { position: head.position + 1, hash: NO_HASH };
      if (isKept) records.push({ ...head, body, kind: event.kind, atMs: event.atMs });
    }
    const weight = records.reduce((sum, { body }) => sum + body.length, 0);
    const taken = this.#snapshot(content, head, commit.state, weight);
    return { head, records, ...taken, rows: this.#newRows(content, commit, atMs), atMs };
  }

  /** As in a file: a large state is written when the events since the last one weigh as much. */
  #snapshot(
    { state: before, sinceSnapshot }: MemoryContent,
    head: Link,
    state: unknown,
    weight: number,
  ): Pick<Prepared, "state" | "sinceSnapshot"> {
    if (this.#medium.history === "newest")
      return { state: { position: head.position, body: state, hash: NO_HASH }, sinceSnapshot: 0 };
    const length = before === null ? 0 : String(before.body).length;
    if (length >= SMALL_STATE && sinceSnapshot + weight < length)
      return { state: before, sinceSnapshot: sinceSnapshot + weight };
    const body = toCanonicalJson(state);
    return { state: { position: head.position, body, hash: stateHash(head, body) }, sinceSnapshot: 0 };
  }

  /** The snapshot as of the last append, which the next opening and what is forgotten begin from. */
  #catchUp(content: MemoryContent): void {
    if (this.#state === undefined || content.state?.position === content.head.position) return;
    Object.assign(content, this.#snapshot(content, content.head, this.#state, Infinity));
  }

  #newRows(content: MemoryContent, commit: Commit<Event, State>, createdMs: number): readonly MemoryRow[] {
    const rows = new Map<string, MemoryRow>();
    for (const { id, request } of commit.outbox) {
      const existing = content.rows.get(id) ?? rows.get(id);
      if (existing === undefined) {
        const position = content.lastRow + rows.size + 1;
        const kept = this.#form.keep(request);
        rows.set(id, {
          position,
          id,
          request: kept,
          createdMs,
          sentCount: 0,
          status: "waiting",
          answeredMs: 0,
        });
      } else if (!this.#form.same(existing.request, request)) {
        throw new Error(`outbox row ${id} exists with another request`);
      }
    }
    return [...rows.values()];
  }

  #saveSends(content: MemoryContent): void {
    for (const [id, count] of this.#unsavedSends) {
      const row = content.rows.get(id);
      if (row !== undefined) row.sentCount += count;
    }
    this.#unsavedSends.clear();
  }

  #content(): MemoryContent {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isOpen) throw new Error("the store is not open");
    const { content, holder } = this.#medium;
    if (content === null || holder !== this)
      throw new Error("the medium was taken from the store that holds it");
    return content;
  }

  #write<Result>(synced: boolean, work: (content: MemoryContent) => Result): Result {
    const content = this.#content();
    const { failNext, unsynced } = this.#medium;
    this.#medium.failNext = null;
    if (failNext !== "before") {
      const result = work(content);
      if (synced) unsynced.length = 0;
      if (failNext === null) return result;
    }
    this.#failure = unwritable(NAME, "the medium takes no more", undefined);
    throw this.#failure;
  }
}

function emptyContent(terminal: string, journalId: string): MemoryContent {
  const origin = genesis(terminal, journalId);
  return {
    terminal,
    journalId,
    predecessor: null,
    boots: 0,
    openings: [],
    anchor: origin,
    head: origin,
    newestMs: 0,
    records: [],
    newest: new Map(),
    state: null,
    sinceSnapshot: 0,
    rows: new Map(),
    waiting: new Map(),
    lastRow: 0,
    deadLetters: new Map(),
    counters: new Map(),
    sold: new Map(),
    refunds: new Map(),
    denyList: null,
  };
}

function checkContent({ anchor, head, records, state }: MemoryContent): void {
  const end = followChain(anchor, records, NAME);
  if (end.position !== head.position) throw damaged(NAME, `event ${end.position + 1} is missing`);
  if (state === null) {
    if (anchor.position > 0) throw damaged(NAME, "the state snapshot is missing and events are forgotten");
    return;
  }
  const link = [anchor, ...records].find(({ position }) => position === state.position);
  if (link === undefined) throw damaged(NAME, `event ${state.position} is missing`);
  if (!sameHash(stateHash(link, String(state.body)), state.hash))
    throw damaged(NAME, "the state snapshot was changed");
}
