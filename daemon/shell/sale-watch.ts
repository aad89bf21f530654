/**
 * Watches the state after every commit and tells what happened to the sale, once each: paid, closed. Logs and
 * observations come from here, so that nothing is told that is not on disk.
 */
import type { SaleEvent } from "../core/event.ts";
import type { Language } from "../core/menu.ts";
import type { Prompt } from "../core/prompt.ts";
import type { TerminalState } from "../core/sale.ts";
import type { Latencies } from "./latency.ts";
import type { Observers } from "./observation.ts";
import type { SupervisorLog } from "./supervisor.ts";

export class SaleWatch {
  readonly #log: SupervisorLog;
  readonly #latencies: Latencies;
  readonly #observers: Observers;
  readonly #anticipate: (prompt: Prompt, language: Language) => void;
  #paidSale: string | null = null;
  #closedSale: string | null = null;
  #anticipated = "";

  /** `anticipate` is called with what will probably be said next, so that its sound can be made ahead. */
  constructor(
    log: SupervisorLog,
    latencies: Latencies,
    observers: Observers,
    anticipate: (prompt: Prompt, language: Language) => void,
  ) {
    this.#log = log;
    this.#latencies = latencies;
    this.#observers = observers;
    this.#anticipate = anticipate;
  }

  /** The state that the journal held at the start: what was closed before is no news. */
  begin(state: TerminalState): void {
    this.#closedSale = state.recent.at(-1)?.saleId ?? null;
  }

  committed(state: TerminalState, events: readonly SaleEvent[]): void {
    for (const event of events) if (event.kind === "sale.woken") this.#latencies.woken(event.saleId);
    this.#paid(state);
    this.#closed(state);
    this.#next(state);
  }

  #paid({ sale }: TerminalState): void {
    if (sale?.phase.kind !== "receipt" || sale.id === this.#paidSale) return;
    this.#paidSale = sale.id;
    this.#latencies.approved();
    const mode = sale.phase.result.kind === "approved" ? "online" : "offline";
    this.#log.info({ saleId: sale.id, sequence: sale.sequence, mode }, "paid");
    this.#observers.tell({ kind: "paid", mode, saleId: sale.id });
  }

  #closed({ recent }: TerminalState): void {
    const closed = recent.at(-1);
    if (closed === undefined || closed.saleId === this.#closedSale) return;
    this.#closedSale = closed.saleId;
    const { saleId, sequence, ending } = closed;
    const latency = this.#latencies.closed();
    this.#log.info({ saleId, sequence, ending, latency }, "sale closed");
    this.#observers.tell({ kind: "closed", saleId, ending, latency });
  }

  /** A read-back is followed by "tap your card", a tap by "paid". */
  #next({ sale, linkUp }: TerminalState): void {
    const phase = sale?.phase;
    if (phase?.kind !== "read-back" && phase?.kind !== "awaiting-card") return;
    const paid = linkUp ? "approved" : "approved-offline";
    const prompt: Prompt = { kind: phase.kind === "read-back" ? "tap-card" : paid, total: phase.total };
    const once = `${sale?.id} ${prompt.kind} ${phase.total.minor}`;
    if (once === this.#anticipated) return;
    this.#anticipated = once;
    this.#anticipate(prompt, sale?.language ?? "ko");
  }
}
