/**
 * Plays recordings to the ear and collects what it hears: for `hear`, the recognition benchmark and tests.
 *
 * A recording may hold several turns, parted by pauses; each is told what the ones before it ordered. The ear gets a
 * little silence before and enough after the sound for the last turn to end, as from an open microphone.
 */
import { applyEdits } from "../../daemon/core/basket.ts";
import type { Turn } from "../../daemon/core/intent.ts";
import type { Basket } from "../../daemon/core/sale.ts";
import type { DialogueContext, Expectation, HearingEvent, HearingSettings } from "../model.ts";
import { openEar } from "./ear.ts";
import { FRAME_MS } from "./endpointing.ts";
import type { Hearing } from "./hearing.ts";
import { SAMPLE_RATE } from "./log-mel.ts";

const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1_000;
const SILENCE_BEFORE_FRAMES = 25;
/** Longer than the longest pause that ends a turn. */
const SILENCE_AFTER_FRAMES = 100;
const LIMITS = { questionAbove: 9_999, refuseAbove: 9_999, lines: 100 };

export type Heard = {
  readonly transcript: string;
  readonly turns: readonly Turn[];
  /** Of the least sure turn; 0 when nothing was understood. */
  readonly confidence: number;
  /** From the last frame of the sound to the last event. */
  readonly latencyMs: number;
  readonly events: readonly HearingEvent[];
};

export class Listener {
  readonly #settings: HearingSettings;
  #hearing: Hearing | null = null;
  #receive: (event: HearingEvent) => void = () => {};

  private constructor(settings: HearingSettings) {
    this.#settings = settings;
  }

  /** Loads the ear. Rejects with a Fault. */
  static async open(settings: HearingSettings): Promise<Listener> {
    const listener = new Listener(settings);
    listener.#hearing = await openEar(settings, (event) => listener.#receive(event));
    return listener;
  }

  async close(): Promise<void> {
    await this.#hearing?.close();
  }

  /** Samples in [-1, 1] at 16 kHz. */
  async hear(samples: Float32Array, expectation: Expectation = "order"): Promise<Heard> {
    const hearing = this.#hearing;
    if (hearing === null) throw new Error("the listener is not open");
    const events: HearingEvent[] = [];
    let basket: Basket = [];
    let lastEventAt = 0;
    let open = true;
    this.#receive = (event) => {
      events.push(event);
      if (event.kind !== "heard" && event.kind !== "not-understood") return;
      lastEventAt = performance.now();
      open = false;
      if (event.kind !== "heard" || event.turn.intent.kind !== "edit") return;
      basket = applyEdits(this.#settings.menu, LIMITS, basket, event.turn.intent.edits).basket;
    };
    const listen = () => {
      const context: DialogueContext = { expectation, lines: basket };
      hearing.command({ kind: "listen", context });
      open = true;
    };
    const frames = framesOf(samples);
    await silence(hearing, SILENCE_BEFORE_FRAMES);
    listen();
    for (const pcm of frames) {
      hearing.command({ kind: "frame", pcm });
      await hearing.settled();
      if (!open) listen();
    }
    const soundEnded = performance.now();
    await silence(hearing, SILENCE_AFTER_FRAMES);
    hearing.command({ kind: "close-ear" });
    await hearing.settled();
    return summary(events, Math.max(0, lastEventAt - soundEnded));
  }
}

async function silence(hearing: Hearing, frames: number): Promise<void> {
  for (let i = 0; i < frames; i += 1) hearing.command({ kind: "frame", pcm: new Int16Array(FRAME_SAMPLES) });
  await hearing.settled();
}

/** Whole frames; the last one is filled up with silence. */
function framesOf(samples: Float32Array): readonly Int16Array[] {
  return Array.from({ length: Math.ceil(samples.length / FRAME_SAMPLES) }, (_, index) => {
    const part = samples.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES);
    const frame = new Int16Array(FRAME_SAMPLES);
    frame.set(
      Int16Array.from(part, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)))),
    );
    return frame;
  });
}

function summary(events: readonly HearingEvent[], latencyMs: number): Heard {
  const ends = events.filter((event) => event.kind === "heard" || event.kind === "not-understood");
  const turns = ends.flatMap((event) => (event.kind === "heard" ? [event.turn] : []));
  return {
    transcript: ends.map((event) => event.transcript).join(" "),
    turns,
    confidence: turns.length === 0 ? 0 : Math.min(...turns.map((turn) => turn.confidence)),
    latencyMs,
    events,
  };
}
