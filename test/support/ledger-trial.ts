/** A ledger in this process with its own broker, HTTP and sandbox, on a temporary folder, and terminals to sell with it. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger, type Ports } from "../../sync/ledger/ledger.ts";
import { LEDGER_SETTINGS } from "../../sync/ledger/settings.ts";
import { JournalTerminal, type JournalTerminalSettings } from "./journal-terminal.ts";
import { silentLog } from "./silent-log.ts";

export class LedgerTrial {
  readonly root = mkdtempSync(join(tmpdir(), "saypay-trial-"));
  readonly #running = new Set<JournalTerminal>();
  #ledger: Ledger | undefined;
  #ports: Ports = { mqtt: null, http: 0, pid: 0 };

  /** Starts it, again on the same books. */
  async start(): Promise<void> {
    const settings = LEDGER_SETTINGS.parse({
      data: join(this.root, "ledger"),
      merchant: "cafe",
      terminals: { known: [{ id: "counter-1" }, { id: "counter-2" }] },
      broker: { embedded: { port: 0 } },
      http: { port: 0 },
      gateway: { id: "sandbox", settings: { latencyMs: 0 } },
    });
    this.#ledger = new Ledger(settings, silentLog);
    this.#ports = await this.#ledger.start();
  }

  async stop(): Promise<void> {
    await this.#ledger?.stop();
  }

  /** Ends everything and takes the folder away. */
  async end(): Promise<void> {
    for (const terminal of this.#running) await terminal.stop();
    await this.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#ports.mqtt ?? 0}`;
  }

  httpUrl(path: string): string {
    return `http://127.0.0.1:${this.#ports.http}${path}`;
  }

  get ledgerKey(): KeyObject {
    return createPublicKey(readFileSync(join(this.root, "ledger", "ledger-key.pub.pem")));
  }

  folder(name: string): string {
    return join(this.root, name);
  }

  /** A machine with a journal in the folder of this name. */
  machine(name: string, settings: Partial<JournalTerminalSettings> = {}): JournalTerminal {
    const terminal = new JournalTerminal({
      folder: this.folder(name),
      url: this.url,
      ledgerKey: this.ledgerKey,
      ...settings,
    });
    this.#running.add(terminal);
    return terminal;
  }

  async switchOff(terminal: JournalTerminal): Promise<void> {
    this.#running.delete(terminal);
    await terminal.stop();
  }

  async respond(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return fetch(this.httpUrl(path), { headers, ...init });
  }

  async call<Body>(path: string, init: RequestInit = {}): Promise<Body> {
    return (await (await this.respond(path, init)).json()) as Body;
  }

  async post<Body>(path: string, body: object): Promise<Body> {
    return this.call<Body>(path, { method: "POST", body: JSON.stringify(body) });
  }

  async alarms(): Promise<string[]> {
    const { alarms } = await this.call<{ alarms: { kind: string; subject: string }[] }>("/v1/alarms");
    return alarms.map(({ kind, subject }) => `${kind} ${subject}`);
  }

  /** Every charge with its state; throws when the books do not balance. */
  async charges(): Promise<string[]> {
    const { transactions, balanced } = await this.call<{
      balanced: boolean;
      transactions: { key: string; state: string }[];
    }>("/v1/statement");
    if (!balanced) throw new Error("the books do not balance");
    return transactions.map(({ key, state }) => `${key} ${state}`);
  }
}
