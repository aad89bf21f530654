/**
 * What the world's terminals have on their disks about money, gathered as it is written: the rules compare it with the
 * ledger's books and with what the bank did. It looks at transactions, not at the core's memory, so a terminal that does
 * something before it is on disk is seen to do so.
 */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { Ending, TerminalState } from "../../daemon/core/sale.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import type { Machine, SimCommit } from "./machine.ts";
import type { Watch } from "./rules/rule.ts";

export type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;

export type Tap = {
  readonly machine: string;
  readonly terminal: string;
  readonly request: Authorise;
  /** The ledger's explicit decline is in the journal. */
  declined: boolean;
  /** The ledger has refused the request itself. */
  refused: boolean;
};

export type MoneyBack = {
  readonly key: string;
  readonly saleId: string;
  readonly minor: bigint;
  readonly purpose: "refund" | "void";
  /** Which machines have it on their disks: more than one when a journal was copied. */
  readonly machines: Set<string>;
  /** False for what staff gave up on: nobody knows whether it was given back. */
  readonly certain: boolean;
};

export class Register {
  /** Charges that a terminal has asked for, by key. */
  readonly taps = new Map<string, Tap>();
  readonly tapsOfSale = new Map<string, Tap[]>();
  /** Sales that were paid, by id. */
  readonly sold = new Map<string, SoldSale & { readonly machine: string }>();
  /** How every sale ended, as often as it did, by `endingName`. */
  readonly endings = new Map<string, Ending[]>();
  readonly moneyBack = new Map<string, MoneyBack>();
  /** Keys that the terminal was told to stop waiting for. */
  readonly dismissed = new Set<string>();
  /** The newest state on each machine's disk. */
  readonly states = new Map<string, TerminalState>();
  /** As far as it is synced: what a power cut leaves. */
  readonly #synced = new Map<string, TerminalState>();
  /** Sales that ended since the last synced transaction: a power cut takes their ends back. */
  readonly #unsyncedEndings = new Map<string, string[]>();
  /** Sales of which the terminal knows that their money does not come. */
  readonly lost = new Set<string>();

  readonly watch: Watch = {
    committed: (machine, commit) => this.#committed(machine, commit),
  };

  /** The power of a machine went: what was written and not synced never happened. */
  powerLost(machine: string): void {
    const kept = this.#synced.get(machine);
    if (kept === undefined) this.states.delete(machine);
    else this.states.set(machine, kept);
    for (const saleId of this.#unsyncedEndings.get(machine) ?? [])
      this.endings.get(endingName(machine, saleId))?.pop();
    this.#unsyncedEndings.delete(machine);
  }

  /** Another disk is in the machine. */
  replaced(machine: string, state: TerminalState | null): void {
    this.#unsyncedEndings.delete(machine);
    this.states.delete(machine);
    this.#synced.delete(machine);
    if (state === null) return;
    this.states.set(machine, state);
    this.#synced.set(machine, state);
  }

  /** Everything that was written so far is synced. */
  synced(machine: string): void {
    const state = this.states.get(machine);
    if (state !== undefined) this.#synced.set(machine, state);
    this.#unsyncedEndings.delete(machine);
  }

  #committed(machine: Machine, commit: SimCommit): void {
    const before = this.states.get(machine.name);
    this.states.set(machine.name, commit.state);
    for (const { request } of commit.outbox) if (request.kind === "authorise") this.#tap(machine, request);
    for (const answer of commit.acknowledged) {
      const tap = this.taps.get(answer.key);
      if (tap === undefined) continue;
      if (answer.outcome.kind === "declined") tap.declined = true;
      if (answer.outcome.kind === "refused") tap.refused = true;
    }
    for (const sale of commit.sold ?? []) {
      if (!this.sold.has(sale.saleId)) this.sold.set(sale.saleId, { ...sale, machine: machine.name });
    }
    const givenUp = new Set<string>();
    for (const event of commit.events) {
      if (event.kind === "staff.asked" && event.request.kind === "dismiss") givenUp.add(event.request.key);
    }
    for (const key of givenUp) this.dismissed.add(key);
    for (const { key, saleId, amount, purpose } of commit.refunds ?? []) {
      if (purpose === "unpaid") continue;
      const name = `${key}:${purpose}`;
      const known = this.moneyBack.get(name);
      known?.machines.add(machine.name);
      if (known !== undefined) continue;
      const certain = !givenUp.has(key);
      const machines = new Set([machine.name]);
      this.moneyBack.set(name, { key, saleId, minor: amount.minor, purpose, machines, certain });
    }
    this.#closed(machine.name, before, commit.state);
    if (commit.synced !== false) this.synced(machine.name);
  }

  #tap(machine: Machine, request: Authorise): void {
    if (this.taps.has(request.key)) return;
    const tap = {
      machine: machine.name,
      terminal: machine.terminal,
      request,
      declined: false,
      refused: false,
    };
    this.taps.set(request.key, tap);
    const others = this.tapsOfSale.get(request.saleId);
    if (others === undefined) this.tapsOfSale.set(request.saleId, [tap]);
    else others.push(tap);
  }

  /** Sales that were closed since the state before: one transaction may close more than one. */
  #closed(machine: string, before: TerminalState | undefined, after: TerminalState): void {
    if (before?.recent === after.recent) return;
    const known = new Set(before?.recent);
    for (const closed of after.recent) {
      if (known.has(closed)) continue;
      // After a restart the objects are new, their content is not.
      if (before?.recent.some((old) => old.saleId === closed.saleId && old.ending === closed.ending))
        continue;
      const unsynced = this.#unsyncedEndings.get(machine);
      if (unsynced === undefined) this.#unsyncedEndings.set(machine, [closed.saleId]);
      else unsynced.push(closed.saleId);
      const name = endingName(machine, closed.saleId);
      const endings = this.endings.get(name);
      if (endings === undefined) this.endings.set(name, [closed.ending]);
      else endings.push(closed.ending);
    }
  }
}

/** A sale ends once on each machine that has it in its journal: there is more than one when a journal was copied. */
export function endingName(machine: string, saleId: string): string {
  return `${machine} ${saleId}`;
}
