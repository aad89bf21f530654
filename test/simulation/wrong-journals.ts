/**
 * Journals in the wrong machine: a copied SD card that runs beside the original, a backup that was put back, an empty
 * disk, a second daemon on one journal. And what people do about it when everything has healed: they switch the copy off and adopt the
 * journal that the ledger does not accept.
 *
 * Copies and backups are taken between two customers, because people take them from machines that are switched off. A disk
 * is lost only when nothing waits for the ledger: what a lost disk held alone nobody can bring back.
 */

import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { TerminalState } from "../../daemon/core/sale.ts";
import { afterLoss } from "../../daemon/core/standing.ts";
import { recover } from "../../daemon/shell/recovery.ts";
import { fromCanonicalJson, toCanonicalJson } from "../../sync/store/canonical-json.ts";
import { genesis, stateHash } from "../../sync/store/chain.ts";
import { MemoryMedium } from "../../sync/store/memory-medium.ts";
import { MemoryStore } from "../../sync/store/memory-store.ts";
import type { FaultPlace } from "./faults.ts";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Customers that a copy gets to see. */
const CUSTOMERS_OF_A_COPY = 3;
/** How probable it is that somebody looks after the terminals in one minute. */
const FOUND_OUT = 0.15;
/** Requests of a journal that is not accepted which are sent all the same, see sync/uplink/row-window.ts. */
const SENT_ALL_THE_SAME: ReadonlySet<LedgerRequest["kind"]> = new Set(["authorise", "query", "honour"]);

export class WrongJournals {
  readonly #world: World;
  readonly #random: Random;
  readonly #copies = new Map<Machine, Machine>();
  readonly #backups = new Map<Machine, MemoryMedium>();

  constructor(world: World) {
    this.#world = world;
    this.#random = new Random(world.plan.seed, "wrong journals");
  }

  /** One occasion a minute for each machine. */
  at(machine: Machine, place: FaultPlace): void {
    if (machine.retired || machine.isCopy) return;
    if (place.strikes("second-daemon")) this.#secondDaemon(machine);
    // Somebody may find out while everything else still fails.
    if (this.#random.chance(FOUND_OUT)) this.tidyUp();
    const idle = machine.state?.sale === null && machine.life !== null;
    if (!idle || this.#copies.has(machine)) return;
    if (place.strikes("journal-copied")) return this.#copy(machine);
    if (nothingWaits(machine) && place.strikes("journal-lost")) return this.#lose(machine);
    const backup = this.#backups.get(machine);
    if (backup === undefined) this.#backups.set(machine, machine.medium.copy());
    else if (nothingWaits(machine) && place.strikes("backup-restored")) this.#restore(machine, backup);
  }

  /** People have found out. Called again and again while the world comes to rest. */
  tidyUp(): void {
    for (const [machine, copy] of this.#copies) {
      if (!copy.retired) {
        if (hasNothingToTell(copy)) {
          this.#world.note(copy.name, "is switched off for good");
          // What it still waits for nobody will hear there: staff looks it up at the ledger.
          for (const { key } of copy.state?.openRefunds ?? []) this.#world.register.dismissed.add(key);
          copy.retire();
        }
      } else if (machine.state?.standing.kind === "barred") this.#adopt(machine);
    }
    for (const machine of this.#world.machines) {
      if (!machine.isCopy && !this.#copies.has(machine) && machine.state?.standing.kind === "barred")
        this.#adopt(machine);
    }
  }

  #secondDaemon(machine: Machine): void {
    if (machine.life === null) return;
    const second = new MemoryStore({ terminal: machine.terminal, medium: machine.medium });
    try {
      second.open();
    } catch (fault) {
      if (fault instanceof Fault && fault.code === "journal.locked") return;
      throw fault;
    }
    this.#world.violate("one-daemon-per-journal", `a second daemon opened the journal of ${machine.name}`);
  }

  #copy(machine: Machine): void {
    const copy = this.#world.addMachine(`${machine.name}-copy`, machine.terminal, machine.medium.copy());
    copy.isCopy = true;
    this.#copies.set(machine, copy);
    this.#world.note(machine.name, "its card is copied");
    copy.boot();
    this.#world.street.visit(copy, CUSTOMERS_OF_A_COPY);
  }

  #restore(machine: Machine, backup: MemoryMedium): void {
    this.#backups.delete(machine);
    this.#world.note(machine.name, "an old backup is put back");
    machine.replace(backup);
    this.#world.register.replaced(machine.name, stateOn(backup, machine.terminal));
  }

  #lose(machine: Machine): void {
    this.#backups.delete(machine);
    this.#world.note(machine.name, "an empty disk is put in");
    machine.replace(new MemoryMedium(this.#world.plan.history));
    this.#world.register.replaced(machine.name, null);
  }

  /** As `saypay journal adopt` does (sync/store/salvage.ts): a successor with all that the old journal holds. */
  #adopt(machine: Machine): void {
    if (machine.life === null) return;
    this.#world.note(machine.name, "its journal is adopted");
    const { standing } = machine.state ?? {};
    machine.switchOff();
    const { content } = machine.medium;
    if (content === null) throw new Error("there is no journal to adopt");
    const successor = machine.medium.copy();
    // One that began from nothing continues the one that the ledger names in its alarm.
    const replaced = standing?.kind === "barred" && standing.reason === "replaced";
    const known = this.#world.books.terminals.get(machine.terminal);
    const journalId = this.#random.uuid();
    const origin = { ...genesis(machine.terminal, journalId), position: content.head.position };
    const waiting = [...content.waiting.values()].map(
      ({ request }) => given(successor, request) as LedgerRequest,
    );
    const before = stateOn(machine.medium, machine.terminal);
    if (before === null) throw new Error("there is no state to adopt");
    const sold = [...content.sold.values()].map(({ sale }) => sale);
    const state = afterLoss(before, { waiting, sold, lastSequence: before.lastSequence });
    const text = successor.history === "kept" ? toCanonicalJson(state) : null;
    const hash = text === null ? new Uint8Array() : stateHash(origin, text);
    if (successor.content === null) throw new Error("a copy lost its content");
    successor.content = {
      ...successor.content,
      journalId,
      predecessor: replaced ? (known?.journalId ?? null) : content.journalId,
      boots: 0,
      openings: [],
      anchor: origin,
      head: origin,
      records: [],
      newest: new Map(),
      state: { position: origin.position, body: text ?? state, hash },
    };
    machine.replace(successor);
    this.#world.register.replaced(machine.name, state);
  }
}

/** Where a daemon that opened this journal would be: the snapshot and whatever was written after it. */
function stateOn(medium: MemoryMedium, terminal: string): TerminalState | null {
  if (medium.content?.state == null) return null;
  return recover(new MemoryStore<SaleEvent, TerminalState>({ terminal, medium: medium.copy() })).state;
}

function given(medium: MemoryMedium, kept: unknown): unknown {
  return medium.history === "kept" ? fromCanonicalJson(String(kept)) : kept;
}

function nothingWaits({ state, life }: Machine): boolean {
  if (state === null || life === null) return false;
  return life.store.depth() === 0 && state.openRefunds.length === 0 && state.openCharges.length === 0;
}

/** Everything that only this machine knows is at the ledger. */
function hasNothingToTell({ medium, life, state }: Machine): boolean {
  if (life === null || state === null || state.sale !== null || !life.linkUp()) return false;
  const waiting = [...(medium.content?.waiting.values() ?? [])];
  const barred = state.standing.kind === "barred";
  return barred
    ? waiting.every(({ request }) => !SENT_ALL_THE_SAME.has((given(medium, request) as LedgerRequest).kind))
    : nothingWaits({ state, life } as Machine);
}
