/**
 * How long each stage of a sale took, in milliseconds on this process's monotonic clock: the waits that a customer
 * feels. One record per sale; the last ones are kept for the display server, and every one is logged.
 */
import type { HearingTimings } from "../../models/model.ts";

export type TurnLatency = {
  /** From the last voiced frame to the decision that the turn is over: waited on purpose. */
  readonly endpointingMs: number;
  readonly recognitionMs: number;
  readonly understandingMs: number;
  /** From the understood turn to the first sound at the speaker: journal, synthesis, device. */
  readonly replyMs: number;
  /** The sum: from the end of speech to the start of the reply. */
  readonly endOfSpeechToReplyMs: number;
};

export type SaleLatency = {
  readonly saleId: string;
  readonly turns: readonly TurnLatency[];
  readonly tapToApprovedMs: number | null;
  readonly approvedToPrintedMs: number | null;
};

const KEPT_SALES = 50;

export class Latencies {
  readonly #now: () => number;
  #open: {
    saleId: string;
    turns: TurnLatency[];
    tapped: number | null;
    approved: number | null;
    printed: number | null;
  } | null = null;
  #heard: { timings: HearingTimings; at: number } | null = null;
  #recent: SaleLatency[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  woken(saleId: string): void {
    this.#heard = null;
    this.#open = { saleId, turns: [], tapped: null, approved: null, printed: null };
  }

  heard(timings: HearingTimings): void {
    this.#heard = { timings, at: this.#now() };
  }

  replied(): void {
    if (this.#heard === null || this.#open === null) return;
    const { endpointingMs, recognitionMs, understandingMs } = this.#heard.timings;
    const replyMs = this.#now() - this.#heard.at;
    const endOfSpeechToReplyMs = endpointingMs + recognitionMs + understandingMs + replyMs;
    this.#open.turns.push({ endpointingMs, recognitionMs, understandingMs, replyMs, endOfSpeechToReplyMs });
    this.#heard = null;
  }

  tapped(): void {
    if (this.#open !== null) this.#open.tapped = this.#now();
  }

  /** The approval is on disk. */
  approved(): void {
    if (this.#open !== null) this.#open.approved ??= this.#now();
  }

  printed(): void {
    // A paper of staff's may come out while a customer orders.
    if (this.#open !== null && this.#open.approved !== null) this.#open.printed ??= this.#now();
  }

  /** The sale is over; gives its record back, or null when it began before this process did. */
  closed(): SaleLatency | null {
    const open = this.#open;
    this.#open = null;
    if (open === null) return null;
    const { saleId, turns, tapped, approved, printed } = open;
    const record: SaleLatency = {
      saleId,
      turns,
      tapToApprovedMs: tapped === null || approved === null ? null : approved - tapped,
      approvedToPrintedMs: approved === null || printed === null ? null : printed - approved,
    };
    this.#recent = [...this.#recent, record].slice(-KEPT_SALES);
    return record;
  }

  get recent(): readonly SaleLatency[] {
    return this.#recent;
  }
}
