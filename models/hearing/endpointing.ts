/**
 * Endpointing: where a turn begins and ends, as a pure reducer over 20 ms frames that are voiced or not.
 *
 * Assumes a voice detector that is right most of the time and a recogniser that has the last word: a stretch of voice
 * is proposed as a turn even when it is as short as "네", and what has no words in it is dropped afterwards. Pauses
 * follow Home Assistant's presets; people themselves leave about 200 ms between turns (Stivers et al. 2009), so
 * after a yes-or-no question the pause is shorter.
 */
import type { Expectation } from "../model.ts";

export const FRAME_MS = 20;

export type Preset = "aggressive" | "default" | "relaxed";

export type EndpointingLimits = {
  /** Silence that ends a turn. */
  readonly silenceMs: number;
  /** Voice after which speech counts as begun for the dialogue (barge-in, display). */
  readonly speechMs: number;
  /** Voice below which a stretch is a click or a bump and is not even recognised. */
  readonly minimumMs: number;
  /** Silence after which recognition starts on suspicion, so that the result is there when the turn ends. */
  readonly suspicionMs: number;
  /** Voice that takes back a begun silence; a click does not. */
  readonly resumeMs: number;
  /** Sound before the first voiced frame that belongs to the turn. */
  readonly preRollMs: number;
  /** Longest turn. */
  readonly capMs: number;
};

const SILENCE_MS: Record<Preset, Record<Expectation, number>> = {
  aggressive: { order: 250, confirmation: 200 },
  default: { order: 700, confirmation: 400 },
  relaxed: { order: 1_250, confirmation: 700 },
};

export function endpointingLimits(preset: Preset, expectation: Expectation): EndpointingLimits {
  const silenceMs = SILENCE_MS[preset][expectation];
  return {
    silenceMs,
    speechMs: expectation === "confirmation" ? 160 : 300,
    minimumMs: expectation === "confirmation" ? 40 : 100,
    suspicionMs: Math.min(160, silenceMs - 2 * FRAME_MS),
    resumeMs: 60,
    preRollMs: 320,
    capMs: 15_000,
  };
}

export type Endpointing =
  | { readonly kind: "closed"; readonly frame: number }
  | { readonly kind: "waiting"; readonly frame: number; readonly limits: EndpointingLimits }
  | {
      readonly kind: "speaking";
      readonly frame: number;
      readonly limits: EndpointingLimits;
      /** First voiced frame. */
      readonly startFrame: number;
      readonly lastVoicedFrame: number;
      readonly voicedMs: number;
      readonly silentMs: number;
      /** Voice since the silence began, not yet enough to take it back. */
      readonly returningMs: number;
      readonly announced: boolean;
      readonly suspected: boolean;
    };

export type EndpointingInput =
  | { readonly kind: "opened"; readonly limits: EndpointingLimits }
  | { readonly kind: "closed" }
  | { readonly kind: "frame"; readonly voiced: boolean };

/** Frames are numbered from 0 since the stream began; `fromFrame` includes the pre-roll, `toFrame` is exclusive. */
export type EndpointingAction =
  | { readonly kind: "speech-began" }
  | { readonly kind: "suspect-end"; readonly fromFrame: number; readonly toFrame: number }
  /** The suspicion was wrong: what was recognised on it is void. */
  | { readonly kind: "speech-resumed" }
  | {
      readonly kind: "turn-ended";
      readonly fromFrame: number;
      readonly toFrame: number;
      readonly speechMs: number;
      readonly endpointingMs: number;
      readonly reason: "silence" | "cap";
    };

export type EndpointingStep = { readonly state: Endpointing; readonly actions: readonly EndpointingAction[] };

type Speaking = Extract<Endpointing, { kind: "speaking" }>;

export const INITIAL_ENDPOINTING: Endpointing = { kind: "closed", frame: 0 };

export function stepEndpointing(state: Endpointing, input: EndpointingInput): EndpointingStep {
  switch (input.kind) {
    case "opened":
      return { state: { kind: "waiting", frame: state.frame, limits: input.limits }, actions: [] };
    case "closed":
      return { state: { kind: "closed", frame: state.frame }, actions: [] };
    case "frame":
      return input.voiced ? voiced(state) : silent(state);
  }
}

function voiced(state: Endpointing): EndpointingStep {
  const frame = state.frame + 1;
  if (state.kind === "closed") return { state: { ...state, frame }, actions: [] };
  if (state.kind === "waiting") {
    const begun: Speaking = {
      kind: "speaking",
      frame,
      limits: state.limits,
      startFrame: state.frame,
      lastVoicedFrame: state.frame,
      voicedMs: FRAME_MS,
      silentMs: 0,
      returningMs: 0,
      announced: false,
      suspected: false,
    };
    return { state: begun, actions: [] };
  }
  const returningMs = state.silentMs > 0 ? state.returningMs + FRAME_MS : 0;
  const returned = returningMs >= state.limits.resumeMs;
  const silentMs = state.silentMs === 0 || returned ? 0 : state.silentMs + FRAME_MS;
  const next: Speaking = {
    ...state,
    frame,
    voicedMs: state.voicedMs + FRAME_MS,
    silentMs,
    returningMs: returned ? 0 : returningMs,
    lastVoicedFrame: silentMs === 0 ? state.frame : state.lastVoicedFrame,
    suspected: state.suspected && !returned,
  };
  return decide(next, state.suspected && returned ? [{ kind: "speech-resumed" }] : []);
}

function silent(state: Endpointing): EndpointingStep {
  const frame = state.frame + 1;
  if (state.kind !== "speaking") return { state: { ...state, frame }, actions: [] };
  return decide({ ...state, frame, silentMs: state.silentMs + FRAME_MS, returningMs: 0 }, []);
}

/** What follows from the counts, the same for a voiced and a silent frame. */
function decide(state: Speaking, before: readonly EndpointingAction[]): EndpointingStep {
  const { limits } = state;
  const actions: EndpointingAction[] = [...before];
  let next = state;
  if (!state.announced && state.voicedMs >= limits.speechMs) {
    actions.push({ kind: "speech-began" });
    next = { ...next, announced: true };
  }
  const fromFrame = Math.max(0, state.startFrame - limits.preRollMs / FRAME_MS);
  const capped = (state.frame - state.startFrame) * FRAME_MS >= limits.capMs;
  if (state.silentMs >= limits.silenceMs || capped) {
    const speechMs = (state.lastVoicedFrame + 1 - state.startFrame) * FRAME_MS;
    if (state.voicedMs >= limits.minimumMs) {
      const reason = capped ? "cap" : "silence";
      actions.push({
        kind: "turn-ended",
        fromFrame,
        toFrame: state.frame,
        speechMs,
        endpointingMs: state.silentMs,
        reason,
      });
    }
    return { state: { kind: "waiting", frame: state.frame, limits }, actions };
  }
  if (!state.suspected && state.silentMs >= limits.suspicionMs && state.voicedMs >= limits.minimumMs) {
    actions.push({ kind: "suspect-end", fromFrame, toFrame: state.frame });
    next = { ...next, suspected: true };
  }
  return { state: next, actions };
}
