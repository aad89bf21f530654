/**
 * What a store in memory writes on, in place of a file. It outlives the store: a crash is to forget the store, set
 * `holder` to null and open another. Nothing here is copied as a journal grows, so that a simulator can write thousands
 * of appends a second into long histories.
 */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";
import type { Link, StoredRecord } from "./chain.ts";
import type { JournalEvent, SoldRefund } from "./store.ts";

/**
 * "kept": every event, hashed and chained, and all values as text, so that nobody can change what was stored.
 * "newest": only the newest event of each kind, nothing hashed, and values by reference, which is right for a core whose
 * values never change. Opening costs nothing then, and an append little.
 */
export type History = "kept" | "newest";

export type MemoryRow = {
  readonly position: number;
  readonly id: string;
  /** A LedgerRequest, in the medium's form. */
  readonly request: unknown;
  readonly createdMs: number;
  sentCount: number;
  status: "waiting" | "acknowledged" | "dead";
  answeredMs: number;
};

export type MemoryRecord = StoredRecord & { readonly kind: string; readonly atMs: number };

export type MemoryContent = {
  readonly terminal: string;
  readonly journalId: string;
  readonly predecessor: string | null;
  boots: number;
  openings: readonly string[];
  /** The last link that was forgotten, at first the journal's origin. */
  anchor: Link;
  head: Link;
  newestMs: number;
  records: MemoryRecord[];
  readonly newest: Map<string, { readonly position: number; readonly event: JournalEvent }>;
  /** The last snapshot, which lags behind by as much as it weighs. */
  state: { readonly position: number; readonly body: unknown; readonly hash: Uint8Array } | null;
  sinceSnapshot: number;
  /** By id, in the order of their positions. */
  readonly rows: Map<string, MemoryRow>;
  readonly waiting: Map<string, MemoryRow>;
  lastRow: number;
  readonly deadLetters: Map<string, { readonly id: string; readonly reason: string; readonly atMs: number }>;
  readonly counters: Map<string, number>;
  /** By sale id, oldest first. */
  readonly sold: Map<string, { readonly sale: SoldSale; readonly at_ms: number }>;
  /** By key, oldest first. */
  readonly refunds: Map<string, { readonly refund: SoldRefund; readonly at_ms: number }>;
  denyList: DenyList | null;
};

export class MemoryMedium {
  readonly history: History;
  content: MemoryContent | null = null;
  /** The store that has it open. */
  holder: object | null = null;
  /**
   * Makes the next write fail as a full disk does, before or after it is durable: its writer cannot tell which, and
   * writes nothing more until it is opened again.
   */
  failNext: "before" | "after" | null = null;

  /** Takes back what was written and not synced, newest last. */
  readonly unsynced: (() => void)[] = [];

  constructor(history: History = "kept") {
    this.history = history;
  }

  /** A power cut: the process is gone and so is everything after the last synced write. */
  losePower(): void {
    for (const takeBack of this.unsynced.splice(0).reverse()) takeBack();
    this.holder = null;
  }

  /** An image of the medium as it is now, as a copied SD card or a backup: what happens to one leaves the other alone. */
  copy(): MemoryMedium {
    const copy = new MemoryMedium(this.history);
    const { content } = this;
    if (content === null) return copy;
    const rows = new Map([...content.rows].map(([id, row]) => [id, { ...row }]));
    copy.content = {
      ...content,
      records: [...content.records],
      newest: new Map(content.newest),
      rows,
      waiting: new Map([...rows].filter(([, row]) => row.status === "waiting")),
      deadLetters: new Map(content.deadLetters),
      counters: new Map(content.counters),
      sold: new Map(content.sold),
      refunds: new Map(content.refunds),
    };
    return copy;
  }
}

/** How a medium keeps values. */
export type Form = {
  keep(value: unknown): unknown;
  give(kept: unknown): unknown;
  same(kept: unknown, request: LedgerRequest): boolean;
};
