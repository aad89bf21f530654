/**
 * A real Mosquitto in a temporary folder: mutual TLS with certificates made by openssl, user names from certificates,
 * and the access list that deployments use (provisioning gives each terminal a certificate with its id as common name).
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Debian keeps the broker where only root's PATH looks. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;
const START_LIMIT_MS = 5_000;

/** Paths of PEM files. */
export type Identity = { readonly ca: string; readonly cert: string; readonly key: string };

/** `%u` is the common name of the client's certificate. */
export const ACCESS_LIST = `
user ledger
topic read saypay/v1/+/up
topic read saypay/v1/+/presence
topic write saypay/v1/+/down
topic write saypay/v1/+/deny

pattern write saypay/v1/%u/up
pattern write saypay/v1/%u/presence
pattern read saypay/v1/%u/down
pattern read saypay/v1/%u/deny
pattern read saypay/v1/ledger/presence
`;

export class Mosquitto {
  readonly folder: string;
  readonly port: number;
  readonly #identities = new Map<string, Identity>();
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** A broker that runs, with a certificate authority of its own. */
  static async start(): Promise<Mosquitto> {
    const broker = new Mosquitto(mkdtempSync(join(tmpdir(), "saypay-mosquitto-")), await freePort());
    broker.#makeAuthority();
    const server = broker.identity("localhost");
    writeFileSync(join(broker.folder, "acl"), ACCESS_LIST);
    writeFileSync(join(broker.folder, "mosquitto.conf"), broker.#configuration(server));
    await broker.resume();
    return broker;
  }

  get url(): string {
    return `mqtts://localhost:${this.port}`;
  }

  /** What Mosquitto wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** Certificate and key for a common name: a terminal's id, "ledger", or the server's host name. Made on first use. */
  identity(commonName: string): Identity {
    const known = this.#identities.get(commonName);
    if (known !== undefined) return known;
    const at = (name: string): string => join(this.folder, `${commonName}.${name}`);
    const ca = join(this.folder, "ca.crt");
    writeFileSync(at("ext"), `subjectAltName=DNS:${commonName}\n`);
    openssl(
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      at("key"),
      "-out",
      at("csr"),
      "-subj",
      `/CN=${commonName}`,
    );
    openssl(
      "x509",
      "-req",
      "-in",
      at("csr"),
      "-CA",
      ca,
      "-CAkey",
      join(this.folder, "ca.key"),
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      at("ext"),
      "-out",
      at("crt"),
    );
    const identity = { ca, cert: at("crt"), key: at("key") };
    this.#identities.set(commonName, identity);
    return identity;
  }

  /** SIGKILL, as a power cut: no will is sent, nothing is saved. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Runs it (again) on the same port with the same certificates. */
  async resume(): Promise<void> {
    const child = spawn("mosquitto", ["-c", join(this.folder, "mosquitto.conf")], {
      env: { ...process.env, PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let failure: Error | undefined;
    child.on("error", (error) => {
      failure = new Error(
        `mosquitto does not start (apt-get install mosquitto, or npm test, which installs it): ${error.message}`,
      );
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.#log += chunk.toString();
      });
    }
    const limit = performance.now() + START_LIMIT_MS;
    while (!(await answers(this.port))) {
      if (failure !== undefined) throw failure;
      if (child.exitCode !== null || performance.now() > limit)
        throw new Error(`mosquitto does not listen:\n${this.#log}`);
      await pause(20);
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #makeAuthority(): void {
    const at = (name: string): string => join(this.folder, name);
    mkdirSync(at("data"));
    openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.crt"),
      "-subj",
      "/CN=Saypay test authority",
      "-days",
      "2",
    );
  }

  #configuration(server: Identity): string {
    return [
      // As root it would give up root and with it the temporary folder.
      `user ${userInfo().username}`,
      `listener ${this.port} 127.0.0.1`,
      `cafile ${server.ca}`,
      `certfile ${server.cert}`,
      `keyfile ${server.key}`,
      "require_certificate true",
      "use_identity_as_username true",
      "use_username_as_clientid true",
      `acl_file ${join(this.folder, "acl")}`,
      // Without it an answer waits behind the acknowledgement before it: 40 ms for each request (measured).
      "set_tcp_nodelay true",
      "persistence true",
      `persistence_location ${join(this.folder, "data")}/`,
      "log_dest stderr",
      "log_type all",
      "",
    ].join("\n");
  }
}

function openssl(...parameters: string[]): void {
  execFileSync("openssl", parameters, { stdio: "pipe" });
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
