/**
 * Delivers events to the core and carries out what it asks for: persist, then act.
 *
 * All events that wait are folded together, one journal transaction takes them with the new state and the outbox
 * rows, and only when that is on disk do their effects run. A journal that cannot be written ends the daemon: nothing
 * may happen that is not recorded, and a restart folds the journal again.
 */
import type { Commit, Store } from "../../sync/store/store.ts";
import type { Effect } from "../core/effect.ts";
import type { SaleEvent } from "../core/event.ts";
import type { TerminalState } from "../core/sale.ts";
import type { SaleSettings } from "../core/settings.ts";
import { step } from "../core/step.ts";

export type Journal = Pick<Store<SaleEvent, TerminalState>, "append" | "lastCounter">;
type Batch = Commit<SaleEvent, TerminalState>;

/** Everything but "ledger.send", which the journal takes. */
export type DeviceEffect = Exclude<Effect, { kind: "ledger.send" }>;

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

/** Nothing at a counter produces this many events before the journal takes them; more is a programmer error. */
const MAXIMUM_WAITING_EVENTS = 10_000;

export class Interpreter {
  readonly #ports: InterpreterPorts;
  #settings: SaleSettings;
  #state: TerminalState;
  #waiting: SaleEvent[] = [];
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
    if (this.#stopped) return;
    if (this.#waiting.length >= MAXIMUM_WAITING_EVENTS) throw new Error("the interpreter's queue is full");
    this.#waiting.push({ ...happening, atMs: this.#ports.now() });
    if (this.#deferred) return;
    this.#deferred = true;
    this.#ports.defer(() => this.#drain());
  }

  /** A card was read: the journal knows how far its counter had come. */
  presentCard(card: Extract<SaleEvent, { kind: "card.presented" }>["card"]): void {
    this.deliver({ kind: "card.presented", card, lastCounter: this.#ports.journal.lastCounter(card.token) });
  }

  /** Nothing is taken any more; what was delivered before is still carried out. */
  stop(): void {
    this.#drain();
    this.#stopped = true;
  }

  #drain(): void {
    this.#deferred = false;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length === 0 || this.#stopped) return;
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
    const effects: DeviceEffect[] = [];
    for (const event of waiting) {
      if (event.kind === "settings.applied") settings = event.settings;
      const result = step(settings, state, event);
      const changed = result.state !== state || result.effects.length > 0;
      if (!changed && !mattersToJournal(event)) continue;
      state = result.state;
      events.push(event);
      for (const effect of result.effects) {
        if (effect.kind === "ledger.send") outbox.push({ id: effect.id, request: effect.request });
        else effects.push(effect);
      }
    }
    const acknowledged = events.flatMap((event) => (event.kind === "ledger.answered" ? [event.answer] : []));
    const cardCounters = events.flatMap((event) =>
      event.kind === "card.presented" ? [{ token: event.card.token, counter: event.card.counter }] : [],
    );
    return { batch: { events, state, outbox, acknowledged, cardCounters }, effects, settings };
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
