/**
 * The core's timers on Node's clock. A timer has a name and an id: a new one of the same name replaces the old one,
 * and the id comes back when it fires, so that the core can tell a late timer from a current one.
 */
import type { TimerPurpose } from "../core/effect.ts";

/** How long a no-input timer is put off while the customer is speaking. */
const SPEECH_EXTENSION_MS = 1_000;
/** And how often, one after another: a room full of talk must not keep an order open that nobody stands at any more. */
const MAXIMUM_EXTENSIONS = 60;

export class Timers {
  readonly #running = new Map<string, NodeJS.Timeout>();
  readonly #fired: (timerId: string) => void;
  readonly #customerSpeaks: () => boolean;

  constructor(fired: (timerId: string) => void, customerSpeaks: () => boolean) {
    this.#fired = fired;
    this.#customerSpeaks = customerSpeaks;
  }

  start(name: string, id: string, purpose: TimerPurpose, afterMs: number): void {
    this.cancel(name);
    let extensions = 0;
    const fire = (): void => {
      // Someone who is in the middle of a sentence has not failed to speak.
      if (purpose === "no-input" && extensions < MAXIMUM_EXTENSIONS && this.#customerSpeaks()) {
        extensions++;
        this.#running.set(name, setTimeout(fire, SPEECH_EXTENSION_MS));
        return;
      }
      this.#running.delete(name);
      this.#fired(id);
    };
    this.#running.set(name, setTimeout(fire, afterMs));
  }

  cancel(name: string): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stop(): void {
    for (const name of this.#running.keys()) this.cancel(name);
  }
}
