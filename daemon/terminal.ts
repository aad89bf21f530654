/**
 * One terminal put together: journal, core, counter devices, uplink and display. Everything is wired here and nowhere
 * else; each part only knows its own ports.
 *
 * Start order: journal first (nothing may happen that is not recorded), then the processes that need time to open, then
 * the state is taken up again, then the link and the display. Stop is the reverse, and the journal closes last.
 */
import { type KeyObject, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import { SqliteStore } from "../sync/store/sqlite-store.ts";
import { MqttBroker } from "../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../sync/uplink/uplink.ts";
import { type Config, saleSettings } from "./config.ts";
import type { SaleEvent } from "./core/event.ts";
import type { Intent } from "./core/intent.ts";
import type { Language } from "./core/menu.ts";
import type { TerminalState } from "./core/sale.ts";
import type { SaleSettings } from "./core/settings.ts";
import { viewOf } from "./core/view.ts";
import { Counter } from "./counter.ts";
import { makeDataFolder } from "./data-folder.ts";
import { DisplayServer } from "./display/server.ts";
import { readLedgerKeyFile } from "./ledger-key.ts";
import { type DeviceEffect, Interpreter } from "./shell/interpreter.ts";
import { Latencies } from "./shell/latency.ts";
import { Observers } from "./shell/observation.ts";
import { recover } from "./shell/recovery.ts";
import { SaleWatch } from "./shell/sale-watch.ts";
import { Timers } from "./shell/timers.ts";

/** Someone who just touched the display is reading it and has not failed to speak. */
const READING_MS = 20_000;

export class Terminal {
  readonly #config: Config;
  readonly #settings: SaleSettings;
  readonly #log: Logger;
  readonly #failed: (cause: unknown) => void;
  readonly #store: SqliteStore<SaleEvent, TerminalState>;
  readonly #counter: Counter;
  readonly #timers: Timers;
  readonly #latencies = new Latencies();
  readonly #observers = new Observers();
  readonly #watch: SaleWatch;
  readonly #display: DisplayServer;
  #interpreter: Interpreter | null = null;
  #uplink: Uplink | null = null;
  #displayPort = 0;
  #presentUntilMs = 0;

  /** `failed` is called when the daemon cannot go on; the caller stops it and lets it be started again. */
  constructor(config: Config, log: Logger, failed: (cause: unknown) => void) {
    this.#config = config;
    this.#settings = saleSettings(config);
    this.#log = log;
    this.#failed = failed;
    this.#store = new SqliteStore({ path: join(config.data, "journal.sqlite"), terminal: config.terminal });
    this.#counter = new Counter(config, {
      log,
      observers: this.#observers,
      latencies: this.#latencies,
      deliver: (happening) => this.#core.deliver(happening),
      presentCard: (card, verified) => {
        this.#core.presentCard(card, { verified, denied: () => this.#isDenied(card.token) });
      },
    });
    this.#watch = new SaleWatch(log, this.#latencies, this.#observers, (prompt, language) =>
      this.#counter.prepare(prompt, language),
    );
    this.#timers = new Timers(
      (timerId) => this.#core.deliver({ kind: "timer.fired", timerId }),
      () => this.#counter.customerSpeaks || performance.now() < this.#presentUntilMs,
    );
    this.#display = new DisplayServer({
      shop: { name: config.merchant.name, language: config.language, menu: config.menu },
      state: () => this.#view(),
      sales: () => ({ recent: this.#core.state.recent, latencies: this.#latencies.recent }),
      health: () => this.#health(),
      wake: (language) => this.#wake(language),
      touch: (intent, language) => this.#touch(intent, language),
      present: () => {
        this.#presentUntilMs = performance.now() + READING_MS;
      },
      observe: (listener) => this.#observers.add(listener),
    });
  }

  /** Resolves when a customer can be served. Throws a Fault when the journal or the display port cannot be had. */
  async start(): Promise<{ displayPort: number }> {
    const ledgerKeys = readLedgerKeyFile(this.#config.ledger.publicKey);
    makeDataFolder(this.#config.data);
    const recovered = recover(this.#store);
    this.#log.info(
      { position: recovered.position, sale: recovered.state.sale?.phase.kind ?? null },
      "journal open",
    );
    this.#watch.begin(recovered.state);
    this.#display.watch();
    this.#counter.start();
    this.#interpreter = new Interpreter(this.#settings, recovered.state, {
      journal: this.#store,
      now: Date.now,
      defer: setImmediate,
      perform: (effect) => this.#perform(effect),
      outboxGrew: () => this.#uplink?.notify(),
      committed: (state, events) => this.#committed(state, events),
      failed: this.#failed,
    });
    if (!recovered.appliedSettings(this.#settings)) {
      this.#core.deliver({ kind: "settings.applied", settings: this.#settings });
    }
    this.#core.deliver({ kind: "daemon.started" });
    this.#uplink = this.#makeUplink(ledgerKeys);
    this.#uplink.start();
    const { host, port } = this.#config.display;
    this.#displayPort = await this.#display.start(host, port);
    return { displayPort: this.#displayPort };
  }

  /** Resolves when every process and file is let go. Safe at any time after the constructor. */
  async stop(): Promise<void> {
    await this.#display.stop();
    await this.#uplink?.stop();
    this.#timers.stop();
    this.#interpreter?.stop();
    await this.#counter.stop();
    this.#store.close();
  }

  get #core(): Interpreter {
    if (this.#interpreter === null) throw new Error("the terminal has not been started");
    return this.#interpreter;
  }

  #makeUplink(ledgerKeys: readonly KeyObject[]): Uplink {
    const { broker, publicKey: _, ...credentials } = this.#config.ledger;
    return new Uplink({
      terminal: this.#config.terminal,
      ledgerKeys,
      outbox: this.#store,
      broker: new MqttBroker({ terminal: this.#config.terminal, url: broker, ...credentials }),
      onAnswer: (answer) => {
        this.#log.info({ requestId: answer.requestId, outcome: answer.outcome.kind }, "ledger answered");
        this.#core.deliver({ kind: "ledger.answered", answer });
      },
      onLink: (up) => {
        this.#log.info({ up }, "link to the ledger");
        this.#observers.tell({ kind: "link", up });
        this.#core.deliver({ kind: "link.changed", up });
      },
      onAlarm: (text) => this.#log.warn({ alarm: text }, "uplink alarm"),
      onTrouble: (reason) => this.#log.debug({ reason }, "no connection to the broker"),
    });
  }

  #perform(effect: DeviceEffect): void {
    switch (effect.kind) {
      case "timer.start":
        return this.#timers.start(effect.name, effect.id, effect.purpose, effect.afterMs);
      case "timer.cancel":
        return this.#timers.cancel(effect.name);
      case "alarm.raise":
        this.#log.warn({ alarm: effect.alarm }, "alarm");
        return this.#observers.tell({ kind: "alarm", alarm: effect.alarm });
      case "staff.answer":
        return;
      default:
        return this.#counter.perform(effect);
    }
  }

  #committed(state: TerminalState, events: readonly SaleEvent[]): void {
    this.#watch.committed(state, events);
    this.#observers.tell({ kind: "view", view: this.#view() });
  }

  #isDenied(_: string): boolean {
    return false;
  }

  #view(): ReturnType<typeof viewOf> {
    return viewOf(this.#settings, this.#core.state);
  }

  #wake(language: Language | undefined): string | null {
    if (this.#core.state.sale !== null) return null;
    // Another customer has not touched anything yet.
    this.#presentUntilMs = 0;
    const saleId = randomUUID();
    this.#core.deliver({
      kind: "sale.woken",
      saleId,
      language: language ?? this.#config.language,
      source: "button",
    });
    return saleId;
  }

  #touch(intent: Intent, language: Language | undefined): void {
    const spoken = language ?? this.#core.state.sale?.language ?? this.#config.language;
    this.#core.deliver({
      kind: "turn.heard",
      turn: { language: spoken, intent, confidence: 1 },
      source: "touch",
    });
  }

  #health(): unknown {
    const children = this.#counter.children.map((child) => {
      const { state } = child;
      const pid = state.kind === "running" ? { pid: state.pid, restarts: state.restarts } : {};
      const fault = state.kind === "restarting" ? { fault: state.fault.message } : {};
      return { name: child.name, state: state.kind, ...pid, ...fault };
    });
    const { linkUp, openCharges } = this.#core.state;
    const memoryMiB = Math.round(process.memoryUsage.rss() / 1_048_576);
    return {
      terminal: this.#config.terminal,
      pid: process.pid,
      uptimeS: Math.round(process.uptime()),
      memoryMiB,
      linkUp,
      openCharges: openCharges.length,
      outboxDepth: this.#store.depth(),
      children,
      ready: children.every((child) => child.state === "running"),
    };
  }
}
