/**
 * The journal of one terminal over its life: opened (and mended when it is damaged), asked for what other parts need of
 * it, pruned a little every hour, closed last.
 */
import { join } from "node:path";
import type { Logger } from "pino";
import { salvageJournal } from "../sync/store/salvage.ts";
import type { SalvageRules } from "../sync/store/salvage-report.ts";
import { setAsideEmpty } from "../sync/store/set-aside.ts";
import { SqliteStore } from "../sync/store/sqlite-store.ts";
import { type DenyList, isDenied } from "../sync/wire/deny-list.ts";
import type { SaleEvent } from "./core/event.ts";
import { Fault } from "./core/fault.ts";
import type { TerminalState } from "./core/sale.ts";
import type { SaleSettings } from "./core/settings.ts";
import type { RecalledSale } from "./core/staff.ts";
import { afterLoss } from "./core/standing.ts";
import { fold, forgottenSales, type Recovered, recover } from "./shell/recovery.ts";

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
  readonly sale: SaleSettings;
};

export function journalPath({ data }: Pick<JournalSettings, "data">): string {
  return join(data, JOURNAL_FILE);
}

/** How a journal that lost part of its past goes on. `settings` are those of now, for events that name none. */
export function journalRules(settings: SaleSettings): SalvageRules<SaleEvent, TerminalState> {
  return {
    fold: (state, events) => fold(state, events, settings).state,
    resume: afterLoss,
    continues: ({ standing }) => standing.kind !== "barred",
  };
}

export class JournalKeeper {
  readonly store: SqliteStore<SaleEvent, TerminalState>;
  readonly #settings: JournalSettings;
  readonly #log: Logger;
  #denyList: DenyList | null = null;
  #pruning: NodeJS.Timeout | undefined;

  constructor(settings: JournalSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.store = new SqliteStore({ path: journalPath(settings), terminal: settings.terminal });
  }

  /**
   * A damaged journal is set aside and what can be trusted of it goes on in a new one, which sells when the ledger has
   * told the rest. Throws a Fault when the journal is locked, of a newer program or cannot be written.
   */
  open(): Recovered {
    const recovered = this.#recover();
    this.#denyList = this.store.denyList();
    const { journalId, boots } = this.store.identity();
    const { position, state } = recovered;
    this.#log.info(
      { position, sale: state.sale?.phase.kind ?? null, standing: state.standing.kind, journalId, boots },
      "journal open",
    );
    return recovered;
  }

  #recover(): Recovered {
    const empty = setAsideEmpty(journalPath(this.#settings), Date.now());
    if (empty !== null)
      this.#log.error(
        { setAside: empty },
        "the journal is an empty file and is set aside; a new one begins, and the ledger says whether it may sell",
      );
    try {
      return recover(this.store);
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.code !== "journal.damaged") throw cause;
      this.#log.error({ err: cause.message }, "the journal is damaged: what can be trusted of it is saved");
      this.#salvage(cause);
      return recover(this.store);
    }
  }

  #salvage(damage: Fault): void {
    // Damage may have been met after the file was opened.
    this.store.close();
    const { terminal, sale } = this.#settings;
    const place = { path: journalPath(this.#settings), terminal };
    const report = salvageJournal(place, damage.detail, Date.now(), journalRules(sale));
    this.#log.error(
      { report },
      "the damaged journal is set aside; nothing is sold until the ledger has told what it remembers",
    );
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

  /** After every commit: what the journal has to do for itself it does while nobody is at the counter. */
  committed({ sale }: TerminalState): void {
    if (sale === null) this.store.tidy();
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
    return forgottenSales(sales, state, (saleId) => this.store.soldSale(saleId));
  }
}
