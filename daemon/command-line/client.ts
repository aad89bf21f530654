/** The other end of the staff socket: sends one request and hands on each answer. */
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { Fault } from "../core/fault.ts";
import type { DeskRequest } from "../shell/staff-desk.ts";
import type { SocketAnswer } from "../staff-socket.ts";

/** What became of a value in JSON: amounts travel as decimal strings. */
export type Sent<T> = T extends bigint
  ? string
  : T extends readonly (infer Member)[]
    ? readonly Sent<Member>[]
    : T extends object
      ? { readonly [Key in keyof T]: Sent<T[Key]> }
      : T;

export type Received = Sent<SocketAnswer["answer"]>;

/** The right to open the socket is missing, and who has it. */
export class NoRight extends Error {}
/** Nobody is at the other end. */
export class NotRunning extends Error {}

/** A terminal that has not said a first word by then hangs. */
const FIRST_WORD_MS = 15_000;

/**
 * Resolves with the last answer that came: the final one, or the one that says "queued" when the ledger was not heard
 * within `waitMs` after it. `each` is called for every answer.
 */
export async function askTerminal(
  socketPath: string,
  request: DeskRequest,
  waitMs: number,
  each: (answer: Received, last: boolean) => void = () => undefined,
): Promise<Received> {
  const socket = createConnection(socketPath);
  let failure: unknown = null;
  let answered: Received | null = null;
  const limit = (ms: number): void => {
    socket.setTimeout(0);
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), ms);
  };
  let timer = setTimeout(() => socket.destroy(), FIRST_WORD_MS);
  try {
    socket.on("error", (cause) => {
      failure = cause;
    });
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const { answer, last } = JSON.parse(line) as Sent<SocketAnswer>;
      answered = answer;
      each(answer, last);
      if (last || waitMs === 0) break;
      limit(waitMs);
    }
  } catch (cause) {
    failure ??= cause;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  if (answered !== null) return answered;
  throw problemOf(socketPath, failure);
}

function problemOf(socketPath: string, cause: unknown): Error {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  if (code === "EACCES" || code === "EPERM")
    return new NoRight(
      `no right to ${socketPath}; run this as the user that the terminal runs as (sudo -u USER saypay ...)`,
    );
  if (code === "ENOENT" || code === "ECONNREFUSED")
    return new NotRunning(
      `the terminal does not run: nobody answers at ${socketPath}. Start it, or check --config and --data`,
    );
  if (code === "ENOTSOCK") return new Fault("settings.invalid", `${socketPath} is no socket`);
  return new NotRunning(
    "the terminal gave no answer; look at its log, and at `saypay open` before asking again",
  );
}
