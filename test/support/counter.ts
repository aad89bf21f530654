/**
 * A whole counter on one machine: ledger with broker, network, sound, card reader, card, printer and the terminal, each
 * a process of its own, started from the entry points of production. Only the outermost edge is made of software: the
 * sound card, the card, the paper and the gateway's bank.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { stringify } from "yaml";
import type { Mosquitto } from "./mosquitto.ts";
import { Network } from "./network.ts";
import {
  type PcscService,
  startPcscService,
  startVirtualCard,
  TEST_CARD_KEYS,
  type VirtualCardProgram,
} from "./pcsc.ts";
import { Program, ROOT } from "./program.ts";
import { type SoundEnvironment, VirtualSound } from "./sound.ts";
import { type Paper, startVirtualPrinter, type VirtualPrinter } from "./virtual-printer.ts";
import { Watcher } from "./watcher.ts";

export type CounterOptions = {
  readonly language?: "ko" | "en";
  readonly columns?: 32 | 42 | 48;
  /** Lines a second; a real printer does about 30. */
  readonly printSpeed?: number;
  readonly menu?: string;
  /** Merged into the daemon's settings, section by section. */
  readonly settings?: { readonly [section: string]: unknown };
  /** A Mosquitto with mutual TLS that the caller started; without it the ledger brings a broker of its own. */
  readonly broker?: Mosquitto;
};

export type LedgerStatement = {
  readonly balanced: boolean;
  readonly transactions: readonly {
    readonly key: string;
    readonly saleId: string;
    readonly state: string;
    readonly mode: string;
    readonly amountMinor: string;
    readonly refundedMinor: string;
    readonly currency: string;
  }[];
};

export type Health = {
  readonly pid: number;
  readonly memoryMiB: number;
  readonly linkUp: boolean;
  readonly openCharges: number;
  readonly outboxDepth: number;
  readonly ready: boolean;
  readonly children: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
};

type Ports = { readonly mqtt: number | null; readonly http: number };

const CARD_HOLD_MS = 1_200;
const READY_LIMIT_MS = 60_000;

export class Counter {
  readonly folder: string;
  readonly sound = new VirtualSound();
  readonly watcher = new Watcher();
  readonly ledger: Program;
  readonly daemon: Program;
  readonly #options: CounterOptions;
  #soundEnvironment: SoundEnvironment | null = null;
  #pcsc: PcscService | null = null;
  #card: VirtualCardProgram | null = null;
  #printer: VirtualPrinter | null = null;
  #network: Network | null = null;
  #ledgerHttp = "";
  #started: (() => Promise<unknown>)[] = [];

  constructor(options: CounterOptions = {}) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "saypay-counter-"));
    this.ledger = new Program("the ledger", "sync/ledger/main.js", join(this.folder, "ledger.log"));
    this.daemon = new Program("the terminal", "daemon/main.js", join(this.folder, "saypayd.log"));
  }

  /** Starts everything but the terminal. `said` is called with what is being started. */
  async startSurroundings(said: (what: string) => void = () => {}): Promise<void> {
    said("ledger and broker");
    await this.startLedger();
    this.#network = new Network(this.#options.broker?.port ?? this.#mqttPort());
    await this.#network.start();
    said("sound card");
    this.#soundEnvironment = await this.sound.start();
    this.#started.push(() => this.sound.stop());
    said("card reader");
    this.#pcsc = await startPcscService();
    this.#started.push(() => this.pcsc.stop());
    this.#card = await startVirtualCard(this.pcsc.port);
    this.#started.push(() => this.card.stop());
    said("printer");
    const { columns = 42, printSpeed = 400 } = this.#options;
    this.#printer = await startVirtualPrinter({ columns, speed: printSpeed });
    this.#started.push(() => this.printer.stop());
    this.#writeSettings();
  }

  async start(said: (what: string) => void = () => {}): Promise<void> {
    await this.startSurroundings(said);
    said("terminal");
    await this.startDaemon();
    await this.whenReady();
  }

  async startLedger(): Promise<void> {
    const file = join(this.folder, "ledger.yaml");
    const outside = this.#options.broker;
    const broker =
      outside === undefined
        ? { embedded: { port: this.#network === null ? 0 : this.#mqttPort() } }
        : { outside: { url: outside.url, tls: outside.identity("ledger") } };
    const settings = {
      data: "ledger",
      merchant: "cafe",
      terminals: { known: [{ id: TERMINAL }] },
      broker,
      http: { port: 0 },
      gateway: { id: "sandbox" },
    };
    writeFileSync(file, stringify(settings));
    await this.ledger.start(["--config", file]);
    this.#ledgerHttp = `http://127.0.0.1:${this.#ports().http}`;
  }

  async startDaemon(): Promise<void> {
    const { env } = this.#soundEnvironment ?? { env: {} };
    const ready = await this.daemon.start(["--config", join(this.folder, "saypay.yaml")], env);
    this.watcher.watch(`http://127.0.0.1:${String(ready["displayPort"])}`);
  }

  /** Resolves when every process of the terminal is open and the ledger can be reached. */
  async whenReady(): Promise<void> {
    const deadline = performance.now() + READY_LIMIT_MS;
    let health = await this.health();
    while (!health.ready || !health.linkUp) {
      if (performance.now() > deadline)
        throw new Error(`the terminal is not ready: ${JSON.stringify(health)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      health = await this.health();
    }
  }

  health(): Promise<Health> {
    return this.watcher.get("/health");
  }

  get network(): Network {
    return present(this.#network);
  }

  get card(): VirtualCardProgram {
    return present(this.#card);
  }

  get pcsc(): PcscService {
    return present(this.#pcsc);
  }

  get printer(): VirtualPrinter {
    return present(this.#printer);
  }

  get journal(): string {
    return join(this.folder, "data", "journal.sqlite");
  }

  wake(): Promise<{ readonly saleId: string }> {
    return this.watcher.post("/wake", {});
  }

  async tap(card = "genuine"): Promise<void> {
    await this.card.control("tap", { card, holdMs: CARD_HOLD_MS });
  }

  papers(): readonly Paper[] {
    return this.printer.papers();
  }

  async statement(): Promise<LedgerStatement> {
    const response = await fetch(`${this.#ledgerHttp}/v1/statement`);
    if (!response.ok) throw new Error(`the ledger's statement: ${response.status} ${await response.text()}`);
    return (await response.json()) as LedgerStatement;
  }

  /** What the sandbox bank really charged, independently of the ledger's books. */
  async bankCharges(): Promise<unknown> {
    const response = await fetch(`${this.#ledgerHttp}/sandbox/charges`);
    if (!response.ok) throw new Error(`the bank: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Resolves when nothing waits for the ledger any more. */
  async whenDrained(limitMs = 60_000): Promise<number> {
    const began = performance.now();
    for (;;) {
      const { outboxDepth, openCharges } = await this.health();
      if (outboxDepth === 0 && openCharges === 0) return performance.now() - began;
      if (performance.now() - began > limitMs)
        throw new Error(`${outboxDepth} requests and ${openCharges} charges wait`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Copies journal and logs to a folder; the daemon must have been stopped. */
  saveTo(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const file of [this.journal, join(this.folder, "saypayd.log"), join(this.folder, "ledger.log")]) {
      copyFileSync(file, join(folder, basename(file)));
    }
  }

  /** Ends every process in the reverse order and removes the folder. Safe at any time. */
  async stop(): Promise<void> {
    this.watcher.stop();
    await this.daemon.end();
    await this.#network?.stop();
    await this.ledger.end();
    for (const stop of this.#started.reverse()) await stop();
    this.#started = [];
    rmSync(this.folder, { recursive: true, force: true });
  }

  #ports(): Ports {
    return JSON.parse(readFileSync(join(this.folder, "ledger", "ports.json"), "utf8")) as Ports;
  }

  #mqttPort(): number {
    const { mqtt } = this.#ports();
    if (mqtt === null) throw new Error("the ledger has no broker of its own");
    return mqtt;
  }

  #writeSettings(): void {
    const { language = "ko", columns = 42, menu, settings = {}, broker } = this.#options;
    const keyFile = join(this.folder, "card-keys.json");
    writeFileSync(keyFile, JSON.stringify(TEST_CARD_KEYS), { mode: 0o600 });
    const base: { [section: string]: unknown } = {
      terminal: TERMINAL,
      language,
      data: "data",
      menu: menu ?? join(ROOT, "daemon", "menu.example.yaml"),
      merchant: {
        name: "세이카페 시청점",
        registration: "123-45-67890",
        representative: "김사장",
        address: "서울특별시 중구 세종대로 110",
        phone: "02-123-4567",
      },
      microphone: { device: present(this.#soundEnvironment).microphoneDevice, silenceFaultAfterS: 0 },
      speaker: { device: present(this.#soundEnvironment).speakerDevice },
      cardReader: { keyFile, socket: this.pcsc.socket },
      printer: { path: this.printer.link, columns },
      ledger: {
        broker:
          broker === undefined
            ? `mqtt://127.0.0.1:${this.network.port}`
            : `mqtts://localhost:${this.network.port}`,
        publicKey: join("ledger", "ledger-key.pub.pem"),
        ...(broker === undefined ? {} : { tls: broker.identity(TERMINAL) }),
      },
      display: { port: 0 },
    };
    for (const [section, value] of Object.entries(settings)) {
      const before = base[section];
      const mergeable = typeof value === "object" && value !== null && typeof before === "object";
      base[section] = mergeable ? { ...before, ...value } : value;
    }
    writeFileSync(join(this.folder, "saypay.yaml"), stringify(base));
  }
}

const TERMINAL = "counter-1";

function present<T>(part: T | null): T {
  if (part === null) throw new Error("the counter has not been started");
  return part;
}
