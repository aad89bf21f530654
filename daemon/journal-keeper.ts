/**
 * The journal of one terminal over its life: opened (and mended when it is damaged), asked for what other parts need of
 * it, pruned a little every hour, closed last.
 */
import { join } from "node:path";
import type { Logger } from "pino";
import { SqliteStore } from "../sync/store/sqlite-store.ts";
import { type DenyList, isDenied } from "../sync/wire/deny-list.ts";
import type { SaleEvent } from "./core/event.ts";
import type { TerminalState } from "./core/sale.ts";
import type { RecalledSale } from "./core/staff.ts";
import { type Recovered, recover } from "./shell/recovery.ts";

export const JOURNAL_FILE = "journal.sqlite";

const PRUNE_EVERY_MS = 3_600_000;
/** Between two pieces of one pruning, so that the counter is never held up. */
const PRUNE_PAUSE_MS = 200;
const DAY_MS = 86_400_000;

export type JournalSettings = {
  readonly data: string;
  readonly terminal: string;
  readonly keepDays: number;
  readonly keepEvents: number;
};

export class JournalKeeper {
  readonly store: SqliteStore<SaleEvent, TerminalState>;
  readonly #settings: JournalSettings;
  readonly #log: Logger;
  #denyList: DenyList | null = null;
  #pruning: NodeJS.Timeout | undefined;

  constructor(settings: JournalSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    const path = join(settings.data, JOURNAL_FILE);
    this.store = new SqliteStore({ path, terminal: settings.terminal });
  }

  /** Throws a Fault when the journal is locked, of a newer program or cannot be written. */
  open(): Recovered {
    const recovered = recover(this.store);
    this.#denyList = this.store.denyList();
    const { journalId, boots } = this.store.identity();
    const { position, state } = recovered;
    this.#log.info(
      { position, sale: state.sale?.phase.kind ?? null, standing: state.standing.kind, journalId, boots },
      "journal open",
    );
    return recovered;
  }

  /** Forgets what is old, now and every hour. Throws what the journal throws, which ends the daemon. */
  startPruning(failed: (cause: unknown) => void): void {
    const { keepDays, keepEvents } = this.#settings;
    const piece = (): void => {
      try {
        const more = this.store.prune({ keepMs: keepDays * DAY_MS, keepEvents }, Date.now());
        this.#pruning = setTimeout(piece, more ? PRUNE_PAUSE_MS : PRUNE_EVERY_MS);
      } catch (cause) {
        failed(cause);
      }
    };
    this.#pruning = setTimeout(piece, PRUNE_PAUSE_MS);
  }

  close(): void {
    clearTimeout(this.#pruning);
    this.store.close();
  }

  isDenied(token: string): boolean {
    return this.#denyList !== null && isDenied(this.#denyList, token);
  }

  get denyVersion(): number {
    return this.#denyList?.version ?? 0;
  }

  keepDenyList(list: DenyList): void {
    this.store.saveDenyList(list);
    this.#denyList = this.store.denyList();
  }

  /** Those of the ledger's sales that this journal knows nothing of. */
  unknownOf(sales: readonly RecalledSale[], state: TerminalState): readonly RecalledSale[] {
    const underWay = new Set(state.openCharges.map(({ saleId }) => saleId));
    if (state.sale !== null) underWay.add(state.sale.id);
    return sales.filter(({ saleId }) => !underWay.has(saleId) && this.store.soldSale(saleId) === null);
  }
}
