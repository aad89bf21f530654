/**
 * One slot of the virtual reader: the TCP connection to vpcd is the card in the field. Protocol of vpcd (vsmartcard):
 * unsigned 16-bit big-endian length, then payload; a payload of one byte is a control code (0 power off, 1 power on,
 * 2 reset, 4 "what is your ATR"), of which only 4 is answered; anything longer is a command APDU.
 */
import { createConnection, type Socket } from "node:net";
import type { VirtualCard } from "./applet.ts";

const CONTROL = { powerOff: 0, powerOn: 1, reset: 2, atr: 4 } as const;
const LENGTH_BYTES = 2;
/** A command APDU in short form has at most 261 bytes; extended ones are not ours. */
const MAX_PAYLOAD_BYTES = 4_096;
const CONNECT_TIMEOUT_MS = 2_000;

export type FieldStatus = {
  readonly card: string | null;
  readonly hung: boolean;
  readonly readings: number;
  /** Milliseconds since the epoch with fractions; null before the first. */
  readonly tappedAtMs: number | null;
  readonly poweredAtMs: number | null;
  /**
   * Since the tap, the time between the length of a command APDU and its payload. vpcd sends the two apart and leaves Nagle's
   * algorithm on, so the payload waits for a delayed acknowledgement, about 40 ms a command, as no real reader does.
   */
  readonly stalledMs: number;
};

export class Field {
  readonly #port: number;
  #socket: Socket | null = null;
  #card: VirtualCard | null = null;
  #name: string | null = null;
  #received: Buffer = Buffer.alloc(0);
  #hung = false;
  #torn = false;
  #readings = 0;
  #tappedAtMs: number | null = null;
  #poweredAtMs: number | null = null;
  #stalledMs = 0;
  #stalledSinceMs: number | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  status(): FieldStatus {
    return {
      card: this.#name,
      hung: this.#hung,
      readings: this.#readings,
      tappedAtMs: this.#tappedAtMs,
      poweredAtMs: this.#poweredAtMs,
      stalledMs: this.#stalledMs,
    };
  }

  /** Lays a card on the reader; whatever lay there is taken away first. Rejects when no vpcd listens on the port. */
  async insert(name: string, card: VirtualCard): Promise<void> {
    this.remove();
    const socket = await connect(this.#port);
    card.reset();
    this.#socket = socket;
    this.#card = card;
    this.#name = name;
    this.#received = Buffer.alloc(0);
    this.#tappedAtMs = nowMs();
    this.#poweredAtMs = null;
    this.#stalledMs = 0;
    this.#stalledSinceMs = null;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => this.#forget(socket));
    socket.on("close", () => this.#forget(socket));
  }

  /** Takes the card away. A hung card is well again when it is laid down the next time. */
  remove(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#forget(socket);
    this.#hung = false;
    this.#torn = false;
    socket.destroy();
  }

  /** From now on, or from the next card on, nothing is answered but the ATR. */
  hang(): void {
    this.#hung = true;
  }

  /** The card, or the next one, goes away when it is asked for the bytes of a file. */
  tear(): void {
    this.#torn = true;
  }

  #forget(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#card?.reset();
    this.#card = null;
    this.#name = null;
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= LENGTH_BYTES) {
      const length = this.#received.readUInt16BE(0);
      if (length > MAX_PAYLOAD_BYTES) return this.remove();
      if (this.#received.length < LENGTH_BYTES + length) {
        this.#stalledSinceMs ??= nowMs();
        return;
      }
      if (this.#stalledSinceMs !== null && length > 1) this.#stalledMs += nowMs() - this.#stalledSinceMs;
      this.#stalledSinceMs = null;
      const payload = this.#received.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      this.#received = this.#received.subarray(LENGTH_BYTES + length);
      this.#take(payload);
    }
  }

  #take(payload: Buffer): void {
    const card = this.#card;
    if (card === null) return;
    if (payload.length !== 1) return this.#answer(card, payload);
    const control = payload[0];
    if (control === CONTROL.atr) return this.#send(card.atr);
    if (control === CONTROL.powerOn) this.#poweredAtMs ??= nowMs();
    card.reset();
  }

  #answer(card: VirtualCard, apdu: Buffer): void {
    if (this.#hung) return;
    if (apdu[1] === 0xb0) {
      if (this.#torn) return this.remove();
      this.#readings += 1;
    }
    this.#send(card.answer(apdu));
  }

  #send(payload: Uint8Array): void {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(payload.length);
    this.#socket?.write(Buffer.concat([length, payload]));
  }
}

function connect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.setNoDelay(true);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(`no virtual reader on port ${port}: ${error.message}`, { cause: error }));
    };
    const timer = setTimeout(() => fail(new Error("time-out")), CONNECT_TIMEOUT_MS);
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      resolve(socket);
    });
  });
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
