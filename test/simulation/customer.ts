/**
 * One customer: comes, orders by voice or by touch, changes their mind, says yes, taps (or tears the card away, or taps
 * twice, or uses a copied card), or walks away at any moment. What the model makes of speech may be nothing or nonsense.
 */
import type { CardProof } from "../../daemon/core/clearing.ts";
import type { BasketEdit, Intent } from "../../daemon/core/intent.ts";
import type { MenuItem } from "../../daemon/core/menu.ts";
import type { CardProblem } from "../../daemon/core/prompt.ts";
import type { Happening } from "../../daemon/shell/interpreter.ts";
import type { SimCard } from "./card.ts";
import type { FaultPlace } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a customer does to a terminal. Nothing happens when it is dead. */
export type Till = {
  readonly deliver: (happening: Happening) => void;
  readonly tap: (card: CardProof, verified: boolean) => void;
  readonly tapFails: (reason: CardProblem) => void;
};

export type CustomerPorts = {
  readonly scheduler: Scheduler;
  readonly faults: FaultPlace;
  readonly random: Random;
  readonly till: Till;
  readonly saleId: string;
  readonly items: readonly MenuItem[];
  readonly cards: readonly SimCard[];
  readonly touch: boolean;
};

/** Wrong taps in a row before a customer has had enough. */
const PATIENT_TAPS = 6;

export class Customer {
  readonly saleId: string;
  readonly #ports: CustomerPorts;
  readonly #wishes: BasketEdit[][] = [];
  #present = true;
  #taps = 0;
  #lying: SimCard | null = null;

  constructor(ports: CustomerPorts) {
    this.#ports = ports;
    this.saleId = ports.saleId;
    const { random, faults } = ports;
    this.#wishes.push([this.#order()]);
    if (random.chance(0.3)) this.#wishes.push([this.#order()]);
    if (faults.strikes("mind-changed")) this.#wishes.push(this.#change());
  }

  get present(): boolean {
    return this.#present;
  }

  leave(): void {
    this.#present = false;
  }

  arrive(): void {
    const { till, saleId, touch, faults, scheduler } = this.#ports;
    till.deliver({ kind: "sale.woken", saleId, language: "ko", source: touch ? "button" : "wake-word" });
    if (faults.strikes("walked-away")) {
      scheduler.after(faults.random("walked-away").spread(100, 60_000), () => this.leave());
    }
    if (touch) this.#touch();
  }

  /** The terminal listens; `atTheCard`: while it waits for a card. */
  listening(expectation: "order" | "confirmation", atTheCard: boolean): void {
    const { touch, scheduler, random } = this.#ports;
    // Who has the card in hand already does not press the button again.
    if (!this.#present || (touch && atTheCard)) return;
    // Who touches goes on touching, should the terminal have lost the thread in a crash.
    const waitMs = touch ? random.whole(2_000, 5_000) : random.whole(200, 2_500);
    scheduler.after(waitMs, () => {
      if (this.#present) this.#speak(expectation);
    });
  }

  /** The terminal waits for a card. */
  cardAwaited(): void {
    const { scheduler, random } = this.#ports;
    if (!this.#present) return;
    if (this.#lying !== null) {
      // The reader says that the card was taken away. It was not.
      const lying = this.#lying;
      this.#lying = null;
      scheduler.after(50, () =>
        this.#ports.till.tap(random.chance(0.5) ? lying.copied() : lying.read(), true),
      );
      return;
    }
    this.#taps += 1;
    if (this.#taps > PATIENT_TAPS) return this.leave();
    scheduler.after(random.whole(300, 5_000), () => {
      if (this.#present) this.#tap();
    });
  }

  #touch(): void {
    for (const edits of this.#wishes.splice(0)) this.#say({ kind: "edit", edits });
    this.#say({ kind: "confirm" });
  }

  #say(intent: Intent, confidence = 1): void {
    const { till, touch } = this.#ports;
    const source = touch ? "touch" : "voice";
    till.deliver({ kind: "turn.heard", turn: { language: "ko", intent, confidence }, source });
  }

  #speak(expectation: "order" | "confirmation"): void {
    const { faults, till } = this.#ports;
    if (faults.strikes("model-hangs")) return;
    if (faults.strikes("model-garbage")) return this.#garbage();
    const edits = this.#wishes.shift();
    if (edits !== undefined) return this.#say({ kind: "edit", edits });
    if (expectation === "confirmation") return this.#say({ kind: "confirm" });
    // Asked for an order with nothing left to wish for: the terminal has lost it, or wants to hear that this is all.
    return till.deliver({
      kind: "turn.heard",
      turn: { language: "ko", intent: { kind: "pay" }, confidence: 1 },
      source: "voice",
    });
  }

  #garbage(): void {
    const random = this.#ports.faults.random("model-garbage");
    const nonsense: readonly Intent[] = [
      { kind: "cancel" },
      { kind: "deny" },
      { kind: "repeat" },
      { kind: "staff" },
      { kind: "edit", edits: [{ kind: "add", itemId: "no-such-thing", quantity: 1, options: {} }] },
      {
        kind: "edit",
        edits: [{ kind: "add", itemId: random.pick(this.#ports.items).id, quantity: -3, options: {} }],
      },
      { kind: "edit", edits: [{ kind: "set-quantity", quantity: random.whole(0, 200) }] },
      { kind: "edit", edits: [{ kind: "remove" }] },
      { kind: "ask-price" },
    ];
    if (random.chance(0.3)) return this.#ports.till.deliver({ kind: "turn.missed" });
    this.#say(random.pick(nonsense), random.chance(0.3) ? 0.1 : 1);
  }

  #tap(): void {
    const { faults, random, till, cards, scheduler } = this.#ports;
    const card = random.pick(cards);
    if (faults.strikes("card-torn-away")) {
      card.read();
      return till.tapFails("torn-away");
    }
    if (faults.strikes("card-copied")) return till.tap(card.copied(), true);
    const verified = !faults.strikes("card-unverified");
    till.tap(card.read(), verified);
    if (faults.strikes("card-left-lying")) this.#lying = card;
    if (faults.strikes("card-tapped-twice")) {
      scheduler.after(faults.random("card-tapped-twice").pick([0, 0, 150, 2_000]), () =>
        till.tap(card.read(), verified),
      );
    }
  }

  #order(): BasketEdit {
    const { random, items } = this.#ports;
    return {
      kind: "add",
      itemId: random.pick(items).id,
      quantity: random.pick([1, 1, 1, 2, 3, 12]),
      options: {},
    };
  }

  #change(): BasketEdit[] {
    const { items, faults } = this.#ports;
    const random = faults.random("mind-changed");
    const changes: readonly BasketEdit[] = [
      { kind: "set-quantity", quantity: random.whole(1, 3) },
      { kind: "replace", withItemId: random.pick(items).id, options: {} },
      { kind: "remove", quantity: 1 },
      { kind: "add", itemId: random.pick(items).id, quantity: 1, options: {} },
    ];
    return [random.pick(changes)];
  }
}
