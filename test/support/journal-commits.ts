/** What the tests of the store write: commits, rows, sales and refunds, and how they look at a fault. */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import type { Commit, SoldRefund } from "../../sync/store/store.ts";
import type { Event, State } from "./journal-places.ts";
import { AUTHORISE, won } from "./messages.ts";

export function commit(...kinds: string[]): Commit<Event, State> {
  const events = kinds.map((kind, index) => ({ kind, atMs: 1_000 + index }));
  return {
    events,
    state: { count: kinds.length, total: 15_000n },
    outbox: [],
    acknowledged: [],
    cardCounters: [],
  };
}

export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "none";
}

export function soldSale(saleId: string): SoldSale {
  const { amount, vat } = AUTHORISE;
  const merchant = { name: "세이카페", registration: "", address: "", phone: "", representative: "" };
  return {
    saleId,
    sequence: 1,
    day: 1,
    key: `${saleId}/1`,
    amount,
    result: { kind: "approved", authorisation: "A1" },
    receipt: {
      saleId,
      number: 1,
      merchant,
      terminal: "t1",
      language: "ko",
      timeMs: 5,
      lines: [],
      total: amount,
      vat,
      vatPercent: 10,
      payment: { kind: "approved", authorisation: "A1", card: "****" },
      copy: false,
    },
  };
}

export function refund(key: string, saleId: string, minor: number): SoldRefund {
  return { key, saleId, amount: won(minor), purpose: "refund" };
}

export const row = (id: string, request: LedgerRequest = AUTHORISE) => ({ id, request });
