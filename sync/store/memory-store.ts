/**
 * The store's twin in memory, for simulations and tests: the same promises and the same chain, on a `MemoryMedium` in
 * place of a file. A medium outlives the store that wrote it, so a crash is to forget the store and open another.
 */
import { randomBytes } from "node:crypto";
import type { LedgerAnswer, LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { fromCanonicalJson, toCanonicalJson } from "./canonical-json.ts";
import {
  damaged,
  followChain,
  genesis,
  type Link,
  nextLink,
  type StoredRecord,
  sameHash,
  stateHash,
} from "./chain.ts";
import { locked } from "./sqlite-fault.ts";
import {
  type Commit,
  type DeadLetter,
  type JournalEvent,
  type JournalRecord,
  lastTimeOf,
  type Opened,
  type OutboxRow,
  type Store,
} from "./store.ts";

type Row = {
  readonly position: number;
  readonly id: string;
  /** Canonical JSON, so that nobody can change what was stored. */
  readonly request: string;
  readonly createdMs: number;
  readonly sentCount: number;
  readonly status: "waiting" | "acknowledged" | "dead";
};

/** What a file holds. Replaced as a whole by each append: a half-written append cannot exist. */
export type MemoryContent = {
  readonly terminal: string;
  readonly journalId: string;
  readonly records: readonly StoredRecord[];
  readonly state: { readonly position: number; readonly body: string; readonly hash: Uint8Array } | null;
  readonly outbox: ReadonlyMap<string, Row>;
  readonly deadLetters: readonly { readonly id: string; readonly reason: string; readonly atMs: number }[];
  readonly counters: ReadonlyMap<string, number>;
};

/** The "file". `holder` is the store that has it open; a crash is to set it to null. */
export class MemoryMedium {
  content: MemoryContent | null = null;
  holder: object | null = null;
}

const NAME = "memory";

export class MemoryStore<Event extends JournalEvent, State> implements Store<Event, State> {
  readonly #terminal: string;
  readonly #medium: MemoryMedium;
  #head: Link | undefined;
  #unsavedSends = new Map<string, number>();

  constructor(settings: { readonly terminal: string; readonly medium: MemoryMedium }) {
    this.#terminal = settings.terminal;
    this.#medium = settings.medium;
  }

  open(): Opened<Event, State> {
    if (this.#head !== undefined) throw new Error("the store is open");
    if (this.#medium.holder !== null) throw locked(NAME, undefined);
    const content = this.#medium.content ?? emptyContent(this.#terminal);
    if (content.terminal !== this.#terminal) {
      throw new Fault(
        "settings.invalid",
        `this is the journal of terminal ${content.terminal}, the settings say ${this.#terminal}`,
      );
    }
    const head = followChain(genesis(content.terminal, content.journalId), content.records, NAME);
    const { state } = content;
    if (state !== null) checkState(content, state);
    this.#medium.content = content;
    this.#medium.holder = this;
    this.#head = head;
    this.#unsavedSends = new Map();
    const statePosition = state?.position ?? 0;
    return {
      state: state === null ? null : (fromCanonicalJson(state.body) as State),
      statePosition,
      tail: this.events(statePosition + 1),
    };
  }

  append(commit: Commit<Event, State>): number {
    const before = this.#content();
    const atMs = lastTimeOf(commit.events);
    const records = [...before.records];
    let head = this.#headLink();
    for (const event of commit.events) {
      const body = toCanonicalJson(event);
      head = nextLink(head, body);
      records.push({ ...head, body });
    }
    const body = toCanonicalJson(commit.state);
    const outbox = new Map(before.outbox);
    for (const { id, request } of commit.outbox) insertRow(outbox, id, request, atMs);
    const deadLetters = [...before.deadLetters];
    for (const answer of commit.acknowledged) acknowledge(outbox, deadLetters, answer, atMs);
    for (const [id, count] of this.#unsavedSends) addSent(outbox, id, count);
    const counters = new Map(before.counters);
    for (const { token, counter } of commit.cardCounters) {
      counters.set(token, Math.max(counter, counters.get(token) ?? counter));
    }
    const state = { position: head.position, body, hash: stateHash(head, body) };
    this.#medium.content = { ...before, records, state, outbox, deadLetters, counters };
    this.#head = head;
    this.#unsavedSends = new Map();
    return head.position;
  }

  events(fromPosition = 1): Iterable<JournalRecord<Event>> {
    const { records } = this.#content();
    return records
      .filter((record) => record.position >= fromPosition)
      .map(({ position, body, hash }) => ({ position, event: fromCanonicalJson(body) as Event, hash }));
  }

  lastOfKind(kind: Event["kind"], upToPosition: number): Event | null {
    const found = [...this.events()].findLast(
      ({ position, event }) => position <= upToPosition && event.kind === kind,
    );
    return found?.event ?? null;
  }

  verify(): { readonly events: number } {
    const { terminal, journalId, records } = this.#content();
    const head = followChain(genesis(terminal, journalId), records, NAME);
    if (head.position !== this.#headLink().position)
      throw damaged(NAME, `event ${head.position + 1} is missing`);
    return { events: head.position };
  }

  pending(afterPosition: number, limit: number): readonly OutboxRow[] {
    return [...this.#content().outbox.values()]
      .filter((row) => row.status === "waiting" && row.position > afterPosition)
      .slice(0, limit)
      .map(({ position, id, request, createdMs, sentCount }) => ({
        position,
        id,
        request: fromCanonicalJson(request) as LedgerRequest,
        createdMs,
        sentCount: sentCount + (this.#unsavedSends.get(id) ?? 0),
      }));
  }

  depth(): number {
    return [...this.#content().outbox.values()].filter((row) => row.status === "waiting").length;
  }

  markSent(id: string): void {
    this.#content();
    this.#unsavedSends.set(id, (this.#unsavedSends.get(id) ?? 0) + 1);
  }

  deadLetter(id: string, reason: string, atMs: number): void {
    const content = this.#content();
    const row = content.outbox.get(id);
    if (row?.status !== "waiting") return;
    const outbox = new Map(content.outbox).set(id, { ...row, status: "dead" });
    this.#medium.content = {
      ...content,
      outbox,
      deadLetters: [...content.deadLetters, { id, reason, atMs }],
    };
  }

  deadLetters(): readonly DeadLetter[] {
    const { outbox, deadLetters } = this.#content();
    const requests = [...outbox.values()].flatMap((row) => {
      const letter = deadLetters.find((other) => other.id === row.id);
      return letter === undefined
        ? []
        : [{ ...letter, request: fromCanonicalJson(row.request) as LedgerRequest }];
    });
    return requests;
  }

  lastCounter(token: string): number | null {
    return this.#content().counters.get(token) ?? null;
  }

  close(): void {
    if (this.#head === undefined) return;
    const content = this.#content();
    const outbox = new Map(content.outbox);
    for (const [id, count] of this.#unsavedSends) addSent(outbox, id, count);
    this.#medium.content = { ...content, outbox };
    this.#medium.holder = null;
    this.#head = undefined;
  }

  #headLink(): Link {
    if (this.#head === undefined) throw new Error("the store is not open");
    return this.#head;
  }

  #content(): MemoryContent {
    this.#headLink();
    const { content, holder } = this.#medium;
    if (content === null || holder !== this)
      throw new Error("the medium was taken from the store that holds it");
    return content;
  }
}

function emptyContent(terminal: string): MemoryContent {
  const journalId = randomBytes(16).toString("hex");
  return {
    terminal,
    journalId,
    records: [],
    state: null,
    outbox: new Map(),
    deadLetters: [],
    counters: new Map(),
  };
}

function checkState(content: MemoryContent, state: NonNullable<MemoryContent["state"]>): void {
  const record = content.records[state.position - 1];
  if (record === undefined) throw damaged(NAME, `event ${state.position} is missing`);
  if (!sameHash(stateHash(record, state.body), state.hash))
    throw damaged(NAME, "the state snapshot was changed");
}

function insertRow(outbox: Map<string, Row>, id: string, request: LedgerRequest, createdMs: number): void {
  const text = toCanonicalJson(request);
  const existing = outbox.get(id);
  if (existing === undefined) {
    // Rows are never removed, so the next position is one more than their number.
    outbox.set(id, {
      position: outbox.size + 1,
      id,
      request: text,
      createdMs,
      sentCount: 0,
      status: "waiting",
    });
  } else if (existing.request !== text) {
    throw new Error(`outbox row ${id} exists with another request`);
  }
}

function acknowledge(
  outbox: Map<string, Row>,
  deadLetters: { id: string; reason: string; atMs: number }[],
  answer: LedgerAnswer,
  atMs: number,
): void {
  const row = outbox.get(answer.requestId);
  if (row?.status !== "waiting") return;
  outbox.set(row.id, { ...row, status: "acknowledged" });
  if (answer.outcome.kind === "refused")
    deadLetters.push({ id: row.id, reason: `refused: ${answer.outcome.reason}`, atMs });
}

function addSent(outbox: Map<string, Row>, id: string, count: number): void {
  const row = outbox.get(id);
  if (row !== undefined) outbox.set(id, { ...row, sentCount: row.sentCount + count });
}
