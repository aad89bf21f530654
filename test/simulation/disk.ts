/**
 * The journal as the daemon reaches it through a disk that may be full, may fail without anybody knowing what was
 * written, and may lose its power before or after the write. What `append` of the store promises to be on disk is never
 * lost; that the file keeps that promise is tested by pulling the plug on real files, not here.
 */
import { Fault } from "../../daemon/core/fault.ts";
import type { Journal } from "../../daemon/shell/interpreter.ts";
import type { FaultPlace } from "./faults.ts";
import type { Power } from "./power.ts";

/** Appends that fail in a row once the disk is full. */
const FULL_FOR = 4;

export class Disk {
  readonly #faults: FaultPlace;
  readonly #power: Power;
  #fullFor = 0;

  constructor(faults: FaultPlace, power: Power) {
    this.#faults = faults;
    this.#power = power;
  }

  /** Somebody made room. */
  free(): void {
    this.#fullFor = 0;
  }

  journal(store: Journal): Journal {
    return {
      lastCounter: (token) => store.lastCounter(token),
      append: (commit) => {
        this.#power.step();
        if (this.#faults.strikes("disk-full")) this.#fullFor = FULL_FOR;
        if (this.#fullFor > 0) {
          this.#fullFor -= 1;
          throw new Fault("journal.unwritable", "no space left on the device");
        }
        if (this.#faults.strikes("write-failed")) {
          // Nobody knows: it may be on the disk all the same.
          if (this.#faults.random("write-failed").chance(0.5)) store.append(commit);
          throw new Fault("journal.unwritable", "input/output error", { retry: "unknown" });
        }
        const position = store.append(commit);
        this.#power.step();
        return position;
      },
    };
  }
}
