/**
 * Whether a fault happens now. Every place ("t1", "bank", "worker 2") has a stream of its own for every kind, and every
 * fault that happens has a name, so that a failing run can be repeated with single faults left out.
 */
import type { FaultKind, Plan } from "./plan.ts";
import { Random } from "./random.ts";

export class Faults {
  readonly #plan: Plan;
  readonly #only: ReadonlySet<string> | null;
  readonly #told: (name: string, kind: FaultKind, place: string) => void;
  #count = 0;
  #healed = false;

  /** `told` hears of every fault that happens. */
  constructor(plan: Plan, told: (name: string, kind: FaultKind, place: string) => void) {
    this.#plan = plan;
    this.#only = plan.onlyFaults === null ? null : new Set(plan.onlyFaults);
    this.#told = told;
  }

  /** How many happened. */
  get count(): number {
    return this.#count;
  }

  /** From now on nothing fails any more. */
  heal(): void {
    this.#healed = true;
  }

  at(place: string): FaultPlace {
    return new FaultPlace(this.#plan, place, (kind, number) => this.#happens(kind, place, number));
  }

  #happens(kind: FaultKind, place: string, number: number): boolean {
    const name = `${kind}@${place}#${number}`;
    if (this.#healed || this.#only?.has(name) === false) return false;
    this.#count += 1;
    this.#told(name, kind, place);
    return true;
  }
}

type Stream = { readonly random: Random; readonly rate: number; struck: number };

export class FaultPlace {
  readonly #plan: Plan;
  readonly #place: string;
  readonly #happens: (kind: FaultKind, number: number) => boolean;
  readonly #streams = new Map<FaultKind, Stream>();

  constructor(plan: Plan, place: string, happens: (kind: FaultKind, number: number) => boolean) {
    this.#plan = plan;
    this.#place = place;
    this.#happens = happens;
  }

  /** One occasion for a fault of a kind. */
  strikes(kind: FaultKind): boolean {
    const rate = this.#plan.rates[kind];
    if (rate === undefined) return false;
    const stream = this.#stream(kind, rate);
    if (!stream.random.chance(rate)) return false;
    stream.struck += 1;
    return this.#happens(kind, stream.struck);
  }

  /** Details of a fault that struck: drawn from the stream of its kind. */
  random(kind: FaultKind): Random {
    return this.#stream(kind, this.#plan.rates[kind] ?? 0).random;
  }

  #stream(kind: FaultKind, rate: number): Stream {
    let stream = this.#streams.get(kind);
    if (stream === undefined) {
      stream = { random: new Random(this.#plan.seed, `${kind}@${this.#place}`), rate, struck: 0 };
      this.#streams.set(kind, stream);
    }
    return stream;
  }
}
