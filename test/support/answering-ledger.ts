/**
 * The ledger's end of the wire without the ledger: answers every request at once, signed, and remembers what it saw.
 * Tests of the uplink tell it when to be silent, to lie or to be gone.
 */

import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { connectAsync, type MqttClient } from "mqtt";
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import {
  ALL_UP_TOPIC,
  type DenyList,
  decodeUp,
  encodeDenyList,
  encodeDown,
  encodeGreeted,
  type Greeting,
  type GreetingAnswer,
  LEDGER_PRESENCE_TOPIC,
  OFFLINE,
  ONLINE,
  RECALL_PAGE,
  type RecallAnswer,
  type RequestMessage,
  recallPage,
  topicsOf,
  type UpMessage,
} from "../../sync/wire.ts";
import type { Identity } from "./mosquitto.ts";

export type AnsweringLedgerSettings = {
  readonly url: string;
  readonly identity?: Identity;
  readonly key: KeyObject;
  readonly protocolVersion?: 4 | 5;
};

export class AnsweringLedger {
  readonly #settings: AnsweringLedgerSettings;
  #client: MqttClient | undefined;
  /** Every request, resends included, in the order of arrival. */
  readonly seen: RequestMessage[] = [];
  silent = false;
  outcome: LedgerOutcome = { kind: "pending" };
  /** Every greeting, in the order of arrival. */
  readonly greetings: Greeting[] = [];
  /** Null: greetings get no answer. */
  verdict: GreetingAnswer["verdict"] | null = "welcome";
  /** What is remembered of every terminal, in the order of the sequences. */
  remembered: readonly RecalledSale[] = [];

  constructor(settings: AnsweringLedgerSettings) {
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const { url, identity, protocolVersion = 5 } = this.#settings;
    const client = await connectAsync(url, {
      protocolVersion,
      clientId: "saypay-ledger",
      username: "ledger",
      clean: true,
      reconnectPeriod: 100,
      will: { topic: LEDGER_PRESENCE_TOPIC, payload: Buffer.from(OFFLINE), qos: 1, retain: true },
      ...(identity === undefined
        ? {}
        : {
            ca: readFileSync(identity.ca),
            cert: readFileSync(identity.cert),
            key: readFileSync(identity.key),
          }),
    });
    this.#client = client;
    client.on("message", (_topic, payload) => this.#receive(payload));
    // The package does not announce itself again after a reconnection.
    client.on("connect", () => void this.#announce(client));
    client.on("error", () => undefined);
    await this.#announce(client);
  }

  /** An answer as it would be, from a key of the caller's choosing. */
  answer(terminal: string, requestId: string, key: string, signer: KeyObject = this.#settings.key): void {
    const bytes = encodeDown(terminal, { requestId, key, outcome: this.outcome }, signer);
    this.#client?.publish(topicsOf(terminal).down, Buffer.from(bytes), { qos: 1 });
  }

  /** Publishes the terminal's retained deny list. */
  async deny(terminal: string, list: DenyList, signer: KeyObject = this.#settings.key): Promise<void> {
    const bytes = encodeDenyList(terminal, list, signer);
    await this.#client?.publishAsync(topicsOf(terminal).deny, Buffer.from(bytes), { qos: 1, retain: true });
  }

  /** Sends raw bytes to a terminal. */
  async publishDown(terminal: string, bytes: Uint8Array): Promise<void> {
    await this.#client?.publishAsync(topicsOf(terminal).down, Buffer.from(bytes), { qos: 1 });
  }

  /** Gone without a good-bye: the broker tells by last will. */
  async vanish(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    client.options.reconnectPeriod = 0;
    const closed = new Promise<void>((resolve) => {
      client.once("close", () => resolve());
    });
    client.stream.destroy();
    await closed;
    client.end(true);
  }

  async #announce(client: MqttClient): Promise<void> {
    try {
      await client.subscribeAsync(ALL_UP_TOPIC, { qos: 1 });
      await client.publishAsync(LEDGER_PRESENCE_TOPIC, ONLINE, { qos: 1, retain: true });
    } catch {
      // The connection went again; the next one announces.
    }
  }

  #receive(payload: Buffer): void {
    const message = decodeUp(payload);
    if (message.kind !== "request") return this.#introduce(message);
    this.seen.push(message);
    if (!this.silent) this.answer(message.terminal, message.requestId, message.request.key);
  }

  #introduce(message: Exclude<UpMessage, RequestMessage>): void {
    const { terminal, nonce } = message;
    if (message.kind === "recall") {
      const found = this.remembered.filter(({ sequence }) => sequence > message.afterSequence);
      const last = this.remembered.at(-1)?.sequence ?? 0;
      this.#say(terminal, recallPage(nonce, last, found.slice(0, RECALL_PAGE + 1)));
      return;
    }
    this.greetings.push(message);
    if (this.verdict !== null) this.#say(terminal, { kind: "greeted", nonce, verdict: this.verdict });
  }

  #say(terminal: string, word: GreetingAnswer | RecallAnswer): void {
    const bytes = encodeGreeted(terminal, word, this.#settings.key);
    this.#client?.publish(topicsOf(terminal).down, Buffer.from(bytes), { qos: 1 });
  }
}
