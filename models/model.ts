/**
 * The contract of the local models. Like a driver, a model is an ordinary object with open/close; models/host.ts runs
 * it in a supervised child process. The hearing host also runs understanding, so that one message carries a whole turn.
 */
import type { FaultCode } from "../daemon/core/fault.ts";
import type { Intent, Options, Turn } from "../daemon/core/intent.ts";
import type { Language, Menu } from "../daemon/core/menu.ts";
import type { Prompt } from "../daemon/core/prompt.ts";

/** What the dialogue waits for: shapes endpointing and which words win. */
export type Expectation = "order" | "confirmation";

/** What was said before, so that "make one of them iced" or "one more" has something to refer to. */
export type DialogueContext = {
  readonly expectation: Expectation;
  /** Basket lines in order; the last mentioned line is last. */
  readonly lines: readonly {
    readonly itemId: string;
    readonly quantity: number;
    readonly options: Options;
  }[];
};

export type HearingSettings = {
  /** Folder with model.onnx, tokens.json and model.json. */
  readonly modelDirectory: string;
  readonly language: Language;
  readonly menu: Menu;
  readonly endpointing: "aggressive" | "default" | "relaxed";
  readonly threads: number;
};

export type HearingCommand =
  /** Starts a turn: from now on frames are listened to until a turn is heard or the ear is closed. */
  | { readonly kind: "listen"; readonly context: DialogueContext }
  | { readonly kind: "close-ear" }
  /** 320 samples, 16 kHz. Frames also arrive while the ear is closed, to fill the pre-roll and learn the noise floor. */
  | { readonly kind: "frame"; readonly pcm: Int16Array };

/** Milliseconds, measured inside the hearing process on a monotonic clock. */
export type HearingTimings = {
  readonly speechMs: number;
  /** From the last voiced frame to the decision that the turn is over. */
  readonly endpointingMs: number;
  readonly recognitionMs: number;
  readonly understandingMs: number;
};

export type HearingEvent =
  | { readonly kind: "speech-started" }
  | { readonly kind: "partial"; readonly text: string }
  | {
      readonly kind: "heard";
      readonly transcript: string;
      readonly turn: Turn;
      readonly timings: HearingTimings;
    }
  /** Speech, but nothing that the menu or the dialogue knows; `transcript` is the best guess, for the log at debug level. */
  | { readonly kind: "not-understood"; readonly transcript: string; readonly timings: HearingTimings }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly detail: string };

export type SpeakingSettings = {
  readonly menu: Menu;
  /** Words per minute and pitch as the engine counts them. */
  readonly rate: number;
  readonly volume: number;
  readonly cacheDirectory: string | null;
};

export type SpeakingCommand =
  | { readonly kind: "say"; readonly id: string; readonly prompt: Prompt; readonly language: Language }
  /** Synthesises into the cache and reports nothing. */
  | { readonly kind: "prepare"; readonly prompt: Prompt; readonly language: Language };

export type SpeakingEvent =
  | {
      readonly kind: "speech";
      readonly id: string;
      readonly text: string;
      readonly pcm: Int16Array;
      readonly sampleRate: number;
      readonly synthesisMs: number;
      readonly cached: boolean;
    }
  | {
      readonly kind: "speech-failed";
      readonly id: string;
      readonly text: string;
      readonly code: FaultCode;
      readonly detail: string;
    };

/** The result of reading one transcript against menu and context. */
export type Understanding = { readonly intent: Intent; readonly confidence: number } | null;
