/**
 * Where staff asks: finds the sale that is meant, delivers the request to the core, and carries its answers back as long
 * as somebody waits for them. Looking something up changes nothing and asks nobody.
 *
 * The first answer comes with the commit. What is queued is answered again when the ledger has spoken; whoever has left
 * by then finds the paper at the counter, and the sale's new state in the list.
 */
import type { DeadLetter, Store } from "../../sync/store/store.ts";
import type { SaleEvent } from "../core/event.ts";
import type { Language } from "../core/menu.ts";
import type { Money } from "../core/money.ts";
import type { BusinessDay, OpenCharge, OpenRefund, Standing, TerminalState } from "../core/sale.ts";
import type { FoundSale, StaffAnswer, StaffRequest } from "../core/staff.ts";
import { parseAmount } from "./amount-text.ts";
import type { Happening } from "./interpreter.ts";
import { findSale, type SaleSearch } from "./sale-search.ts";

/** `sale` is a number of today, an id, or the beginning of one. */
export type DeskRequest =
  | { readonly kind: "sales"; readonly limit: number }
  | { readonly kind: "void"; readonly sale: string }
  /** `amount` as it was typed; null: all that is left. */
  | { readonly kind: "refund"; readonly sale: string; readonly amount: string | null }
  | { readonly kind: "reprint"; readonly sale: string }
  /** `language` of the report, null: the terminal's. */
  | { readonly kind: "close-day"; readonly language: Language | null }
  | { readonly kind: "open" }
  | { readonly kind: "dismiss"; readonly key: string }
  | { readonly kind: "status" };

/** A sale as staff needs to see it. */
export type DeskSale = {
  readonly saleId: string;
  readonly number: number;
  readonly day: number;
  readonly today: boolean;
  readonly timeMs: number;
  readonly amount: Money;
  readonly refundedMinor: bigint;
  /** Refunds and voids of it that wait for the ledger. */
  readonly waitingMinor: bigint;
  readonly voided: boolean;
  readonly offline: boolean;
  readonly card: string;
};

type Aged = { readonly ageMs: number };

export type DeskAnswer =
  | { readonly kind: "sales"; readonly day: number; readonly sales: readonly DeskSale[] }
  | {
      readonly kind: "open";
      readonly charges: readonly (Pick<OpenCharge, "key" | "saleId" | "amount" | "purpose"> & Aged)[];
      readonly refunds: readonly (Pick<OpenRefund, "key" | "saleId" | "amount" | "purpose"> & Aged)[];
      readonly deadLetters: readonly (Pick<DeadLetter, "id" | "reason"> & {
        readonly key: string;
        readonly request: string;
      } & Aged)[];
    }
  | {
      readonly kind: "status";
      readonly terminal: string;
      readonly standing: Standing;
      readonly linkUp: boolean;
      readonly currency: string;
      readonly phase: string;
      readonly day: BusinessDay;
      readonly openCharges: number;
      readonly openRefunds: number;
      readonly outboxDepth: number;
      readonly deadLetters: number;
      readonly papers: number;
      readonly journalId: string;
      readonly devices: readonly DeviceState[];
    }
  /** What the core says. Answers that are not the last are followed by another. */
  | { readonly kind: "staff"; readonly sale: DeskSale | null; readonly answer: StaffAnswer }
  | { readonly kind: "sale-unclear"; readonly why: SaleUnclear; readonly candidates: readonly DeskSale[] }
  | { readonly kind: "amount-unclear"; readonly currency: string }
  /** The core gave no answer in time: it is not known whether it will. */
  | { readonly kind: "silent" }
  /** As many requests as may be under way are. */
  | { readonly kind: "busy" };

export type SaleUnclear = "unknown" | "elsewhere" | "earlier-day" | "ambiguous";
export type DeviceState = { readonly name: string; readonly state: string; readonly fault?: string };
export type Tell = (answer: DeskAnswer, last: boolean) => void;

export type StaffDeskPorts = {
  readonly terminal: string;
  readonly language: Language;
  readonly currency: string;
  readonly store: Pick<
    Store<SaleEvent, TerminalState>,
    "soldSale" | "soldSales" | "deadLetters" | "depth" | "identity"
  >;
  readonly state: () => TerminalState;
  readonly devices: () => readonly DeviceState[];
  /** Delivers what the lookup makes once everything that was delivered before is in the journal. */
  readonly ask: (lookup: () => Happening) => void;
  /** A fresh UUID. */
  readonly newId: () => string;
  readonly now: () => number;
  /** Runs `work` once after `ms` unless the returned function was called. */
  readonly after: (ms: number, work: () => void) => () => void;
};

/** The core answers in the same commit; a disk that takes longer than this is in trouble. */
const FIRST_ANSWER_MS = 10_000;
/** Requests that are waited for at a time. */
const MAXIMUM_WAITING = 32;
/** Dead letters that one answer lists, oldest first. */
const MAXIMUM_LISTED = 200;

type Waiting = { readonly sale: DeskSale | null; readonly tell: Tell; readonly cancelTimer: () => void };

export class StaffDesk {
  readonly #ports: StaffDeskPorts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(ports: StaffDeskPorts) {
    this.#ports = ports;
  }

  /** `tell` is called once or more, the last time with `last`. Returns what to call when nobody waits any more. */
  handle(request: DeskRequest, tell: Tell): () => void {
    switch (request.kind) {
      case "sales":
        return done(tell, this.#sales(request.limit));
      case "open":
        return done(tell, this.#open());
      case "status":
        return done(tell, this.#status());
      case "close-day":
        return this.#ask(null, tell, () => ({
          kind: "close-day",
          language: request.language ?? this.#ports.language,
        }));
      case "dismiss":
        return this.#ask(null, tell, () => ({ kind: "dismiss", key: request.key }));
      case "void":
      case "reprint":
        return this.#aboutSale(request, tell);
      case "refund":
        return this.#refund(request, tell);
    }
  }

  /** The effect "staff.answer". Nobody may wait for it any more. */
  answered(requestId: string, answer: StaffAnswer): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return;
    waiting.cancelTimer();
    const last = answer.kind !== "queued";
    if (last) this.#waiting.delete(requestId);
    const now = waiting.sale === null ? null : this.#ports.store.soldSale(waiting.sale.saleId);
    waiting.tell({ kind: "staff", sale: now === null ? waiting.sale : this.#shown(now), answer }, last);
  }

  #aboutSale(request: Extract<DeskRequest, { kind: "void" | "reprint" }>, tell: Tell): () => void {
    const found = this.#find(request.sale);
    if (found.kind !== "found") return done(tell, this.#unclear(found));
    const { kind } = request;
    return this.#ask(found.sale, tell, () => ({ kind, sale: this.#current(found.sale) }));
  }

  #refund(request: Extract<DeskRequest, { kind: "refund" }>, tell: Tell): () => void {
    const found = this.#find(request.sale);
    if (found.kind !== "found" && found.kind !== "elsewhere") return done(tell, this.#unclear(found));
    // Without an amount nothing can be given back of a sale that only the ledger knows.
    if (found.kind === "elsewhere" && request.amount === null) return done(tell, this.#unclear(found));
    const sale = found.kind === "found" ? found.sale : null;
    const saleId = found.kind === "found" ? found.sale.saleId : found.saleId;
    const currency = sale?.amount.currency ?? this.#ports.currency;
    const amount = request.amount === null ? null : parseAmount(request.amount, currency);
    if (request.amount !== null && amount === null) return done(tell, { kind: "amount-unclear", currency });
    return this.#ask(sale, tell, () => ({
      kind: "refund",
      saleId,
      sale: sale === null ? null : this.#current(sale),
      amount,
    }));
  }

  /** The sale with what was given back of it by now; it may have been forgotten since it was found. */
  #current(sale: FoundSale): FoundSale {
    return this.#ports.store.soldSale(sale.saleId) ?? sale;
  }

  #ask(sale: FoundSale | null, tell: Tell, request: () => StaffRequest): () => void {
    if (this.#waiting.size >= MAXIMUM_WAITING) return done(tell, { kind: "busy" });
    const requestId = this.#ports.newId();
    const forget = (): void => {
      this.#waiting.get(requestId)?.cancelTimer();
      this.#waiting.delete(requestId);
    };
    const cancelTimer = this.#ports.after(FIRST_ANSWER_MS, () => {
      forget();
      tell({ kind: "silent" }, true);
    });
    this.#waiting.set(requestId, { sale: sale && this.#shown(sale), tell, cancelTimer });
    this.#ports.ask(() => ({ kind: "staff.asked", requestId, request: request() }));
    return forget;
  }

  #find(name: string): SaleSearch {
    return findSale(this.#ports.store, name, this.#ports.state().day.number);
  }

  #unclear(found: Exclude<SaleSearch, { kind: "found" }>): DeskAnswer {
    const candidates = "candidates" in found ? found.candidates.map((sale) => this.#shown(sale)) : [];
    return { kind: "sale-unclear", why: found.kind, candidates };
  }

  #shown(sale: FoundSale): DeskSale {
    const { saleId, sequence, day, amount, refundedMinor, voided, result, receipt } = sale;
    const { openRefunds, day: open } = this.#ports.state();
    const waiting = openRefunds.filter((refund) => refund.saleId === saleId);
    return {
      saleId,
      number: sequence,
      day,
      today: day === open.number,
      timeMs: receipt.timeMs,
      amount,
      refundedMinor,
      waitingMinor: waiting.reduce((sum, refund) => sum + refund.amount.minor, 0n),
      voided,
      offline: result.kind === "approved-offline",
      card: receipt.payment.card,
    };
  }

  #sales(limit: number): DeskAnswer {
    const sales = this.#ports.store.soldSales(limit).map((sale) => this.#shown(sale));
    return { kind: "sales", day: this.#ports.state().day.number, sales };
  }

  #open(): DeskAnswer {
    const { openCharges, openRefunds } = this.#ports.state();
    const nowMs = this.#ports.now();
    // A clock that was set back makes no negative age.
    const age = (sinceMs: number): number => Math.max(0, nowMs - sinceMs);
    const open = (one: OpenCharge | OpenRefund) => ({
      key: one.key,
      saleId: one.saleId,
      amount: one.amount,
      ageMs: age(one.timeMs),
    });
    return {
      kind: "open",
      charges: openCharges.map((charge) => ({ ...open(charge), purpose: charge.purpose })),
      refunds: openRefunds.map((refund) => ({ ...open(refund), purpose: refund.purpose })),
      deadLetters: this.#ports.store
        .deadLetters()
        .slice(0, MAXIMUM_LISTED)
        .map(({ id, reason, atMs, request }) => ({
          id,
          reason,
          key: request.key,
          request: request.kind,
          ageMs: age(atMs),
        })),
    };
  }

  #status(): DeskAnswer {
    const { terminal, currency, store } = this.#ports;
    const { standing, linkUp, sale, day, openCharges, openRefunds, papers } = this.#ports.state();
    return {
      kind: "status",
      terminal,
      standing,
      linkUp,
      currency,
      phase: sale?.phase.kind ?? "idle",
      day,
      openCharges: openCharges.length,
      openRefunds: openRefunds.length,
      outboxDepth: store.depth(),
      deadLetters: store.deadLetters().length,
      papers: papers.length,
      journalId: store.identity().journalId,
      devices: this.#ports.devices(),
    };
  }
}

function done(tell: Tell, answer: DeskAnswer): () => void {
  tell(answer, true);
  return () => undefined;
}
