/**
 * One world: terminals, workers, broker, bank and people on one virtual clock, made from a plan. First everything may
 * fail, then everything heals and has to come to rest within a bound; rules watch all the time.
 */
import type { MenuItem } from "../../daemon/core/menu.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import { MemoryMedium } from "../../sync/store/memory-store.ts";
import { decodeUp, type RequestMessage } from "../../sync/wire.ts";
import { SETTINGS } from "../support/shop.ts";
import { Bank } from "./bank.ts";
import { SimCard } from "./card.ts";
import { Faults } from "./faults.ts";
import { SimLedger } from "./ledger.ts";
import { Machine, type SimStore } from "./machine.ts";
import { Network } from "./network.ts";
import { type Plan, terminalsOf } from "./plan.ts";
import { Random } from "./random.ts";
import { Register } from "./register.ts";
import type { Rule, Watch } from "./rules/rule.ts";
import { Scheduler } from "./scheduler.ts";
import type { Seams, Spoiled } from "./seams.ts";
import { Street } from "./street.ts";
import { Trace } from "./trace.ts";
import { Troubles } from "./troubles.ts";

/** Virtual time after which a world must have come to rest once everything works again. */
export const SETTLES_WITHIN_MS = 6 * 3_600_000;
/** The longest that faults go on. */
const FAULTS_FOR_MS = 3 * 3_600_000;
const LOOK_EVERY_MS = 20_000;

export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;
  readonly detail: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.rule = rule;
    this.detail = detail;
  }
}

export type WorldSettings = {
  readonly plan: Plan;
  readonly rules: readonly Rule[];
  readonly seams?: Seams;
  readonly keepTrace?: boolean;
  /** Journals of another kind than in memory. They lose nothing when the power goes. */
  readonly makeStore?: (machine: Machine) => SimStore;
  /** A script that does things at chosen times (regressions). */
  readonly script?: (world: World) => void;
};

export class World {
  readonly plan: Plan;
  readonly scheduler = new Scheduler();
  readonly trace: Trace;
  readonly faults: Faults;
  readonly seams: Seams;
  readonly makeStore: ((machine: Machine) => SimStore) | null;
  readonly books = new MemoryBooks("simulation");
  readonly bank: Bank;
  readonly network: Network;
  readonly ledger: SimLedger;
  readonly machines: Machine[] = [];
  readonly cards: readonly SimCard[];
  readonly alarms: { readonly place: string; readonly what: string }[] = [];
  readonly settings: SaleSettings = {
    ...SETTINGS,
    offline: {
      enabled: true,
      perSaleMinor: 50_000n,
      totalMinor: 150_000n,
      count: 12,
      maxAgeMs: 3_600_000,
      perCard: 3,
      perCardPerHour: 4,
    },
  };
  /** What happened, by name: the faults that a failing plan can leave out. */
  readonly struck: string[] = [];
  /** Customers who came to a terminal that took notice of them. */
  sales = 0;
  healed = false;
  violation: Violation | null = null;
  readonly street: Street;
  readonly register = new Register();
  /** Taps whose cryptogram the terminal could not check, as "token counter". */
  readonly unverifiedTaps = new Set<string>();
  readonly #troubles: Troubles;
  readonly #watches: readonly Watch[];
  #ids = 0;
  readonly #pans = new Map<string, string>();

  constructor({ plan, rules, seams, keepTrace, makeStore, script }: WorldSettings) {
    this.plan = plan;
    this.makeStore = makeStore ?? null;
    this.seams = seams ?? {};
    this.trace = new Trace(keepTrace ?? false);
    this.faults = new Faults(plan, (name, kind, place) => {
      this.struck.push(name);
      this.note(place, `! ${kind}`);
    });
    this.cards = this.#makeCards();
    this.bank = new Bank({
      scheduler: this.scheduler,
      faults: this.faults.at("bank"),
      random: new Random(plan.seed, "bank"),
      idempotent: plan.gatewayIdempotent,
      checksRefunds: plan.bankChecksRefunds,
      moved: (movement) => {
        this.note("bank", movement.kind, `${movement.orderId.slice(0, 8)} ${movement.minor}`);
        this.watched((watch) => watch.moved?.(movement));
      },
      notice: (gatewayKey) => this.ledger.noticed(gatewayKey),
    });
    this.network = new Network({
      scheduler: this.scheduler,
      faults: this.faults,
      seed: plan.seed,
      arrived: (terminal, bytes) => this.ledger.arrived(terminal, bytes),
      note: (place, what, detail) => this.note(place, what, detail),
    });
    this.ledger = new SimLedger(this);
    for (const terminal of terminalsOf(plan)) this.addMachine(terminal, terminal);
    this.street = new Street(this);
    this.#troubles = new Troubles(this);
    // The register comes first: the rules look at what it has gathered.
    this.#watches = [
      this.register.watch,
      ...rules.map((rule) => rule.watch(this, (detail) => this.violate(rule.name, detail))),
    ];
    script?.(this);
  }

  get items(): readonly MenuItem[] {
    return this.settings.menu.items;
  }

  addMachine(name: string, terminal: string, medium = new MemoryMedium(this.plan.history)): Machine {
    const machine = new Machine(this, name, terminal, medium, { ...this.settings, terminal });
    this.machines.push(machine);
    return machine;
  }

  /** Runs the world to its end. Throws Violation when a rule is broken. */
  run(): void {
    this.ledger.start();
    for (const machine of this.machines) machine.boot();
    this.street.open();
    this.#troubles.begin();
    this.#advance(FAULTS_FOR_MS, () => this.street.empty);
    this.note("world", "heals");
    this.healed = true;
    this.faults.heal();
    this.#troubles.heal();
    this.#settle();
    // Whatever has happened: it sells again.
    this.street.lastCustomers();
    this.#settle();
    const unserved = this.street.unserved();
    if (unserved !== null) this.violate("sells-again", `${unserved} takes no notice of a customer`);
    this.watched((watch) => watch.ended?.());
  }

  violate(rule: string, detail: string): never {
    this.violation ??= new Violation(rule, detail);
    throw this.violation;
  }

  watched(look: (watch: Watch) => void): void {
    for (const watch of this.#watches) look(watch);
  }

  /** Unlike every other of this world. */
  freshId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  note(place: string, what: string, detail = ""): void {
    this.trace.add(this.scheduler.nowMs, place, what, detail);
  }

  alarm(place: string, what: string): void {
    this.alarms.push({ place, what });
    this.note(place, "alarm", what);
  }

  panOf(token: string): string {
    return this.#pans.get(token) ?? "";
  }

  /** What a mutant may use at a place; a machine adds its own. */
  spoiledAt(place: string, now: () => number, own: Partial<Spoiled> = {}): Spoiled {
    const random = new Random(this.plan.seed, `mutant ${place}`);
    return {
      machine: place,
      now,
      uuid: () => random.uuid(),
      sometimes: (probability) => random.chance(probability),
      after: (ms, work) => this.scheduler.after(ms, work),
      medium: null,
      books: this.books,
      answer: () => undefined,
      decode: rowIn,
      ...own,
    };
  }

  #makeCards(): SimCard[] {
    const random = new Random(this.plan.seed, "cards");
    const number = this.plan.terminals * 4;
    return Array.from({ length: number }, (_, index) => {
      const card = new SimCard(`card${index}`, random);
      this.#pans.set(card.token, card.pan);
      return card;
    });
  }

  #settle(): void {
    const settled = (): boolean => {
      this.#troubles.tidyUp();
      return this.street.empty && this.unsettled() === null;
    };
    if (!this.#advance(SETTLES_WITHIN_MS, settled)) {
      this.violate("comes-to-rest", this.unsettled() ?? "customers wait");
    }
  }

  #advance(forMs: number, until: () => boolean): boolean {
    const endMs = this.scheduler.nowMs + forMs;
    while (this.scheduler.nowMs < endMs) {
      this.scheduler.runUntil(this.scheduler.nowMs + LOOK_EVERY_MS);
      if (this.violation !== null) throw this.violation;
      if (until()) return true;
    }
    return false;
  }

  /** What is still under way, in words; null when nothing is. */
  unsettled(): string | null {
    for (const machine of this.machines) {
      if (machine.retired) continue;
      const { life, state, name } = machine;
      if (life === null || state === null) return `${name} is dead`;
      if (state.sale !== null) return `${name} has a sale at the counter: ${state.sale.phase.kind}`;
      if (machine.isCopy) return `${name} still runs`;
      if (state.standing.kind !== "welcome") return `${name} is ${state.standing.kind}`;
      if (!life.linkUp()) return `${name} has no link`;
      if (life.store.depth() > 0) return `${name}: ${life.store.depth()} rows wait in the outbox`;
      const [charge] = state.openCharges;
      if (charge !== undefined) return `${name}: ${charge.purpose} of ${charge.key} is open`;
      const [refund] = state.openRefunds;
      if (refund !== undefined) return `${name}: ${refund.purpose} ${refund.key} is open`;
      if (state.papers.length > 0) return `${name}: paper waits`;
    }
    return this.ledger.idle ? null : "the ledger has unresolved charges";
  }
}

function rowIn(bytes: Uint8Array): RequestMessage | null {
  const message = decodeUp(bytes);
  return message.kind === "request" ? message : null;
}
