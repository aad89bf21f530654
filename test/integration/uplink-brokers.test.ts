/** The uplink's MQTT adapter with brokers that are old, strict, mute or absent. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesOptions } from "aedes";
import { afterEach, describe, expect, test } from "vitest";
import { CLOSE_TIMEOUT_MS, MAX_UNACKNOWLEDGED, MqttBroker } from "../../sync/uplink/mqtt-adapter.ts";
import { topicsOf } from "../../sync/wire.ts";
import { AnsweringLedger } from "../support/answering-ledger.ts";
import { AskingTerminal, down, LEDGER_KEYS, LIMIT_MS, up } from "../support/asking-terminal.ts";
import { freePort } from "../support/mosquitto.ts";
import { until } from "../support/processes.ts";

const open: { stop(): Promise<void> }[] = [];

function started(terminal: AskingTerminal): AskingTerminal {
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
    ledger = new AnsweringLedger({ url, key: LEDGER_KEYS.privateKey, protocolVersion: 4 });
    await ledger.start();
    open.push({ stop: () => ledger.vanish() });
  }

  test.each<["3.1.1" | undefined]>([[undefined], ["3.1.1"]])("protocol %s works", async (protocol) => {
    await aedes();
    const t1 = started(new AskingTerminal(url, protocol === undefined ? {} : { protocol }));
    t1.ask("a1");
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect([t1.answered, t1.links, t1.troubles]).toEqual([["a1"], [true], []]);
  });

  test("what worked is tried first when the connection is lost", async () => {
    await aedes();
    const t1 = started(new AskingTerminal(url));
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
    const t1 = started(new AskingTerminal(url));
    await t1.until("refusal", ({ troubles }) => troubles.some((reason) => reason.includes("access list")));
    expect(up(t1)).toBe(false);
  });

  test("an access list from before deny lists is an alarm, and the terminal sells", async () => {
    await aedes({
      authorizeSubscribe: (_client, subscription, done) =>
        done(null, subscription.topic.endsWith("/deny") ? null : subscription),
    });
    const t1 = started(new AskingTerminal(url));
    await t1.until("alarm", ({ alarms }) => alarms.length === 1);
    t1.ask("a1");
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect([t1.alarms, t1.troubles]).toEqual([[expect.stringContaining("saypay/v1/t1/deny")], []]);
  });

  test("user name and password are given to the broker", async () => {
    const given: string[] = [];
    await aedes({
      authenticate: (_client, username, password, done) => {
        given.push(`${username ?? ""}:${password?.toString() ?? ""}`);
        done(null, true);
      },
    });
    const t1 = started(new AskingTerminal(url, { username: "counter", password: "secret" }));
    await t1.until("link", up);
    const t2 = started(new AskingTerminal(url, { terminal: "t2" }));
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
        onDenyList: () => undefined,
        onRefused: () => undefined,
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
    const t1 = started(new AskingTerminal(url, { protocol: "5" }));
    await t1.until("trouble", ({ troubles }) => troubles.length > 0);
    expect(t1.links).toEqual([]);
  });
});

function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

test("an address where nobody listens is tried again, and the uplink stops while it tries", async () => {
  const port = await freePort();
  const t1 = new AskingTerminal(`mqtt://127.0.0.1:${port}`);
  t1.uplink.start();
  await t1.until("two troubles", ({ troubles }) => troubles.length === 2);
  expect(t1.troubles[0]).toMatch(/ECONNREFUSED/);
  await t1.uplink.stop();
  await t1.uplink.stop();
  const count = t1.troubles.length;
  t1.uplink.notify();
  expect([t1.troubles.length, t1.links]).toEqual([count, []]);
});

/** CONNACK, accepted (MQTT 3.1.1 section 3.2). */
const ACCEPTED = Buffer.from([0x20, 2, 0, 0]);

test("what a broker hangs up on is tried in the other version, once, beginning with what last worked", async () => {
  const levels: number[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (packet) => {
      // Fixed header, two bytes of length, "MQTT", and the protocol's level (section 3.1.2.2).
      levels.push(packet[packet.indexOf("MQTT") + 4] ?? 0);
      // Only the second CONNECT is accepted; the connection is gone soon after.
      if (levels.length === 2) socket.end(ACCEPTED);
      else socket.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const t1 = started(new AskingTerminal(`mqtt://127.0.0.1:${portOf(server)}`));
  await t1.until("two troubles", ({ troubles }) => troubles.length >= 2);
  expect(levels.slice(0, 4)).toEqual([5, 4, 4, 5]);
  expect(t1.troubles[1]).toBe("the broker closed the connection");
  server.close();
});

/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

test("a broker behind WebSocket lets the terminal in", async () => {
  const server = createHttpServer();
  server.on("upgrade", (request, socket: Socket) => {
    const key = `${request.headers["sec-websocket-key"] ?? ""}${WEBSOCKET_GUID}`;
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${createHash("sha1").update(key).digest("base64")}\r\n` +
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
    );
    // The CONNECT is in the first frame; the answer is one unmasked binary frame (section 5.2).
    socket.once("data", () => socket.write(Buffer.concat([Buffer.from([0x82, ACCEPTED.length]), ACCEPTED])));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const broker = new MqttBroker({
    terminal: "t1",
    url: `ws://127.0.0.1:${portOf(server)}`,
    protocol: "3.1.1",
  });
  const told: string[] = [];
  broker.connect({
    onConnected: () => told.push("connected"),
    onLost: (reason) => told.push(reason),
    onPresence: () => undefined,
    onMessage: () => undefined,
    onDenyList: () => undefined,
    onRefused: () => undefined,
  });
  await until(() => told.length > 0, LIMIT_MS, "the connection");
  expect(told).toEqual(["connected"]);
  await broker.close();
  server.close();
});

test("a listener that never answers is given up", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const t1 = new AskingTerminal(`mqtt://127.0.0.1:${portOf(server)}`);
  t1.uplink.start();
  await until(() => sockets.size === 1, LIMIT_MS, "a connection");
  await t1.uplink.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
  expect(t1.links).toEqual([]);
});
