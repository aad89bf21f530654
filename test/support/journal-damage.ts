/**
 * A journal as a shop leaves it, for the tests of salvage: long events and states that spill over a page, requests that
 * wait and requests that were answered, dead letters, sales, refunds, counters, a deny list.
 */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import { toCanonicalJson } from "../../sync/store/canonical-json.ts";
import type { SalvageRules } from "../../sync/store/salvage-report.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { SoldRefund } from "../../sync/store/store.ts";
import { APPROVED, AUTHORISE, answerOf, won } from "./messages.ts";

export type Event = { readonly kind: string; readonly atMs: number; readonly note: string };
/** `note` is as long as a real state, so that it spills over its page. */
export type State = { readonly count: number; readonly recalling: boolean; readonly note: string };

export const TERMINAL = "t1";
const STATE_LENGTH = 9_000;
/** A cell's lengths, its key and the types of its nine columns are fewer bytes than this; so are hash, status and times. */
const ROW_HEADER_BYTES = 24;
const ROW_TAIL_BYTES = 64;

export function stateAfter(count: number): State {
  return { count, recalling: false, note: `${count}`.repeat(STATE_LENGTH).slice(0, STATE_LENGTH) };
}

export const RULES: SalvageRules<Event, State> = {
  fold: (state, events) => stateAfter((state?.count ?? 0) + [...events].length),
  resume: (state) => ({ ...state, recalling: true }),
  continues: () => true,
};

export function newStore(path: string): SqliteStore<Event, State> {
  return new SqliteStore({ path, terminal: TERMINAL });
}

export function requestOf(sale: number): LedgerRequest {
  const saleId = `sale-${sale}`;
  const card = { token: `card-${sale % 3}`, masked: "****", counter: sale };
  return { ...AUTHORISE, saleId, key: `${saleId}/1`, sequence: sale, card };
}

export function soldSale(sale: number): SoldSale {
  const { amount, vat } = AUTHORISE;
  const saleId = `sale-${sale}`;
  const merchant = { name: "세이카페", registration: "", address: "", phone: "", representative: "" };
  const payment = { kind: "approved", authorisation: "A1", card: "****" } as const;
  return {
    saleId,
    sequence: sale,
    day: 1,
    key: `${saleId}/1`,
    amount,
    result: { kind: "approved", authorisation: "A1" },
    receipt: {
      saleId,
      number: sale,
      merchant,
      terminal: TERMINAL,
      language: "ko",
      timeMs: sale,
      lines: [],
      total: amount,
      vat,
      vatPercent: 10,
      payment,
      copy: false,
    },
  };
}

export function refundOf(sale: number): SoldRefund {
  return { key: `sale-${sale}/refund-1`, saleId: `sale-${sale}`, amount: won(1_000), purpose: "refund" };
}

export type Sold = {
  readonly sales: number;
  /** Every how-manieth sale waits for the ledger still. */
  readonly waitingEvery: number;
  readonly eventsEach: number;
};

/** Sells: of each sale several events, a request, and for most of them the answer. */
export function sell(store: SqliteStore<Event, State>, { sales, waitingEvery, eventsEach }: Sold): void {
  let count = 0;
  for (let sale = 1; sale <= sales; sale += 1) {
    const events = Array.from({ length: eventsEach }, (_, index) => ({
      kind: "tick",
      atMs: sale,
      // One event in a while is longer than a page, as the settings are.
      note: "메뉴 ".repeat(sale % 10 === 1 && index === 0 ? 1_500 : 40),
    }));
    count += events.length;
    const id = `sale-${sale}/1:authorise`;
    store.append({
      events,
      state: stateAfter(count),
      outbox: [{ id, request: requestOf(sale) }],
      acknowledged: [],
      cardCounters: [{ token: `card-${sale % 3}`, counter: sale }],
      sold: [soldSale(sale)],
      refunds: sale % 5 === 0 ? [refundOf(sale)] : [],
    });
    if (sale % waitingEvery === 0) continue;
    if (sale % 7 === 0) {
      store.deadLetter(id, "too long", sale);
      continue;
    }
    count += 1;
    const refused = answerOf({ kind: "refused", reason: "invalid" }, id);
    store.append({
      events: [{ kind: "answered", atMs: sale, note: "" }],
      state: stateAfter(count),
      outbox: [],
      acknowledged: [sale % 11 === 0 ? refused : { ...APPROVED, requestId: id }],
      cardCounters: [],
      synced: sale % 2 === 0,
    });
  }
  store.saveDenyList({ version: 4, count: 100, set: new Uint8Array(6_000).fill(7) });
}

/** Everything that a journal tells, to compare one with another. */
export function contentsOf(store: SqliteStore<Event, State>): {
  readonly events: readonly Event[];
  readonly waiting: readonly (readonly [position: number, id: string, request: LedgerRequest])[];
  readonly dead: readonly string[];
  readonly counters: readonly (number | null)[];
  readonly sales: readonly string[];
  readonly denyList: number | null;
} {
  return {
    events: [...store.events()].map(({ event }) => event),
    waiting: store.pending(0, 10_000).map(({ position, id, request }) => [position, id, request]),
    dead: store.deadLetters().map(({ id, reason }) => `${id} ${reason}`),
    counters: [0, 1, 2].map((card) => store.lastCounter(`card-${card}`)),
    sales: store.soldSales(10_000).map(({ saleId, refundedMinor }) => `${saleId} ${refundedMinor}`),
    denyList: store.denyList()?.version ?? null,
  };
}

/** A copy of these bytes with one byte changed. */
export function flipped(bytes: Buffer, offset: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ mask;
  return copy;
}

/** Whether a byte belongs to the stored row of this request: its header, id, text, hash and status. */
export function isInRow(bytes: Buffer, offset: number, id: string, request: LedgerRequest): boolean {
  const text = Buffer.from(`${id}${toCanonicalJson(request)}`);
  const at = bytes.indexOf(text);
  return at !== -1 && offset >= at - ROW_HEADER_BYTES && offset < at + text.length + ROW_TAIL_BYTES;
}
