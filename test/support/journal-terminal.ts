/** The money half of a terminal on a real journal file: SQLite store and uplink, journalling answers as the daemon does. */

import type { KeyObject } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import { adoptJournal } from "../../sync/store/salvage.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { JournalIdentity } from "../../sync/store/store.ts";
import { MqttBroker, type MqttSettings } from "../../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../../sync/uplink/uplink.ts";
import { type Authorise, authorise } from "./ledger-desk.ts";
import { until } from "./processes.ts";

type Event = { readonly kind: string; readonly atMs: number };

const JOURNAL_FILE = "journal.sqlite";
const LIMIT_MS = 15_000;
const NOTHING = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};

export type JournalTerminalSettings = {
  readonly terminal?: string;
  readonly folder: string;
  readonly url: string;
  readonly ledgerKey: KeyObject;
  /** What the journal says of itself, where it shall not be what the file says. */
  readonly identity?: (own: JournalIdentity) => JournalIdentity;
  /** Paths of PEM files for brokers that ask for a certificate. */
  readonly tls?: NonNullable<MqttSettings["tls"]>;
  /** The journal lost part of its past. */
  readonly recalling?: boolean;
};

export class JournalTerminal {
  readonly folder: string;
  readonly store: SqliteStore<Event, null>;
  readonly uplink: Uplink;
  readonly answers: LedgerAnswer[] = [];
  /** "welcome", or why not. */
  readonly verdicts: string[] = [];
  readonly recalled: { readonly lastSequence: number; readonly sales: readonly RecalledSale[] }[] = [];
  readonly troubles: string[] = [];
  linkUp = false;

  constructor(settings: JournalTerminalSettings) {
    const { terminal = "counter-1", folder, url, ledgerKey, identity, tls, recalling } = settings;
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.store = new SqliteStore({ path: join(folder, JOURNAL_FILE), terminal });
    this.store.open();
    this.uplink = new Uplink({
      terminal,
      ledgerKeys: [ledgerKey],
      outbox: this.store,
      broker: new MqttBroker({ terminal, url, ...(tls === undefined ? {} : { tls }) }),
      identity: () => (identity ?? ((own) => own))(this.store.identity()),
      recalling: () => recalling === true && this.recalled.length === 0,
      denyVersion: () => this.store.denyList()?.version ?? 0,
      onWelcome: () => {
        this.store.markWelcomed();
        this.verdicts.push("welcome");
      },
      onBarred: (reason) => this.verdicts.push(reason),
      onRecalled: (memory) => this.recalled.push(memory),
      onDenyList: (list) => this.store.saveDenyList(list),
      onBuried: () => undefined,
      onAnswer: (answer) => {
        this.answers.push(answer);
        this.store.append({ ...NOTHING, acknowledged: [answer] });
      },
      onLink: (up) => {
        this.linkUp = up;
      },
      onAlarm: (text) => this.troubles.push(text),
      onTrouble: (reason) => this.troubles.push(reason),
    });
    this.uplink.start();
  }

  sell(key: string, changes: Partial<Authorise> = {}, minor = 15_000): void {
    const request = authorise(key, minor, changes);
    this.store.append({ ...NOTHING, outbox: [{ id: `${key}:authorise`, request }] });
    this.uplink.notify();
  }

  /** "approved", "declined card-blocked" ... of a sale, when the ledger has answered. */
  async outcome(key: string): Promise<string> {
    const find = (): LedgerAnswer | undefined => this.answers.find((answer) => answer.key === key);
    await this.until(`${key} is answered`, () => find() !== undefined);
    const outcome = find()?.outcome;
    if (outcome === undefined) return "no answer";
    return "reason" in outcome ? `${outcome.kind} ${outcome.reason}` : outcome.kind;
  }

  /** The ledger's verdict on the journal. */
  async verdict(): Promise<string> {
    await this.until("the ledger greets back", () => this.verdicts.length > 0);
    return this.verdicts.at(-1) ?? "none";
  }

  async until(what: string, reached: () => boolean): Promise<void> {
    await until(reached, LIMIT_MS, `${what}; troubles: ${this.troubles.join(" | ")}`);
  }

  /** Ends it in good order: the file may be copied afterwards. */
  async stop(): Promise<void> {
    await this.uplink.stop();
    this.store.close();
  }
}

/** Makes a successor of the journal in this folder, as staff does with a journal that the ledger does not accept. */
export function adopt(folder: string, predecessor: string | null = null, terminal = "counter-1"): void {
  mkdirSync(folder, { recursive: true });
  const place = { path: join(folder, JOURNAL_FILE), terminal };
  adoptJournal<Event, null>(
    place,
    Date.now(),
    { fold: () => null, resume: () => null, continues: () => true },
    predecessor,
  );
}

/** Copies the journal of a terminal that is stopped, as with an image of its card. */
export function copyJournal(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}
