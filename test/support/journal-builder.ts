/**
 * A journal with many sales in it, made quickly by the daemon's own interpreter, core and store: the events of each
 * sale are those of a counter that sells by touch, only the waiting between them is left out, and many of the
 * interpreter's transactions become one of the store's. What is in the file is what a daemon would have left there.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import { type DeviceEffect, type Happening, Interpreter } from "../../daemon/shell/interpreter.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Commit } from "../../sync/store/store.ts";

export type JournalPlan = {
  readonly path: string;
  readonly terminal: string;
  readonly settings: SaleSettings;
  readonly sales: number;
  /** online: the ledger approved each; offline: all wait in the outbox. */
  readonly mode: "online" | "offline";
  /** By the terminal's clock, the last sale ends now. */
  readonly betweenSalesMs: number;
  readonly said?: (sales: number) => void;
};

/** Sales in one transaction of the store. */
const SALES_IN_COMMIT = 250;
const CARDS = 200;
const ITEMS = ["americano", "latte", "vanilla-latte"] as const;

type Batch = Commit<SaleEvent, TerminalState>;

/** Gives the number of events in the journal. The path's folder is made. */
export function buildJournal(plan: JournalPlan): number {
  mkdirSync(dirname(plan.path), { recursive: true, mode: 0o700 });
  const store = new SqliteStore<SaleEvent, TerminalState>({ path: plan.path, terminal: plan.terminal });
  store.open();
  try {
    const builder = new Builder(plan, store);
    builder.begin();
    for (let sale = 0; sale < plan.sales; sale++) {
      builder.sell(sale);
      if ((sale + 1) % SALES_IN_COMMIT !== 0 && sale + 1 < plan.sales) continue;
      builder.flush();
      plan.said?.(sale + 1);
    }
    return builder.events;
  } finally {
    store.close();
  }
}

class Builder {
  readonly #plan: JournalPlan;
  readonly #store: SqliteStore<SaleEvent, TerminalState>;
  readonly #interpreter: Interpreter;
  #deferred: (() => void)[] = [];
  #effects: DeviceEffect[] = [];
  #batches: Batch[] = [];
  #nowMs: number;
  events = 0;

  constructor(plan: JournalPlan, store: SqliteStore<SaleEvent, TerminalState>) {
    this.#plan = plan;
    this.#store = store;
    this.#nowMs = Date.now() - plan.sales * plan.betweenSalesMs;
    this.#interpreter = new Interpreter(plan.settings, EMPTY_TERMINAL, {
      journal: {
        append: (batch) => {
          this.#batches.push(batch);
          this.events += batch.events.length;
          return this.events;
        },
        lastCounter: () => null,
      },
      now: () => this.#nowMs,
      defer: (work) => this.#deferred.push(work),
      perform: (effect) => this.#effects.push(effect),
      outboxGrew: () => undefined,
      committed: () => undefined,
      failed: (cause) => {
        throw cause;
      },
    });
  }

  begin(): void {
    this.#happen({ kind: "settings.applied", settings: this.#plan.settings });
    this.#happen({ kind: "daemon.started" });
    this.#happen({ kind: "journal.welcomed" });
    this.#happen({ kind: "link.changed", up: this.#plan.mode === "online" });
    this.flush();
  }

  sell(index: number): void {
    const saleId = randomUUID();
    this.#nowMs += this.#plan.betweenSalesMs;
    this.#happen({ kind: "sale.woken", saleId, language: "ko", source: "button" });
    const itemId = ITEMS[index % ITEMS.length] ?? "americano";
    this.#touch({ kind: "edit", edits: [{ kind: "add", itemId, quantity: 1 + (index % 3), options: {} }] });
    this.#touch({ kind: "confirm" });
    const token = `ntag424:${String(index % CARDS).padStart(14, "0")}`;
    const card = {
      token,
      masked: `****-${String(index % CARDS).padStart(4, "0")}`,
      counter: 1 + Math.floor(index / CARDS),
    };
    this.#happen({
      kind: "card.presented",
      card,
      lastCounter: card.counter - 1,
      verified: true,
      denied: false,
    });
    if (this.#plan.mode === "online") this.#approve(index);
    this.#printAll();
    if (this.#interpreter.state.sale !== null)
      throw new Error(`sale ${index} stopped at ${this.#interpreter.state.sale.phase.kind}`);
    const ending = this.#interpreter.state.recent.at(-1)?.ending;
    if (ending !== (this.#plan.mode === "online" ? "approved" : "approved-offline"))
      throw new Error(`sale ${index} ended ${ending ?? "not"}: are the limits of the settings wide enough?`);
  }

  /** Everything since the last time becomes one transaction of the store. */
  flush(): void {
    const last = this.#batches.at(-1);
    if (last === undefined) return;
    const batches = this.#batches;
    this.#batches = [];
    this.#store.append({
      events: batches.flatMap(({ events }) => events),
      state: last.state,
      outbox: batches.flatMap(({ outbox }) => outbox),
      acknowledged: batches.flatMap(({ acknowledged }) => acknowledged),
      cardCounters: batches.flatMap(({ cardCounters }) => cardCounters),
      sold: batches.flatMap(({ sold = [] }) => sold),
      refunds: batches.flatMap(({ refunds = [] }) => refunds),
    });
  }

  #approve(index: number): void {
    const row = this.#batches.at(-1)?.outbox.at(-1);
    if (row?.request.kind !== "authorise") throw new Error("no authorisation was sent");
    const { key, amount } = row.request;
    const outcome = { kind: "approved", authorisation: `S${index}`, gateway: "sandbox", amount } as const;
    this.#happen({ kind: "ledger.answered", answer: { requestId: row.id, key, outcome } });
  }

  #printAll(): void {
    const prints = this.#effects.filter(({ kind }) => kind === "printer.print");
    this.#effects = [];
    for (const { id } of prints) this.#happen({ kind: "receipt.printed", effectId: id });
  }

  #touch(intent: Extract<SaleEvent, { kind: "turn.heard" }>["turn"]["intent"]): void {
    this.#happen({ kind: "turn.heard", turn: { language: "ko", intent, confidence: 1 }, source: "touch" });
  }

  /** Lets the interpreter work, and every sentence that it asked for be said. */
  #happen(happening: Happening): void {
    this.#interpreter.deliver(happening);
    for (;;) {
      for (let work = this.#deferred.shift(); work !== undefined; work = this.#deferred.shift()) work();
      const at = this.#effects.findIndex(({ kind }) => kind === "speech.say");
      const [said] = at === -1 ? [] : this.#effects.splice(at, 1);
      if (said === undefined) return;
      this.#interpreter.deliver({ kind: "speech.ended", effectId: said.id, outcome: "played" });
    }
  }
}
