/**
 * The terminal's ear: microphone frames go to the hearing process, turns come back.
 *
 * Half duplex: while the terminal speaks, and for a moment after, frames are withheld, so that it never hears itself.
 * The ear's state survives either process: what was open is opened again after a restart.
 */
import type { MicrophoneCommand, MicrophoneEvent } from "../../../drivers/driver.ts";
import type { DialogueContext, HearingCommand, HearingEvent, HearingTimings } from "../../../models/model.ts";
import type { Turn } from "../../core/intent.ts";
import type { SupervisedChild } from "../supervisor.ts";

export type EarListener = {
  readonly heard: (turn: Turn, transcript: string, timings: HearingTimings) => void;
  readonly notUnderstood: (transcript: string, timings: HearingTimings) => void;
  readonly partial: (text: string) => void;
  readonly fault: (code: string, detail: string) => void;
};

/** Sound that is still in the room and in buffers after the speaker reported its end. */
const ECHO_TAIL_MS = 120;
/** A customer who is speaking for longer than this without a turn is noise. */
const LONGEST_SPEECH_MS = 20_000;

export class Ear {
  readonly #microphone: SupervisedChild<MicrophoneCommand, MicrophoneEvent>;
  readonly #hearing: SupervisedChild<HearingCommand, HearingEvent>;
  readonly #listener: EarListener;
  readonly #terminalSpeaks: () => boolean;
  #context: DialogueContext | null = null;
  #quietSince = 0;
  #speechSince: number | null = null;

  constructor(
    microphone: SupervisedChild<MicrophoneCommand, MicrophoneEvent>,
    hearing: SupervisedChild<HearingCommand, HearingEvent>,
    terminalSpeaks: () => boolean,
    listener: EarListener,
  ) {
    this.#microphone = microphone;
    this.#hearing = hearing;
    this.#terminalSpeaks = terminalSpeaks;
    this.#listener = listener;
  }

  start(): void {
    this.#microphone.onState((state) => {
      if (state.kind === "running") this.#microphone.command({ kind: "start" }).catch(() => undefined);
    });
    this.#microphone.onEvent((event) => this.#captured(event));
    this.#hearing.onEvent((event) => this.#noticed(event));
    this.#hearing.onState((state) => {
      if (state.kind === "running" && this.#context !== null) this.open(this.#context);
    });
  }

  /** True while a customer is in the middle of an utterance. */
  get customerSpeaks(): boolean {
    return this.#speechSince !== null && performance.now() - this.#speechSince < LONGEST_SPEECH_MS;
  }

  open(context: DialogueContext): void {
    this.#context = context;
    this.#speechSince = null;
    this.#hearing.command({ kind: "listen", context }).catch(() => undefined);
  }

  close(): void {
    if (this.#context === null) return;
    this.#context = null;
    this.#speechSince = null;
    this.#hearing.command({ kind: "close-ear" }).catch(() => undefined);
  }

  #captured(event: MicrophoneEvent): void {
    if (event.kind === "fault") this.#listener.fault(event.code, event.detail);
    if (event.kind !== "frame") return;
    const now = performance.now();
    if (this.#terminalSpeaks()) this.#quietSince = now;
    else if (now - this.#quietSince >= ECHO_TAIL_MS) this.#hearing.tell({ kind: "frame", pcm: event.pcm });
  }

  #noticed(event: HearingEvent): void {
    if (event.kind === "fault") return this.#listener.fault(event.code, event.detail);
    // A turn that was finished before the ear closed must not answer the next question.
    if (this.#context === null) return;
    switch (event.kind) {
      case "speech-started":
        this.#speechSince = performance.now();
        return;
      case "partial":
        return this.#listener.partial(event.text);
      case "heard":
        this.#endTurn();
        return this.#listener.heard(event.turn, event.transcript, event.timings);
      case "not-understood":
        this.#endTurn();
        return this.#listener.notUnderstood(event.transcript, event.timings);
    }
  }

  #endTurn(): void {
    this.#context = null;
    this.#speechSince = null;
  }
}
