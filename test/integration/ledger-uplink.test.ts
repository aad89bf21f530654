/** The terminal's real uplink against the real ledger process: sales made without the ledger reach it once. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import { MqttBroker } from "../../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../../sync/uplink/uplink.ts";
import { IDENTITY } from "../support/asking-terminal.ts";
import { authorise } from "../support/ledger-desk.ts";
import { LedgerProcess } from "../support/ledger-process.ts";
import { freePort } from "../support/mosquitto.ts";
import { until } from "../support/processes.ts";

type Event = { readonly kind: string; readonly atMs: number };
const NOTHING = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};
const LIMIT_MS = 15_000;

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A terminal's journal and uplink, journalling answers as the daemon does. */
class Terminal {
  readonly store = new MemoryStore<Event, null>({ terminal: "counter-1", medium: new MemoryMedium() });
  readonly answers: LedgerAnswer[] = [];
  readonly uplink: Uplink;
  linkUp = false;

  constructor(ledger: LedgerProcess) {
    this.store.open();
    this.uplink = new Uplink({
      terminal: "counter-1",
      ledgerKeys: [ledger.publicKey],
      outbox: this.store,
      broker: new MqttBroker({ terminal: "counter-1", url: ledger.brokerUrl }),
      identity: () => IDENTITY,
      recalling: () => false,
      denyVersion: () => 0,
      onWelcome: () => undefined,
      onBarred: () => undefined,
      onRecalled: () => undefined,
      onDenyList: () => undefined,
      onBuried: () => undefined,
      onAnswer: (answer) => {
        this.answers.push(answer);
        this.store.append({ ...NOTHING, acknowledged: [answer] });
      },
      onLink: (up) => {
        this.linkUp = up;
      },
      onAlarm: () => undefined,
    });
  }

  sell(key: string, mode: "online" | "offline"): void {
    const id = `${key}:authorise`;
    this.store.append({ ...NOTHING, outbox: [{ id, request: authorise(key, 15_000, { mode }) }] });
    this.uplink.notify();
  }
}

describe("uplink and ledger", () => {
  test("sales made while the ledger is gone are cleared once, though it is killed again while they come in", async () => {
    // A ledger that comes back must come back on the port that terminals know.
    const ledger = new LedgerProcess({
      broker: { embedded: { port: await freePort() } },
      gateway: { id: "sandbox", timeoutMs: 3_000, settings: { transitMs: 20, latencyMs: 20 } },
    });
    ended.push(() => ledger.remove());
    await ledger.start();
    const terminal = new Terminal(ledger);
    ended.push(() => terminal.uplink.stop());
    terminal.uplink.start();
    await until(() => terminal.linkUp, LIMIT_MS, "the link is up");
    terminal.sell("online/1", "online");
    await until(() => terminal.store.depth() === 0, LIMIT_MS, "the first sale is cleared");

    await ledger.end("SIGKILL");
    await until(() => !terminal.linkUp, LIMIT_MS, "the link is down");
    const offline = Array.from({ length: 12 }, (_, index) => `offline-${index}/1`);
    for (const key of offline) terminal.sell(key, "offline");
    expect(terminal.store.depth()).toBe(12);
    await ledger.start();
    await until(() => terminal.answers.length >= 4, LIMIT_MS, "some are cleared");
    await ledger.end("SIGKILL");
    await delay(100);
    await ledger.start();
    await until(() => terminal.store.depth() === 0, LIMIT_MS, "all are cleared");

    const statement = await ledger.statement();
    expect(statement.transactions.map(({ key, mode, state }) => `${key} ${mode} ${state}`)).toEqual([
      "online/1 online approved",
      ...offline.map((key) => `${key} offline approved`),
    ]);
    expect(statement.balanced).toBe(true);
    expect(await ledger.charged()).toBe(13);
    expect(terminal.answers).toHaveLength(13);
  }, 60_000);
});
