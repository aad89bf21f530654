/**
 * Delivers events to the core and carries out what it asks for: persist, then act.
 *
 * All events that wait are folded together, one journal transaction takes them with the new state and the outbox
 * rows, and only when that is on disk do their effects run. A journal that cannot be written ends the daemon: nothing
 * may happen that is not recorded, and a restart folds the journal again.
 *
 * What touches money, paper or the ledger is synced before its effects run. Talk about an order is written in the same
 * order without a sync of its own: a process that dies loses none of it, and a power cut at most an order that nobody
 * has paid yet.
 */
import type { Commit, SoldRefund, Store } from "../../sync/store/store.ts";
import type { CardProof } from "../core/clearing.ts";
import type { Effect } from "../core/effect.ts";
import type { SaleEvent } from "../core/event.ts";
import type { TerminalState } from "../core/sale.ts";
import type { SaleSettings } from "../core/settings.ts";
import type { SoldSale } from "../core/staff.ts";
import { step } from "../core/step.ts";

export type Journal = Pick<Store<SaleEvent, TerminalState>, "append" | "lastCounter">;
type Batch = Commit<SaleEvent, TerminalState>;

/** Everything but what the journal takes. */
export type DeviceEffect = Exclude<Effect, { kind: "ledger.send" | "sale.record" | "refund.record" }>;

export type InterpreterPorts = {
  readonly journal: Journal;
  /** Milliseconds since 1970 as this machine believes. */
  readonly now: () => number;
  /** Runs `work` once, soon, after the current event has been handled. */
  readonly defer: (work: () => void) => void;
  readonly perform: (effect: DeviceEffect) => void;
  /** New rows are in the outbox. */
  readonly outboxGrew: () => void;
  /** After every transaction, with the events that were taken. */
  readonly committed: (state: TerminalState, events: readonly SaleEvent[]) => void;
  /** The journal failed: the daemon must end. */
  readonly failed: (cause: unknown) => void;
};

type WithoutTime<T> = T extends unknown ? Omit<T, "atMs"> : never;
/** An event before the interpreter gives it the time. */
export type Happening = WithoutTime<SaleEvent>;

/** What waits to be folded. A lookup is made into its event when everything before it is in the journal. */
type Waiting = { readonly event: SaleEvent } | { readonly lookup: () => Happening };

/** Nothing at a counter produces this many events before the journal takes them; more is a programmer error. */
const MAXIMUM_WAITING_EVENTS = 10_000;

export class Interpreter {
  readonly #ports: InterpreterPorts;
  #settings: SaleSettings;
  #state: TerminalState;
  #waiting: Waiting[] = [];
  #deferred = false;
  #stopped = false;

  constructor(settings: SaleSettings, state: TerminalState, ports: InterpreterPorts) {
    this.#settings = settings;
    this.#state = state;
    this.#ports = ports;
  }

  get state(): TerminalState {
    return this.#state;
  }

  /** Takes an event; it is folded and acted upon once the current work is done. */
  deliver(happening: Happening): void {
    this.#enqueue({ event: { ...happening, atMs: this.#ports.now() } });
  }

  /**
   * Takes an event that brings along what the journal knows. `lookup` is called when everything delivered before is in
   * the journal, so what it finds is true: two taps of one card in the same moment do not both see the older counter.
   */
  ask(lookup: () => Happening): void {
    this.#enqueue({ lookup });
  }

  /** A card was read: the journal knows how far its counter had come. */
  presentCard(card: CardProof, facts: { readonly verified: boolean; readonly denied: () => boolean }): void {
    this.ask(() => ({
      kind: "card.presented",
      card,
      lastCounter: this.#ports.journal.lastCounter(card.token),
      verified: facts.verified,
      denied: facts.denied(),
    }));
  }

  /** Nothing is taken any more; what was delivered before is still carried out. */
  stop(): void {
    this.#drain();
    this.#stopped = true;
  }

  #enqueue(waiting: Waiting): void {
    if (this.#stopped) return;
    if (this.#waiting.length >= MAXIMUM_WAITING_EVENTS) throw new Error("the interpreter's queue is full");
    this.#waiting.push(waiting);
    if (this.#deferred) return;
    this.#deferred = true;
    this.#ports.defer(() => this.#drain());
  }

  #drain(): void {
    this.#deferred = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0 && !this.#stopped) this.#take(this.#nextBatch(waiting));
  }

  /** Everything up to the next lookup; a lookup begins a batch of its own. */
  #nextBatch(waiting: Waiting[]): SaleEvent[] {
    const events: SaleEvent[] = [];
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if ("lookup" in next && events.length > 0) break;
      waiting.shift();
      events.push("lookup" in next ? { ...next.lookup(), atMs: this.#ports.now() } : next.event);
    }
    return events;
  }

  #take(events: readonly SaleEvent[]): void {
    const { batch, effects, settings } = this.#fold(events);
    if (batch.events.length > 0) {
      try {
        this.#ports.journal.append(batch);
      } catch (cause) {
        this.#stopped = true;
        return this.#ports.failed(cause);
      }
    }
    this.#settings = settings;
    this.#state = batch.state;
    if (batch.outbox.length > 0) this.#ports.outboxGrew();
    for (const effect of effects) this.#ports.perform(effect);
    this.#ports.committed(this.#state, events);
  }

  #fold(waiting: readonly SaleEvent[]): { batch: Batch; effects: DeviceEffect[]; settings: SaleSettings } {
    let state = this.#state;
    let settings = this.#settings;
    const events: SaleEvent[] = [];
    const outbox: Batch["outbox"][number][] = [];
    const sold: SoldSale[] = [];
    const refunds: SoldRefund[] = [];
    const effects: DeviceEffect[] = [];
    for (const event of waiting) {
      if (event.kind === "settings.applied") settings = event.settings;
      const result = step(settings, state, event);
      const changed = result.state !== state || result.effects.length > 0;
      if (!changed && !mattersToJournal(event)) continue;
      state = result.state;
      events.push(event);
      for (const effect of result.effects) {
        switch (effect.kind) {
          case "ledger.send":
            outbox.push({ id: effect.id, request: effect.request });
            break;
          case "sale.record":
            sold.push(effect.sale);
            break;
          case "refund.record": {
            const { key, saleId, amount, purpose } = effect;
            refunds.push({ key, saleId, amount, purpose });
            break;
          }
          default:
            effects.push(effect);
        }
      }
    }
    const acknowledged = events.flatMap((event) => (event.kind === "ledger.answered" ? [event.answer] : []));
    const cardCounters = events.flatMap((event) =>
      event.kind === "card.presented" ? [{ token: event.card.token, counter: event.card.counter }] : [],
    );
    const synced = outbox.length > 0 || events.some(mustBeSynced) || effects.some(isPaper);
    return {
      batch: { events, state, outbox, acknowledged, cardCounters, sold, refunds, synced },
      effects,
      settings,
    };
  }
}

/** Kept although the state does not change: the ledger's word, a tap, and what the later fold depends on. */
function mattersToJournal(event: SaleEvent): boolean {
  return (
    event.kind === "ledger.answered" ||
    event.kind === "card.presented" ||
    event.kind === "settings.applied" ||
    event.kind === "daemon.started"
  );
}

/** Whatever brings a paper to the printer: forgotten, the paper would come out again and not say COPY. */
function isPaper(effect: DeviceEffect): boolean {
  return effect.kind === "printer.print";
}

/** Losing it to a power cut could cost money or a promise that was made: on paper, to staff, to the ledger. */
function mustBeSynced(event: SaleEvent): boolean {
  switch (event.kind) {
    case "sale.woken":
    case "turn.heard":
    case "turn.missed":
    case "speech.ended":
    case "card.rejected":
    case "link.changed":
    // A timer that sends or prints something is synced for that.
    case "timer.fired":
    // The next attempt to print says COPY when paper may have moved; without this event it says COPY as well.
    case "receipt.failed":
      return false;
    case "card.presented":
    case "ledger.answered":
    case "receipt.printed":
    case "staff.asked":
    case "settings.applied":
    case "daemon.started":
    case "request.buried":
    case "journal.welcomed":
    case "journal.barred":
    case "journal.recalled":
      return true;
  }
}
