/** The money half of a terminal: a store in memory and an uplink on a real broker, journalling answers as the daemon does. */
import { generateKeyPairSync } from "node:crypto";
import type { LedgerAnswer, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { JournalIdentity } from "../../sync/store/store.ts";
import { MqttBroker, type MqttSettings } from "../../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../../sync/uplink/uplink.ts";
import type { DenyList } from "../../sync/wire.ts";
import { QUERY } from "./messages.ts";
import { until } from "./processes.ts";

type Event = { readonly kind: string; readonly atMs: number };

/** The ledger's key pair, the public half of which every terminal here pins. */
export const LEDGER_KEYS = generateKeyPairSync("ed25519");

/** How long anything on a local broker may take before a test gives up. */
export const LIMIT_MS = 8_000;

export class AskingTerminal {
  readonly store: MemoryStore<Event, null>;
  readonly uplink: Uplink;
  readonly answers: LedgerAnswer[] = [];
  readonly links: boolean[] = [];
  readonly alarms: string[] = [];
  readonly troubles: string[] = [];
  /** "welcome", or why not. */
  readonly verdicts: string[] = [];
  readonly buried: string[] = [];
  readonly memories: { readonly lastSequence: number; readonly sales: readonly RecalledSale[] }[] = [];
  /** Whether this journal says that it has lost part of its past. */
  recalling = false;
  denied: DenyList | null = null;

  constructor(
    url: string,
    settings: Omit<MqttSettings, "url" | "terminal"> & {
      readonly terminal?: string;
      readonly medium?: MemoryMedium;
    } = {},
  ) {
    const { terminal = "t1", medium = new MemoryMedium(), ...mqtt } = settings;
    this.store = new MemoryStore({ terminal, medium });
    this.store.open();
    this.uplink = new Uplink({
      terminal,
      ledgerKeys: [LEDGER_KEYS.publicKey],
      outbox: this.store,
      broker: new MqttBroker({ ...mqtt, terminal, url }),
      identity: () => IDENTITY,
      recalling: () => this.recalling,
      denyVersion: () => this.denied?.version ?? 0,
      onWelcome: () => this.verdicts.push("welcome"),
      onBarred: (reason) => this.verdicts.push(reason),
      onRecalled: (memory) => {
        this.recalling = false;
        this.memories.push(memory);
      },
      onDenyList: (list) => {
        this.denied = list;
      },
      onBuried: (requestId) => this.buried.push(requestId),
      onAnswer: (answer) => {
        this.answers.push(answer);
        this.store.append({ ...EVENT, acknowledged: [answer] });
      },
      onLink: (up) => this.links.push(up),
      onAlarm: (text) => this.alarms.push(text),
      onTrouble: (reason) => this.troubles.push(reason),
    });
  }

  ask(...ids: string[]): void {
    this.request(QUERY, ...ids);
  }

  request(request: LedgerRequest, ...ids: string[]): void {
    this.store.append({ ...EVENT, outbox: ids.map((id) => ({ id, request })) });
    this.uplink.notify();
  }

  get answered(): string[] {
    return this.answers.map(({ requestId }) => requestId);
  }

  async until(what: string, reached: (terminal: AskingTerminal) => boolean): Promise<void> {
    await until(() => reached(this), LIMIT_MS, `${what}; troubles: ${this.troubles.join(" | ")}`);
  }
}

/** What a terminal says that it is, where the journal itself does not matter. */
export const IDENTITY: JournalIdentity = {
  journalId: "journal-1",
  predecessor: null,
  boots: 1,
  bootNonce: "boot-1",
  openings: ["boot-1"],
  lastOutboxPosition: 0,
};
export const EVENT = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};
export const up = ({ links }: AskingTerminal): boolean => links.at(-1) === true;
export const down = ({ links }: AskingTerminal): boolean => links.at(-1) === false;
