/**
 * The devices and models at the counter of one terminal: six supervised processes, and the parts of daemon/shell/counter
 * that turn what they report into events and carry out what the core wants of them.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { DriverKind, DriverTypes } from "../drivers/driver.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "../models/model.ts";
import { BUNDLED, type Config } from "./config.ts";
import type { CardProof } from "./core/clearing.ts";
import type { Language } from "./core/menu.ts";
import type { Prompt } from "./core/prompt.ts";
import { Card } from "./shell/counter/card.ts";
import { Ear } from "./shell/counter/ear.ts";
import { Paper } from "./shell/counter/paper.ts";
import { Voice } from "./shell/counter/voice.ts";
import type { DeviceEffect, Happening } from "./shell/interpreter.ts";
import type { Latencies } from "./shell/latency.ts";
import type { Observers } from "./shell/observation.ts";
import { SupervisedChild } from "./shell/supervisor.ts";

type DriverChild<Kind extends DriverKind> = SupervisedChild<
  DriverTypes[Kind]["command"],
  DriverTypes[Kind]["event"]
>;

const DRIVER_HOST = fileURLToPath(new URL("../drivers/host.js", import.meta.url));
const MODEL_HOST = fileURLToPath(new URL("../models/host.js", import.meta.url));
/** From dist/daemon to the weights, which are not compiled. */
const BUNDLED_HEARING = fileURLToPath(new URL("../../models/bundled/hearing", import.meta.url));
const MODEL_OPEN_LIMIT_MS = 30_000;

export type CounterPorts = {
  readonly log: Logger;
  readonly observers: Observers;
  readonly latencies: Latencies;
  readonly deliver: (happening: Happening) => void;
  readonly presentCard: (card: CardProof, verified: boolean) => void;
};

/** What is wanted of a device, as far as it stands at the counter. */
export type CounterEffect = Extract<
  DeviceEffect,
  { kind: "speech.say" | "ear.open" | "ear.close" | "card.arm" | "card.disarm" | "printer.print" }
>;

export class Counter {
  readonly #ports: CounterPorts;
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

  constructor(config: Config, ports: CounterPorts) {
    this.#ports = ports;
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
  }

  get customerSpeaks(): boolean {
    return this.#ear.customerSpeaks;
  }

  /** The processes with their states, for health reports. */
  get children(): readonly Pick<SupervisedChild<never, never>, "name" | "state">[] {
    return Object.values(this.#children);
  }

  /** Makes the sound of what will probably be said next. */
  prepare(prompt: Prompt, language: Language): void {
    this.#voice.prepare(prompt, language);
  }

  start(): void {
    const { observers } = this.#ports;
    for (const part of [this.#voice, this.#ear, this.#card, this.#paper]) part.start();
    this.#followDevices();
    for (const child of Object.values(this.#children)) {
      child.onState((state) => {
        if (state.kind === "running") observers.tell({ kind: "recovered", unit: child.name });
        if (state.kind !== "restarting") return;
        observers.tell({
          kind: "fault",
          unit: child.name,
          code: state.fault.code,
          detail: state.fault.message,
        });
      });
      child.start();
    }
  }

  /** Resolves when every process is let go. */
  async stop(): Promise<void> {
    this.#voice.stop();
    await Promise.all(Object.values(this.#children).map((child) => child.stop()));
  }

  perform(effect: CounterEffect): void {
    switch (effect.kind) {
      case "speech.say":
        return this.#voice.say(effect);
      case "ear.open": {
        const { expectation, lines } = effect;
        this.#ports.observers.tell({ kind: "listening" });
        return this.#ear.open({ expectation, lines });
      }
      case "ear.close":
        return this.#ear.close();
      case "card.arm":
        this.#ports.observers.tell({ kind: "awaiting-card" });
        return this.#card.arm();
      case "card.disarm":
        return this.#card.disarm();
      case "printer.print":
        return this.#paper.print(effect.id, effect.paper);
    }
  }

  #driver<Kind extends DriverKind>(name: Kind, unit: string, settings: unknown): DriverChild<Kind> {
    return new SupervisedChild({ name, entry: DRIVER_HOST, unit, settings }, this.#ports.log);
  }

  #model<Command, Event>(name: string, settings: unknown): SupervisedChild<Command, Event> {
    const limits = { openLimitMs: MODEL_OPEN_LIMIT_MS };
    return new SupervisedChild({ name, entry: MODEL_HOST, unit: name, settings, ...limits }, this.#ports.log);
  }

  /** What a device says of itself while its process runs. */
  #followDevices(): void {
    const { observers } = this.#ports;
    const { microphone, speaker, cardReader, printer } = this.#children;
    const recovered = (unit: string, event: { readonly kind: string }): void => {
      if (event.kind === "recovered") observers.tell({ kind: "recovered", unit });
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
    const { observers, latencies, deliver } = this.#ports;
    return new Voice(this.#children.speaking, this.#children.speaker, {
      ended: (effectId, outcome) => {
        observers.tell({ kind: "fell-silent" });
        deliver({ kind: "speech.ended", effectId, outcome });
      },
      caption: (_, text, prompt) => observers.tell({ kind: "caption", text, prompt: prompt.kind }),
      started: (_, prompt) => {
        latencies.replied();
        observers.tell({ kind: "spoke", prompt: prompt.kind });
      },
    });
  }

  #makeEar(): Ear {
    const { observers, latencies, deliver, log } = this.#ports;
    const { microphone, hearing } = this.#children;
    return new Ear(microphone, hearing, () => this.#voice.isSpeaking, {
      heard: (turn, transcript, timings) => {
        latencies.heard(timings);
        log.info({ intent: turn.intent.kind, confidence: turn.confidence, ...timings }, "heard");
        log.debug({ transcript }, "transcript");
        const { intent, confidence } = turn;
        observers.tell({ kind: "heard", transcript, intent, confidence, timings });
        deliver({ kind: "turn.heard", turn, source: "voice" });
      },
      notUnderstood: (transcript, timings) => {
        latencies.heard(timings);
        log.info({ ...timings }, "not understood");
        log.debug({ transcript }, "transcript");
        observers.tell({ kind: "heard", transcript, intent: null, confidence: 0, timings });
        deliver({ kind: "turn.missed" });
      },
      partial: (text) => observers.tell({ kind: "partial", text }),
      fault: (code, detail) => this.#fault("ear", code, detail),
    });
  }

  #makeCard(): Card {
    const { observers, latencies, deliver, presentCard, log } = this.#ports;
    return new Card(this.#children.cardReader, {
      presented: (card, verified) => {
        latencies.tapped();
        observers.tell({ kind: "tapped", masked: card.masked });
        presentCard(card, verified);
      },
      rejected: (reason) => {
        log.info({ reason }, "card rejected");
        observers.tell({ kind: "card-rejected", reason });
        deliver({ kind: "card.rejected", reason });
      },
      fault: (code, detail) => this.#fault("card-reader", code, detail),
    });
  }

  #makePaper(): Paper {
    const { observers, latencies, deliver, log } = this.#ports;
    return new Paper(this.#children.printer, {
      printed: (effectId, paper) => {
        if (paper.kind === "receipt") latencies.printed();
        observers.tell({ kind: "printed" });
        deliver({ kind: "receipt.printed", effectId });
      },
      failed: (effectId, reason, paperMoved) => {
        log.warn({ reason, paperMoved }, "receipt not printed");
        observers.tell({ kind: "print-failed", reason });
        deliver({ kind: "receipt.failed", effectId, reason, paperMoved });
      },
      fault: (code, detail) => this.#fault("printer", code, detail),
    });
  }

  #fault(unit: string, code: string, detail: string): void {
    this.#ports.log.warn({ unit, code, detail }, "fault");
    this.#ports.observers.tell({ kind: "fault", unit, code, detail });
  }
}
