/**
 * One reader slot of nfc-pcsc made honest. nfc-pcsc reports a failed connection by `emit(error)`, which nobody can
 * hear; it connects by itself while its own disconnection may still be under way, and then has no protocol; and a
 * transmission to a stuck reader never ends. So presence is taken from the binding's status events, the library's own
 * connections are recorded, and every operation has a time limit.
 *
 * An operation that ran into its limit still occupies a thread of the process and the binding's lock until the PC/SC
 * service gives up. Until then the slot is "stuck": nothing more is sent, and the binding's reader is not closed,
 * because closing would stop the whole event loop at that lock.
 */
import type { Reader } from "nfc-pcsc";
import { MAX_RESPONSE_BYTES } from "./apdu.ts";
import type { Transmit } from "./card.ts";

export type SlotListener = {
  presented(): void;
  removed(): void;
  /** An operation ran into its limit. */
  stuck(): void;
  /** After `stuck`: the reader answers again. */
  answering(): void;
  /** The binding gave up on this reader; only a new connection to the service brings it back. */
  broken(detail: string): void;
  /** The reader is unplugged or its service is gone; nothing follows. */
  ended(): void;
};

/** Why a reading stopped: the card or reader is gone, or an answer did not come in time. */
export class Interrupted extends Error {
  readonly reason: "gone" | "no-answer";

  constructor(reason: "gone" | "no-answer", cause?: unknown) {
    super(reason === "gone" ? "the card or the reader went away" : "no answer in time", { cause });
    this.reason = reason;
  }
}

const PROBE_FIRST_MS = 250;
const PROBE_MAX_MS = 5_000;

export class Slot {
  readonly #reader: Reader;
  readonly #answerTimeoutMs: number;
  readonly #connect: () => Promise<unknown>;
  readonly #disconnect: () => Promise<unknown>;
  #listener: SlotListener | null = null;
  /** The library's or our own newest change of the connection; never rejects. */
  #changing: Promise<unknown> = Promise.resolve();
  #present = false;
  #ended = false;
  #stuck = false;
  #probeTimer: NodeJS.Timeout | null = null;

  constructor(reader: Reader, answerTimeoutMs: number) {
    this.#reader = reader;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#connect = reader.connect.bind(reader);
    this.#disconnect = reader.disconnect.bind(reader);
  }

  get name(): string {
    return this.#reader.name;
  }

  get present(): boolean {
    return this.#present;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get stuck(): boolean {
    return this.#stuck;
  }

  /** Must be called in the turn of the event loop that announced the reader, before its first status. */
  watch(listener: SlotListener): void {
    const reader = this.#reader;
    this.#listener = listener;
    reader.autoProcessing = false;
    reader.connect = () => this.#record(this.#connect());
    reader.disconnect = () => this.#record(this.#disconnect());
    reader.reader.on("status", (status: { readonly state: number }) => this.#see(status.state));
    reader.on("error", (error: Error) => {
      if (!this.#ended) listener.broken(error.message);
    });
    reader.on("end", () => this.end());
  }

  /** Runs one reading on the connected card. Rejects with Interrupted. */
  async read<Result>(work: (transmit: Transmit) => Promise<Result>): Promise<Result> {
    await this.#ensureConnection();
    return work((apdu) => this.#limited(() => this.#reader.transmit(Buffer.from(apdu), MAX_RESPONSE_BYTES)));
  }

  /** The reader or its service is gone. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#probeTimer !== null) clearTimeout(this.#probeTimer);
    if (this.#present) {
      this.#present = false;
      this.#listener?.removed();
    }
    this.#listener?.ended();
  }

  /** Lets go of the reader, unless an operation is stuck in it. */
  async close(): Promise<void> {
    this.#listener = null;
    if (this.#ended) return;
    this.end();
    if (this.#stuck) return;
    await this.#limited(() => this.#changing).catch(() => undefined);
    if (this.#reader.connection !== null)
      await this.#limited(() => this.#disconnect()).catch(() => undefined);
    if (!this.#stuck) this.#reader.close();
  }

  #record(change: Promise<unknown>): Promise<unknown> {
    this.#changing = Promise.allSettled([this.#changing, change]);
    return change;
  }

  #see(state: number): void {
    const { SCARD_STATE_EMPTY, SCARD_STATE_PRESENT } = this.#reader.reader;
    if (this.#ended) return;
    if ((state & SCARD_STATE_EMPTY) !== 0 && this.#present) {
      this.#present = false;
      this.#listener?.removed();
    } else if ((state & SCARD_STATE_PRESENT) !== 0 && !this.#present) {
      this.#present = true;
      this.#listener?.presented();
    }
  }

  async #ensureConnection(): Promise<void> {
    await this.#limited(() => this.#changing);
    if (typeof this.#reader.connection?.protocol === "number") return;
    if (this.#reader.connection !== null) await this.#limited(() => this.#disconnect());
    await this.#limited(() => this.#connect());
  }

  async #limited<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#stuck) throw new Interrupted("no-answer");
    let timer: NodeJS.Timeout | undefined;
    // nfc-pcsc throws some of its errors and rejects with others.
    const running = (async () => operation())().catch((cause: unknown) => {
      throw new Interrupted("gone", cause);
    });
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#stuck = true;
        running.then(
          () => this.#probe(PROBE_FIRST_MS),
          () => this.#probe(PROBE_FIRST_MS),
        );
        reject(new Interrupted("no-answer"));
        this.#listener?.stuck();
      }, this.#answerTimeoutMs);
    });
    try {
      return await Promise.race([running, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The stuck operation has ended. The reader is well when it has no card, or when its card can be connected anew. */
  #probe(delayMs: number): void {
    if (this.#ended) {
      this.#stuck = false;
      return;
    }
    this.#reconnect().then(
      () => {
        this.#stuck = false;
        this.#listener?.answering();
      },
      () => {
        this.#probeTimer = setTimeout(() => this.#probe(Math.min(delayMs * 2, PROBE_MAX_MS)), delayMs);
      },
    );
  }

  async #reconnect(): Promise<void> {
    await this.#changing;
    if (!this.#present) return;
    if (this.#reader.connection !== null) await this.#disconnect();
    await this.#connect();
  }
}
