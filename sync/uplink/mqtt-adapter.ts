/**
 * The broker over MQTT by the mqtt package: QoS 1, a session that the broker keeps, last will, mutual TLS.
 *
 * MQTT 5 is tried first, because its session expiry bounds what a broker keeps for a terminal that never comes back;
 * a broker without it (aedes, NATS) is asked again with 3.1.1 at once, and what worked is tried first next time.
 * Every attempt is a fresh client: the package's own reconnecting and its store in memory are switched off or thrown
 * away, since order, resending and back-off are decided in uplink-step.ts and the outbox is on disk.
 */
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { Fault } from "../../daemon/core/fault.ts";
import {
  clientIdOf,
  LEDGER_PRESENCE_TOPIC,
  MAX_DENY_MESSAGE_BYTES,
  OFFLINE,
  ONLINE,
  topicsOf,
} from "../wire.ts";
import type { Broker, BrokerEvents } from "./broker.ts";

/** Notices a dead line after one and a half of these (MQTT 5 section 3.1.2.10). */
export const KEEPALIVE_S = 15;
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long a broker keeps the session and the answers of an absent terminal, where it speaks MQTT 5. */
export const SESSION_EXPIRY_S = 7 * 24 * 3_600;
/** Publishes that the broker may leave unacknowledged before the connection counts as dead. */
export const MAX_UNACKNOWLEDGED = 256;
/** How long a stop waits for the good-bye to leave. */
export const CLOSE_TIMEOUT_MS = 1_000;

export type MqttSettings = {
  readonly terminal: string;
  /** mqtt://host:port or mqtts://host:port */
  readonly url: string;
  /** Paths of PEM files, read again at every attempt, so that a renewed certificate is taken up without a restart. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Default: the terminal's id, which brokers without client certificates go by. */
  readonly username?: string;
  readonly password?: string;
  /** Default: 5, then 3.1.1. */
  readonly protocol?: "5" | "3.1.1";
};

type Version = 4 | 5;

/** CONNACK codes that mean "not this version": 3.1.1 section 3.2.2.3 and MQTT 5 section 3.2.2.2. */
const VERSION_REFUSED: readonly unknown[] = [1, 132];

/** One connection from its first packet to its end. */
type Attempt = {
  readonly client: MqttClient;
  /** The first thing that went wrong. */
  trouble: (Error & { readonly code?: unknown }) | undefined;
  unacknowledged: number;
};

export class MqttBroker implements Broker {
  readonly #settings: MqttSettings;
  #version: Version;
  #attempt: Attempt | undefined;

  constructor(settings: MqttSettings) {
    this.#settings = settings;
    this.#version = settings.protocol === "3.1.1" ? 4 : 5;
  }

  connect(events: BrokerEvents): void {
    this.#try(events, this.#version, this.#settings.protocol === undefined);
  }

  send(bytes: Uint8Array): void {
    const attempt = this.#attempt;
    if (attempt?.client.connected !== true) return;
    if (attempt.unacknowledged >= MAX_UNACKNOWLEDGED) return drop(attempt, "the broker acknowledges nothing");
    attempt.unacknowledged += 1;
    const { up } = topicsOf(this.#settings.terminal);
    attempt.client.publish(up, toBuffer(bytes), { qos: 1 }, (error) => {
      attempt.unacknowledged -= 1;
      dropWhenForbidden(attempt, up, error);
    });
  }

  async close(): Promise<void> {
    const client = this.#attempt?.client;
    this.#attempt = undefined;
    if (client === undefined) return;
    const { presence } = topicsOf(this.#settings.terminal);
    if (client.connected) {
      // An orderly good-bye takes the last will back, so it is said here.
      const leave = client
        .publishAsync(presence, OFFLINE, { qos: 1, retain: true })
        .then(() => client.endAsync());
      await Promise.race([leave.catch(() => undefined), pause(CLOSE_TIMEOUT_MS)]);
    }
    client.end(true);
  }

  #try(events: BrokerEvents, version: Version, mayFallBack: boolean): void {
    let client: MqttClient;
    try {
      client = connect(this.#settings.url, optionsOf(this.#settings, version));
    } catch (error) {
      // Not in this call: whoever asked is in the middle of carrying out an effect.
      queueMicrotask(() => events.onLost(textOf(error)));
      return;
    }
    const attempt: Attempt = { client, trouble: undefined, unacknowledged: 0 };
    this.#attempt = attempt;
    /** What the package still says of a connection that was given up is nobody's business any more. */
    const whileCurrent = <News extends unknown[]>(hear: (...news: News) => void) => {
      return (...news: News): void => {
        if (attempt === this.#attempt) hear(...news);
      };
    };
    const { deny } = topicsOf(this.#settings.terminal);
    let letIn = false;
    client.on("error", (error) => {
      attempt.trouble ??= error;
    });
    const connected = (): void => {
      letIn = true;
      this.#version = version;
      // An answer must not wait for the acknowledgement of the packet before it (Nagle's algorithm).
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      events.onConnected();
      this.#subscribe(attempt, events);
    };
    const received = (topic: string, payload: Buffer): void => {
      if (topic === LEDGER_PRESENCE_TOPIC) events.onPresence(payload.toString() === ONLINE);
      else if (topic === deny) events.onDenyList(payload);
      else events.onMessage(payload);
    };
    const closed = (): void => {
      this.#attempt = undefined;
      const { trouble } = attempt;
      if (mayFallBack && !letIn && isVersionTrouble(trouble)) this.#try(events, version === 5 ? 4 : 5, false);
      else events.onLost(textOf(trouble ?? new Error("the broker closed the connection")));
    };
    client.on("connect", whileCurrent(connected));
    client.on("message", whileCurrent(received));
    client.on("close", () => client.end(true));
    client.on("close", whileCurrent(closed));
  }

  /**
   * Asks for the deny list, and then for answers and the ledger's presence in one packet: when presence is known, answers
   * can come. An access list from before deny lists must not keep a terminal from selling.
   */
  #subscribe(attempt: Attempt, events: BrokerEvents): void {
    const { deny, down, presence } = topicsOf(this.#settings.terminal);
    attempt.client.subscribe(deny, { qos: 1 }, (error) => {
      if (isRefusal(error)) events.onRefused(deny);
    });
    attempt.client.subscribe([down, LEDGER_PRESENCE_TOPIC], { qos: 1 }, (error) => {
      if (isRefusal(error)) drop(attempt, forbidden(`${down} or ${LEDGER_PRESENCE_TOPIC}`));
    });
    // A certificate of another terminal shows here and not at the first sale, where the broker speaks MQTT 5.
    attempt.client.publish(presence, ONLINE, { qos: 1, retain: true }, (error) => {
      dropWhenForbidden(attempt, presence, error);
    });
  }
}

/** The broker's SUBACK said no. Without one the error is the connection's end, which tells of itself. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "packet" in error;
}

/** PUBACK reason code "not authorized" (MQTT 5 section 3.4.2.1); with 3.1.1 nobody is told. */
const NOT_AUTHORIZED = 135;

function dropWhenForbidden(attempt: Attempt, topic: string, error: unknown): void {
  if (error instanceof Error && "code" in error && error.code === NOT_AUTHORIZED)
    drop(attempt, forbidden(topic));
}

function forbidden(topic: string): string {
  return `the broker refuses ${topic}: check its access list, and whether the certificate is this terminal's`;
}

/** Ends the connection with a reason of ours; "close" follows. */
function drop(attempt: Attempt, reason: string): void {
  attempt.trouble ??= new Error(reason);
  attempt.client.stream.destroy();
}

function optionsOf(settings: MqttSettings, version: Version): IClientOptions {
  const { terminal, username = terminal, password, tls } = settings;
  return {
    protocolVersion: version,
    clientId: clientIdOf(terminal),
    username,
    ...(password === undefined ? {} : { password }),
    clean: false,
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: SESSION_EXPIRY_S,
            maximumPacketSize: MAX_DENY_MESSAGE_BYTES + 1_024,
          },
        }
      : {}),
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: topicsOf(terminal).presence, payload: Buffer.from(OFFLINE), qos: 1, retain: true },
    ...(tls?.ca === undefined ? {} : { ca: readPem(tls.ca) }),
    ...(tls?.cert === undefined ? {} : { cert: readPem(tls.cert) }),
    ...(tls?.key === undefined ? {} : { key: readPem(tls.key) }),
    rejectUnauthorized: true,
  };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault("settings.invalid", `the broker's TLS file ${path} cannot be read`, { cause });
  }
}

/**
 * Whether an attempt that was not let in may have failed for its version: the broker said so, or just hung up, which
 * is what some do with a CONNECT that they cannot read. Errors of the network and of TLS carry a text code.
 */
function isVersionTrouble(trouble: Attempt["trouble"]): boolean {
  const code = trouble?.code;
  return code === undefined || VERSION_REFUSED.includes(code);
}

/** The message, or the name where there is none, as in an AggregateError of all addresses of a host. */
function textOf(error: unknown): string {
  return String(error).replace(/^Error: /, "");
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
