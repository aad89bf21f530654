/**
 * The MQTT topics. A terminal may write its own `up` and `presence` and read its own `down` and `deny` and the ledger's
 * presence; brokers enforce that by certificate name (Mosquitto: `pattern write saypay/v1/%u/up`). Nothing here or in
 * the messages depends on MQTT 5 properties.
 */
import { Fault } from "../../daemon/core/fault.ts";

/** Retained, "online" or "offline", the latter by last will. */
export const LEDGER_PRESENCE_TOPIC = "saypay/v1/ledger/presence";

/** What the ledger subscribes to: every terminal's requests. */
export const ALL_UP_TOPIC = "saypay/v1/+/up";

export const ONLINE = "online";
export const OFFLINE = "offline";

export type TerminalTopics = {
  /** Requests, terminal to ledger. */
  readonly up: string;
  /** Signed answers, ledger to terminal. */
  readonly down: string;
  /** Retained: the ledger's signed deny list, one topic a terminal so that one access pattern fits all. */
  readonly deny: string;
  /** Retained, "online" or "offline", the latter by last will: for whoever watches the fleet. */
  readonly presence: string;
};

/** Letters, digits, dot, hyphen and underscore: safe in a topic, a certificate's common name and a file name. */
const TERMINAL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** "ledger" would share its topic level with the ledger's presence. */
const RESERVED = "ledger";

export function isTerminalId(text: string): boolean {
  return TERMINAL_ID.test(text) && text !== RESERVED;
}

/** Throws Fault "settings.invalid" for an id that cannot be part of a topic. */
export function topicsOf(terminal: string): TerminalTopics {
  if (!isTerminalId(terminal)) {
    throw new Fault(
      "settings.invalid",
      `terminal id ${JSON.stringify(terminal)}: use 1 to 64 letters, digits, ".", "-" or "_", starting with a letter or digit`,
    );
  }
  const base = `saypay/v1/${terminal}`;
  return { up: `${base}/up`, down: `${base}/down`, deny: `${base}/deny`, presence: `${base}/presence` };
}

/**
 * A broker has one connection, and one session, for a client id: whoever comes with the id of another pushes that one
 * out and takes what is kept for it. So the id of a terminal is for its own name, and the ledger's for the ledger.
 */
const CLIENT_ID_PREFIX = "saypay-";

export const LEDGER_CLIENT_ID = `${CLIENT_ID_PREFIX}${RESERVED}`;

export function clientIdOf(terminal: string): string {
  return `${CLIENT_ID_PREFIX}${terminal}`;
}

/** What follows the prefix, a terminal's id or not; undefined for a client id that is nobody's in particular. */
export function nameInClientId(clientId: string): string | undefined {
  return clientId.startsWith(CLIENT_ID_PREFIX) ? clientId.slice(CLIENT_ID_PREFIX.length) : undefined;
}

/** The terminal named by an `up` topic, or undefined when it is none. */
export function terminalOfUpTopic(topic: string): string | undefined {
  const parts = topic.split("/");
  const terminal = parts[2];
  if (parts.length !== 4 || parts[0] !== "saypay" || parts[1] !== "v1" || parts[3] !== "up") return undefined;
  return terminal !== undefined && isTerminalId(terminal) ? terminal : undefined;
}
