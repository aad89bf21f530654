/** What a recorded run wrote to the journal, and what the journal has to hold after each of the writes. */
import type { SaleEvent } from "../../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../../daemon/core/sale.ts";
import type { SaleSettings } from "../../../daemon/core/settings.ts";
import { step } from "../../../daemon/core/step.ts";
import { fromCanonicalJson, toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { MemoryMedium } from "../../../sync/store/memory-medium.ts";
import { MemoryStore } from "../../../sync/store/memory-store.ts";
import type { Commit, Retention } from "../../../sync/store/store.ts";
import type { DenyList } from "../../../sync/wire/deny-list.ts";
import type { SaleStore } from "../selling.ts";

export const TERMINAL = "counter-1";
export const JOURNAL = "journal.sqlite";

export type JournalMistake = "none" | "normal" | "off" | "early";

export type JournalWrite = {
  readonly write:
    | { readonly kind: "append"; readonly commit: Commit<SaleEvent, TerminalState> }
    | { readonly kind: "deny"; readonly list: DenyList }
    | { readonly kind: "reopen" }
    | { readonly kind: "welcomed" }
    | { readonly kind: "prune"; readonly retention: Retention; readonly nowMs: number };
  /** Rows that were marked as sent before it. */
  readonly sent: readonly string[];
};

export type Expectation = {
  /** The write after which it holds; null at the beginning. */
  readonly done: JournalWrite | null;
  /** It survives a power cut once it has returned. */
  readonly durable: boolean;
  readonly position: number;
  /** Everything that the journal holds but its events, as text that can be compared. */
  readonly content: string;
};

const ROWS = 1_000;

/** Bytes as numbers, so that a line of text can hold them. */
export function plainOf({ write, sent }: JournalWrite): unknown {
  if (write.kind !== "deny") return { write, sent };
  return { write: { kind: "deny", list: { ...write.list, set: [...write.list.set] } }, sent };
}

export function readWrite(line: string): JournalWrite {
  const { write, sent } = fromCanonicalJson(line) as JournalWrite;
  if (write.kind !== "deny") return { write, sent };
  return { write: { kind: "deny", list: { ...write.list, set: Uint8Array.from(write.list.set) } }, sent };
}

export function eventsOf(writes: readonly JournalWrite[]): readonly SaleEvent[] {
  return writes.flatMap(({ write }) => (write.kind === "append" ? write.commit.events : []));
}

export function tokensOf(writes: readonly JournalWrite[]): readonly string[] {
  const counters = writes.flatMap(({ write }) => (write.kind === "append" ? write.commit.cardCounters : []));
  return [...new Set(counters.map(({ token }) => token))].sort();
}

/** The same writes on the store's twin in memory, and their events folded by the core alone. */
export function expectationsOf(writes: readonly JournalWrite[]): readonly Expectation[] {
  const twin = new MemoryStore<SaleEvent, TerminalState>({ terminal: TERMINAL, medium: new MemoryMedium() });
  twin.open();
  const tokens = tokensOf(writes);
  let state = EMPTY_TERMINAL;
  let settings: SaleSettings | null = null;
  let position = 0;
  const expectations: Expectation[] = [
    { done: null, durable: true, position, content: contentOf(twin, state, tokens) },
  ];
  for (const done of writes) {
    for (const event of eventsOf([done])) {
      if (event.kind === "settings.applied") settings = event.settings;
      if (settings === null) throw new Error("the run does not begin with its settings");
      state = step(settings, state, event).state;
    }
    const durable = isDurable(twin, done);
    position = repeatWrite(twin, done) ?? position;
    expectations.push({ done, durable, position, content: contentOf(twin, state, tokens) });
  }
  return expectations;
}

/** Whether it is on the disk, with everything before it, once it has returned; asked before it is repeated. */
function isDurable(twin: SaleStore, { write }: JournalWrite): boolean {
  if (write.kind === "append") return write.commit.synced !== false;
  // An opening that was welcomed before is not written again.
  return write.kind !== "welcomed" || twin.identity().openings.length > 1;
}

/** Gives the position of an append. */
export function repeatWrite(store: SaleStore, { write, sent }: JournalWrite): number | null {
  for (const id of sent) store.markSent(id);
  switch (write.kind) {
    case "append":
      return store.append(write.commit);
    case "deny":
      store.saveDenyList(write.list);
      return null;
    case "prune":
      store.prune(write.retention, write.nowMs);
      return null;
    case "reopen":
      store.close();
      store.open();
      return null;
    case "welcomed":
      store.markWelcomed();
      return null;
  }
}

export function contentOf(store: SaleStore, state: TerminalState, tokens: readonly string[]): string {
  const list = store.denyList();
  const { boots, openings } = store.identity();
  return toCanonicalJson({
    state,
    firstEvent: firstOf(store),
    waiting: store.pending(0, ROWS),
    depth: store.depth(),
    lastRow: store.identity().lastOutboxPosition,
    // The number of the first opening that a greeting would name: the same for whoever opens it to look.
    firstOpening: boots - openings.length + 1,
    deadLetters: store.deadLetters(),
    counters: tokens.map((token) => store.lastCounter(token)),
    sold: store.soldSales(ROWS),
    denyList: list === null ? null : { ...list, set: [...list.set] },
  });
}

function firstOf(store: SaleStore): number | null {
  for (const { position } of store.events()) return position;
  return null;
}
