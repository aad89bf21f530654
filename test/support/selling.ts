/**
 * A counter that sells by script: the interpreter and the core of the daemon on a given store, with devices, customers
 * and a ledger that answer at once. What is journalled is journalled as in the daemon, one transaction for each thing
 * that happens; only the waiting between the things is left out. The same seed gives the same sales.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SaleEvent } from "../../daemon/core/event.ts";
import type { TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import type { StaffRequest } from "../../daemon/core/staff.ts";
import { type DeviceEffect, type Happening, Interpreter } from "../../daemon/shell/interpreter.ts";
import type { Store } from "../../sync/store/store.ts";
import { pick, type Random } from "./power-loss/disk.ts";
import { SETTINGS } from "./shop.ts";

export type SaleStore = Store<SaleEvent, TerminalState>;

/** How a sale goes. */
export const SALE_PLANS = [
  "approved",
  "approved",
  "approved",
  "offline",
  "declined",
  "second card",
  "answer late",
  "unanswered",
  "refused",
  "cancelled",
  "paper out",
  "refunded",
  "voided",
] as const;
export type SalePlan = (typeof SALE_PLANS)[number];

/** Limits so wide that a script may sell offline for long. */
export const SELLING_SETTINGS: SaleSettings = {
  ...SETTINGS,
  offline: {
    enabled: true,
    perSaleMinor: 1_000_000n,
    totalMinor: 100_000_000n,
    count: 1_000,
    maxAgeMs: 10 ** 12,
    perCard: 1_000,
    perCardPerHour: 1_000,
  },
};

const BEGIN_MS = 1_795_000_000_000;
const CARDS = 12;
const PAGE_ROWS = 100;
const FINISHING_TRIES = 10;
const ITEMS = ["americano", "latte", "cookie", "water"];

export class SellingCounter {
  readonly #store: SaleStore;
  readonly #random: Random;
  readonly #interpreter: Interpreter;
  readonly #deferred: (() => void)[] = [];
  #said: string[] = [];
  #printing: string[] = [];
  #nowMs = BEGIN_MS;

  /** The store is open and new. */
  constructor(store: SaleStore, state: TerminalState, random: Random) {
    this.#store = store;
    this.#random = random;
    this.#interpreter = new Interpreter(SELLING_SETTINGS, state, {
      journal: store,
      now: () => {
        this.#nowMs += 1 + Math.floor(random() * 2_000);
        return this.#nowMs;
      },
      defer: (work) => this.#deferred.push(work),
      perform: (effect) => this.#perform(effect),
      outboxGrew: () => {},
      committed: ({ sale }) => {
        if (sale === null) store.tidy();
      },
      failed: (cause) => {
        throw cause;
      },
    });
  }

  get state(): TerminalState {
    return this.#interpreter.state;
  }

  /** By the clock that the events carry. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** A new journal. */
  begin(): void {
    this.#happen({ kind: "settings.applied", settings: SELLING_SETTINGS });
    this.start();
  }

  /** What every start of the daemon journals, and the link that comes up. */
  start(): void {
    this.#happen({ kind: "daemon.started" });
    this.#happen({ kind: "link.changed", up: true });
    this.#happen({ kind: "journal.welcomed" });
  }

  /** Starts on a journal that others wrote, and brings the sale that was under way to an end. */
  finish(): void {
    this.start();
    for (let tries = 0; tries < FINISHING_TRIES && this.state.sale !== null; tries += 1) {
      this.#answerAll(approved);
      this.#print(null);
      this.#turn({ kind: "cancel" });
      this.#fireTimer(1);
    }
  }

  /** One sale from the button to its end. Offline sales stay in the outbox until `drain`. */
  sell(plan: SalePlan): void {
    if (plan === "offline") this.#happen({ kind: "link.changed", up: false });
    this.#order();
    if (plan === "cancelled") return this.#turn({ kind: "cancel" });
    this.#tap();
    if (plan === "declined" || plan === "second card") this.#answerAll(declined);
    if (plan === "declined") this.#turn({ kind: "cancel" });
    if (plan === "second card") this.#tap();
    if (plan === "answer late") this.#fireTimer(1);
    if (plan === "unanswered") this.#fireTimer(5);
    if (plan === "refused") this.#answerAll(refused);
    if (plan !== "offline") this.#answerAll(approved);
    this.#print(plan === "paper out" ? "paper-out" : null);
    if (plan === "offline") this.#happen({ kind: "link.changed", up: true });
    const left = this.state.sale;
    if (left !== null) throw new Error(`a sale "${plan}" did not end: ${left.phase.kind}`);
    if (plan === "refunded" || plan === "voided") this.#takeBack(plan);
  }

  /** Staff closes the business day. */
  closeDay(): void {
    this.#ask(() => ({ kind: "close-day", language: "ko" }));
  }

  /** The ledger answers everything that waits. */
  drain(): void {
    this.#answerAll(approved);
  }

  #takeBack(how: "refunded" | "voided"): void {
    const part = 1n + BigInt(Math.floor(this.#random() * 900));
    this.#ask(() => {
      const sale = this.#store.soldSales(1)[0];
      if (sale === undefined) throw new Error("nothing was sold");
      if (how === "voided") return { kind: "void", sale };
      return { kind: "refund", saleId: sale.saleId, sale, amount: { ...sale.amount, minor: part } };
    });
    this.#answerAll(approved);
    this.#print(null);
  }

  #ask(request: () => StaffRequest): void {
    const requestId = this.#uuid();
    this.#interpreter.ask(() => ({ kind: "staff.asked", requestId, request: request() }));
    this.#settle();
    this.#print(null);
  }

  #order(): void {
    this.#happen({ kind: "sale.woken", saleId: this.#uuid(), language: "ko", source: "button" });
    const add = { kind: "add", itemId: pick(this.#random, ITEMS), options: {} } as const;
    this.#turn({ kind: "edit", edits: [{ ...add, quantity: 1 + Math.floor(this.#random() * 3) }] });
    this.#turn({ kind: "confirm" });
  }

  #turn(intent: Extract<SaleEvent, { kind: "turn.heard" }>["turn"]["intent"]): void {
    this.#happen({ kind: "turn.heard", turn: { language: "ko", intent, confidence: 0.9 }, source: "voice" });
  }

  #tap(): void {
    const token = `ntag424:04DE5F1EACC0${10 + Math.floor(this.#random() * CARDS)}`;
    const counter = (this.#store.lastCounter(token) ?? 0) + 1;
    const card = { token, masked: `****-C0${token.slice(-2)}`, counter };
    this.#interpreter.presentCard(card, { verified: true, denied: () => false });
    this.#settle();
  }

  /** The sale's timer runs out, so often. */
  #fireTimer(times: number): void {
    for (let fired = 0; fired < times && this.state.sale?.timer != null; fired += 1)
      this.#happen({ kind: "timer.fired", timerId: this.state.sale.timer });
  }

  #print(problem: "paper-out" | null): void {
    for (let effectId = this.#printing.shift(); effectId !== undefined; effectId = this.#printing.shift()) {
      if (problem === null) {
        this.#happen({ kind: "receipt.printed", effectId });
        continue;
      }
      this.#happen({ kind: "receipt.failed", effectId, reason: problem, paperMoved: true });
      this.#fireTimer(1);
      problem = null;
    }
  }

  #answerAll(outcomeOf: (request: LedgerRequest, random: Random) => LedgerOutcome): void {
    for (;;) {
      const rows = this.#store.pending(0, PAGE_ROWS);
      if (rows.length === 0) return;
      for (const { id, request } of rows) {
        this.#store.markSent(id);
        const outcome = outcomeOf(request, this.#random);
        this.#happen({ kind: "ledger.answered", answer: { requestId: id, key: request.key, outcome } });
      }
    }
  }

  #happen(happening: Happening): void {
    this.#interpreter.deliver(happening);
    this.#settle();
  }

  /** Lets the interpreter work, and what it asked to be said be said, until nothing is left to do. */
  #settle(): void {
    for (;;) {
      for (let work = this.#deferred.shift(); work !== undefined; work = this.#deferred.shift()) work();
      const effectId = this.#said.shift();
      if (effectId === undefined) return;
      this.#interpreter.deliver({ kind: "speech.ended", effectId, outcome: "played" });
    }
  }

  #perform(effect: DeviceEffect): void {
    if (effect.kind === "speech.say") this.#said.push(effect.id);
    if (effect.kind === "printer.print") this.#printing.push(effect.id);
  }

  #uuid(): string {
    const digits = (count: number): string =>
      Array.from({ length: count }, () => Math.floor(this.#random() * 16).toString(16)).join("");
    return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
  }
}

function approved(request: LedgerRequest, random: Random): LedgerOutcome {
  switch (request.kind) {
    case "authorise": {
      const authorisation = `SBX-${Math.floor(random() * 10 ** 9)}`;
      return { kind: "approved", authorisation, gateway: "sandbox", amount: request.amount };
    }
    case "reverse":
      return { kind: "reversed" };
    case "refund":
      return { kind: "refunded", amount: request.amount, total: request.amount, gateway: "sandbox" };
    case "query":
    case "honour":
      return { kind: "pending" };
  }
}

function refused(): LedgerOutcome {
  return { kind: "refused", reason: "invalid" };
}

function declined(): LedgerOutcome {
  return { kind: "declined", reason: "insufficient-funds", gateway: "sandbox" };
}
