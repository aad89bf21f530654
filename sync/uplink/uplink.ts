/**
 * The uplink: carries out what uplink-step.ts decides, with the outbox, a broker and real timers.
 *
 * Everything happens in the call that brought the news: a row that is announced is on the socket when `notify` returns,
 * an answer is with the daemon before the next packet is read. Faults of the store and of the callbacks are not caught
 * here, because a daemon that cannot journal must end and replay.
 */
import type { KeyObject } from "node:crypto";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { Outbox, OutboxRow } from "../store/store.ts";
import { encodeUp, openDown, topicsOf } from "../wire.ts";
import type { Broker } from "./broker.ts";
import {
  INITIAL_UPLINK,
  isLinkUp,
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
  /**
   * The ledger's signed answer to an outbox row, once for each row in a run. The caller journals it with `acknowledged`
   * (store.ts); only that ends the row.
   */
  readonly onAnswer: (answer: LedgerAnswer, requestId: string) => void;
  /** Connected to the broker and the ledger is there. Called on every change; it starts down. */
  readonly onLink: (up: boolean) => void;
  /** Something that a person must look at. */
  readonly onAlarm: (text: string) => void;
  /** Why a connection ended or could not be made: for the log. */
  readonly onTrouble?: (reason: string) => void;
  /** A number in [0, 1) for jitter. */
  readonly random?: () => number;
  /** Wall clock, a hint for dead letters. */
  readonly nowMs?: () => number;
};

/** Counters for health reports. */
export type UplinkHealth = {
  readonly linkUp: boolean;
  /** Rows sent or about to be, without an answer. */
  readonly unanswered: number;
  readonly rejectedAnswers: number;
  readonly duplicateAnswers: number;
};

export class Uplink {
  readonly #settings: UplinkSettings;
  readonly #random: () => number;
  readonly #nowMs: () => number;
  readonly #timers = new Map<UplinkTimer, NodeJS.Timeout>();
  readonly #events: UplinkEvent[] = [];
  #state: UplinkState = INITIAL_UPLINK;
  #running = false;
  #busy = false;

  constructor(settings: UplinkSettings) {
    this.#settings = settings;
    this.#random = settings.random ?? Math.random;
    this.#nowMs = settings.nowMs ?? Date.now;
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
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await this.#settings.broker.close();
  }

  /** New rows are in the outbox. */
  notify(): void {
    this.#dispatch({ kind: "rows.announced" });
  }

  health(): UplinkHealth {
    const { window, rejected, duplicates } = this.#state;
    return {
      linkUp: isLinkUp(this.#state),
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
    const { outbox, onAnswer, onLink, onAlarm } = this.#settings;
    switch (effect.kind) {
      case "broker.connect":
        return this.#connect();
      case "outbox.read": {
        const rows = outbox.pending(effect.afterPosition, effect.limit);
        return this.#dispatch({ kind: "rows.read", rows, random: this.#random() });
      }
      case "row.send":
        return this.#send(effect.row);
      case "row.bury":
        return outbox.deadLetter(effect.id, effect.reason, this.#nowMs());
      case "answer.deliver":
        return onAnswer(effect.answer, effect.answer.requestId);
      case "link.report":
        return onLink(effect.up);
      case "alarm.raise":
        return onAlarm(effect.text);
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
      onPresence: (online) => this.#dispatch({ kind: "ledger.presence", online, random: this.#random() }),
      onMessage: (bytes) => this.#dispatch(this.#read(bytes)),
    });
  }

  #send(row: OutboxRow): void {
    const { terminal, broker, outbox } = this.#settings;
    let bytes: Uint8Array;
    try {
      bytes = encodeUp({ terminal, requestId: row.id, position: row.position, request: row.request });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#dispatch({ kind: "row.unsendable", id: row.id, reason: error.message });
    }
    broker.send(bytes);
    outbox.markSent(row.id);
  }

  #read(bytes: Uint8Array): UplinkEvent {
    const { terminal, ledgerKeys } = this.#settings;
    try {
      const content = openDown(bytes, terminal, ledgerKeys);
      if (content.kind !== "answer") return { kind: "answer.rejected", code: "wire.malformed" };
      return { kind: "answer.arrived", answer: content.answer };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { kind: "answer.rejected", code: error.code };
    }
  }

  #setTimer(timer: UplinkTimer, afterMs: number): void {
    this.#clearTimer(timer);
    const fire = (): void => {
      this.#timers.delete(timer);
      this.#dispatch({ kind: "timer.fired", timer, random: this.#random() });
    };
    this.#timers.set(timer, setTimeout(fire, afterMs));
  }

  #clearTimer(timer: UplinkTimer): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }
}
