/**
 * Asks the gateway, in the background, about every charge whose outcome is not known, with growing waits in between
 * (the waits are stored with the charge and survive a restart). It never gives up: unknown ends only by an answer.
 */
import type { ClearingDesk } from "./clearing-desk.ts";
import type { Clock } from "./gateway-call.ts";

export type ResolverParts = {
  readonly desk: ClearingDesk;
  readonly clock: Clock;
  /** Wait between two looks at what is due. */
  readonly intervalMs: number;
  readonly onFault: (fault: unknown) => void;
};

export class Resolver {
  readonly #parts: ResolverParts;
  #cancel: (() => void) | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /** Makes everything unresolved due at once: after a start no call of an earlier life is still waited for. */
  async start(): Promise<number> {
    this.#stopped = false;
    const unresolved = await this.#parts.desk.wake();
    this.#schedule(0);
    return unresolved;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
  }

  /** One look: asks for what is due, and returns when all of it was answered or timed out. */
  async once(): Promise<number> {
    return this.#parts.desk.resolveDue(this.#parts.onFault);
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#round = this.once().then(
        () => this.#schedule(this.#parts.intervalMs),
        (fault: unknown) => {
          this.#parts.onFault(fault);
          this.#schedule(this.#parts.intervalMs);
        },
      );
    });
  }
}
