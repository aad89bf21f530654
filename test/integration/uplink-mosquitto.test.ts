/**
 * The uplink with its MQTT adapter against real brokers: Mosquitto with mutual TLS and access lists (MQTT 5), and aedes,
 * which the ledger embeds (MQTT 3.1.1 only). The other end is test/support/answering-ledger.ts.
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesOptions } from "aedes";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import {
  CLOSE_TIMEOUT_MS,
  MAX_UNACKNOWLEDGED,
  MqttBroker,
  type MqttSettings,
} from "../../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../../sync/uplink/uplink.ts";
import { encodeDown, topicsOf } from "../../sync/wire.ts";
import { AnsweringLedger } from "../support/answering-ledger.ts";
import { APPROVED, AUTHORISE, QUERY } from "../support/messages.ts";
import { freePort, type Identity, Mosquitto } from "../support/mosquitto.ts";
import { until } from "../support/processes.ts";

type Event = { readonly kind: string; readonly atMs: number };

const keys = generateKeyPairSync("ed25519");
const forger = generateKeyPairSync("ed25519");
const LIMIT_MS = 8_000;

/** A terminal's store and uplink, journalling answers as the daemon does. */
class Terminal {
  readonly store: MemoryStore<Event, null>;
  readonly uplink: Uplink;
  readonly answers: LedgerAnswer[] = [];
  readonly links: boolean[] = [];
  readonly alarms: string[] = [];
  readonly troubles: string[] = [];

  constructor(
    url: string,
    settings: Omit<MqttSettings, "url" | "terminal"> & {
      readonly terminal?: string;
      readonly medium?: MemoryMedium;
      readonly trust?: KeyObject;
    } = {},
  ) {
    const { terminal = "t1", medium = new MemoryMedium(), trust = keys.publicKey, ...mqtt } = settings;
    this.store = new MemoryStore({ terminal, medium });
    this.store.open();
    this.uplink = new Uplink({
      terminal,
      ledgerKeys: [trust],
      outbox: this.store,
      broker: new MqttBroker({ ...mqtt, terminal, url }),
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
    this.store.append({ ...EVENT, outbox: ids.map((id) => ({ id, request: QUERY })) });
    this.uplink.notify();
  }

  get answered(): string[] {
    return this.answers.map(({ requestId }) => requestId);
  }

  async until(what: string, reached: (terminal: Terminal) => boolean): Promise<void> {
    await until(() => reached(this), LIMIT_MS, `${what}; troubles: ${this.troubles.join(" | ")}`);
  }
}

const EVENT = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};
const up = ({ links }: Terminal): boolean => links.at(-1) === true;
const down = ({ links }: Terminal): boolean => links.at(-1) === false;

const open: { stop(): Promise<void> }[] = [];

function started(terminal: Terminal): Terminal {
  open.push({
    stop: async () => {
      await terminal.uplink.stop();
      terminal.store.close();
    },
  });
  terminal.uplink.start();
  return terminal;
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop();
});

describe("Mosquitto with mutual TLS", () => {
  let broker: Mosquitto;
  let ledger: AnsweringLedger;

  beforeAll(async () => {
    broker = await Mosquitto.start();
  });

  afterAll(async () => {
    await broker.stop();
  });

  async function withLedger(): Promise<void> {
    ledger = new AnsweringLedger({
      url: broker.url,
      identity: broker.identity("ledger"),
      key: keys.privateKey,
    });
    await ledger.start();
    open.push({ stop: () => ledger.vanish() });
  }

  function terminal(
    name = "t1",
    tls: Identity = broker.identity(name),
    medium = new MemoryMedium(),
  ): Terminal {
    return started(new Terminal(broker.url, { terminal: name, tls, medium }));
  }

  test("a row goes out at once, its signed answer ends it", async () => {
    await withLedger();
    ledger.outcome = APPROVED.outcome;
    const t1 = terminal();
    await t1.until("link", up);
    t1.store.append({ ...EVENT, outbox: [{ id: "r1", request: AUTHORISE }] });
    t1.uplink.notify();
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect(t1.answers).toEqual([{ requestId: "r1", key: AUTHORISE.key, outcome: APPROVED.outcome }]);
    expect(ledger.seen).toEqual([
      { version: 1, terminal: "t1", requestId: "r1", position: 1, request: AUTHORISE },
    ]);
    expect([t1.store.depth(), t1.uplink.health().unanswered]).toEqual([0, 0]);
    expect(broker.log).toMatch(/as saypay-t1 \(p5, c0/);
  });

  test("many rows arrive in their order and are answered once each", async () => {
    await withLedger();
    const t1 = terminal("many");
    const ids = Array.from({ length: 200 }, (_, index) => `q${index}`);
    t1.ask(...ids);
    await t1.until("answers", ({ answers }) => answers.length === ids.length);
    expect(t1.answered).toEqual(ids);
    expect(ledger.seen.map(({ requestId }) => requestId)).toEqual(ids);
    expect(t1.store.depth()).toBe(0);
  });

  test("the ledger vanishes: the link goes down by its last will, and what waited goes out when it is back", async () => {
    await withLedger();
    const t1 = terminal("patient");
    await t1.until("link", up);
    await ledger.vanish();
    await t1.until("link down", down);
    t1.ask("w1", "w2");
    await withLedger();
    await t1.until("answers", ({ answers }) => answers.length === 2);
    expect([t1.answered, t1.links]).toEqual([
      ["w1", "w2"],
      [true, false, true],
    ]);
  });

  test("the broker is killed with a request on its way: it is sent again and answered once", async () => {
    await withLedger();
    ledger.silent = true;
    const t1 = terminal("hardy");
    await t1.until("link", up);
    t1.ask("k1");
    await until(() => ledger.seen.length === 1, LIMIT_MS, "the request at the ledger");
    await broker.kill();
    await t1.until("link down", down);
    t1.ask("k2");
    ledger.silent = false;
    await broker.resume();
    await t1.until("answers", ({ answers }) => answers.length === 2);
    expect(t1.answered).toEqual(["k1", "k2"]);
    expect(ledger.seen.map(({ requestId }) => requestId)).toEqual(["k1", "k1", "k2"]);
    expect(t1.store.depth()).toBe(0);
  });

  test("answers to an absent terminal are kept by the session and end the row after a restart", async () => {
    await withLedger();
    ledger.silent = true;
    const medium = new MemoryMedium();
    const before = new Terminal(broker.url, { terminal: "absent", tls: broker.identity("absent"), medium });
    before.uplink.start();
    await before.until("link", up);
    before.ask("s1");
    await until(() => ledger.seen.length === 1, LIMIT_MS, "the request at the ledger");
    await before.uplink.stop();
    before.store.close();
    ledger.answer("absent", "s1", QUERY.key);
    const after = terminal("absent", broker.identity("absent"), medium);
    await after.until("answer", ({ answers }) => answers.length === 1);
    expect([after.answered, after.store.depth()]).toEqual([["s1"], 0]);
  });

  test("forged, foreign and unreadable answers raise an alarm and end nothing", async () => {
    await withLedger();
    ledger.silent = true;
    const t1 = terminal("wary");
    await t1.until("link", up);
    t1.ask("f1");
    ledger.answer("wary", "f1", QUERY.key, forger.privateKey);
    await ledger.publishDown(
      "wary",
      encodeDown("other", { requestId: "f1", key: QUERY.key, outcome: { kind: "pending" } }, keys.privateKey),
    );
    await ledger.publishDown("wary", Buffer.from("hello"));
    await t1.until("rejections", ({ uplink }) => uplink.health().rejectedAnswers === 3);
    expect([t1.answers, t1.alarms.length, t1.store.depth()]).toEqual([[], 2, 1]);
  });

  test("a refused row is alarmed and kept among the dead letters", async () => {
    await withLedger();
    ledger.outcome = { kind: "refused", reason: "key-conflict" };
    const t1 = terminal("refused");
    t1.ask("d1");
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect(t1.store.deadLetters().map(({ id, reason }) => [id, reason])).toEqual([
      ["d1", "refused: key-conflict"],
    ]);
    expect(t1.alarms).toEqual([expect.stringContaining("key-conflict")]);
  });

  test("the access list keeps terminals apart: another's certificate gets no answers", async () => {
    const t1 = terminal("t1", broker.identity("t2"));
    await t1.until("refusal", ({ troubles }) => troubles.some((reason) => reason.includes("access list")));
    expect(t1.links).toEqual([]);
  });

  test.each<[string, (broker: Mosquitto) => Partial<Identity>, RegExp]>([
    [
      "no client certificate",
      ({ folder }) => ({ ca: `${folder}/ca.crt` }),
      /certificate required|closed|ECONNRESET|handshake/i,
    ],
    [
      "an authority that did not sign the server",
      (mosquitto) => mosquitto.identity("t1"),
      /self.signed|unable to verify|certificate/i,
    ],
    [
      "a certificate file that is absent",
      ({ folder }) => ({ cert: `${folder}/none.crt` }),
      /none\.crt cannot be read/,
    ],
  ])("%s is trouble, not a link", async (what, tls, reason) => {
    const files = tls(broker);
    const { ca: _ca, ...withoutAuthority } = files;
    const t1 = started(
      new Terminal(broker.url, { tls: what.startsWith("an authority") ? withoutAuthority : files }),
    );
    await t1.until("trouble", ({ troubles }) => troubles.length > 0);
    expect(t1.troubles[0]).toMatch(reason);
    expect(t1.links).toEqual([]);
  });
});

describe("a broker of MQTT 3.1.1", () => {
  let url: string;
  let ledger: AnsweringLedger;

  async function aedes(rules: AedesOptions = {}): Promise<void> {
    const broker = await Aedes.createBroker(rules);
    broker.on("connectionError", () => undefined);
    broker.on("clientError", () => undefined);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      broker.handle(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `mqtt://127.0.0.1:${portOf(server)}`;
    open.push({
      stop: async () => {
        for (const socket of sockets) socket.destroy();
        server.close();
        await new Promise<void>((resolve) => broker.close(() => resolve()));
      },
    });
    ledger = new AnsweringLedger({ url, key: keys.privateKey, protocolVersion: 4 });
    await ledger.start();
    open.push({ stop: () => ledger.vanish() });
  }

  test.each<["3.1.1" | undefined]>([[undefined], ["3.1.1"]])("protocol %s works", async (protocol) => {
    await aedes();
    const t1 = started(new Terminal(url, protocol === undefined ? {} : { protocol }));
    t1.ask("a1");
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect([t1.answered, t1.links, t1.troubles]).toEqual([["a1"], [true], []]);
  });

  test("what worked is tried first when the connection is lost", async () => {
    await aedes();
    const t1 = started(new Terminal(url));
    await t1.until("link", up);
    await ledger.vanish();
    await t1.until("link down", down);
    t1.ask("b1");
    await ledger.start();
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect(t1.troubles).toEqual([]);
  });

  test("a broker that refuses the subscription is trouble", async () => {
    await aedes({
      authorizeSubscribe: (_client, subscription, done) =>
        done(null, subscription.topic.endsWith("/down") ? null : subscription),
    });
    const t1 = started(new Terminal(url));
    await t1.until("refusal", ({ troubles }) => troubles.some((reason) => reason.includes("access list")));
    expect(up(t1)).toBe(false);
  });

  test("user name and password are given to the broker", async () => {
    const given: string[] = [];
    await aedes({
      authenticate: (_client, username, password, done) => {
        given.push(`${username ?? ""}:${password?.toString() ?? ""}`);
        done(null, true);
      },
    });
    const t1 = started(new Terminal(url, { username: "counter", password: "secret" }));
    await t1.until("link", up);
    const t2 = started(new Terminal(url, { terminal: "t2" }));
    await t2.until("link", up);
    expect(given).toEqual(["ledger:", "counter:secret", "t2:"]);
  });

  test("a broker that acknowledges nothing is left, and holds up no stop", async () => {
    const topics = topicsOf("t1");
    await aedes({
      authorizePublish: (_client, packet, done) => {
        if (packet.topic !== topics.up && packet.topic !== topics.presence) done(null);
      },
    });
    const broker = new MqttBroker({ terminal: "t1", url });
    const lost: string[] = [];
    const connect = async (): Promise<void> => {
      let online = false;
      broker.connect({
        onConnected: () => undefined,
        onLost: (reason) => lost.push(reason),
        onPresence: (isOnline) => {
          online = isOnline;
        },
        onMessage: () => undefined,
      });
      await until(() => online, LIMIT_MS, "presence");
    };
    await connect();
    for (let count = 0; count <= MAX_UNACKNOWLEDGED; count += 1) broker.send(new Uint8Array([count & 0xff]));
    await until(() => lost.length === 1, LIMIT_MS, "the loss");
    expect(lost).toEqual(["the broker acknowledges nothing"]);
    // Without a connection there is nobody to hand anything to.
    broker.send(new Uint8Array([1]));
    await connect();
    const start = performance.now();
    await broker.close();
    expect(performance.now() - start).toBeLessThan(CLOSE_TIMEOUT_MS + 500);
    expect(lost.length).toBe(1);
  });

  test("a broker that must speak MQTT 5 and does not is trouble", async () => {
    await aedes();
    const t1 = started(new Terminal(url, { protocol: "5" }));
    await t1.until("trouble", ({ troubles }) => troubles.length > 0);
    expect(t1.links).toEqual([]);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

test("an address where nobody listens is tried again, and the uplink stops while it tries", async () => {
  const port = await freePort();
  const t1 = new Terminal(`mqtt://127.0.0.1:${port}`);
  t1.uplink.start();
  await t1.until("two troubles", ({ troubles }) => troubles.length === 2);
  expect(t1.troubles[0]).toMatch(/ECONNREFUSED/);
  await t1.uplink.stop();
  await t1.uplink.stop();
  const count = t1.troubles.length;
  t1.uplink.notify();
  expect([t1.troubles.length, t1.links]).toEqual([count, []]);
});

test("a listener that never answers is given up", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const t1 = new Terminal(`mqtt://127.0.0.1:${portOf(server)}`);
  t1.uplink.start();
  await until(() => sockets.size === 1, LIMIT_MS, "a connection");
  await t1.uplink.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
  expect(t1.links).toEqual([]);
});
