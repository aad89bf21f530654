/**
 * The device file of the virtual printer: a pseudo-terminal whose other end is this program, made by `socat` (a Debian
 * package), because Node cannot open one itself and the native packages that can are compiled at installation.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { closeSync, constants, existsSync, openSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../../daemon/core/fault.ts";

const START_TIMEOUT_MS = 5_000;
const POLL_MS = 20;

export type PseudoTerminal = {
  write(bytes: Uint8Array): void;
  /** True stops reading, so that the writer is held back by the terminal's own small buffer. */
  hold(held: boolean): void;
  /** Idempotent; the link is gone afterwards. */
  close(): void;
};

/** `link` becomes a symbolic link to the terminal. Rejects with a Fault when socat is missing or does not start. */
export async function openPseudoTerminal(
  link: string,
  onBytes: (bytes: Buffer) => void,
  onEnd: () => void,
): Promise<PseudoTerminal> {
  rmSync(link, { force: true });
  const socat = spawn("socat", [`pty,raw,echo=0,link=${link}`, "-"], { stdio: ["pipe", "pipe", "pipe"] });
  await appeared(socat, link);
  // A terminal that nobody has open ends the session of its master; holding it open lets drivers come and go.
  const holder = openSync(link, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    closeSync(holder);
    socat.kill("SIGTERM");
    rmSync(link, { force: true });
  };
  socat.stdout.on("data", onBytes);
  socat.stdin.on("error", () => undefined); // The exit of socat is reported by "exit".
  socat.once("exit", () => {
    const unexpected = open;
    close();
    if (unexpected) onEnd();
  });
  return {
    write: (bytes) => {
      if (open) socat.stdin.write(bytes);
    },
    hold: (held) => {
      if (held) socat.stdout.pause();
      else socat.stdout.resume();
    },
    close,
  };
}

async function appeared(socat: ChildProcessWithoutNullStreams, link: string): Promise<void> {
  let problem: Error | undefined;
  let words = "";
  socat.once("error", (error) => {
    problem = error;
  });
  socat.stderr.on("data", (text: Buffer) => {
    words = `${words}${text.toString()}`.slice(-500);
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!existsSync(link)) {
    if (problem !== undefined) {
      throw new Fault("printer.offline", "socat cannot be started; install the Debian package socat", {
        cause: problem,
      });
    }
    if (socat.exitCode !== null || performance.now() > deadline) {
      socat.kill("SIGKILL");
      throw new Fault("printer.offline", `socat did not make a terminal at ${link}: ${words.trim()}`);
    }
    await sleep(POLL_MS);
  }
}
