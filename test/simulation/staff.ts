/**
 * What staff does about a sale afterwards: gives money back, in part or at two terminals at once, takes a sale back,
 * prints it again, closes the day, gives up on a charge, denies a stolen card.
 */
import type { Happening } from "../../daemon/shell/interpreter.ts";
import type { SimCard } from "./card.ts";
import type { FaultPlace } from "./faults.ts";
import type { Machine, SimStore } from "./machine.ts";
import type { FaultKind } from "./plan.ts";
import type { World } from "./world.ts";

type Lookup = (store: SimStore) => Happening | null;

export class Staff {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** A sale has left the counter: one occasion for everything. */
  after(machine: Machine, saleId: string, cards: readonly SimCard[], place: FaultPlace): void {
    const others = this.#world.machines.filter(({ name }) => name !== machine.name);
    this.#soon(place, "refunded", () => machine.ask(this.#refund(saleId, place, "refunded")));
    this.#soon(place, "refunded-twice", () => {
      const other = others.length === 0 ? machine : place.random("refunded-twice").pick(others);
      // The whole sale at the one, the whole sale at the other, in the same moment.
      machine.ask(this.#refund(saleId, place, "refunded-twice", "all"));
      const amount = this.#world.register.sold.get(saleId)?.amount;
      if (amount !== undefined) {
        const requestId = place.random("refunded-twice").uuid();
        other.ask(() => ({
          kind: "staff.asked",
          requestId,
          request: { kind: "refund", saleId, sale: null, amount },
        }));
      }
    });
    this.#soon(place, "voided", () => {
      const requestId = place.random("voided").uuid();
      machine.ask((store) => {
        const sale = store.soldSale(saleId);
        return sale === null ? null : { kind: "staff.asked", requestId, request: { kind: "void", sale } };
      });
    });
    this.#soon(place, "reprinted", () => {
      const requestId = place.random("reprinted").uuid();
      machine.ask((store) => {
        const sale = store.soldSale(saleId);
        return sale === null ? null : { kind: "staff.asked", requestId, request: { kind: "reprint", sale } };
      });
    });
    this.#soon(place, "day-closed", () => {
      const requestId = place.random("day-closed").uuid();
      machine.ask(() => ({ kind: "staff.asked", requestId, request: { kind: "close-day", language: "ko" } }));
    });
    this.#soon(place, "dismissed", () => {
      const key = machine.state?.openCharges[0]?.key ?? machine.state?.openRefunds[0]?.key;
      if (key === undefined) return;
      const requestId = place.random("dismissed").uuid();
      machine.ask(() => ({ kind: "staff.asked", requestId, request: { kind: "dismiss", key } }));
    });
    this.#soon(place, "card-denied", () =>
      this.#world.ledger.deny(place.random("card-denied").pick(cards).token),
    );
  }

  #soon(place: FaultPlace, kind: FaultKind, work: () => void): void {
    if (!place.strikes(kind)) return;
    this.#world.scheduler.after(place.random(kind).spread(100, 900_000), () => {
      if (!this.#world.healed) work();
    });
  }

  #refund(saleId: string, place: FaultPlace, kind: FaultKind, much?: "all"): Lookup {
    const random = place.random(kind);
    const requestId = random.uuid();
    const part = much === "all" || random.chance(0.4) ? null : BigInt(random.whole(1, 9));
    return (store) => {
      const sale = store.soldSale(saleId);
      if (sale === null) return null;
      const { minor, currency } = sale.amount;
      const amount = part === null ? null : { minor: (minor * part) / 10n, currency };
      return { kind: "staff.asked", requestId, request: { kind: "refund", saleId, sale, amount } };
    };
  }
}
