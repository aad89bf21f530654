/**
 * A microphone on ALSA, recorded by arecord through node-record-lpcm16: 20 ms frames of 16 kHz mono, numbered without gaps.
 *
 * Frames are counted: a microphone that delivers none is a fault, not silence. Whatever ends the recorder, it is started
 * again with bounded back-off until it delivers, and "recovered" is told once frames flow. The device is held from
 * open() until a stop command; frames leave the driver only between start and stop.
 */
import { type BackOff, backOffMs } from "../../daemon/core/back-off.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { Device, Driver, MicrophoneCommand, MicrophoneEvent } from "../driver.ts";
import { FRAME_MS, FrameCutter, isDigitalSilence } from "./frames.ts";
import { Recorder } from "./recorder.ts";
import { type MicrophoneSettings, microphoneSettings } from "./settings.ts";

const OPEN_LIMIT_MS = 5_000;
const NO_FRAMES_AFTER_MS = 2_000;
const WATCH_INTERVAL_MS = 250;
const RESTART_BACK_OFF: BackOff = { firstMs: 100, factor: 2, maximumMs: 5_000, jitter: 0.2 };
/** A recorder that delivered this much, one second, was well: the next failure counts as the first. */
const STEADY_AFTER_FRAMES = 50;
const CLOSE_LIMIT_MS = 1_000;

type Emit = (event: MicrophoneEvent) => void;

class AlsaMicrophone implements Device<"microphone"> {
  readonly #settings: MicrophoneSettings;
  readonly #emit: Emit;
  #recorder: Recorder | null = null;
  #recorderGone: Promise<void> = Promise.resolve();
  #cutter = new FrameCutter();
  /** The device is to be held, so a recorder that ends is started again. */
  #held = false;
  #delivering = false;
  #index = 0;
  #lastFrameAt = 0;
  #silentFrames = 0;
  #steadyFrames = 0;
  #failures = 0;
  /** Why frames do not flow, when they do not; also tells that a "recovered" is owed. */
  #fault: Fault | null = null;
  #opening: { resolve: () => void; reject: (fault: Fault) => void } | null = null;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(chosen: MicrophoneSettings, emit: Emit) {
    this.#settings = chosen;
    this.#emit = emit;
  }

  /** Resolves with the first frame, which proves that the device delivers. */
  async open(): Promise<void> {
    const device = this.#settings.device;
    let limit: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = { resolve, reject };
        limit = setTimeout(
          () => reject(new Fault("audio.no-frames", `"${device}" opens but stays silent`)),
          OPEN_LIMIT_MS,
        );
        this.#hold();
      });
    } catch (fault) {
      await this.close();
      throw fault;
    } finally {
      clearTimeout(limit);
      this.#opening = null;
    }
  }

  async command(command: MicrophoneCommand): Promise<void> {
    switch (command.kind) {
      case "start":
        this.#delivering = true;
        return this.#hold();
      case "stop":
        return this.close();
    }
  }

  async close(): Promise<void> {
    this.#held = false;
    this.#delivering = false;
    this.#fault = null;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#recorder?.stop();
    await Promise.race([
      this.#recorderGone,
      new Promise((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS).unref()),
    ]);
  }

  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#failures = 0;
    this.#silentFrames = 0;
    this.#watch = setInterval(() => this.#checkFrames(), WATCH_INTERVAL_MS);
    this.#record();
  }

  #record(): void {
    this.#cutter = new FrameCutter();
    this.#steadyFrames = 0;
    this.#lastFrameAt = performance.now();
    let gone: () => void = () => {};
    this.#recorderGone = new Promise((resolve) => {
      gone = resolve;
    });
    const recorder: Recorder = new Recorder(this.#settings.device, {
      data: (chunk) => {
        if (this.#recorder === recorder) for (const pcm of this.#cutter.cut(chunk)) this.#frame(pcm);
      },
      ended: (fault) => {
        gone();
        if (this.#recorder !== recorder) return;
        this.#recorder = null;
        if (this.#held && fault !== null) this.#lost(fault);
      },
    });
    this.#recorder = recorder;
    recorder.start();
  }

  #frame(pcm: Int16Array): void {
    this.#lastFrameAt = performance.now();
    if (++this.#steadyFrames >= STEADY_AFTER_FRAMES) this.#failures = 0;
    this.#opening?.resolve();
    const muted = this.#countSilence(pcm);
    if (this.#fault !== null && !muted) {
      this.#fault = null;
      this.#emit({ kind: "recovered" });
    }
    if (this.#delivering) this.#emit({ kind: "frame", index: this.#index++, pcm });
  }

  #countSilence(pcm: Int16Array): boolean {
    this.#silentFrames = isDigitalSilence(pcm) ? this.#silentFrames + 1 : 0;
    const seconds = this.#settings.silenceFaultAfterS;
    const muted = seconds > 0 && this.#silentFrames * FRAME_MS >= seconds * 1000;
    if (muted) {
      this.#report(
        new Fault("audio.no-frames", `only digital silence for ${seconds} s; is the microphone muted?`),
      );
    }
    return muted;
  }

  #checkFrames(): void {
    if (this.#recorder === null || performance.now() - this.#lastFrameAt < NO_FRAMES_AFTER_MS) return;
    const recorder = this.#recorder;
    this.#recorder = null;
    recorder.abandon();
    this.#lost(new Fault("audio.no-frames", `no frames for ${NO_FRAMES_AFTER_MS} ms`));
  }

  #lost(fault: Fault): void {
    if (this.#opening !== null) return this.#opening.reject(fault);
    this.#report(fault);
    this.#failures++;
    this.#retry = setTimeout(
      () => this.#record(),
      backOffMs(RESTART_BACK_OFF, this.#failures, Math.random()),
    );
  }

  /** One fault event for each cause in a row, not one for each try. */
  #report(fault: Fault): void {
    const known = this.#fault?.code === fault.code;
    this.#fault = fault;
    if (!known) this.#emit({ kind: "fault", code: fault.code, detail: fault.detail });
  }
}

export const alsaMicrophone: Driver<"microphone", MicrophoneSettings> = {
  id: "microphone/alsa",
  kind: "microphone",
  settings: microphoneSettings,
  fingerprints: [{ name: /usb audio|microphone|respeaker|conference/i }],
  async open(chosen, emit) {
    const microphone = new AlsaMicrophone(chosen, emit);
    await microphone.open();
    return microphone;
  },
};
