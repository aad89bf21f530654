/** The other end of the staff socket: sends one request and hands on each answer. */
import { createConnection } from "node:net";
import type { DeskRequest } from "../shell/staff-desk.ts";
import type { SocketAnswer } from "../staff-socket.ts";
import { Complaint, EXIT } from "./exit-status.ts";

/** What became of a value in JSON: amounts travel as decimal strings. */
export type Sent<T> = T extends bigint
  ? string
  : T extends readonly (infer Member)[]
    ? readonly Sent<Member>[]
    : T extends object
      ? { readonly [Key in keyof T]: Sent<T[Key]> }
      : T;

export type Received = Sent<SocketAnswer["answer"]>;

/** A terminal that has not said a first word by then hangs. */
const FIRST_WORD_MS = 15_000;

/**
 * Resolves with the last answer that came: the final one, or the one that says "queued" when the ledger was not heard
 * within `waitMs` after it, or Ctrl-C ended the wait. `each` is called for every answer. Rejects with a Complaint.
 */
export function askTerminal(
  socketPath: string,
  request: DeskRequest,
  waitMs: number,
  each: (answer: Received, last: boolean) => void = () => undefined,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    let answered: Received | null = null;
    let failure: unknown = null;
    let timer = setTimeout(() => socket.destroy(), FIRST_WORD_MS);
    const taken = (line: string): void => {
      const { answer, last } = JSON.parse(line) as Sent<SocketAnswer>;
      // Whoever stops waiting by Ctrl-C is told all the same that it goes on.
      if (answered === null) process.once("SIGINT", enough);
      answered = answer;
      each(answer, last);
      clearTimeout(timer);
      if (last || waitMs === 0) socket.destroy();
      else timer = setTimeout(enough, waitMs);
    };
    const enough = (): void => void socket.destroy();
    const lines = new Lines(taken);
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      try {
        lines.received(String(text));
      } catch (cause) {
        failure = cause;
        socket.destroy();
      }
    });
    socket.on("error", (cause) => {
      failure = cause;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      process.removeListener("SIGINT", enough);
      if (answered === null) reject(problemOf(socketPath, failure));
      else resolve(answered);
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

/** Text that comes in pieces, line by line. */
class Lines {
  readonly #taken: (line: string) => void;
  #unread = "";

  constructor(taken: (line: string) => void) {
    this.#taken = taken;
  }

  received(text: string): void {
    const pieces = `${this.#unread}${text}`.split("\n");
    this.#unread = pieces.pop() ?? "";
    for (const line of pieces) this.#taken(line);
  }
}

function problemOf(socketPath: string, cause: unknown): Complaint {
  switch (cause instanceof Error && "code" in cause ? cause.code : null) {
    case "EACCES":
    case "EPERM":
      return new Complaint(
        EXIT.noRight,
        `no right to ${socketPath}; run this as the user that the terminal runs as (sudo -u USER saypay ...)`,
      );
    case "ENOENT":
    case "ECONNREFUSED":
      return new Complaint(
        EXIT.unavailable,
        `the terminal does not run: nobody answers at ${socketPath}. Start it, or check --config and --data`,
      );
    default:
      return new Complaint(
        EXIT.unavailable,
        "the terminal gave no answer; look at its log, and at `saypay open` before asking again",
      );
  }
}
