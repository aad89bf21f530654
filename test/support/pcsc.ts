/**
 * A private PC/SC service with two virtual readers, and the virtual card program: each test file and each demo has its
 * own, so that they never meet.
 *
 * pcscd has its socket path compiled in, but takes a listening socket from systemd (sd_listen_fds(3)); a few lines of
 * perl, which is essential on Debian, play systemd. Clients find it by PCSCLITE_CSOCK_NAME, the readers come from a
 * configuration folder of its own with vpcd on free ports. No privileges are needed, and a pcscd of the system that
 * runs beside it is not disturbed (started by root it overwrites /run/pcscd/pcscd.pid, which nothing here reads).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PERL = "/usr/bin/perl";
const PCSCD = "/usr/sbin/pcscd";
const VPCD = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
/** This file runs from the sources under vitest and from dist/ in the demo; the card always runs compiled. */
const CARD_PROGRAM = fileURLToPath(
  new URL(
    `${import.meta.url.endsWith(".ts") ? "../../dist" : "../.."}/drivers/card-reader/virtual/main.js`,
    import.meta.url,
  ),
);
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 3_000;
const LOG_LIMIT = 16_384;

/** Binds the socket named first, hands it over as descriptor 3, becomes the program named after it. */
const LAUNCHER = `
use Socket; use POSIX ();
my $path = shift;
$^F = 9;
socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
unlink $path;
bind($socket, pack_sockaddr_un($path)) or die "bind $path: $!";
listen($socket, 64) or die "listen: $!";
POSIX::dup2(fileno($socket), 3) if fileno($socket) != 3;
$ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1;
exec @ARGV or die "exec: $!";
`;

/** 32 hexadecimal digits each; tests and demos only. */
export const TEST_CARD_KEYS = {
  metaReadKeyHex: "5a3c0f1e2d4b69788796a5b4c3d2e1f0",
  fileReadMasterKeyHex: "00112233445566778899aabbccddeeff",
};

export type PcscService = {
  /** For the driver's setting `socket`. */
  readonly socket: string;
  /** vpcd's port of the first reader; the second is the next one. */
  readonly port: number;
  /** SIGKILL, as a crash; `start` brings the service back on the same socket and ports. */
  kill(): Promise<void>;
  start(options?: { readonly readers: "plugged" | "unplugged" }): Promise<void>;
  /** Ends the service and removes its files. */
  stop(): Promise<void>;
};

/** Says what is missing on this machine, or null when a private service can run. */
export function pcscMissing(): string | null {
  if (!existsSync(PERL)) return `${PERL} is not installed: apt-get install perl-base`;
  if (!existsSync(PCSCD)) return `${PCSCD} is not installed: apt-get install pcscd`;
  if (!existsSync(VPCD)) return `${VPCD} is not installed: apt-get install vsmartcard-vpcd`;
  return null;
}

export async function startPcscService(): Promise<PcscService> {
  const missing = pcscMissing();
  if (missing !== null) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), "saypay-pcsc-"));
  const socket = join(folder, "pcscd.comm");
  const configuration = join(folder, "readers");
  const port = await freePortPair();
  const channel = `0x${port.toString(16)}`;
  const lines = [
    'FRIENDLYNAME "Virtual PCD"',
    `DEVICENAME /dev/null:${channel}`,
    `LIBPATH ${VPCD}`,
    `CHANNELID ${channel}`,
  ];
  await mkdir(configuration);
  const readers = join(configuration, "vpcd");

  let child: ChildProcess | null = null;
  const start: PcscService["start"] = async (options = { readers: "plugged" }) => {
    const plugged = options.readers === "plugged";
    await (plugged ? writeFile(readers, `${lines.join("\n")}\n`) : rm(readers, { force: true }));
    child = await launch(socket, configuration, plugged ? `port ${port + 1}` : "");
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child !== null) await endProcess(child, signal);
    child = null;
  };
  await start();
  return {
    socket,
    port,
    start,
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the service accepts clients and its log shows that the last reader is there. */
async function launch(socket: string, configuration: string, lastReader: string): Promise<ChildProcess> {
  // Newer versions ask polkit who the client is, which a private service has no rules for.
  const help = spawnSync(PCSCD, ["--help"], { encoding: "utf8" });
  const unguarded = `${help.stdout}${help.stderr}`.includes("--disable-polkit") ? ["--disable-polkit"] : [];
  const parameters = ["--foreground", "--info", "--config", configuration, ...unguarded];
  const child = spawn(PERL, ["-e", LAUNCHER, socket, PCSCD, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      log = (log + text).slice(-LOG_LIMIT);
    });
  }
  const deadline = Date.now() + START_TIMEOUT_MS;
  const ready = (): boolean => log.includes("daemon ready") && log.includes(lastReader);
  while (!ready() || !(await answers(socket))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await endProcess(child, "SIGKILL");
      throw new Error(`pcscd did not start (${child.exitCode ?? child.signalCode ?? "time-out"}):\n${log}`);
    }
    await pause(20);
  }
  return child;
}

export type CardSlotStatus = {
  readonly card: string | null;
  readonly hung: boolean;
  readonly readings: number;
  readonly tappedAtMs: number | null;
  readonly poweredAtMs: number | null;
  readonly stalledMs: number;
  readonly counter: number | null;
};
export type CardControl = "tap" | "remove" | "hang" | "tear";

export type VirtualCardProgram = {
  readonly controlPort: number;
  readonly folder: string;
  /** Sends one control request; rejects with the program's own words when it refuses. */
  control(
    action: CardControl,
    body?: { slot?: number; card?: string; holdMs?: number },
  ): Promise<readonly CardSlotStatus[]>;
  status(): Promise<readonly CardSlotStatus[]>;
  stop(): Promise<void>;
};

/** Starts the compiled virtual card on a service's ports, with keys and counters in a folder of its own. */
export async function startVirtualCard(port: number): Promise<VirtualCardProgram> {
  const folder = await mkdtemp(join(tmpdir(), "saypay-card-"));
  const keyFile = join(folder, "keys.json");
  await writeFile(keyFile, JSON.stringify(TEST_CARD_KEYS), { mode: 0o600 });
  const parameters = ["--port", String(port), "--key-file", keyFile, "--state", join(folder, "cards.json")];
  const child = spawn(process.execPath, [CARD_PROGRAM, ...parameters], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { controlPort } = await readyLine(child);
  const ask = async (
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<readonly CardSlotStatus[]> => {
    const request = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${controlPort}/${path}`, request);
    const answer = (await response.json()) as {
      readonly slots: readonly CardSlotStatus[];
      readonly error?: string;
    };
    if (!response.ok) throw new Error(`virtual card: ${answer.error ?? response.statusText}`);
    return answer.slots;
  };
  return {
    controlPort,
    folder,
    control: (action, body = {}) => ask("POST", action, body),
    status: () => ask("GET", "status"),
    async stop() {
      await endProcess(child, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function readyLine(child: ChildProcess): Promise<{ readonly controlPort: number }> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the virtual card was started without its output");
  for await (const line of createInterface({ input: stdout })) {
    const message = JSON.parse(line) as { readonly kind: string; readonly controlPort: number };
    if (message.kind === "ready") return message;
  }
  throw new Error("the virtual card ended before it was ready");
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(late);
}

async function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection({ path: socket });
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}

/** A free port whose successor is free as well. vpcd binds all interfaces, and so does the trial. */
async function freePortPair(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error("no two neighbouring free ports were found");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
