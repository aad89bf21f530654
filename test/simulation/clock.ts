/**
 * A machine's own clock: virtual time plus an error that may be hours, years or everything since 1970, and that jumps
 * both ways. It never shows a time before 1970, as no machine's does.
 */
import type { FaultPlace } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** The true time at which every world begins: 2026-11-18. */
export const WORLD_BEGINS_MS = 1_795_000_000_000;

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

export class SimClock {
  readonly #scheduler: Scheduler;
  readonly #faults: FaultPlace;
  #errorMs = 0;

  constructor(scheduler: Scheduler, faults: FaultPlace) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    if (faults.strikes("clock-wrong")) this.#errorMs = errorOf(faults.random("clock-wrong"));
  }

  /** Whole milliseconds since 1970, as this machine believes. */
  readonly now = (): number => Math.max(1, WORLD_BEGINS_MS + this.#scheduler.nowMs + this.#errorMs);

  /** One occasion for a jump. Gives whether it jumped. */
  jump(): boolean {
    if (!this.#faults.strikes("clock-jump")) return false;
    const random = this.#faults.random("clock-jump");
    // Half of all jumps are a time server that puts the clock right.
    this.#errorMs = random.chance(0.5) ? 0 : this.#errorMs + errorOf(random);
    return true;
  }
}

function errorOf(random: Random): number {
  switch (random.whole(0, 4)) {
    case 0:
      // A machine without a battery: 1970 until somebody tells it the time.
      return -WORLD_BEGINS_MS + random.whole(0, 60_000);
    case 1:
      return random.whole(-YEAR_MS, YEAR_MS);
    default:
      return random.whole(-5 * HOUR_MS, 5 * HOUR_MS);
  }
}
