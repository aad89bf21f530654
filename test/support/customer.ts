/**
 * A customer at the counter: speaks with espeak-ng in a voice that is not the terminal's, waits to be asked, taps.
 * What is spoken goes through the sound card, the microphone driver and the recogniser like anyone's voice.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Observation } from "../../daemon/shell/observation.ts";
import type { Counter } from "./counter.ts";
import type { Kind, SeenOf } from "./watcher.ts";
import { decodeWav, type Sound } from "./wav.ts";

type Closed = Extract<Observation, { kind: "closed" }>;
type Heard = Extract<Observation, { kind: "heard" }>;
type ViewLine = Extract<Observation, { kind: "view" }>["view"]["lines"][number];

export type Sale = {
  readonly saleId: string;
  readonly heard: Heard;
  readonly lines: readonly ViewLine[];
  readonly total: { readonly minor: bigint; readonly currency: string };
  readonly mode: "online" | "offline";
  readonly closed: Closed;
};

export type Words = { readonly order: string; readonly yes: string };

/** espeak-ng variants that training kept back, see models/training. */
const VOICES = { ko: "ko+f2", en: "en-us+f2" } as const;
const WORDS_A_MINUTE = 150;
/** A person takes about a fifth of a second to answer (Stivers 2009). */
const TURN_GAP_MS = 200;

/** The terminal answers or asks again within this. */
const ANSWER_LIMIT_MS = 20_000;
const ATTEMPTS = 3;

export async function speak(
  text: string,
  language: "ko" | "en",
  voice: string = VOICES[language],
): Promise<Sound> {
  const options = ["--stdout", "-v", voice, "-s", String(WORDS_A_MINUTE), text];
  const { stdout } = await promisify(execFile)("espeak-ng", options, {
    encoding: "buffer",
    maxBuffer: 32 << 20,
  });
  return decodeWav(stdout);
}

export class Customer {
  readonly #counter: Counter;
  readonly #language: "ko" | "en";
  readonly #said: (text: string) => void;

  /** `said` is called when a sentence begins to sound. */
  constructor(counter: Counter, language: "ko" | "en", said: (text: string) => void = () => {}) {
    this.#counter = counter;
    this.#language = language;
    this.#said = said;
  }

  /** Orders, hears the amount, says yes, taps, waits for the receipt. */
  async buy(words: Words): Promise<Sale> {
    const { watcher } = this.#counter;
    const mark = watcher.mark;
    const { saleId } = await this.#counter.wake();
    const heard = await this.order(words.order, mark);
    await this.say(words.yes, "awaiting-card");
    const shown = await watcher.next("view", mark, 10_000, ({ view }) => view.phase === "awaiting-card");
    await this.pause();
    await this.#counter.tap();
    const paid = await watcher.next("paid", mark, 60_000);
    const closed = await watcher.next("closed", mark, 60_000);
    return { saleId, heard, lines: shown.view.lines, total: shown.view.total, mode: paid.mode, closed };
  }

  /** Says the order when the terminal listens, and waits until it has been read back. */
  async order(text: string, mark: number): Promise<Heard> {
    const { watcher } = this.#counter;
    await watcher.next("listening", mark);
    const before = watcher.mark;
    await this.#insist(text, "heard", (heard) => heard.intent !== null);
    const heard = await watcher.next("heard", before, 0, ({ intent }) => intent !== null);
    await watcher.next("listening", watcher.seen.indexOf(heard));
    return heard;
  }

  /** Says something to a terminal that listens, and waits for what follows. */
  async say(text: string, until: Kind): Promise<void> {
    await this.#insist(text, until);
  }

  /** Says it again when the terminal asks again, as a person would, but not for ever. */
  async #insist<K extends Kind>(
    text: string,
    until: K,
    fits: (seen: SeenOf<K>) => boolean = () => true,
  ): Promise<void> {
    const { watcher } = this.#counter;
    for (let attempt = 1; ; attempt++) {
      const before = watcher.mark;
      await this.#utter(text);
      const answered = watcher.next(until, before, ANSWER_LIMIT_MS, fits).then(() => "answered" as const);
      const askedAgain = watcher
        .next(
          "caption",
          before,
          ANSWER_LIMIT_MS,
          ({ prompt }) => prompt === "no-input" || prompt === "no-match",
        )
        .then(() => "asked-again" as const);
      // After too many misunderstandings the terminal ends the sale instead of asking once more.
      const ended = watcher.next("closed", before, ANSWER_LIMIT_MS).then(() => "ended" as const);
      const outcome = await Promise.any([answered, askedAgain, ended]).catch(() => "silence" as const);
      if (outcome === "answered") return;
      if (outcome === "ended")
        throw new Error(`the terminal did not understand "${text}" and ended the sale`);
      if (outcome === "silence") throw new Error(`the terminal did not answer "${text}"`);
      if (attempt === ATTEMPTS) throw new Error(`the terminal did not understand "${text}"`);
      await watcher.next("listening", watcher.mark);
    }
  }

  pause(ms = TURN_GAP_MS): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async #utter(text: string): Promise<void> {
    const sound = await speak(text, this.#language);
    await this.pause();
    this.#said(text);
    await this.#counter.sound.say(sound);
  }
}
