/** What a salvage is told, what it needs to know of the state, and what it has to say afterwards. */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import type { JournalEvent } from "./store.ts";

export type JournalPlace = { readonly path: string; readonly terminal: string };

/** What the salvage cannot know: how a state comes from events, and what a journal that lost something may do. */
export type SalvageRules<Event extends JournalEvent, State> = {
  /** The state after these events. `state` null: from nothing, with no events when nothing is left to fold. */
  fold(state: State | null, events: Iterable<Event>): State;
  /** The state that the new journal begins with, given what is known beside it. */
  resume(state: State, saved: Saved): State;
  /**
   * Whether a journal in this state may go on by itself in a successor that the ledger welcomes. One that the ledger
   * refuses may not, or damage would be a way in: its successor names no predecessor, and staff has to adopt it.
   */
  continues(state: State): boolean;
};

export type Saved = {
  /** Requests that wait for the ledger, in their order. */
  readonly waiting: readonly LedgerRequest[];
  /** Sales that were paid, in no order. */
  readonly sold: readonly SoldSale[];
  /** The highest sale number in any request or sale, 0 when there is none. */
  readonly lastSequence: number;
};

export type Range = { readonly from: number; readonly to: number };

export type SalvageReport = {
  /** What was wrong, as the fault said it. */
  readonly reason: string;
  /** Where the old journal lies now, null when there was none. */
  readonly setAside: string | null;
  readonly journalId: string;
  /** The old journal's id, null when it cannot be read any more. */
  readonly predecessor: string | null;
  /** Events in the new journal, by their old positions; null when there are none. */
  readonly events: Range | null;
  /** Events that are lost; null when none is. */
  readonly missing: Range | null;
  /** `failure`: why the events could not be folded. */
  readonly state: { readonly from: "snapshot" | "events" | "nothing"; readonly failure: string | null };
  readonly waiting: number;
  /** Requests that should wait and were not found; null when the snapshot that counts them is lost. */
  readonly waitingLost: number | null;
  readonly deadLetters: number;
  readonly cardCounters: number;
  readonly sales: number;
  readonly refunds: number;
  readonly denyList: number | null;
};
