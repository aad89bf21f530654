/**
 * What can be watched of a terminal while it works: for the customer display, a demonstration, a measurement. Nothing
 * here decides anything. `atMs` is the monotonic clock of the daemon. Words that were heard go to the display of the
 * customer who said them and nowhere else.
 */

import type { HearingTimings } from "../../models/model.ts";
import type { Alarm } from "../core/effect.ts";
import type { Intent } from "../core/intent.ts";
import type { CardProblem, Prompt } from "../core/prompt.ts";
import type { Ending } from "../core/sale.ts";
import type { View } from "../core/view.ts";
import type { SaleLatency } from "./latency.ts";

export type Observation = { readonly atMs: number } & (
  | { readonly kind: "view"; readonly view: View }
  | { readonly kind: "caption"; readonly text: string; readonly prompt: Prompt["kind"] }
  /** The first sound of a prompt. */
  | { readonly kind: "spoke"; readonly prompt: Prompt["kind"] }
  | { readonly kind: "fell-silent" }
  | { readonly kind: "listening" }
  | { readonly kind: "partial"; readonly text: string }
  | {
      readonly kind: "heard";
      readonly transcript: string;
      readonly intent: Intent | null;
      readonly confidence: number;
      readonly timings: HearingTimings;
    }
  | { readonly kind: "awaiting-card" }
  | { readonly kind: "tapped"; readonly masked: string }
  | { readonly kind: "card-rejected"; readonly reason: CardProblem }
  | { readonly kind: "paid"; readonly mode: "online" | "offline"; readonly saleId: string }
  | { readonly kind: "printed" }
  | { readonly kind: "print-failed"; readonly reason: string }
  | {
      readonly kind: "closed";
      readonly saleId: string;
      readonly ending: Ending;
      readonly latency: SaleLatency | null;
    }
  | { readonly kind: "link"; readonly up: boolean }
  | { readonly kind: "alarm"; readonly alarm: Alarm }
  | { readonly kind: "fault"; readonly unit: string; readonly code: string; readonly detail: string }
  /** The unit works again after a fault, or its process runs. */
  | { readonly kind: "recovered"; readonly unit: string }
);

type WithoutTime<T> = T extends unknown ? Omit<T, "atMs"> : never;

/** Those who watch. One who throws harms nobody else and is not asked again. */
export class Observers {
  readonly #listeners = new Set<(observation: Observation) => void>();

  /** Returns a function that ends the watching. */
  add(listener: (observation: Observation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(observation: WithoutTime<Observation>): void {
    const timed = { ...observation, atMs: performance.now() } as Observation;
    for (const listener of this.#listeners) {
      try {
        listener(timed);
      } catch {
        this.#listeners.delete(listener);
      }
    }
  }
}
