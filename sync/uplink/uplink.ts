/**
 * The uplink: carries out what uplink-step.ts decides, with the outbox, a broker and timers.
 *
 * Everything happens in the call that brought the news: a row that is announced is on the socket when `notify` returns,
 * an answer is with the daemon before the next packet is read, or with others when the terminal catches up. Faults of
 * the store and of the callbacks are not caught here, because a daemon that cannot journal must end and replay.
 */
import { type KeyObject, randomUUID } from "node:crypto";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { BarReason } from "../../daemon/core/sale.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import type { JournalIdentity, Outbox, OutboxRow } from "../store/store.ts";
import {
  type DenyList,
  type DownContent,
  encodeGreeting,
  encodeUp,
  type Greeting,
  openDenyList,
  openDown,
  type RecallQuestion,
  topicsOf,
} from "../wire.ts";
import type { Broker } from "./broker.ts";
import {
  type Chance,
  INITIAL_UPLINK,
  isLinkUp,
  type Standing,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkState,
  type UplinkTimer,
  uplinkStep,
} from "./uplink-step.ts";

export type UplinkSettings = {
  readonly terminal: string;
  /** The ledger's public keys that this terminal trusts: one, or two while the ledger changes its key. */
  readonly ledgerKeys: readonly KeyObject[];
  readonly outbox: Outbox;
  readonly broker: Broker;
  /** Which journal this is (Store.identity); asked at every greeting. */
  readonly identity: () => JournalIdentity;
  /** The journal has lost part of its past: with a welcome the ledger is asked for what it remembers. */
  readonly recalling: () => boolean;
  /** Version of the newest deny list that is kept, 0 when none ever came. Older and equal ones are not delivered. */
  readonly denyVersion: () => number;
  /**
   * The ledger's signed answer to an outbox row, once for each row in a run. The caller journals it with `acknowledged`
   * (store.ts); only that ends the row.
   */
  readonly onAnswer: (answer: LedgerAnswer, requestId: string) => void;
  /**
   * The ledger is there and has said what it thinks of this journal: always after onWelcome or onBarred. Called on every
   * change; it starts down.
   */
  readonly onLink: (up: boolean) => void;
  /**
   * The ledger knows this journal as the one that the terminal sells with. Once each time the link comes up; the store is
   * to note it (Store.markWelcomed).
   */
  readonly onWelcome: () => void;
  /** The ledger does not accept this journal. Once each time the link comes up, and when the reason changes. */
  readonly onBarred: (reason: BarReason) => void;
  /** Everything that the ledger remembers, in the order of the sequences; follows onWelcome while `recalling()`. */
  readonly onRecalled: (memory: {
    readonly lastSequence: number;
    readonly sales: readonly RecalledSale[];
  }) => void;
  /** A deny list that is newer than `denyVersion()`, signed and whole. */
  readonly onDenyList: (list: DenyList) => void;
  /** A row can never be sent and is among the dead letters already. */
  readonly onBuried: (requestId: string, key: string, reason: string) => void;
  /** Something that a person must look at. */
  readonly onAlarm: (text: string) => void;
  /** Why a connection ended or could not be made: for the log. */
  readonly onTrouble?: (reason: string) => void;
  /**
   * Reads a message of the ledger and checks who sealed it; throws the Faults of `openDown`, which is the default. A
   * simulator that exchanges millions of messages has a cheaper seal.
   */
  readonly open?: (bytes: Uint8Array) => DownContent;
  /** Does work once after some milliseconds, unless it is cancelled before. Default: the machine's timers. */
  readonly after?: (ms: number, work: () => void) => () => void;
  /** A number in [0, 1) for jitter. */
  readonly random?: () => number;
  /** A fresh UUID for the nonce of a question. */
  readonly freshId?: () => string;
  /** Wall clock, a hint for dead letters. */
  readonly nowMs?: () => number;
};

/** Counters for health reports. */
export type UplinkHealth = {
  readonly linkUp: boolean;
  readonly standing: Standing["kind"];
  /** Rows sent or about to be, without an answer. */
  readonly unanswered: number;
  readonly rejectedAnswers: number;
  readonly duplicateAnswers: number;
};

function afterReally(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

export class Uplink {
  readonly #settings: UplinkSettings;
  readonly #random: () => number;
  readonly #nowMs: () => number;
  readonly #after: NonNullable<UplinkSettings["after"]>;
  readonly #freshId: () => string;
  /** How to cancel each timer that runs. */
  readonly #timers = new Map<UplinkTimer, () => void>();
  readonly #events: UplinkEvent[] = [];
  #state: UplinkState = INITIAL_UPLINK;
  #running = false;
  #busy = false;

  constructor(settings: UplinkSettings) {
    this.#settings = settings;
    this.#random = settings.random ?? Math.random;
    this.#nowMs = settings.nowMs ?? Date.now;
    this.#after = settings.after ?? afterReally;
    this.#freshId = settings.freshId ?? randomUUID;
  }

  /** Reads the outbox and connects. Throws Fault "settings.invalid" when the terminal id cannot be part of a topic. */
  start(): void {
    if (this.#running) throw new Error("the uplink is started");
    topicsOf(this.#settings.terminal);
    this.#running = true;
    this.#state = INITIAL_UPLINK;
    this.#dispatch({ kind: "started" });
  }

  /** Ends the connection; rows stay in the outbox. Harmless when not started. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#events.length = 0;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#settings.broker.close();
  }

  /** New rows are in the outbox. */
  notify(): void {
    this.#dispatch({ kind: "rows.announced" });
  }

  health(): UplinkHealth {
    const { window, rejected, duplicates, standing } = this.#state;
    return {
      linkUp: isLinkUp(this.#state),
      standing: standing.kind,
      unanswered: window.length,
      rejectedAnswers: rejected,
      duplicateAnswers: duplicates,
    };
  }

  /** A callback may bring news while an effect is carried out: it waits its turn, so that steps never interleave. */
  #dispatch(event: UplinkEvent): void {
    if (!this.#running) return;
    this.#events.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const { state, effects } = uplinkStep(this.#state, next);
        this.#state = state;
        for (const effect of effects) if (this.#running) this.#carryOut(effect);
      }
    } finally {
      this.#busy = false;
    }
  }

  #carryOut(effect: UplinkEffect): void {
    const settings = this.#settings;
    switch (effect.kind) {
      case "broker.connect":
        return this.#connect();
      case "greeting.send":
        return this.#ask({ kind: "greeting", nonce: effect.nonce, ...settings.identity() });
      case "recall.send":
        return this.#ask({ kind: "recall", nonce: effect.nonce, afterSequence: effect.afterSequence });
      case "outbox.read": {
        const rows = settings.outbox.pending(effect.afterPosition, effect.limit);
        const last = rows.length < effect.limit;
        return this.#dispatch({ kind: "rows.read", rows, last, random: this.#random() });
      }
      case "row.send":
        return this.#send(effect.row);
      case "row.bury":
        settings.outbox.deadLetter(effect.id, effect.reason, this.#nowMs());
        return settings.onBuried(effect.id, effect.key, effect.reason);
      case "answer.deliver":
        return settings.onAnswer(effect.answer, effect.answer.requestId);
      case "welcome.report":
        return settings.onWelcome();
      case "barred.report":
        return settings.onBarred(effect.reason);
      case "recalled.report":
        return settings.onRecalled({ lastSequence: effect.lastSequence, sales: effect.sales });
      case "link.report":
        return settings.onLink(effect.up);
      case "alarm.raise":
        return settings.onAlarm(effect.text);
      case "timer.set":
        return this.#setTimer(effect.timer, effect.afterMs);
      case "timer.clear":
        return this.#clearTimer(effect.timer);
    }
  }

  #connect(): void {
    this.#settings.broker.connect({
      onConnected: () => this.#dispatch({ kind: "broker.connected" }),
      onLost: (reason) => {
        if (this.#running) this.#settings.onTrouble?.(reason);
        this.#dispatch({ kind: "broker.lost", random: this.#random() });
      },
      onPresence: (online) => this.#dispatch({ kind: "ledger.presence", online, ...this.#chance() }),
      onMessage: (bytes) => this.#receive(() => this.#read(bytes)),
      onDenyList: (bytes) => this.#receive(() => this.#readDenyList(bytes)),
      onRefused: (topic) => this.#dispatch({ kind: "topic.refused", topic }),
    });
  }

  #chance(): Chance {
    return { random: this.#random(), id: this.#freshId() };
  }

  #ask(word: Greeting | RecallQuestion): void {
    const { terminal, broker } = this.#settings;
    broker.send(encodeGreeting(terminal, word));
  }

  #send(row: OutboxRow): void {
    const { terminal, broker, outbox } = this.#settings;
    const { id, position, request } = row;
    let bytes: Uint8Array;
    try {
      bytes = encodeUp({ terminal, requestId: id, position, request });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#dispatch({ kind: "row.unsendable", id, key: request.key, reason: error.message });
    }
    broker.send(bytes);
    outbox.markSent(id);
  }

  /** What anyone may have sent: a message that is none is an event, not an error. */
  #receive(read: () => UplinkEvent | null): void {
    if (!this.#running) return;
    let event: UplinkEvent | null;
    try {
      event = read();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      event = { kind: "answer.rejected", code: error.code };
    }
    if (event !== null) this.#dispatch(event);
  }

  #read(bytes: Uint8Array): UplinkEvent {
    const { terminal, ledgerKeys, open, recalling } = this.#settings;
    const content = open === undefined ? openDown(bytes, terminal, ledgerKeys) : open(bytes);
    switch (content.kind) {
      case "answer":
        return { kind: "answer.arrived", answer: content.answer };
      case "greeted":
        return { kind: "greeting.answered", answer: content, recalling: recalling(), ...this.#chance() };
      case "recalled":
        return { kind: "recall.answered", answer: content, ...this.#chance() };
    }
  }

  #readDenyList(bytes: Uint8Array): null {
    const { terminal, ledgerKeys, denyVersion, onDenyList } = this.#settings;
    const list = openDenyList(bytes, terminal, ledgerKeys);
    if (list.version > denyVersion()) onDenyList(list);
    return null;
  }

  #setTimer(timer: UplinkTimer, afterMs: number): void {
    this.#clearTimer(timer);
    const fire = (): void => {
      this.#timers.delete(timer);
      this.#dispatch({ kind: "timer.fired", timer, ...this.#chance() });
    };
    this.#timers.set(timer, this.#after(afterMs, fire));
  }

  #clearTimer(timer: UplinkTimer): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }
}
