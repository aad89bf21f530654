/** The real ledger process from the compiled tree, on a folder of its own and free ports, and a terminal to talk to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { stringify } from "yaml";
import type { LedgerAnswer, LedgerRequest } from "../../daemon/core/clearing.ts";
import { encodeUp, LEDGER_PRESENCE_TOPIC, openDown, topicsOf } from "../../sync/wire.ts";

const MAIN = fileURLToPath(new URL("../../dist/sync/ledger/main.js", import.meta.url));
const START_LIMIT_MS = 20_000;

export type Statement = {
  readonly balanced: boolean;
  readonly transactions: readonly {
    readonly key: string;
    readonly terminal: string;
    readonly state: string;
    readonly mode: string;
    readonly amountMinor: string;
    readonly attempts: number;
  }[];
};

export class LedgerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "saypay-ledger-process-"));
  readonly #settings: object;
  #child: ChildProcess | undefined;
  output = "";
  ports: { mqtt: number | null; http: number } = { mqtt: null, http: 0 };

  /** `settings` are laid over a trial's: any terminal, embedded broker, free ports, a quick gateway. */
  constructor(settings: object = {}) {
    this.#settings = {
      data: "data",
      merchant: "cafe",
      terminals: { acceptAny: true },
      broker: { embedded: { port: 0 } },
      http: { port: 0 },
      gateway: { id: "sandbox", timeoutMs: 3_000, settings: { latencyMs: 0, pendingMs: 300 } },
      resolver: { intervalMs: 50, firstRetryMs: 100 },
      ...settings,
    };
  }

  get settingsFile(): string {
    return join(this.folder, "ledger.yaml");
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  async start(): Promise<void> {
    writeFileSync(this.settingsFile, stringify(this.#settings));
    const portsFile = join(this.folder, "data", "ports.json");
    rmSync(portsFile, { force: true });
    const child = spawn(process.execPath, [MAIN, "--config", this.settingsFile], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    const limit = performance.now() + START_LIMIT_MS;
    while (!existsSync(portsFile)) {
      if (child.exitCode !== null || performance.now() > limit) throw new Error(`no ledger:\n${this.output}`);
      await delay(20);
    }
    this.ports = JSON.parse(readFileSync(portsFile, "utf8")) as { mqtt: number | null; http: number };
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async get<Body>(path: string): Promise<Body> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}${path}`);
    return (await response.json()) as Body;
  }

  async statement(): Promise<Statement> {
    return this.get<Statement>("/v1/statement");
  }

  async charged(): Promise<number> {
    return (await this.get<{ charged: number }>("/sandbox/charges")).charged;
  }

  /** Sends JSON and gives the answer's; throws what the ledger says when it refuses. */
  async post<Body>(path: string, body: object): Promise<Body> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Body;
  }

  async plan(plan: object): Promise<void> {
    await this.post("/sandbox/behaviour", plan);
  }

  get publicKey(): KeyObject {
    return createPublicKey(readFileSync(join(this.folder, "data", "ledger-key.pub.pem")));
  }

  get brokerUrl(): string {
    return `mqtt://127.0.0.1:${this.ports.mqtt ?? 0}`;
  }
}

/** A terminal reduced to its wire: sends requests, opens signed answers. */
export class WireTerminal {
  readonly #id: string;
  readonly #keys: readonly KeyObject[];
  readonly answers: LedgerAnswer[] = [];
  readonly presence: string[] = [];
  #client: MqttClient | undefined;
  #position = 0;

  constructor(id: string, ledgerKey: KeyObject) {
    this.#id = id;
    this.#keys = [ledgerKey];
  }

  async connect(url: string, options: IClientOptions = {}): Promise<void> {
    const client = await connectAsync(url, {
      clientId: this.#id,
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...options,
    });
    this.#client = client;
    client.on("error", () => undefined);
    client.on("message", (topic, payload) => {
      if (topic === LEDGER_PRESENCE_TOPIC) this.presence.push(payload.toString());
      else {
        const content = openDown(payload, this.#id, this.#keys);
        if (content.kind === "answer") this.answers.push(content.answer);
      }
    });
    await client.subscribeAsync([topicsOf(this.#id).down, LEDGER_PRESENCE_TOPIC], { qos: 1 });
  }

  async send(requestId: string, request: LedgerRequest): Promise<void> {
    this.#position += 1;
    const bytes = encodeUp({ terminal: this.#id, requestId, position: this.#position, request });
    await this.sendRaw(topicsOf(this.#id).up, bytes);
  }

  async sendRaw(topic: string, bytes: Uint8Array): Promise<void> {
    await this.#client?.publishAsync(topic, Buffer.from(bytes), { qos: 1 });
  }

  /** The answer to a request, however long ago it came. */
  async answer(requestId: string, limitMs = 8_000): Promise<LedgerAnswer> {
    const limit = performance.now() + limitMs;
    for (;;) {
      const found = this.answers.find((answer) => answer.requestId === requestId);
      if (found !== undefined) return found;
      if (performance.now() > limit) throw new Error(`${requestId} is not answered within ${limitMs} ms`);
      await delay(10);
    }
  }

  async close(): Promise<void> {
    await this.#client?.endAsync(true);
  }
}
