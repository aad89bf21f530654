/** The link's limits, on the embedded broker inside this process: bounded queues, no request queued twice. */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { ClearingDesk } from "../../sync/ledger/clearing-desk.ts";
import { DenyDesk } from "../../sync/ledger/deny-desk.ts";
import { EmbeddedBroker } from "../../sync/ledger/embedded-broker.ts";
import { Reception } from "../../sync/ledger/reception.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { MAX_WAITING_PER_TERMINAL, TerminalLink } from "../../sync/ledger/terminal-link.ts";
import { clientIdOf, encodeUp, LEDGER_CLIENT_ID } from "../../sync/wire.ts";
import { query } from "../support/ledger-desk.ts";
import { WireTerminal } from "../support/ledger-process.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A desk that answers only when it is let go. */
class HeldDesk implements Pick<ClearingDesk, "handle"> {
  readonly asked: string[] = [];
  #release: () => void = () => undefined;
  readonly #held = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  release(): void {
    this.#release();
  }

  async handle(terminal: string, request: LedgerRequest): Promise<LedgerOutcome> {
    this.asked.push(`${terminal} ${request.key}`);
    await this.#held;
    if (request.key === "broken") throw new Error("disk full");
    return { kind: "pending" };
  }
}

let broker: EmbeddedBroker;
let storage: SqliteLedgerStorage;
let desk: HeldDesk;
let link: TerminalLink;
let url: string;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "saypay-link-"));
  broker = new EmbeddedBroker({ host: "127.0.0.1", port: 0 }, join(folder, "broker.sock"));
  storage = new SqliteLedgerStorage(":memory:");
  desk = new HeldDesk();
  storage.open();
  await broker.start();
  link = new TerminalLink({
    desk,
    reception: new Reception({ now: () => 1, merchantOf: () => "cafe" }),
    deny: new DenyDesk({ storage, now: () => 1 }),
    knownTerminals: async () => [],
    storage,
    signingKey: privateKey,
    now: () => 1,
    log: silent,
    broker: { dial: () => broker.connectLedger() },
  });
  expect(await link.start(5_000)).toBe(true);
  url = `mqtt://127.0.0.1:${await broker.listen()}`;
});
afterEach(async () => {
  desk.release();
  await link.stop();
  await broker.stop();
  storage.close();
  rmSync(folder, { recursive: true });
});

async function terminal(id: string): Promise<WireTerminal> {
  const wire = new WireTerminal(id, publicKey);
  await wire.connect(url);
  return wire;
}

describe("the link", () => {
  test("takes a bounded number ahead from one terminal, and is there for the others", async () => {
    const [eager, other] = [await terminal("eager"), await terminal("other")];
    const sent = MAX_WAITING_PER_TERMINAL + 10;
    for (let index = 0; index < sent; index += 1) await eager.send(`r${index}`, query(`k${index}`));
    await other.send("o1", query("o"));
    while (storage.alarms(10).at(0)?.count !== 10) await delay(10);
    while (desk.asked.length < 2) await delay(10);
    expect(desk.asked).toEqual(["eager k0", "other o"]);
    expect(storage.alarms(10)).toMatchObject([{ kind: "queue-full", subject: "eager", count: 10 }]);
    desk.release();
    await eager.answer(`r${MAX_WAITING_PER_TERMINAL - 1}`);
    await other.answer("o1");
    expect(eager.answers.map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: MAX_WAITING_PER_TERMINAL }, (_, index) => `r${index}`),
    );
    // What was not taken is taken when it is sent again.
    await eager.send(`r${sent - 1}`, query(`k${sent - 1}`));
    await eager.answer(`r${sent - 1}`);
    await Promise.all([eager.close(), other.close()]);
  });

  test("does not queue a request again while it waits, and answers it again afterwards", async () => {
    const wire = await terminal("counter-1");
    for (let repeat = 0; repeat < 5; repeat += 1) await wire.send("r1", query("k"));
    await wire.send("r2", query("other"));
    desk.release();
    await wire.answer("r2");
    expect(desk.asked).toEqual(["counter-1 k", "counter-1 other"]);
    await wire.send("r1", query("k"));
    while (wire.answers.length < 3) await delay(10);
    expect(wire.answers.map(({ requestId }) => requestId)).toEqual(["r1", "r2", "r1"]);
    await wire.close();
  });

  test("goes on with the next request when one fails inside, and does not answer that one", async () => {
    const wire = await terminal("counter-1");
    desk.release();
    await wire.send("r1", query("broken"));
    await wire.send("r2", query("k"));
    await wire.answer("r2");
    expect(wire.answers.map(({ requestId }) => requestId)).toEqual(["r2"]);
    await wire.close();
  });

  test("answers at a stop what is under way, and leaves what waits to be sent again", async () => {
    const wire = await terminal("counter-1");
    for (const name of ["r1", "r2", "r3"]) await wire.send(name, query(`k of ${name}`));
    while (desk.asked.length === 0) await delay(10);
    const stopped = link.stop();
    desk.release();
    await stopped;
    await wire.answer("r1");
    expect(desk.asked).toEqual(["counter-1 k of r1"]);
    expect(wire.answers.map(({ requestId }) => requestId)).toEqual(["r1"]);
    await wire.close();
  });

  test("a message that names another terminal than its topic is a dead letter", async () => {
    const bytes = encodeUp({ terminal: "counter-1", requestId: "r", position: 1, request: query("k") });
    const liar = await terminal("counter-2");
    await liar.sendRaw("saypay/v1/counter-2/up", bytes);
    while (storage.alarms(10).length === 0) await delay(10);
    expect(storage.alarms(10)).toMatchObject([
      { kind: "dead-letter", detail: "message of counter-1 on a topic of counter-2" },
    ]);
    expect(desk.asked).toEqual([]);
    await liar.close();
  });
});

describe("the embedded broker", () => {
  test.each([
    ["another terminal", clientIdOf("counter-1")],
    ["the ledger", LEDGER_CLIENT_ID],
    ["no terminal", "saypay-#"],
  ])("lets nobody in under the client id of %s, which would be pushed out", async (_whose, clientId) => {
    const wire = new WireTerminal("counter-1", publicKey);
    await wire.connect(url, { clientId: clientIdOf("counter-1"), username: "counter-1" });
    const options = { clientId, username: "counter-2", protocolVersion: 4, reconnectPeriod: 0 } as const;
    await expect(connectAsync(url, options)).rejects.toThrow("Not authorized");
    desk.release();
    await wire.send("r1", query("k"));
    expect(await wire.answer("r1")).toMatchObject({ outcome: { kind: "pending" } });
    await wire.close();
  });

  test("takes the client id for the name of a terminal that gives no other", async () => {
    const wire = new WireTerminal("counter-2", publicKey);
    const refused = wire.connect(url, { clientId: clientIdOf("counter-1") });
    await expect(refused).rejects.toThrow();
    await wire.close();
  });
});

test("a subscription that is refused is asked for again, until it is granted", async () => {
  let refusals = 1;
  const strict = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) => done(null, refusals-- > 0 ? null : subscription),
  });
  const server = createServer((socket) => void strict.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const persistent = new TerminalLink({
    desk,
    reception: new Reception({ now: () => 1, merchantOf: () => "cafe" }),
    deny: new DenyDesk({ storage, now: () => 1 }),
    knownTerminals: async () => [],
    storage,
    signingKey: privateKey,
    now: () => 1,
    log: silent,
    broker: { url: `mqtt://127.0.0.1:${address.port}`, options: {} },
  });
  expect(await persistent.start(5_000)).toBe(true);
  await persistent.stop();
  server.close();
  await new Promise<void>((resolve) => strict.close(() => resolve()));
});
