/** The customers of every terminal, one after another. */
import { SimCard } from "./card.ts";
import { Customer } from "./customer.ts";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import { endingName } from "./register.ts";
import { Staff } from "./staff.ts";
import type { World } from "./world.ts";

/** How long a customer stays at a terminal that does nothing. */
const PATIENCE_MS = 300_000;
/** Number of the customer who comes when everything has healed. */
export const LAST = 1_000;
const LOOK_AGAIN_MS = 2_000;

export class Street {
  readonly #world: World;
  readonly #staff: Staff;
  #waiting = 0;
  /** Who came to each machine when everything had healed. */
  readonly #last = new Map<Machine, Customer>();

  constructor(world: World) {
    this.#world = world;
    this.#staff = new Staff(world);
  }

  /** Nobody is left. */
  get empty(): boolean {
    return this.#waiting === 0;
  }

  open(): void {
    for (const machine of this.#world.machines) this.#queue(machine, 1, this.#world.plan.salesPerTerminal);
  }

  /** A machine whose last customer it did not serve to an end; null when there is none. */
  unserved(): string | null {
    const { machines, register } = this.#world;
    const unserved = machines.find((machine) => {
      const customer = this.#last.get(machine);
      if (machine.retired || customer === undefined) return false;
      return !register.endings.has(endingName(machine.name, customer.saleId));
    });
    return unserved?.name ?? null;
  }

  /** A few customers for a machine that has just come. */
  visit(machine: Machine, customers: number): void {
    this.#queue(machine, 1, customers);
  }

  /** For scripts: one customer at a chosen time. */
  send(machine: Machine, atMs: number, number: number, touch = true): void {
    const { plan, scheduler } = this.#world;
    this.#waiting += 1;
    const random = new Random(plan.seed, `customer ${machine.name}#${number}`);
    scheduler.after(atMs - scheduler.nowMs, () => {
      // A card of their own, so that no limit of one card stands in the way.
      const card = new SimCard(`script${number}`, random);
      this.#serve(
        machine,
        number,
        random,
        touch,
        () => {
          this.#waiting -= 1;
        },
        [card],
      );
    });
  }

  /** One more customer at every terminal, by touch. */
  lastCustomers(): void {
    for (const machine of this.#world.machines) {
      if (!machine.retired) this.#queue(machine, LAST, LAST, true);
    }
  }

  #queue(machine: Machine, number: number, last: number, touch?: boolean): void {
    if (number > last) return;
    const { plan, scheduler } = this.#world;
    const next = (): void => {
      this.#waiting -= 1;
      this.#queue(machine, number + 1, last);
    };
    this.#waiting += 1;
    if (plan.onlySales?.includes(`${machine.name}#${number}`) === false) return next();
    const random = new Random(plan.seed, `customer ${machine.name}#${number}`);
    scheduler.after(random.spread(500, 90_000), () => {
      if (this.#world.healed && touch === undefined) return next();
      this.#serve(machine, number, random, touch ?? random.chance(plan.touch), next);
    });
  }

  #serve(
    machine: Machine,
    number: number,
    random: Random,
    touch: boolean,
    next: () => void,
    brought?: readonly SimCard[],
  ): void {
    const { scheduler, cards, faults, items } = this.#world;
    // Somebody is at the counter still, or the terminal is out of order: come back later, or go elsewhere.
    if (machine.state === null || machine.state.sale !== null || machine.retired) {
      if (machine.retired || (this.#world.healed && number < LAST)) return next();
      scheduler.after(LOOK_AGAIN_MS, () => this.#serve(machine, number, random, touch, next, brought));
      return;
    }
    const place = faults.at(`customer-${machine.name}#${number}`);
    const own = brought ?? [random.pick(cards), random.pick(cards)];
    const customer = new Customer({
      scheduler,
      faults: place,
      random,
      till: machine.till,
      saleId: random.uuid(),
      items,
      cards: own,
      touch,
    });
    machine.customer = customer;
    if (number === LAST) this.#last.set(machine, customer);
    this.#world.sales += 1;
    customer.arrive();
    this.#wait(machine, customer, scheduler.nowMs + PATIENCE_MS, () => {
      this.#staff.after(machine, customer.saleId, own, place);
      next();
    });
  }

  #wait(machine: Machine, customer: Customer, untilMs: number, next: () => void): void {
    const { scheduler } = this.#world;
    scheduler.after(LOOK_AGAIN_MS, () => {
      const gone = machine.state?.sale?.id !== customer.saleId && machine.state !== null;
      if (customer.present && !gone && scheduler.nowMs < untilMs) {
        return this.#wait(machine, customer, untilMs, next);
      }
      customer.leave();
      next();
    });
  }
}
