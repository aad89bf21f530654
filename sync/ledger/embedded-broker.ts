/**
 * A broker inside the ledger, for a shop without one: aedes over TCP or TLS. It speaks MQTT 3.1 and 3.1.1 and keeps
 * nothing on disk, which is enough because a terminal sends again until it has the ledger's signed answer.
 *
 * Every connection belongs to one terminal and may use that terminal's topics and client id only: the one named by its client
 * certificate, else by its user name, else the first one that it uses (a convention, no proof: without client
 * certificates the broker listens on loopback only).
 */
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { Aedes, type Client } from "aedes";
import { isTerminalId, LEDGER_PRESENCE_TOPIC, nameInClientId } from "../wire.ts";
import { listenOn, listenOnPath, readSettingFile } from "./listening.ts";
import type { LedgerSettings } from "./settings.ts";

export const MAX_CONNECTIONS = 1_024;
/** How long a stop waits for terminals to take what was sent to them. */
const LAST_WORDS_MS = 1_000;

type Settings = NonNullable<LedgerSettings["broker"]["embedded"]>;

export class EmbeddedBroker {
  readonly #settings: Settings;
  readonly #sockets = new Set<Socket>();
  readonly #owners = new WeakMap<Client, string>();
  readonly #trusted = new WeakSet<Client>();
  /** Messages that aedes was given and has not handed on yet. */
  #publishing = 0;
  readonly #ownDoor: string;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  #ownServer: Server | undefined;

  /** `ownDoor`: path of a Unix socket that only this user can open; whoever comes in there is the ledger itself. */
  constructor(settings: Settings, ownDoor: string) {
    this.#settings = settings;
    this.#ownDoor = ownDoor;
  }

  /** Starts the broker without letting any terminal in yet. */
  async start(): Promise<void> {
    this.#aedes = await Aedes.createBroker({
      authenticate: (client, username, _password, done) => {
        const owner = commonName(client) ?? username;
        if (owner !== undefined && !this.#trusted.has(client)) this.#owners.set(client, owner);
        done(null, this.#mayBeCalled(client));
      },
      authorizePublish: (client, packet, done) => {
        const allowed = client === null || this.#trusted.has(client) || this.#mayWrite(client, packet.topic);
        if (allowed && client !== null) this.#publishing += 1;
        done(allowed ? null : new Error("not this terminal's topic"));
      },
      published: (_packet, client, done) => {
        if (client) this.#publishing = Math.max(0, this.#publishing - 1);
        done(null);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const allowed = this.#trusted.has(client) || this.#mayRead(client, subscription.topic);
        done(null, allowed ? subscription : null);
      },
    });
    // One client's broken connection is that client's trouble.
    this.#aedes.on("clientError", () => undefined);
    this.#aedes.on("connectionError", () => undefined);
    await this.#openOwnDoor();
  }

  async #openOwnDoor(): Promise<void> {
    // Left behind by a ledger that was killed.
    rmSync(this.#ownDoor, { force: true });
    const server = createServer((socket) => {
      this.#remember(socket);
      this.#trusted.add(this.#open().handle(socket));
    });
    this.#ownServer = server;
    await listenOnPath(server, this.#ownDoor, "data");
    chmodSync(this.#ownDoor, 0o600);
  }

  #remember(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
  }

  /**
   * The ledger's own connection. A real socket, because the MQTT client and aedes do not hear each other over a pair of
   * streams on Node 26.
   */
  connectLedger(): Socket {
    return connect(this.#ownDoor);
  }

  /** Lets terminals in; gives the port. */
  async listen(): Promise<number> {
    const { host, port, tls } = this.#settings;
    const accept = (socket: Socket): void => {
      this.#remember(socket);
      this.#open().handle(socket);
    };
    const server =
      tls === undefined
        ? createServer({ noDelay: true }, accept)
        : createTlsServer(
            {
              // An answer must not wait behind the acknowledgement that goes before it (Nagle and delayed ACK: 45 ms).
              noDelay: true,
              cert: readSettingFile(tls.cert, "broker.embedded.tls.cert"),
              key: readSettingFile(tls.key, "broker.embedded.tls.key"),
              ...(tls.ca === undefined
                ? {}
                : {
                    ca: readSettingFile(tls.ca, "broker.embedded.tls.ca"),
                    requestCert: true,
                    rejectUnauthorized: true,
                  }),
              minVersion: "TLSv1.2",
            },
            accept,
          );
    server.maxConnections = MAX_CONNECTIONS;
    this.#server = server;
    return listenOn(server, host, port, "broker.embedded.port");
  }

  async stop(): Promise<void> {
    const closed = Promise.all([this.#server, this.#ownServer].map(closing));
    // aedes acknowledges a message before it hands it on: what it was given leaves first, then connections close.
    const limitMs = performance.now() + LAST_WORDS_MS;
    while (this.#publishing > 0 && performance.now() < limitMs) await delay(5);
    for (const socket of this.#sockets) socket.end();
    const emptied = Promise.all(
      [...this.#sockets].map((socket) => once(socket, "close").catch(() => undefined)),
    );
    await Promise.race([emptied, delay(LAST_WORDS_MS, undefined, { ref: false })]);
    const aedes = this.#aedes;
    if (aedes !== undefined) await new Promise<void>((done) => aedes.close(() => done()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.#ownDoor, { force: true });
  }

  /** Its client id must not be the ledger's or another terminal's, or it would push that one out. */
  #mayBeCalled(client: Client): boolean {
    const name = nameInClientId(client.id);
    if (name === undefined || this.#trusted.has(client)) return true;
    return isTerminalId(name) && this.#owns(client, name);
  }

  #mayWrite(client: Client, topic: string): boolean {
    const match = /^saypay\/v1\/([^/]+)\/(up|presence)$/.exec(topic);
    return topic !== LEDGER_PRESENCE_TOPIC && match?.[1] !== undefined && this.#owns(client, match[1]);
  }

  #mayRead(client: Client, topic: string): boolean {
    if (topic === LEDGER_PRESENCE_TOPIC) return true;
    const match = /^saypay\/v1\/([^/+#]+)\/(?:down|deny)$/.exec(topic);
    return match?.[1] !== undefined && this.#owns(client, match[1]);
  }

  #owns(client: Client, terminal: string): boolean {
    const owner = this.#owners.get(client);
    if (owner === undefined) this.#owners.set(client, terminal);
    return owner === undefined || owner === terminal;
  }

  #open(): Aedes {
    if (this.#aedes === undefined) throw new Error("the embedded broker is not started");
    return this.#aedes;
  }
}

function commonName(client: Client): string | undefined {
  if (!(client.conn instanceof TLSSocket)) return undefined;
  const name: unknown = client.conn.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

function closing(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
}
