/**
 * The desk of staff on a Unix socket in the data folder: one line of JSON is a request, each line back is an answer.
 *
 *   > {"kind":"refund","sale":"27","amount":"4,500"}
 *   < {"answer":{"kind":"staff","answer":{"kind":"queued",...},...},"last":false}
 *   < {"answer":{"kind":"staff","answer":{"kind":"refunded",...},...},"last":true}
 *
 * Amounts in minor units are decimal strings. One request at a time on a connection. Nothing listens on the network, and
 * the file is for the daemon's own user: whoever may open it may move money back, as whoever may read the journal could.
 *
 * Assumes that the journal is open and locked by this process, so a socket that lies there already is a dead one's.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { Fault } from "./core/fault.ts";
import type { DeskAnswer, DeskRequest, Tell } from "./shell/staff-desk.ts";
import { readRequest, type SocketError } from "./staff-requests.ts";

export const STAFF_SOCKET = "staff.sock";
const MAXIMUM_CONNECTIONS = 8;
/** More than these are not even told that there are too many. */
const MAXIMUM_ACCEPTED = 64;
const MAXIMUM_LINE_BYTES = 4_096;
/** Far more than the longest answer: 500 sales are 150 KB. */
const MAXIMUM_UNREAD_BYTES = 4_194_304;
/** A connection without a request under way is let go after this. */
const IDLE_MS = 60_000;
/** How long somebody may wait for the ledger's word. */
const LONGEST_WAIT_MS = 3_600_000;
const MODE = 0o600;
/** sockaddr_un in Linux has 108 bytes with the zero at the end (unix(7)); a longer path would be cut short. */
const LONGEST_PATH_BYTES = 107;

export type SocketAnswer = {
  readonly answer: DeskAnswer | SocketError;
  /** No further answer to this request follows. */
  readonly last: boolean;
};

/** As StaffDesk.handle. */
export type Handle = (request: DeskRequest, tell: Tell) => () => void;

export class StaffSocket {
  readonly #path: string;
  readonly #handle: Handle;
  readonly #connections = new Set<Socket>();
  #server: Server | null = null;

  constructor(path: string, handle: Handle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Resolves when requests are taken. Rejects with Fault "settings.invalid" when there can be no socket there. */
  async start(): Promise<void> {
    const fault = (why: string, cause?: unknown): Fault =>
      new Fault("settings.invalid", `${this.#path}: ${why}; name another folder (data in the settings)`, {
        cause,
      });
    if (Buffer.byteLength(this.#path) > LONGEST_PATH_BYTES)
      throw fault(`a socket's path has at most ${LONGEST_PATH_BYTES} bytes`);
    try {
      removeStale(this.#path);
    } catch (cause) {
      throw fault(cause instanceof Error ? cause.message : String(cause), cause);
    }
    const server = createServer((socket) => this.#connected(socket));
    server.maxConnections = MAXIMUM_ACCEPTED;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => reject(fault(cause.message, cause)));
      // The file is made within listen(): nobody else may open it in between.
      const before = process.umask(0o777 & ~MODE);
      try {
        server.listen(this.#path, resolve);
      } finally {
        process.umask(before);
      }
    });
    chmodSync(this.#path, MODE);
    this.#server = server;
  }

  /** Ends every connection and removes the socket. Harmless when it was not started. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #connected(socket: Socket): void {
    if (this.#connections.size >= MAXIMUM_CONNECTIONS) {
      // Told, so that whoever asked knows that nothing was taken.
      socket.on("error", () => socket.destroy());
      socket.resume();
      socket.end(`${toJson({ answer: { kind: "busy" }, last: true })}\n`, () => socket.destroy());
      return;
    }
    this.#connections.add(socket);
    const connection = new Connection(socket, this.#handle);
    socket.on("data", (bytes) => connection.received(Buffer.from(bytes)));
    socket.on("timeout", () => socket.destroy());
    // Whoever hangs up in the middle of an answer harms nobody.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#connections.delete(socket);
      connection.closed();
    });
  }
}

/** One caller. */
class Connection {
  readonly #socket: Socket;
  readonly #handle: Handle;
  #unread = Buffer.alloc(0);
  #forget: (() => void) | null = null;

  constructor(socket: Socket, handle: Handle) {
    this.#socket = socket;
    this.#handle = handle;
    socket.setTimeout(IDLE_MS);
  }

  received(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const end = this.#unread.indexOf(0x0a);
      if (end > MAXIMUM_LINE_BYTES || (end < 0 && this.#unread.length > MAXIMUM_LINE_BYTES)) {
        this.#send({ kind: "invalid", detail: `a line has at most ${MAXIMUM_LINE_BYTES} bytes` }, true);
        this.#socket.end();
        this.#unread = Buffer.alloc(0);
        return;
      }
      if (end < 0) return;
      const line = this.#unread.subarray(0, end).toString("utf8");
      this.#unread = this.#unread.subarray(end + 1);
      if (line.trim() !== "") this.#take(line);
    }
  }

  closed(): void {
    this.#forget?.();
    this.#forget = null;
  }

  #take(line: string): void {
    if (this.#forget !== null) return this.#send({ kind: "busy" }, true);
    const request = readRequest(line);
    if (request.kind === "invalid") return this.#send(request, true);
    let answered = false;
    this.#socket.setTimeout(LONGEST_WAIT_MS);
    const forget = this.#handle(request, (answer, last) => {
      this.#send(answer, last);
      if (!last) return;
      answered = true;
      this.#forget = null;
      this.#socket.setTimeout(IDLE_MS);
    });
    if (!answered) this.#forget = forget;
  }

  #send(answer: SocketAnswer["answer"], last: boolean): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    socket.write(`${toJson({ answer, last })}\n`);
    // Somebody who asks and never reads is let go before their answers fill the memory.
    if (socket.writableLength > MAXIMUM_UNREAD_BYTES) socket.destroy();
  }
}

function removeStale(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
  }
}

/** Amounts are bigint; JSON has none, so they travel as decimal strings. */
function toJson(value: SocketAnswer): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "bigint" ? member.toString() : member,
  );
}
