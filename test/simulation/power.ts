/**
 * Crashes between any two steps. Every port that the daemon calls marks a step; at each of them the daemon may be killed,
 * or the power may go and take with it everything that was written and not synced.
 */
import type { FaultPlace } from "./faults.ts";
import type { FaultKind } from "./plan.ts";

/** Thrown through whatever code is running: nothing of it goes on. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

export class Power {
  readonly #faults: FaultPlace;
  readonly #kind: FaultKind;
  #left = Number.POSITIVE_INFINITY;

  constructor(faults: FaultPlace, kind: FaultKind) {
    this.#faults = faults;
    this.#kind = kind;
  }

  /** For scripts: the power goes at this step from now. */
  cutAt(steps: number): void {
    this.#left = steps;
  }

  /** One step is about to be made, or has just been made. */
  step(): void {
    this.#left -= 1;
    if (this.#left === 0) throw new PowerCut();
    if (this.#faults.strikes(this.#kind)) throw new PowerCut();
  }
}
