/**
 * The counter as one run of the daemon sees it: voice, ear, card reader, timers. They behave as daemon/shell/counter/
 * and daemon/shell/timers.ts do on top of real processes (one sentence at a time and every one ends; one card per
 * arming; a new timer replaces the old one of its name), without processes and promises.
 */
import type { CardProof } from "../../daemon/core/clearing.ts";
import type { CardProblem, Prompt } from "../../daemon/core/prompt.ts";
import type { DeviceEffect, Happening } from "../../daemon/shell/interpreter.ts";
import type { FaultPlace } from "./faults.ts";
import type { SimPrinter } from "./printer.ts";
import type { Random } from "./random.ts";
import type { Cancel } from "./scheduler.ts";

/** A sentence that is not sound by then is given up, see daemon/shell/counter/voice.ts. */
const SYNTHESIS_LIMIT_MS = 4_000;
const MAXIMUM_WAITING = 8;
const HEARD_OUT: ReadonlySet<Prompt["kind"]> = new Set([
  "approved",
  "approved-offline",
  "declined",
  "not-charged",
  "offline-refused",
]);

export type CounterPorts = {
  /** Calls back while this run of the daemon lasts. */
  readonly after: (ms: number, work: () => void) => Cancel;
  readonly faults: FaultPlace;
  readonly random: Random;
  readonly printer: SimPrinter;
  readonly deliver: (happening: Happening) => void;
  readonly presentCard: (card: CardProof, verified: boolean) => void;
  /** The customer hears that it is their turn. */
  readonly listening: (expectation: "order" | "confirmation") => void;
  readonly cardAwaited: () => void;
};

type Sentence = Extract<DeviceEffect, { kind: "speech.say" }>;

export class Counter {
  readonly #ports: CounterPorts;
  readonly #timers = new Map<string, Cancel>();
  #speaking: { readonly id: string; readonly prompt: Prompt; readonly cancel: Cancel } | null = null;
  #sentences: Sentence[] = [];
  #armed = false;
  #printing: string | null = null;

  constructor(ports: CounterPorts) {
    this.#ports = ports;
  }

  say(sentence: Sentence): void {
    const current = this.#speaking;
    if (current === null) return this.#begin(sentence);
    if (HEARD_OUT.has(current.prompt.kind) && sentence.prompt.kind !== "welcome") {
      if (this.#sentences.length < MAXIMUM_WAITING) this.#sentences.push(sentence);
      else this.#ended(sentence.id, "failed");
      return;
    }
    for (const skipped of this.#sentences.splice(0)) this.#ended(skipped.id, "interrupted");
    current.cancel();
    this.#ended(current.id, "interrupted");
    this.#begin(sentence);
  }

  openEar(expectation: "order" | "confirmation"): void {
    this.#ports.listening(expectation);
  }

  arm(): void {
    this.#armed = true;
    this.#ports.cardAwaited();
  }

  disarm(): void {
    this.#armed = false;
  }

  get armed(): boolean {
    return this.#armed;
  }

  /** A card in the field, read to the end. */
  tapped(card: CardProof, verified: boolean): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#ports.presentCard(card, verified);
  }

  tapFailed(reason: CardProblem): void {
    if (this.#armed) this.#ports.deliver({ kind: "card.rejected", reason });
  }

  print({ id, paper }: Extract<DeviceEffect, { kind: "printer.print" }>): void {
    this.#printing = id;
    this.#ports.printer.print(id, paper, (news) => {
      // The cable ends in this run of the daemon, and an earlier print is nobody's any more.
      this.#ports.after(0, () => {
        if (this.#printing !== news.id) return;
        this.#printing = null;
        if (news.kind === "printed") this.#ports.deliver({ kind: "receipt.printed", effectId: news.id });
        else {
          const { id: effectId, reason, paperMoved } = news;
          this.#ports.deliver({ kind: "receipt.failed", effectId, reason, paperMoved });
        }
      });
    });
  }

  startTimer(name: string, id: string, afterMs: number): void {
    this.cancelTimer(name);
    const cancel = this.#ports.after(afterMs, () => {
      this.#timers.delete(name);
      this.#ports.deliver({ kind: "timer.fired", timerId: id });
    });
    this.#timers.set(name, cancel);
  }

  cancelTimer(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  #begin({ id, prompt }: Sentence): void {
    const { faults, random, after } = this.#ports;
    const fails = faults.strikes("speech-fails");
    const lastsMs = fails ? SYNTHESIS_LIMIT_MS : random.whole(200, 2_500);
    const cancel = after(lastsMs, () => {
      this.#speaking = null;
      this.#ended(id, fails ? "failed" : "played");
      const next = this.#sentences.shift();
      if (this.#speaking === null && next !== undefined) this.#begin(next);
    });
    this.#speaking = { id, prompt, cancel };
  }

  #ended(effectId: string, outcome: "played" | "interrupted" | "failed"): void {
    this.#ports.deliver({ kind: "speech.ended", effectId, outcome });
  }
}
