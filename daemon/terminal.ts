/**
 * One terminal put together: journal, core, counter devices, uplink and display. Everything is wired here and nowhere
 * else; each part only knows its own ports.
 *
 * Start order: journal first (nothing may happen that is not recorded), then the processes that need time to open, then
 * the state is taken up again, then the link and the display. Stop is the reverse, and the journal closes last.
 */
import { type KeyObject, randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { DriverKind, DriverTypes } from "../drivers/driver.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "../models/model.ts";
import { SqliteStore } from "../sync/store/sqlite-store.ts";
import { MqttBroker } from "../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../sync/uplink/uplink.ts";
import { BUNDLED, type Config, saleSettings } from "./config.ts";
import type { SaleEvent } from "./core/event.ts";
import type { Intent } from "./core/intent.ts";
import type { Language } from "./core/menu.ts";
import type { TerminalState } from "./core/sale.ts";
import type { SaleSettings } from "./core/settings.ts";
import { viewOf } from "./core/view.ts";
import { makeDataFolder } from "./data-folder.ts";
import { DisplayServer } from "./display/server.ts";
import { readLedgerKeyFile } from "./ledger-key.ts";
import { Card } from "./shell/counter/card.ts";
import { Ear } from "./shell/counter/ear.ts";
import { Paper } from "./shell/counter/paper.ts";
import { Voice } from "./shell/counter/voice.ts";
import { type DeviceEffect, Interpreter } from "./shell/interpreter.ts";
import { Latencies } from "./shell/latency.ts";
import { Observers } from "./shell/observation.ts";
import { recover } from "./shell/recovery.ts";
import { SaleWatch } from "./shell/sale-watch.ts";
import { SupervisedChild } from "./shell/supervisor.ts";
import { Timers } from "./shell/timers.ts";

type DriverChild<Kind extends DriverKind> = SupervisedChild<
  DriverTypes[Kind]["command"],
  DriverTypes[Kind]["event"]
>;

const DRIVER_HOST = fileURLToPath(new URL("../drivers/host.js", import.meta.url));
const MODEL_HOST = fileURLToPath(new URL("../models/host.js", import.meta.url));
/** From dist/daemon to the weights, which are not compiled. */
const BUNDLED_HEARING = fileURLToPath(new URL("../../models/bundled/hearing", import.meta.url));
const MODEL_OPEN_LIMIT_MS = 30_000;
/** Someone who just touched the display is reading it and has not failed to speak. */
const READING_MS = 20_000;

export class Terminal {
  readonly #config: Config;
  readonly #settings: SaleSettings;
  readonly #log: Logger;
  readonly #failed: (cause: unknown) => void;
  readonly #store: SqliteStore<SaleEvent, TerminalState>;
  readonly #children: {
    readonly microphone: DriverChild<"microphone">;
    readonly speaker: DriverChild<"speaker">;
    readonly cardReader: DriverChild<"card-reader">;
    readonly printer: DriverChild<"printer">;
    readonly hearing: SupervisedChild<HearingCommand, HearingEvent>;
    readonly speaking: SupervisedChild<SpeakingCommand, SpeakingEvent>;
  };
  readonly #voice: Voice;
  readonly #ear: Ear;
  readonly #card: Card;
  readonly #paper: Paper;
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
    this.#children = {
      microphone: this.#driver("microphone", "microphone/alsa", config.microphone),
      speaker: this.#driver("speaker", "speaker/alsa", config.speaker),
      cardReader: this.#driver("card-reader", "card-reader/pcsc", config.cardReader),
      printer: this.#driver("printer", "printer/escpos", config.printer),
      hearing: this.#model("hearing", {
        modelDirectory: config.hearing.model === BUNDLED ? BUNDLED_HEARING : config.hearing.model,
        language: config.language,
        menu: config.menu,
        endpointing: config.hearing.endpointing,
        threads: config.hearing.threads,
      }),
      speaking: this.#model("speaking", {
        menu: config.menu,
        rate: config.speaking.rate,
        volume: config.speaking.volume,
        cacheDirectory: join(config.data, "speech"),
      }),
    };
    this.#voice = this.#makeVoice();
    this.#ear = this.#makeEar();
    this.#card = this.#makeCard();
    this.#paper = this.#makePaper();
    this.#watch = new SaleWatch(log, this.#latencies, this.#observers, (prompt, language) =>
      this.#voice.prepare(prompt, language),
    );
    this.#timers = new Timers(
      (timerId) => this.#core.deliver({ kind: "timer.fired", timerId }),
      () => this.#ear.customerSpeaks || performance.now() < this.#presentUntilMs,
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
    this.#startCounter();
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
    this.#voice.stop();
    await Promise.all(Object.values(this.#children).map((child) => child.stop()));
    this.#store.close();
  }

  get #core(): Interpreter {
    if (this.#interpreter === null) throw new Error("the terminal has not been started");
    return this.#interpreter;
  }

  #driver<Kind extends DriverKind>(name: Kind, unit: string, settings: unknown): DriverChild<Kind> {
    return new SupervisedChild({ name, entry: DRIVER_HOST, unit, settings }, this.#log);
  }

  #model<Command, Event>(name: string, settings: unknown): SupervisedChild<Command, Event> {
    const limits = { openLimitMs: MODEL_OPEN_LIMIT_MS };
    return new SupervisedChild({ name, entry: MODEL_HOST, unit: name, settings, ...limits }, this.#log);
  }

  #startCounter(): void {
    for (const part of [this.#voice, this.#ear, this.#card, this.#paper]) part.start();
    this.#followDevices();
    for (const child of Object.values(this.#children)) {
      child.onState((state) => {
        if (state.kind === "running") this.#observers.tell({ kind: "recovered", unit: child.name });
        if (state.kind !== "restarting") return;
        this.#observers.tell({
          kind: "fault",
          unit: child.name,
          code: state.fault.code,
          detail: state.fault.message,
        });
      });
      child.start();
    }
  }

  /** What a device says of itself while its process runs. */
  #followDevices(): void {
    const { microphone, speaker, cardReader, printer } = this.#children;
    const recovered = (unit: string, event: { readonly kind: string }): void => {
      if (event.kind === "recovered") this.#observers.tell({ kind: "recovered", unit });
    };
    microphone.onEvent((event) => recovered("microphone", event));
    cardReader.onEvent((event) => recovered("card-reader", event));
    printer.onEvent((event) => recovered("printer", event));
    speaker.onEvent((event) => {
      if (event.kind === "fault") this.#fault("speaker", event.code, event.detail);
      recovered("speaker", event);
    });
  }

  #makeVoice(): Voice {
    return new Voice(this.#children.speaking, this.#children.speaker, {
      ended: (effectId, outcome) => {
        this.#observers.tell({ kind: "fell-silent" });
        this.#core.deliver({ kind: "speech.ended", effectId, outcome });
      },
      caption: (_, text, prompt) => this.#observers.tell({ kind: "caption", text, prompt: prompt.kind }),
      started: (_, prompt) => {
        this.#latencies.replied();
        this.#observers.tell({ kind: "spoke", prompt: prompt.kind });
      },
    });
  }

  #makeEar(): Ear {
    const { microphone, hearing } = this.#children;
    return new Ear(microphone, hearing, () => this.#voice.isSpeaking, {
      heard: (turn, transcript, timings) => {
        this.#latencies.heard(timings);
        this.#log.info({ intent: turn.intent.kind, confidence: turn.confidence, ...timings }, "heard");
        this.#log.debug({ transcript }, "transcript");
        const { intent, confidence } = turn;
        this.#observers.tell({ kind: "heard", transcript, intent, confidence, timings });
        this.#core.deliver({ kind: "turn.heard", turn, source: "voice" });
      },
      notUnderstood: (transcript, timings) => {
        this.#latencies.heard(timings);
        this.#log.info({ ...timings }, "not understood");
        this.#log.debug({ transcript }, "transcript");
        this.#observers.tell({ kind: "heard", transcript, intent: null, confidence: 0, timings });
        this.#core.deliver({ kind: "turn.missed" });
      },
      partial: (text) => this.#observers.tell({ kind: "partial", text }),
      fault: (code, detail) => this.#fault("ear", code, detail),
    });
  }

  #makeCard(): Card {
    return new Card(this.#children.cardReader, {
      presented: (card) => {
        this.#latencies.tapped();
        this.#observers.tell({ kind: "tapped", masked: card.masked });
        this.#core.presentCard(card);
      },
      rejected: (reason) => {
        this.#log.info({ reason }, "card rejected");
        this.#observers.tell({ kind: "card-rejected", reason });
        this.#core.deliver({ kind: "card.rejected", reason });
      },
      fault: (code, detail) => this.#fault("card-reader", code, detail),
    });
  }

  #makePaper(): Paper {
    return new Paper(this.#children.printer, {
      printed: (effectId) => {
        this.#latencies.printed();
        this.#observers.tell({ kind: "printed" });
        this.#core.deliver({ kind: "receipt.printed", effectId });
      },
      failed: (effectId, reason, paperMoved) => {
        this.#log.warn({ reason, paperMoved }, "receipt not printed");
        this.#observers.tell({ kind: "print-failed", reason });
        this.#core.deliver({ kind: "receipt.failed", effectId, reason, paperMoved });
      },
      fault: (code, detail) => this.#fault("printer", code, detail),
    });
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
      case "speech.say":
        return this.#voice.say(effect);
      case "ear.open": {
        const { expectation, lines } = effect;
        this.#observers.tell({ kind: "listening" });
        return this.#ear.open({ expectation, lines });
      }
      case "ear.close":
        return this.#ear.close();
      case "card.arm":
        this.#observers.tell({ kind: "awaiting-card" });
        return this.#card.arm();
      case "card.disarm":
        return this.#card.disarm();
      case "printer.print":
        return this.#paper.print(effect.id, effect.receipt);
      case "timer.start":
        return this.#timers.start(effect.name, effect.id, effect.purpose, effect.afterMs);
      case "timer.cancel":
        return this.#timers.cancel(effect.name);
      case "alarm.raise":
        this.#log.warn({ alarm: effect.alarm }, "alarm");
        return this.#observers.tell({ kind: "alarm", alarm: effect.alarm });
    }
  }

  #committed(state: TerminalState, events: readonly SaleEvent[]): void {
    this.#watch.committed(state, events);
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

  #health(): unknown {
    const children = Object.values(this.#children).map((child) => {
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

  #fault(unit: string, code: string, detail: string): void {
    this.#log.warn({ unit, code, detail }, "fault");
    this.#observers.tell({ kind: "fault", unit, code, detail });
  }
}
