/** The uplink with a store in memory and a broker that does what the test says and keeps what was asked of it. */
import { generateKeyPairSync } from "node:crypto";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { Broker, BrokerEvents } from "../../sync/uplink/broker.ts";
import { Uplink, type UplinkSettings } from "../../sync/uplink/uplink.ts";
import {
  decodeUp,
  encodeDown,
  encodeGreeted,
  type Greeting,
  type GreetingAnswer,
  type RecallAnswer,
} from "../../sync/wire.ts";
import { IDENTITY } from "./asking-terminal.ts";
import { QUERY } from "./messages.ts";

export const keys = generateKeyPairSync("ed25519");
export const COMMIT = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};

/** Does what the test says, and keeps what the uplink asked of it. */
export class ScriptedBroker implements Broker {
  events: BrokerEvents | undefined;
  connects = 0;
  closed = 0;
  readonly sent: string[] = [];
  readonly greetings: Greeting[] = [];
  readonly recalls: { readonly nonce: string; readonly afterSequence: number }[] = [];

  connect(events: BrokerEvents): void {
    this.connects += 1;
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    const message = decodeUp(bytes);
    if (message.kind === "request") this.sent.push(message.requestId);
    else if (message.kind === "greeting") this.greetings.push(message);
    else this.recalls.push(message);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  /** Connected, the ledger is there and answers the greeting. */
  letIn(verdict: GreetingAnswer["verdict"] = "welcome"): void {
    this.events?.onConnected();
    this.events?.onPresence(true);
    this.judge(verdict);
  }

  judge(verdict: GreetingAnswer["verdict"], nonce = this.greetings.at(-1)?.nonce ?? "none"): void {
    this.say({ kind: "greeted", nonce, verdict });
  }

  say(word: GreetingAnswer | RecallAnswer): void {
    this.events?.onMessage(encodeGreeted("t1", word, keys.privateKey));
  }

  answer(requestId: string): void {
    const answer = { requestId, key: QUERY.key, outcome: { kind: "pending" } as const };
    this.events?.onMessage(encodeDown("t1", answer, keys.privateKey));
  }
}

export function world(change: Partial<UplinkSettings> = {}) {
  const broker = new ScriptedBroker();
  const store = new MemoryStore<{ kind: string; atMs: number }, null>({
    terminal: "t1",
    medium: new MemoryMedium(),
  });
  store.open();
  const told: string[] = [];
  let ids = 0;
  const settings: UplinkSettings = {
    terminal: "t1",
    ledgerKeys: [keys.publicKey],
    outbox: store,
    broker,
    onAnswer: (answer, requestId) => {
      told.push(`answer ${requestId}`);
      store.append({ ...COMMIT, acknowledged: [answer] });
    },
    identity: () => IDENTITY,
    recalling: () => false,
    denyVersion: () => 3,
    onWelcome: () => told.push("welcome"),
    onBarred: (reason) => told.push(`barred ${reason}`),
    onRecalled: ({ lastSequence, sales }) => told.push(`recalled ${sales.length} of ${lastSequence}`),
    onDenyList: ({ version }) => told.push(`deny list ${version}`),
    onBuried: (requestId, key, reason) => told.push(`buried ${requestId.slice(0, 3)} ${key} ${reason}`),
    onLink: (up) => told.push(up ? "up" : "down"),
    onAlarm: (text) => told.push(`alarm ${text}`),
    random: () => 0.5,
    freshId: () => `id-${++ids}`,
    nowMs: () => 77,
    ...change,
  };
  // A getter among the changes stays one.
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(change)))
    Object.defineProperty(settings, name, property);
  const uplink = new Uplink(settings);
  const put = (id: string, request: LedgerRequest = QUERY): void => {
    store.append({ ...COMMIT, outbox: [{ id, request }] });
  };
  return { broker, store, told, uplink, put, settings };
}
