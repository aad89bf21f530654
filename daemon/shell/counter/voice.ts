/**
 * The terminal's voice: a prompt becomes sound in the speaking process and is played by the speaker process.
 *
 * Every sentence ends with exactly one `ended`, also when a process dies or hangs in between, because the dialogue
 * waits for it. A new sentence cuts off the present one, except one that tells how a payment went: that is heard out.
 */
import type { SpeakerCommand, SpeakerEvent } from "../../../drivers/driver.ts";
import type { SpeakingCommand, SpeakingEvent } from "../../../models/model.ts";
import { Fault } from "../../core/fault.ts";
import type { Language } from "../../core/menu.ts";
import type { Prompt } from "../../core/prompt.ts";
import type { SupervisedChild } from "../supervisor.ts";

export type SpeechOutcome = "played" | "interrupted" | "failed";

export type VoiceListener = {
  readonly ended: (id: string, outcome: SpeechOutcome) => void;
  /** The words are known, as they are shown to the customer, just before they are heard. */
  readonly caption: (id: string, text: string, prompt: Prompt) => void;
  /** The first sound of the sentence went to the speaker. */
  readonly started: (id: string, prompt: Prompt) => void;
};

type SpokenSound = { readonly pcm: Int16Array; readonly sampleRate: number };
type Sentence = { readonly id: string; readonly prompt: Prompt; readonly language: Language };

/** A sentence that is not sound by then is given up; its words are on the display. */
const SYNTHESIS_LIMIT_MS = 4_000;
/** Over the sentence's own length before the speaker counts as hung. */
const PLAYING_GRACE_MS = 3_000;
/** Sentences that wait for one that must be heard out. */
const MAXIMUM_WAITING = 8;

const HEARD_OUT: ReadonlySet<Prompt["kind"]> = new Set([
  "approved",
  "approved-offline",
  "declined",
  "not-charged",
  "offline-refused",
]);

export class Voice {
  readonly #speaking: SupervisedChild<SpeakingCommand, SpeakingEvent>;
  readonly #speaker: SupervisedChild<SpeakerCommand, SpeakerEvent>;
  readonly #listener: VoiceListener;
  #current: (Sentence & { readonly sound: SpokenSound | null }) | null = null;
  #waiting: Sentence[] = [];
  #limit: NodeJS.Timeout | undefined;

  constructor(
    speaking: SupervisedChild<SpeakingCommand, SpeakingEvent>,
    speaker: SupervisedChild<SpeakerCommand, SpeakerEvent>,
    listener: VoiceListener,
  ) {
    this.#speaking = speaking;
    this.#speaker = speaker;
    this.#listener = listener;
  }

  start(): void {
    this.#speaking.onEvent((event) => this.#synthesised(event));
    this.#speaker.onEvent((event) => this.#played(event));
    // What a process was doing when it died is lost, and one that is still starting has not heard of it: once it runs,
    // the sentence is asked for again, from its beginning. The time limit ends what takes too long.
    this.#speaking.onState((state) => {
      if (state.kind === "running" && this.#current?.sound === null) this.#synthesise(this.#current);
    });
    this.#speaker.onState((state) => {
      if (state.kind === "running" && this.#current?.sound != null)
        this.#play(this.#current.id, this.#current.sound);
    });
  }

  get isSpeaking(): boolean {
    return this.#current !== null;
  }

  /** Makes the sound of a sentence that will probably be needed, so that it is there at once. */
  prepare(prompt: Prompt, language: Language): void {
    this.#speaking.tell({ kind: "prepare", prompt, language });
  }

  say(sentence: Sentence): void {
    const current = this.#current;
    if (current === null) return this.#begin(sentence);
    if (HEARD_OUT.has(current.prompt.kind) && sentence.prompt.kind !== "welcome") {
      if (this.#waiting.length < MAXIMUM_WAITING) this.#waiting.push(sentence);
      else this.#listener.ended(sentence.id, "failed");
      return;
    }
    for (const skipped of this.#waiting.splice(0)) this.#listener.ended(skipped.id, "interrupted");
    if (current.sound !== null) this.#speaker.command({ kind: "stop" }).catch(() => undefined);
    this.#current = null;
    clearTimeout(this.#limit);
    this.#listener.ended(current.id, "interrupted");
    this.#begin(sentence);
  }

  stop(): void {
    clearTimeout(this.#limit);
    this.#waiting = [];
    this.#current = null;
  }

  #begin(sentence: Sentence): void {
    this.#current = { ...sentence, sound: null };
    this.#limit = setTimeout(() => this.#end("failed"), SYNTHESIS_LIMIT_MS);
    this.#synthesise(sentence);
  }

  #synthesise({ id, prompt, language }: Sentence): void {
    this.#speaking
      .command({ kind: "say", id, prompt, language })
      .catch((cause: unknown) => this.#refused(id, cause));
  }

  #synthesised(event: SpeakingEvent): void {
    const current = this.#current;
    if (current === null || event.id !== current.id || current.sound !== null) return;
    this.#listener.caption(current.id, event.text, current.prompt);
    if (event.kind === "speech-failed") return this.#end("failed");
    const { id, pcm, sampleRate } = event;
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#end("failed"), (pcm.length / sampleRate) * 1_000 + PLAYING_GRACE_MS);
    this.#current = { ...current, sound: { pcm, sampleRate } };
    this.#play(id, { pcm, sampleRate });
  }

  #play(id: string, sound: SpokenSound): void {
    this.#speaker.command({ kind: "play", id, ...sound }).catch((cause: unknown) => this.#refused(id, cause));
  }

  /** A process that is away will be asked again when it is back; one that says no has said the last word. */
  #refused(id: string, cause: unknown): void {
    if (!(cause instanceof Fault && cause.code === "process.exited")) this.#endOf(id, "failed");
  }

  #played(event: SpeakerEvent): void {
    const current = this.#current;
    if (current === null) return;
    if (event.kind === "started" && event.id === current.id)
      this.#listener.started(current.id, current.prompt);
    if (event.kind === "finished") this.#endOf(event.id, event.outcome);
  }

  #endOf(id: string, outcome: SpeechOutcome): void {
    if (this.#current?.id === id) this.#end(outcome);
  }

  #end(outcome: SpeechOutcome): void {
    const ended = this.#current;
    clearTimeout(this.#limit);
    this.#current = null;
    if (ended !== null) this.#listener.ended(ended.id, outcome);
    const next = this.#waiting.shift();
    if (this.#current === null && next !== undefined) this.#begin(next);
  }
}
