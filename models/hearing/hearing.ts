/**
 * The ear: microphone frames in, turns out. Wires front end, voice detector, endpointing, acoustic model and decoder.
 *
 * Assumes 20 ms frames of 16 kHz sound that never stop, also while the ear is closed: they fill the pre-roll and settle
 * the voice detector, so that the first syllable after opening is whole. Recognition starts on suspicion, when speech
 * has paused for a moment, and its result waits for the end of the pause; when the speaker goes on it is thrown away. A
 * stretch of voice without words in it is dropped without a word, so noise never becomes a turn.
 */
import { Fault } from "../../daemon/core/fault.ts";
import type {
  DialogueContext,
  Expectation,
  HearingCommand,
  HearingEvent,
  HearingSettings,
  Understanding,
} from "../model.ts";
import { Decoder, type Decoding, type Hypothesis } from "./decoder.ts";
import {
  type Endpointing,
  type EndpointingAction,
  type EndpointingInput,
  endpointingLimits,
  FRAME_MS,
  INITIAL_ENDPOINTING,
  stepEndpointing,
} from "./endpointing.ts";
import { buildLexicon } from "./lexicon.ts";
import { LogMel, SAMPLE_RATE } from "./log-mel.ts";
import { type AcousticModel, openAcousticModel } from "./recogniser.ts";
import { openVoiceDetector, type VoiceDetector } from "./voice-activity.ts";

/** Reads hypotheses, best first, against menu and context; null when they mean nothing. */
export type Understand = (hypotheses: readonly Hypothesis[], context: DialogueContext) => Understanding;

export type HearingParts = {
  readonly openModel: (directory: string, threads: number) => Promise<AcousticModel>;
  readonly openDetector: () => Promise<VoiceDetector>;
  readonly nowMs: () => number;
};

const REAL_PARTS: HearingParts = {
  openModel: openAcousticModel,
  openDetector: openVoiceDetector,
  nowMs: () => performance.now(),
};

const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1_000;
const FEATURES_PER_FRAME = 2;
/** Partial results while somebody speaks: every 400 ms of sound, and never two at once. */
const PARTIAL_FRAMES = 20;
/** Frames waiting to be worked on: five seconds. More means that this machine cannot keep up. */
const MAX_BACKLOG = 250;

/** A cough or a chair can leave a label or two; as unknown speech that is nothing to answer to. */
const MURMUR_LETTERS = 2;

type Attempt = { readonly fromFrame: number; readonly result: Promise<Decoding>; wanted: boolean };
type TurnEnded = Extract<EndpointingAction, { kind: "turn-ended" }>;

function isMurmur({ words }: Hypothesis): boolean {
  const letters = words.reduce((sum, word) => sum + [...word.text].length, 0);
  return words.every((word) => !word.known) && letters <= MURMUR_LETTERS;
}

export class Hearing {
  readonly #settings: HearingSettings;
  readonly #understand: Understand;
  readonly #emit: (event: HearingEvent) => void;
  readonly #parts: HearingParts;
  #model: AcousticModel | null = null;
  #detector: VoiceDetector | null = null;
  #decoder: Decoder | null = null;
  #unspoken: readonly string[] = [];
  #sound = new LogMel();
  #endpointing: Endpointing = INITIAL_ENDPOINTING;
  #context: DialogueContext = { expectation: "order", lines: [] };
  /** Commands one behind another, in the order they came. */
  #queue: Promise<void> = Promise.resolve();
  #backlog = 0;
  #overrun = false;
  /** Counts openings and closings: what belongs to an earlier one is void. */
  #session = 0;
  #attempt: Attempt | null = null;
  #speechTold = false;
  #partial = { running: false, atFrame: 0, text: "" };

  constructor(
    settings: HearingSettings,
    understand: Understand,
    emit: (event: HearingEvent) => void,
    parts: HearingParts = REAL_PARTS,
  ) {
    this.#settings = settings;
    this.#understand = understand;
    this.#emit = emit;
    this.#parts = parts;
  }

  /** Loads the models and the menu's words. Rejects with a Fault. */
  async open(): Promise<void> {
    const { modelDirectory, threads, menu, language } = this.#settings;
    this.#model = await this.#parts.openModel(modelDirectory, threads);
    this.#detector = await this.#parts.openDetector();
    const { alphabet } = this.#model;
    const lexicon = buildLexicon(menu, language, alphabet);
    this.#unspoken = lexicon.unspoken;
    this.#decoder = new Decoder(alphabet, lexicon, language);
    this.#sound = new LogMel(this.#model.folder.compression);
  }

  /** Words of the menu that cannot be heard, because the model has no labels for their script. Known after open. */
  get unspoken(): readonly string[] {
    return this.#unspoken;
  }

  /** Accepts a command; frames are worked on in the background, in order. */
  command(command: HearingCommand): void {
    if (command.kind === "frame") {
      if (this.#backlog >= MAX_BACKLOG) return this.#complain();
      this.#backlog += 1;
    }
    this.#queue = this.#queue
      .then(() => this.#carryOut(command))
      .catch((error: unknown) => this.#fault(error));
  }

  /** Resolves when everything that was commanded so far has been worked on. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  async close(): Promise<void> {
    this.command({ kind: "close-ear" });
    await this.#queue;
    await this.#model?.close();
    await this.#detector?.close();
    this.#model = null;
    this.#detector = null;
  }

  async #carryOut(command: HearingCommand): Promise<void> {
    switch (command.kind) {
      case "listen":
        this.#context = command.context;
        this.#begin();
        return this.#step({ kind: "opened", limits: this.#limits(command.context.expectation) });
      case "close-ear":
        this.#begin();
        return this.#step({ kind: "closed" });
      case "frame":
        this.#backlog -= 1;
        if (this.#backlog === 0) this.#overrun = false;
        return this.#frame(command.pcm);
    }
  }

  #limits(expectation: Expectation) {
    return endpointingLimits(this.#settings.endpointing, expectation);
  }

  /** A new turn: what was begun for the last one is void. */
  #begin(): void {
    this.#session += 1;
    this.#speechTold = false;
    this.#partial = { running: this.#partial.running, atFrame: 0, text: "" };
    this.#dropAttempt();
  }

  async #frame(pcm: Int16Array): Promise<void> {
    if (pcm.length !== FRAME_SAMPLES) {
      throw new Fault("audio.no-frames", `a frame has ${pcm.length} samples instead of ${FRAME_SAMPLES}`);
    }
    const samples = Float32Array.from(pcm, (sample) => sample / 32_768);
    this.#sound.push(samples);
    const voiced = (await this.#detector?.tick(samples)) ?? false;
    await this.#step({ kind: "frame", voiced });
    this.#maybePartial();
  }

  async #step(input: EndpointingInput): Promise<void> {
    const { state, actions } = stepEndpointing(this.#endpointing, input);
    this.#endpointing = state;
    for (const action of actions) await this.#act(action);
  }

  async #act(action: EndpointingAction): Promise<void> {
    switch (action.kind) {
      case "speech-began":
        return this.#startPartial(true);
      case "suspect-end":
        this.#dropAttempt();
        this.#attempt = this.#recognise(action.fromFrame, action.toFrame);
        return;
      case "speech-resumed":
        return this.#dropAttempt();
      case "turn-ended":
        return this.#endTurn(action);
    }
  }

  #dropAttempt(): void {
    if (this.#attempt !== null) this.#attempt.wanted = false;
    this.#attempt = null;
  }

  /** Frames [from, to) to words; the result is void when nobody wants the attempt any more. */
  #recognise(fromFrame: number, toFrame: number): Attempt {
    const [model, decoder] = [this.#model, this.#decoder];
    if (model === null || decoder === null) throw new Error("the ear is not open");
    const { expectation } = this.#context;
    const features = this.#features(fromFrame, toFrame);
    const empty: Decoding = { hypotheses: [], unconstrained: "" };
    const run = async (): Promise<Decoding> => {
      const output = await model.run(features, () => attempt.wanted);
      return output === null ? empty : decoder.decode(output.data, output.frames, expectation);
    };
    const attempt: Attempt = { fromFrame, wanted: true, result: Promise.resolve().then(run) };
    attempt.result.catch(() => undefined);
    return attempt;
  }

  #features(fromFrame: number, toFrame: number): Float32Array {
    const available = this.#sound.frameCount;
    const to = Math.min(available, toFrame * FEATURES_PER_FRAME);
    return this.#sound.read(Math.min(to, fromFrame * FEATURES_PER_FRAME), to);
  }

  async #endTurn(ended: TurnEnded): Promise<void> {
    const decided = this.#parts.nowMs();
    const attempt = this.#attempt ?? this.#recognise(ended.fromFrame, ended.toFrame);
    const decoding = await attempt.result;
    this.#dropAttempt();
    const recognised = this.#parts.nowMs();
    const best = decoding.hypotheses[0];
    if (best === undefined || isMurmur(best)) return this.#begin();
    if (!this.#speechTold) this.#emit({ kind: "speech-started" });
    const understanding = this.#understand(decoding.hypotheses, this.#context);
    const timings = {
      speechMs: ended.speechMs,
      endpointingMs: ended.endpointingMs,
      recognitionMs: recognised - decided,
      understandingMs: this.#parts.nowMs() - recognised,
    };
    this.#begin();
    this.#endpointing = { kind: "closed", frame: this.#endpointing.frame };
    const transcript = best.text;
    if (understanding === null) return this.#emit({ kind: "not-understood", transcript, timings });
    const { intent, confidence } = understanding;
    const turn = { language: this.#settings.language, intent, confidence };
    this.#emit({ kind: "heard", transcript, turn, timings });
  }

  #maybePartial(): void {
    const state = this.#endpointing;
    if (state.kind !== "speaking" || !state.announced || state.silentMs > 0) return;
    if (state.frame - this.#partial.atFrame >= PARTIAL_FRAMES) this.#startPartial(false);
  }

  /** Runs beside the frames: a partial result is only for the eye, nothing waits for it. */
  #startPartial(first: boolean): void {
    const state = this.#endpointing;
    const [model, decoder] = [this.#model, this.#decoder];
    if (state.kind !== "speaking" || model === null || decoder === null) return;
    if (this.#partial.running && !first) return;
    const session = this.#session;
    const { expectation } = this.#context;
    const preRoll = state.limits.preRollMs / FRAME_MS;
    const features = this.#features(Math.max(0, state.startFrame - preRoll), state.frame);
    this.#partial = { ...this.#partial, running: true, atFrame: state.frame };
    const wanted = () => session === this.#session && this.#attempt === null;
    model
      .run(features, wanted)
      .then((output) => {
        if (output === null || session !== this.#session) return;
        const [best] = decoder.decode(output.data, output.frames, expectation).hypotheses;
        if (best !== undefined) this.#tellPartial(best.text);
      })
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        this.#partial = { ...this.#partial, running: false };
      });
  }

  #tellPartial(text: string): void {
    if (!this.#speechTold) this.#emit({ kind: "speech-started" });
    this.#speechTold = true;
    if (text !== this.#partial.text) this.#emit({ kind: "partial", text });
    this.#partial = { ...this.#partial, text };
  }

  #complain(): void {
    if (this.#overrun) return;
    this.#overrun = true;
    this.#emit({
      kind: "fault",
      code: "model.failed",
      detail: "this machine cannot keep up with the microphone; frames are dropped",
    });
  }

  #fault(error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    this.#emit({ kind: "fault", code: error.code, detail: error.detail });
  }
}
