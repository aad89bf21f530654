/**
 * The ledger put together from its settings: books, gateway, desk, resolver, broker, link and HTTP, started in the
 * order in which they need each other and stopped the other way round.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { IClientOptions } from "mqtt";
import { Fault } from "../../daemon/core/fault.ts";
import { ClearingDesk } from "./clearing-desk.ts";
import { DenyDesk } from "./deny-desk.ts";
import { writeDurably } from "./durable-file.ts";
import { EmbeddedBroker } from "./embedded-broker.ts";
import type { Clock } from "./gateway-call.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { GATEWAYS } from "./gateways/registry.ts";
import { SandboxGateway } from "./gateways/sandbox/sandbox.ts";
import { HttpServer, ledgerApi, MAX_TERMINALS } from "./http.ts";
import type { LinkLog } from "./link-log.ts";
import { readSettingFile } from "./listening.ts";
import { Reception } from "./reception.ts";
import { Resolver } from "./resolver.ts";
import { type LedgerSettings, merchantOf } from "./settings.ts";
import { openSigningKey } from "./signing-key.ts";
import { SqliteLedgerStorage } from "./storage-sqlite.ts";
import { TerminalLink } from "./terminal-link.ts";

export const BOOKS_FILE = "ledger.sqlite";
export const PORTS_FILE = "ports.json";
/** Where the ledger comes into its own broker. */
const OWN_DOOR_FILE = "broker.sock";
/** How long a start waits for an outside broker before it goes on without; the link keeps trying. */
const BROKER_WAIT_MS = 5_000;
/** Session kept by an MQTT 5 broker while the ledger is away, in seconds. */
const SESSION_EXPIRY_S = 86_400;

/** Ports that are really open; `mqtt` is null with an outside broker. */
export type Ports = { readonly mqtt: number | null; readonly http: number; readonly pid: number };

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

export class Ledger {
  readonly #settings: LedgerSettings;
  readonly #log: LinkLog;
  readonly #clock: Clock;
  /** How to stop what was started, newest last. */
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(settings: LedgerSettings, log: LinkLog, clock: Clock = SYSTEM_CLOCK) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
  }

  /** Starts everything; when a part fails to start, those before it are stopped and the fault is thrown. */
  async start(): Promise<Ports> {
    try {
      return await this.#start();
    } catch (fault) {
      await this.stop();
      throw fault;
    }
  }

  /** Finishes what is under way and stops. Safe to call twice. */
  async stop(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (fault) {
        this.#log.error({ err: String(fault) }, "a part did not stop cleanly");
      }
    }
  }

  async #start(): Promise<Ports> {
    const { data, http } = this.#settings;
    makeFolder(data);
    // Ports of an earlier life are nobody's.
    rmSync(join(data, PORTS_FILE), { force: true });
    const signingKey = openSigningKey(data);
    const storage = new SqliteLedgerStorage(join(data, BOOKS_FILE));
    this.#stops.push(async () => storage.close());
    storage.open();
    const gateway = await this.#openGateway(data);
    const deny = new DenyDesk({ storage, now: this.#clock.now });
    await deny.open();
    const desk = this.#makeDesk(storage, gateway, deny);
    const resolver = this.#makeResolver(desk);

    const broker = this.#settings.broker.embedded;
    const embedded = broker === undefined ? undefined : new EmbeddedBroker(broker, join(data, OWN_DOOR_FILE));
    if (embedded !== undefined) {
      await embedded.start();
      this.#stops.push(() => embedded.stop());
    }
    const link = new TerminalLink({
      desk,
      reception: new Reception({ now: this.#clock.now, merchantOf: merchantOf(this.#settings) }),
      deny,
      knownTerminals: async () => this.#knownTerminals(storage),
      storage,
      signingKey,
      now: this.#clock.now,
      log: this.#log,
      broker: embedded === undefined ? this.#outside() : { dial: () => embedded.connectLedger() },
    });
    this.#stops.push(() => link.stop());
    const unresolved = await resolver.start();
    if (!(await link.start(BROKER_WAIT_MS)))
      this.#log.warn({}, "the broker does not answer yet, still trying");
    const mqtt = embedded === undefined ? null : await embedded.listen();

    const startedMs = this.#clock.now();
    const api = ledgerApi({
      storage,
      deny,
      token: http.token,
      sandbox: gateway instanceof SandboxGateway ? gateway : undefined,
      health: () => ({ broker: link.connected, uptimeMs: this.#clock.now() - startedMs }),
    });
    const server = new HttpServer(api);
    this.#stops.push(() => server.stop());
    const ports: Ports = { mqtt, http: await server.listen(http.host, http.port), pid: process.pid };
    writeDurably(join(data, PORTS_FILE), `${JSON.stringify(ports)}\n`, 0o644);
    this.#log.info({ mqttPort: ports.mqtt, httpPort: ports.http, unresolved, data }, "ready");
    return ports;
  }

  async #openGateway(data: string): Promise<Gateway> {
    const { id, settings } = this.#settings.gateway;
    const folder = join(data, "gateways", id);
    makeFolder(folder);
    const gateway: Gateway = GATEWAYS[id].build(settings, { folder, now: this.#clock.now });
    this.#stops.push(() => gateway.close());
    await gateway.open();
    return gateway;
  }

  /** Those of the settings and those that greeted. */
  async #knownTerminals(storage: SqliteLedgerStorage): Promise<readonly string[]> {
    const listed = this.#settings.terminals.known.map(({ id }) => id);
    const isKnown = merchantOf(this.#settings);
    const greeted = storage.terminals(MAX_TERMINALS).map(({ terminal }) => terminal);
    return [...new Set([...listed, ...greeted.filter((terminal) => isKnown(terminal) !== undefined)])];
  }

  #makeDesk(storage: SqliteLedgerStorage, gateway: Gateway, deny: DenyDesk): ClearingDesk {
    const { gateway: given, resolver } = this.#settings;
    const desk = new ClearingDesk({
      storage,
      gateway,
      clock: this.#clock,
      patience: {
        gatewayTimeoutMs: given.timeoutMs,
        firstRetryMs: resolver.firstRetryMs,
        maxRetryMs: resolver.maxRetryMs,
      },
      merchantOf: merchantOf(this.#settings),
      isDenied: deny.isDenied,
    });
    this.#stops.push(() => desk.drained());
    return desk;
  }

  #makeResolver(desk: ClearingDesk): Resolver {
    const resolver = new Resolver({
      desk,
      clock: this.#clock,
      intervalMs: this.#settings.resolver.intervalMs,
      onFault: (fault) =>
        this.#log.error({ err: fault instanceof Error ? fault.stack : String(fault) }, "resolver"),
    });
    this.#stops.push(() => resolver.stop());
    return resolver;
  }

  #outside(): { url: string; options: IClientOptions } {
    const { outside } = this.#settings.broker;
    if (outside === undefined) throw new Error("settings without a broker");
    const { url, protocol, username, password, tls } = outside;
    const file = (name: "ca" | "cert" | "key"): Buffer | undefined => {
      const path = tls?.[name];
      return path === undefined ? undefined : readSettingFile(path, `broker.outside.tls.${name}`);
    };
    const files = { ca: file("ca"), cert: file("cert"), key: file("key") };
    return {
      url,
      options: {
        protocolVersion: protocol,
        ...(protocol === 5 ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {}),
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(files.ca === undefined ? {} : { ca: files.ca }),
        ...(files.cert === undefined ? {} : { cert: files.cert }),
        ...(files.key === undefined ? {} : { key: files.key }),
        rejectUnauthorized: true,
      },
    };
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("journal.unwritable", `${why}; choose another folder in the setting "data"`, { cause });
  }
}
