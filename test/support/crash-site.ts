/**
 * A counter made to be killed: ledger, broker, terminal, card reader, printer and the lines between them, each a real
 * process on real files in one folder, started again whenever it dies. Sales are by touch and card; the voice is mute
 * (mute-voice.ts). Nothing of the path that money takes is replaced: the card is read by the PC/SC driver, the receipt
 * is printed by the printer's driver, the daemon, the ledger and its bank are the programs of production.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import type { View } from "../../daemon/core/view.ts";
import { KeptProgram } from "./kept-program.ts";
import { Mosquitto } from "./mosquitto.ts";
import { Network } from "./network.ts";
import {
  type PcscService,
  startPcscService,
  startVirtualCard,
  TEST_CARD_KEYS,
  type VirtualCardProgram,
} from "./pcsc.ts";
import { COMPILED, Program, ROOT } from "./program.ts";
import { type Paper, startVirtualPrinter, type VirtualPrinter } from "./virtual-printer.ts";

export type BrokerKind = "mosquitto" | "embedded";

export type SettingChanges = {
  readonly daemon?: { readonly [section: string]: unknown };
  readonly ledger?: { readonly [section: string]: unknown };
};

/** Programs that can be killed. "mosquitto" exists at a site with that broker only. */
export type Victim = "daemon" | "terminal" | "ledger" | "mosquitto" | "card-reader" | "printer";

export const TERMINAL = "counter-1";
const REQUEST_LIMIT_MS = 3_000;
/** A machine that is busy with other things may hold a start up for half a minute: that is no finding. */
const START_LIMIT_MS = 120_000;
const CARD_HOLD_MS = 700;
const PRINT_SPEED = 2_000;
const MUTE = pathToFileURL(`${COMPILED}test/support/mute-voice.js`).href;

/** Quick, because the time that is tested is the machine's; generous, because what is tested is not the limits. */
const QUICK = {
  payment: { answerMs: 2_500, queryMs: 800, queries: 4 },
  // A printer's process that is started again takes longer than ten quick attempts.
  receipt: { retryMs: 300, printMs: 6_000, attempts: 100 },
  offline: {
    perSale: 1_000_000,
    total: 1_000_000_000,
    count: 10_000,
    perCard: 10_000,
    perCardPerHour: 10_000,
  },
};
const LEDGER_QUICK = {
  gateway: { id: "sandbox", timeoutMs: 1_200, settings: { latencyMs: 15, pendingMs: 3_000 } },
  resolver: { intervalMs: 100, firstRetryMs: 150, maxRetryMs: 1_500 },
};

export type SiteView = Pick<View, "phase" | "saleId" | "linkUp">;

export type SiteHealth = {
  readonly pid: number;
  readonly linkUp: boolean;
  readonly openCharges: number;
  readonly outboxDepth: number;
  readonly ready: boolean;
  readonly children: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
};

export class CrashSite {
  readonly folder: string;
  readonly kind: BrokerKind;
  readonly daemon: KeptProgram;
  readonly ledger: KeptProgram;
  readonly #stops: (() => Promise<unknown>)[] = [];
  #mosquitto: Mosquitto | null = null;
  #terminalLine = new Network(0);
  #ledgerLine = new Network(0);
  #pcsc: PcscService | null = null;
  #card: VirtualCardProgram | null = null;
  #printer: VirtualPrinter | null = null;
  #stopping: Promise<void> = Promise.resolve();
  #ended = false;
  #display = "";
  #bank = "";

  readonly #changes: SettingChanges;

  /** `folder` is made and left to the caller. `changes` are laid over the settings, section by section. */
  constructor(folder: string, kind: BrokerKind, changes: SettingChanges = {}) {
    this.folder = folder;
    this.kind = kind;
    this.#changes = changes;
    mkdirSync(folder, { recursive: true });
    const ledger = new Program("the ledger", "sync/ledger/main.js", join(folder, "ledger.log"));
    const daemon = new Program("the terminal", "daemon/main.js", join(folder, "saypayd.log"));
    this.ledger = new KeptProgram("ledger", ledger, () => this.#startLedger(ledger));
    this.daemon = new KeptProgram("daemon", daemon, () => this.startDaemon());
  }

  /** Resolves when the surroundings are there and everything is up for the first time. */
  async start(): Promise<void> {
    await this.prepare();
    this.ledger.keep();
    await until(() => this.ledger.isUp, START_LIMIT_MS, "the ledger is up");
    this.daemon.keep();
    await until(async () => (await this.health())?.ready === true, START_LIMIT_MS, "the terminal is ready");
  }

  /** Broker, lines, card reader and printer are there and the settings are written; neither ledger nor daemon runs. */
  async prepare(): Promise<void> {
    if (this.kind === "mosquitto") {
      const mosquitto = await Mosquitto.start();
      this.#mosquitto = mosquitto;
      await this.#began(() => mosquitto.stop());
      this.#terminalLine.retarget(mosquitto.port);
      this.#ledgerLine.retarget(mosquitto.port);
    }
    for (const line of [this.#terminalLine, this.#ledgerLine]) {
      await line.start();
      await this.#began(() => line.stop());
    }
    const pcsc = await startPcscService();
    this.#pcsc = pcsc;
    await this.#began(() => pcsc.stop());
    const card = await startVirtualCard(pcsc.port);
    this.#card = card;
    await this.#began(() => card.stop());
    const printer = await startVirtualPrinter({ columns: 42, speed: PRINT_SPEED });
    this.#printer = printer;
    await this.#began(() => printer.stop());
    await this.#began(() => this.ledger.stop());
    await this.#began(() => this.daemon.stop());
    this.#writeSettings();
  }

  /** What was started while somebody stopped the site ends at once. */
  async #began(stop: () => Promise<unknown>): Promise<void> {
    this.#stops.push(stop);
    if (!this.#ended) return;
    await this.stop();
    throw new Error("the site was stopped while it was started");
  }

  /** Kills it now. False when it does not run, or does not exist here. */
  async kill(victim: Victim, againAfterMs: number): Promise<boolean> {
    switch (victim) {
      case "daemon":
        return this.daemon.kill(againAfterMs);
      case "terminal": {
        // The plug of the whole terminal: every process of it at once.
        const children = (await this.health())?.children ?? [];
        const killed = this.daemon.kill(againAfterMs);
        for (const { pid } of children) if (killed) killPid(pid);
        return killed;
      }
      case "ledger":
        return this.ledger.kill(againAfterMs);
      case "mosquitto":
        return this.#killMosquitto(againAfterMs);
      case "card-reader":
      case "printer": {
        const found = (await this.health())?.children.find(({ name }) => name === victim);
        return killPid(found?.pid);
      }
    }
  }

  cutTerminal(): void {
    this.#terminalLine.cut();
  }

  /** Between ledger and Mosquitto; an embedded broker has no such line. */
  cutLedger(): void {
    this.#ledgerLine.cut();
  }

  mend(): void {
    this.#terminalLine.mend();
    this.#ledgerLine.mend();
  }

  /** Null while the terminal is away. */
  async state(): Promise<SiteView | null> {
    return this.#ask("GET", `${this.#display}/state`);
  }

  async health(): Promise<SiteHealth | null> {
    return this.#ask("GET", `${this.#display}/health`);
  }

  async wake(): Promise<void> {
    await this.#ask("POST", `${this.#display}/wake`, {});
  }

  async touch(intent: object): Promise<void> {
    await this.#ask("POST", `${this.#display}/turn`, { intent });
  }

  async tap(card: string): Promise<void> {
    await this.#card?.control("tap", { card, holdMs: CARD_HOLD_MS }).catch(() => undefined);
  }

  /** What the bank does with the next charges; nothing when the ledger is away. */
  async plan(plan: object): Promise<void> {
    await this.#ask("POST", `${this.#bank}/sandbox/behaviour`, plan);
  }

  get settingsFile(): string {
    return join(this.folder, "saypay.yaml");
  }

  get ledgerSettingsFile(): string {
    return join(this.folder, "ledger.yaml");
  }

  get journal(): string {
    return join(this.folder, "data", "journal.sqlite");
  }

  papers(): readonly Paper[] {
    return this.#printer?.papers() ?? [];
  }

  get unexpectedEnds(): readonly string[] {
    return [...this.ledger.unexpectedEnds, ...this.daemon.unexpectedEnds];
  }

  /** Ends every process in the reverse order. Safe at any time and more than once; the folder stays. */
  stop(): Promise<void> {
    this.#ended = true;
    this.#stopping = this.#stopping.then(async () => {
      for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
    });
    return this.#stopping;
  }

  #killMosquitto(againAfterMs: number): boolean {
    const mosquitto = this.#mosquitto;
    if (mosquitto === null || this.#mosquittoDown) return false;
    this.#mosquittoDown = true;
    this.#mosquittoBack = (async () => {
      await mosquitto.kill();
      await new Promise((resolve) => setTimeout(resolve, againAfterMs));
      await mosquitto.resume();
      this.#mosquittoDown = false;
    })();
    this.#mosquittoBack.catch((cause: unknown) =>
      this.ledger.unexpectedEnds.push(`mosquitto: ${String(cause)}`),
    );
    return true;
  }

  #mosquittoDown = false;
  #mosquittoBack: Promise<void> = Promise.resolve();

  /** Resolves when a killed Mosquitto runs again. */
  async whenBrokerIsBack(): Promise<void> {
    await this.#mosquittoBack;
  }

  async #startLedger(program: Program): Promise<void> {
    const ready = await program.start(["--config", this.ledgerSettingsFile], {}, START_LIMIT_MS);
    this.#bank = `http://127.0.0.1:${String(ready["httpPort"])}`;
    if (this.kind === "embedded") this.#terminalLine.retarget(Number(ready["mqttPort"]));
  }

  /** One life of the daemon, for those who do not want it kept; resolves when it says "ready". */
  async startDaemon(): Promise<void> {
    if (this.#ended) throw new Error("the site was stopped");
    const { program } = this.daemon;
    const options = [process.env["NODE_OPTIONS"] ?? "", `--import=${MUTE}`].join(" ").trim();
    const env = { NODE_OPTIONS: options };
    const ready = await program.start(["--config", this.settingsFile], env, START_LIMIT_MS);
    this.#display = `http://127.0.0.1:${String(ready["displayPort"])}`;
  }

  async #ask<Body>(method: "GET" | "POST", url: string, body?: object): Promise<Body | null> {
    if (!url.startsWith("http")) return null;
    try {
      const response = await fetch(url, {
        method,
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
        ...(body === undefined
          ? {}
          : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return response.ok ? (JSON.parse(text) as Body) : null;
    } catch {
      // Killed, being started, or busy: whoever asks asks again.
      return null;
    }
  }

  #writeSettings(): void {
    const [mosquitto, pcsc, printer] = [this.#mosquitto, this.#pcsc, this.#printer];
    if (pcsc === null || printer === null) throw new Error("the site has not been started");
    const keyFile = join(this.folder, "card-keys.json");
    writeFileSync(keyFile, JSON.stringify(TEST_CARD_KEYS), { mode: 0o600 });
    const broker =
      mosquitto === null
        ? { embedded: { port: 0 } }
        : {
            outside: { url: `mqtts://localhost:${this.#ledgerLine.port}`, tls: mosquitto.identity("ledger") },
          };
    const ledger = {
      data: "ledger",
      merchant: "cafe",
      terminals: { known: [{ id: TERMINAL }] },
      broker,
      http: { port: 0 },
    };
    writeFileSync(
      this.ledgerSettingsFile,
      stringify({ ...ledger, ...LEDGER_QUICK, ...this.#changes.ledger }),
    );
    const terminal = {
      terminal: TERMINAL,
      language: "en",
      data: "data",
      menu: join(ROOT, "daemon", "menu.example.yaml"),
      merchant: {
        name: "Cafe",
        registration: "123-45-67890",
        representative: "Kim",
        address: "Seoul",
        phone: "02-123-4567",
      },
      cardReader: { keyFile, socket: pcsc.socket },
      printer: { path: printer.link, columns: 42 },
      ledger: {
        broker: `${mosquitto === null ? "mqtt://127.0.0.1" : "mqtts://localhost"}:${this.#terminalLine.port}`,
        publicKey: join("ledger", "ledger-key.pub.pem"),
        ...(mosquitto === null ? {} : { tls: mosquitto.identity(TERMINAL) }),
      },
      display: { port: 0 },
    };
    writeFileSync(this.settingsFile, stringify({ ...terminal, ...QUICK, ...this.#changes.daemon }));
  }
}

function killPid(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Resolves when `reached` says so; rejects after `limitMs`, naming `what`. */
export async function until(
  reached: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await reached())) {
    if (performance.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
