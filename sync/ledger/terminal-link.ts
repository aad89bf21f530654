/**
 * The ledger's side of MQTT: takes greetings, recalls and requests from `saypay/v1/+/up`, answers on `.../down` after
 * the commit, keeps the deny list on `.../deny`, and says by a retained message whether it is there.
 *
 * - What one terminal says is handled in order, terminals side by side. A request that is waiting already and
 *   arrives again is not queued twice.
 * - What the broker acknowledges proves nothing to anybody: an answer that gets lost is asked for again by the
 *   terminal, and a request dropped here because a queue is full is sent again by its outbox.
 * - What cannot be read goes to the dead letters with an alarm.
 */

import type { KeyObject } from "node:crypto";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type IClientOptions, MqttClient } from "mqtt";
import { Fault } from "../../daemon/core/fault.ts";
import {
  ALL_UP_TOPIC,
  decodeUp,
  encodeDown,
  encodeGreeted,
  type Greeting,
  LEDGER_CLIENT_ID,
  LEDGER_PRESENCE_TOPIC,
  OFFLINE,
  ONLINE,
  type RecallQuestion,
  type RequestMessage,
  terminalOfUpTopic,
  topicsOf,
  type UpMessage,
} from "../wire.ts";
import type { ClearingDesk } from "./clearing-desk.ts";
import type { DenyDesk } from "./deny-desk.ts";
import { DenyPublication } from "./deny-publication.ts";
import type { LinkLog } from "./link-log.ts";
import { fromStorage, type Procedure, perform } from "./procedure.ts";
import type { Reception } from "./reception.ts";
import { SerialQueues } from "./serial-queues.ts";
import type { LedgerStorage } from "./storage.ts";

/** Requests of one terminal that may wait. */
export const MAX_WAITING_PER_TERMINAL = 64;
/** Requests of all terminals together that may wait. */
export const MAX_WAITING = 4_096;
/** How long a stop waits for the presence message to leave. */
const FAREWELL_MS = 2_000;
const RECONNECT_MS = 1_000;

export type LinkParts = {
  readonly desk: Pick<ClearingDesk, "handle">;
  readonly reception: Reception;
  readonly deny: Pick<DenyDesk, "list" | "onChange">;
  /** Terminals that are to have the deny list although they have not greeted yet. */
  readonly knownTerminals: () => Promise<readonly string[]>;
  readonly storage: LedgerStorage;
  readonly signingKey: KeyObject;
  readonly now: () => number;
  readonly log: LinkLog;
  /** An address, or a way to a broker in this process. */
  readonly broker:
    | { readonly url: string; readonly options: IClientOptions }
    | { readonly dial: () => Duplex };
};

export class TerminalLink {
  readonly #parts: LinkParts;
  readonly #queues = new SerialQueues(MAX_WAITING_PER_TERMINAL);
  readonly #waiting = new Set<string>();
  /** Answers that the broker has not taken yet. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #denyList: DenyPublication;
  #client: MqttClient | undefined;
  #stopping = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#denyList = new DenyPublication({
      list: () => parts.deny.list,
      terminals: parts.knownTerminals,
      signingKey: parts.signingKey,
      publish: async (topic, bytes) => this.#publish(topic, bytes, { retain: true }),
      log: parts.log,
    });
    parts.deny.onChange(() => this.#denyList.changed());
  }

  get connected(): boolean {
    return this.#client?.connected ?? false;
  }

  /** Connects and goes on trying for ever. Resolves when the ledger listens, or after `waitMs`: false, still trying. */
  async start(waitMs: number): Promise<boolean> {
    const { broker, log } = this.#parts;
    const options: IClientOptions = {
      clientId: LEDGER_CLIENT_ID,
      clean: false,
      protocolVersion: 4,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: LEDGER_PRESENCE_TOPIC, payload: Buffer.from(OFFLINE), qos: 1, retain: true },
      ...("url" in broker ? broker.options : {}),
    };
    const client = "url" in broker ? connect(broker.url, options) : new MqttClient(broker.dial, options);
    this.#client = client;
    client.on("error", (error) => log.warn({ err: error.message }, "broker"));
    client.on("close", () => log.debug({}, "broker connection closed"));
    client.on("message", (topic, payload) => this.#received(topic, payload));
    return new Promise<boolean>((resolve) => {
      const giveUp = setTimeout(() => resolve(false), waitMs);
      client.on("connect", () => {
        // An answer must not wait for the acknowledgement of the packet before it (Nagle's algorithm).
        if (client.stream instanceof Socket) client.stream.setNoDelay(true);
        this.#listen(client).then(
          () => {
            clearTimeout(giveUp);
            resolve(true);
          },
          (error: unknown) => {
            log.warn({ err: String(error) }, "cannot listen to the terminals, trying again");
            // Connected and deaf would last until somebody noticed: the next connection asks again.
            if (!this.#stopping) client.stream.destroy();
          },
        );
      });
    });
  }

  /** Takes no more requests, answers those under way, leaves those that wait, says goodbye. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#queues.drained();
    const client = this.#client;
    if (client === undefined) return;
    if (client.connected) {
      const goodbye = Promise.all(this.#leaving).then(async () =>
        client.publishAsync(LEDGER_PRESENCE_TOPIC, OFFLINE, { qos: 1, retain: true }),
      );
      await Promise.race([
        goodbye.catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref()),
      ]);
    }
    await client.endAsync(!client.connected);
  }

  async #listen(client: MqttClient): Promise<void> {
    const granted = await client.subscribeAsync(ALL_UP_TOPIC, { qos: 1 });
    if (granted.some(({ qos }) => qos >= 128))
      throw new Error("the broker refuses the subscription; check its access list");
    await client.publishAsync(LEDGER_PRESENCE_TOPIC, ONLINE, { qos: 1, retain: true });
    this.#parts.log.info({}, "listening to the terminals");
    this.#denyList.forget();
    void this.#denyList.toAll();
  }

  #received(topic: string, payload: Uint8Array): void {
    if (this.#stopping) return;
    const { storage, now, log } = this.#parts;
    const message = readMessage(topic, payload);
    if (typeof message === "string") {
      log.warn({ topic, reason: message }, "dead letter");
      const bury = async (): Promise<void> => storage.bury({ topic, payload, reason: message }, now());
      bury().catch((error: unknown) => log.error({ err: String(error) }, "a dead letter is lost"));
      return;
    }
    this.#enqueue(message);
  }

  #enqueue(message: UpMessage): void {
    const { storage, now, log } = this.#parts;
    const { terminal } = message;
    const requestId = message.kind === "request" ? message.requestId : `${message.kind} ${message.nonce}`;
    const mark = `${terminal}\n${requestId}`;
    if (this.#waiting.has(mark)) return;
    if (!this.#queues.hasRoom(terminal) || this.#waiting.size >= MAX_WAITING) {
      log.warn({ terminal, requestId }, "queue full, left to the terminal to send again");
      const alarm = { kind: "queue-full", subject: terminal, detail: requestId } as const;
      const raise = async (): Promise<void> => storage.raise(alarm, now());
      raise().catch((error: unknown) => log.error({ err: String(error) }, "an alarm is lost"));
      return;
    }
    this.#waiting.add(mark);
    this.#queues
      .run(terminal, () => this.#answer(message))
      .catch((error: unknown) => {
        // Without an answer the terminal asks again; nothing is known to it that is not on disk here.
        log.error(
          { terminal, requestId, err: error instanceof Error ? error.stack : String(error) },
          "request failed",
        );
      })
      .finally(() => this.#waiting.delete(mark));
  }

  async #answer(message: UpMessage): Promise<void> {
    // A long queue at a slow gateway would outlast every patience with a stop; the terminal sends it again.
    if (this.#stopping) return;
    switch (message.kind) {
      case "request":
        return this.#answerRequest(message);
      case "greeting":
        return this.#answerGreeting(message.terminal, message);
      case "recall":
        return this.#answerRecall(message.terminal, message);
    }
  }

  async #answerGreeting(terminal: string, greeting: Greeting): Promise<void> {
    const { reception, signingKey, log } = this.#parts;
    const answer = await this.#perform(reception.greet(terminal, greeting));
    const { journalId, boots } = greeting;
    log.info({ terminal, journalId, boots, verdict: answer.verdict }, "greeted");
    this.#say(terminal, encodeGreeted(terminal, answer, signingKey));
    // Retained messages are kept by the broker, not by the ledger: a broker may have lost them, a terminal may be new.
    if (answer.verdict !== "unknown-terminal") void this.#denyList.to(terminal);
  }

  async #answerRecall(terminal: string, question: RecallQuestion): Promise<void> {
    const { reception, signingKey, log } = this.#parts;
    const answer = await this.#perform(reception.recall(terminal, question));
    if (answer === undefined) return;
    log.info({ terminal, after: question.afterSequence, sales: answer.sales.length }, "recalled");
    this.#say(terminal, encodeGreeted(terminal, answer, signingKey));
  }

  async #perform<Result>(procedure: Procedure<Result>): Promise<Result> {
    return perform(procedure, async (want) => {
      if (want.kind !== "storage") throw new Error("the reception calls no gateway");
      return fromStorage(this.#parts.storage, want);
    });
  }

  async #answerRequest({ terminal, requestId, position, request }: RequestMessage): Promise<void> {
    const { desk, reception, signingKey, log, now } = this.#parts;
    const startMs = now();
    const outcome = await desk.handle(terminal, request, reception.placeOf(terminal, position));
    const { key } = request;
    const ms = now() - startMs;
    log.info({ terminal, key, request: request.kind, outcome: outcome.kind, ms }, "answered");
    this.#say(terminal, encodeDown(terminal, { requestId, key, outcome }, signingKey));
  }

  #say(terminal: string, bytes: Uint8Array): void {
    // Not connected: the answer is not kept, the terminal asks again after it has reconnected.
    if (this.#client?.connected !== true) return;
    this.#publish(topicsOf(terminal).down, bytes).catch((error: unknown) =>
      this.#parts.log.warn({ terminal, err: String(error) }, "answer not delivered"),
    );
  }

  async #publish(topic: string, bytes: Uint8Array, options: { readonly retain?: true } = {}): Promise<void> {
    const client = this.#client;
    // A stop still answers what is under way, and begins nothing else.
    const leaves = this.#stopping && options.retain === true;
    if (client?.connected !== true || leaves) throw new Error("not connected to the broker");
    const leaving = client
      .publishAsync(topic, Buffer.from(bytes), { qos: 1, ...options })
      .then(() => undefined);
    const left = leaving.catch(() => undefined);
    this.#leaving.add(left);
    void left.finally(() => this.#leaving.delete(left));
    return leaving;
  }
}

/** The message, or why it is none. */
function readMessage(topic: string, payload: Uint8Array): UpMessage | string {
  const named = terminalOfUpTopic(topic);
  if (named === undefined) return "topic names no terminal";
  try {
    const message = decodeUp(payload);
    return message.terminal === named ? message : `message of ${message.terminal} on a topic of ${named}`;
  } catch (fault) {
    if (fault instanceof Fault) return fault.message;
    throw fault;
  }
}
