/**
 * One terminal put together: journal, core, counter devices, uplink and display. Everything is wired here and nowhere
 * else; each part only knows its own ports.
 *
 * Start order: journal first (nothing may happen that is not recorded), then the processes that need time to open, then
 * the state is taken up again, then the link and the display. Stop is the reverse, and the journal closes last.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Uplink } from "../sync/uplink/uplink.ts";
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
import { JournalKeeper } from "./journal-keeper.ts";
import { readLedgerKeyFile } from "./ledger-key.ts";
import { makeLedgerLink } from "./ledger-link.ts";
import { type DeviceEffect, Interpreter } from "./shell/interpreter.ts";
import { Latencies } from "./shell/latency.ts";
import { Observers } from "./shell/observation.ts";
import { checkCurrency, unheardBurials } from "./shell/recovery.ts";
import { SaleWatch } from "./shell/sale-watch.ts";
import { type DeviceState, StaffDesk } from "./shell/staff-desk.ts";
import { Timers } from "./shell/timers.ts";
import { STAFF_SOCKET, StaffSocket } from "./staff-socket.ts";

/** Someone who just touched the display is reading it and has not failed to speak. */
const READING_MS = 20_000;

export class Terminal {
  readonly #config: Config;
  readonly #settings: SaleSettings;
  readonly #log: Logger;
  readonly #failed: (cause: unknown) => void;
  readonly #journal: JournalKeeper;
  readonly #counter: Counter;
  readonly #timers: Timers;
  readonly #latencies = new Latencies();
  readonly #observers = new Observers();
  readonly #watch: SaleWatch;
  readonly #display: DisplayServer;
  readonly #staffDesk: StaffDesk;
  readonly #staffSocket: StaffSocket;
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
    const { data, terminal, journal } = config;
    this.#journal = new JournalKeeper({ data, terminal, sale: this.#settings, ...journal }, log);
    this.#counter = new Counter(config, {
      log,
      observers: this.#observers,
      latencies: this.#latencies,
      deliver: (happening) => this.#core.deliver(happening),
      presentCard: (card, verified) => {
        this.#core.presentCard(card, { verified, denied: () => this.#journal.isDenied(card.token) });
      },
    });
    this.#watch = new SaleWatch(log, this.#latencies, this.#observers, (prompt, language) =>
      this.#counter.prepare(prompt, language),
    );
    this.#timers = new Timers(
      (timerId) => this.#core.deliver({ kind: "timer.fired", timerId }),
      () => this.#counter.customerSpeaks || performance.now() < this.#presentUntilMs,
    );
    this.#staffDesk = new StaffDesk({
      terminal,
      language: config.language,
      currency: config.menu.currency,
      store: this.#journal.store,
      state: () => this.#core.state,
      devices: () => this.#devices(),
      ask: (lookup) => this.#core.ask(lookup),
      newId: randomUUID,
      now: Date.now,
      after: (ms, work) => {
        const timer = setTimeout(work, ms);
        return () => clearTimeout(timer);
      },
    });
    this.#staffSocket = new StaffSocket(join(data, STAFF_SOCKET), (request, tell) =>
      this.#staffDesk.handle(request, tell),
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

  /**
   * Resolves when a customer can be served. Throws a Fault when the journal or the display port cannot be had, or the
   * settings do not go with what the journal holds.
   */
  async start(): Promise<{ displayPort: number }> {
    // A key that cannot be read is found before anything else is touched.
    readLedgerKeyFile(this.#config.ledger.publicKey);
    makeDataFolder(this.#config.data);
    const recovered = this.#journal.open();
    checkCurrency(recovered, this.#settings.menu.currency);
    this.#watch.begin(recovered.state);
    this.#display.watch();
    this.#counter.start();
    this.#interpreter = new Interpreter(this.#settings, recovered.state, {
      journal: this.#journal.store,
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
    for (const burial of unheardBurials(this.#journal.store.deadLetters(), recovered.state))
      this.#core.deliver(burial);
    this.#uplink = makeLedgerLink(this.#config, {
      log: this.#log,
      observers: this.#observers,
      journal: this.#journal,
      core: this.#core,
    });
    this.#uplink.start();
    this.#journal.startPruning(this.#failed);
    await this.#staffSocket.start();
    const { host, port } = this.#config.display;
    this.#displayPort = await this.#display.start(host, port);
    return { displayPort: this.#displayPort };
  }

  /** Resolves when every process and file is let go. Safe at any time after the constructor. */
  async stop(): Promise<void> {
    await this.#staffSocket.stop();
    await this.#display.stop();
    await this.#uplink?.stop();
    this.#timers.stop();
    this.#interpreter?.stop();
    await this.#counter.stop();
    this.#journal.close();
  }

  get #core(): Interpreter {
    if (this.#interpreter === null) throw new Error("the terminal has not been started");
    return this.#interpreter;
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
        this.#log.info({ requestId: effect.requestId, answer: effect.answer.kind }, "answered staff");
        return this.#staffDesk.answered(effect.requestId, effect.answer);
      default:
        return this.#counter.perform(effect);
    }
  }

  #committed(state: TerminalState, events: readonly SaleEvent[]): void {
    this.#watch.committed(state, events);
    try {
      this.#journal.committed(state);
    } catch (cause) {
      this.#failed(cause);
    }
    this.#observers.tell({ kind: "view", view: this.#view() });
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

  #devices(): readonly DeviceState[] {
    return this.#counter.children.map(({ name, state }) => ({
      name,
      state: state.kind,
      ...(state.kind === "restarting" ? { fault: state.fault.message } : {}),
    }));
  }

  #health(): unknown {
    const children = this.#counter.children.map(({ state }, index) => {
      const pid = state.kind === "running" ? { pid: state.pid, restarts: state.restarts } : {};
      return { ...this.#devices()[index], ...pid };
    });
    const { linkUp, openCharges, openRefunds, standing } = this.#core.state;
    const memoryMiB = Math.round(process.memoryUsage.rss() / 1_048_576);
    return {
      terminal: this.#config.terminal,
      pid: process.pid,
      uptimeS: Math.round(process.uptime()),
      memoryMiB,
      linkUp,
      standing,
      openCharges: openCharges.length,
      openRefunds: openRefunds.length,
      outboxDepth: this.#journal.store.depth(),
      children,
      ready: children.every((child) => child.state === "running"),
    };
  }
}
