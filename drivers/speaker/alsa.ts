/**
 * A speaker on ALSA through the speaker package: plays one utterance at a time and falls silent within 100 ms when told.
 *
 * Samples are handed over in small pieces by the clock, a little ahead of what sounds, so that little has to be taken back on
 * "stop". The device stays open between utterances, because opening one costs the time that a customer waits. A new
 * utterance interrupts the one that plays. A device that is lost is opened again with bounded back-off.
 */
import { type BackOff, backOffMs } from "../../daemon/core/back-off.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { Device, Driver, SpeakerCommand, SpeakerEvent } from "../driver.ts";
import { Output } from "./output.ts";
import { resample } from "./resample.ts";
import { type SpeakerSettings, speakerSettings } from "./settings.ts";

const PIECE_MS = 40;
/**
 * How far the device's buffer is kept ahead of the clock: as long as this process may be held up without a gap in speech, and
 * as long as speech goes on after "stop" on devices that do not take samples back (ALSA's dmix).
 */
const LEAD_MS = 100;
/** At 490 bytes lost with each write, 100 MB, after more than two hours of speech. */
const MAXIMUM_WRITES = 200_000;
/** Nobody has been spoken to for this long: a good moment to replace the process. */
const QUIET_MS = 60_000;
const MAXIMUM_UTTERANCE_S = 120;
const REOPEN_BACK_OFF: BackOff = { firstMs: 200, factor: 2, maximumMs: 5_000, jitter: 0.2 };

type Play = Extract<SpeakerCommand, { kind: "play" }>;

/** One utterance on its way. */
class Utterance {
  readonly id: string;
  readonly pcm: Int16Array;
  #interrupted = false;
  #wake: () => void = () => {};

  constructor(id: string, pcm: Int16Array) {
    this.id = id;
    this.pcm = pcm;
  }

  get isInterrupted(): boolean {
    return this.#interrupted;
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#wake();
  }

  /** Resolves after `waitMs`, or at once on an interruption. */
  wait(waitMs: number): Promise<void> {
    if (this.#interrupted || waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

class AlsaSpeaker implements Device<"speaker"> {
  readonly #settings: SpeakerSettings;
  readonly #emit: (event: SpeakerEvent) => void;
  readonly #output: Output;
  #utterance: Utterance | null = null;
  /** Utterances play one after the other; each interrupts the one before it. */
  #turn: Promise<void> = Promise.resolve();
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #quietSince = performance.now();

  constructor(chosen: SpeakerSettings, emit: (event: SpeakerEvent) => void) {
    this.#settings = chosen;
    this.#emit = emit;
    this.#output = new Output(chosen.device, chosen.sampleRate);
  }

  open(): Promise<void> {
    return this.#output.open();
  }

  async command(command: SpeakerCommand): Promise<void> {
    this.#utterance?.interrupt();
    switch (command.kind) {
      case "play":
        return this.#accept(command);
      case "stop":
        return this.#turn;
    }
  }

  isWornOut(): boolean {
    const quietMs = performance.now() - this.#quietSince;
    return this.#utterance === null && quietMs > QUIET_MS && this.#output.writes > MAXIMUM_WRITES;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#utterance?.interrupt();
    await this.#turn;
    this.#output.drop();
  }

  #accept(play: Play): void {
    const seconds = play.pcm.length / play.sampleRate;
    if (seconds > MAXIMUM_UTTERANCE_S) {
      const detail = `an utterance of ${seconds.toFixed(0)} s is longer than ${MAXIMUM_UTTERANCE_S} s`;
      throw new Fault("time-out", detail, { retry: "unsafe" });
    }
    const utterance = new Utterance(play.id, resample(play.pcm, play.sampleRate, this.#settings.sampleRate));
    this.#utterance = utterance;
    this.#turn = this.#turn.then(() => this.#play(utterance));
  }

  async #play(utterance: Utterance): Promise<void> {
    try {
      await this.#sound(utterance);
      if (utterance.isInterrupted) await this.#silence();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#emit({ kind: "finished", id: utterance.id, outcome: "failed" });
      return this.#lost(error);
    } finally {
      if (this.#utterance === utterance) this.#utterance = null;
      this.#quietSince = performance.now();
    }
    const outcome = utterance.isInterrupted ? "interrupted" : "played";
    this.#emit({ kind: "finished", id: utterance.id, outcome });
  }

  /** Returns when the last sample has sounded by the clock, or on an interruption. */
  async #sound(utterance: Utterance): Promise<void> {
    const { sampleRate } = this.#settings;
    const piece = Math.round((PIECE_MS * sampleRate) / 1000);
    // When the first sample would have sounded, had there been no gap since.
    let originMs = 0;
    for (let at = 0; at < utterance.pcm.length && !utterance.isInterrupted; at += piece) {
      await this.#write(utterance.pcm.subarray(at, at + piece));
      if (at === 0) this.#emit({ kind: "started", id: utterance.id });
      const soundedMs = (at * 1000) / sampleRate;
      originMs = Math.max(originMs, performance.now() - soundedMs);
      await utterance.wait(originMs + soundedMs + 2 * PIECE_MS - LEAD_MS - performance.now());
    }
    await utterance.wait(originMs + (utterance.pcm.length * 1000) / sampleRate - performance.now());
  }

  /** A device that was lost while nothing played shows it only now, so a write has a second chance on a fresh one. */
  async #write(pcm: Int16Array): Promise<void> {
    if (this.#output.isOpen) {
      try {
        return await this.#output.write(pcm);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
    await this.#output.open();
    this.#recovered();
    await this.#output.write(pcm);
  }

  async #silence(): Promise<void> {
    this.#output.drop();
    if (!this.#closed) await this.#output.open();
  }

  #lost(fault: Fault): void {
    if (this.#closed) return;
    if (this.#failures++ === 0) this.#emit({ kind: "fault", code: fault.code, detail: fault.detail });
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#reopen(), backOffMs(REOPEN_BACK_OFF, this.#failures, Math.random()));
  }

  #reopen(): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#closed || this.#output.isOpen) return;
      try {
        await this.#output.open();
        this.#recovered();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#lost(error);
      }
    });
  }

  #recovered(): void {
    clearTimeout(this.#retry);
    if (this.#failures > 0) this.#emit({ kind: "recovered" });
    this.#failures = 0;
  }
}

export const alsaSpeaker: Driver<"speaker", SpeakerSettings> = {
  id: "speaker/alsa",
  kind: "speaker",
  settings: speakerSettings,
  fingerprints: [{ name: /usb audio|speaker|headphones/i }],
  async open(chosen, emit) {
    const speaker = new AlsaSpeaker(chosen, emit);
    await speaker.open();
    return speaker;
  },
};
