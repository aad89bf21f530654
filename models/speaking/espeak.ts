/**
 * The embedded default voice: espeak-ng, one short-lived child process for each sentence. It starts in some 10 ms, so a
 * process that is kept open would gain little and could hang between sentences.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Fault } from "../../daemon/core/fault.ts";
import type { Language } from "../../daemon/core/menu.ts";
import { parseWav, type Sound } from "./sound.ts";

const PROGRAM = "espeak-ng";
const HINT = "espeak-ng is not installed; run: apt-get install espeak-ng";
/** A sentence takes 10 to 30 ms; a second and a half means that the machine is stuck. */
const SENTENCE_LIMIT_MS = 1_500;
const VERSION_LIMIT_MS = 3_000;
/** One minute at 22,050 Hz: no sentence of a counter is longer. */
const MAX_OUTPUT_BYTES = 22_050 * 2 * 60;
/** Sentences synthesised at the same time; the others wait. */
const MAX_PARALLEL = 4;
/** Sentences that may wait; more than a counter can ask for, so more is a fault. */
const MAX_WAITING = 256;

/** Chinese prompts are English until they are written. */
const VOICES: Readonly<Record<Language, string>> = { ko: "ko", en: "en-us", zh: "en-us" };

/** The engine's own ranges. */
const RATE = { least: 80, most: 450 } as const;
const VOLUME = { least: 0, most: 200 } as const;

export type EspeakSettings = {
  /** Words per minute. */
  readonly rate: number;
  /** 0 to 200, 100 is normal. */
  readonly volume: number;
  /** Program to start; espeak-ng on the path unless a test says otherwise. */
  readonly program?: string;
};

export interface SpeechEngine {
  /** Everything that changes the sound besides the text: part of a cache key. */
  fingerprint(language: Language): string;
  /** One sentence as sound, untrimmed. Rejects with a Fault: audio.program-missing, model.failed, time-out. */
  synthesise(sentence: string, language: Language): Promise<Sound>;
  close(): void;
}

function bounded(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}

/** Starts the program once to learn its version. Rejects with audio.program-missing when it is not installed. */
export async function openEspeak(settings: EspeakSettings): Promise<SpeechEngine> {
  const program = settings.program ?? PROGRAM;
  const rate = bounded(settings.rate, RATE);
  const volume = bounded(settings.volume, VOLUME);
  const children = new Set<ChildProcess>();
  const said = await runProgram(program, ["--version"], "", VERSION_LIMIT_MS, children);
  const version = /(\d+\.[\w.-]+)/.exec(said.toString("utf8"))?.[1] ?? "unknown";
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running < MAX_PARALLEL) {
      running++;
      return;
    }
    if (waiting.length >= MAX_WAITING)
      throw new Fault("model.failed", `more than ${MAX_WAITING} sentences wait for the voice`);
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** Hands the place to the next one that waits, or gives it back. */
  function finish(): void {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }

  return {
    fingerprint: (language) => `espeak-ng ${version} ${VOICES[language]} ${rate} ${volume}`,
    async synthesise(sentence, language) {
      await turn();
      try {
        const flags = [
          "-v",
          VOICES[language],
          "-s",
          String(rate),
          "-a",
          String(volume),
          "-b",
          "1",
          "--stdin",
          "--stdout",
        ];
        return parseWav(await runProgram(program, flags, sentence, SENTENCE_LIMIT_MS, children));
      } finally {
        finish();
      }
    },
    close() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

/** Runs the program with a text on its input and returns what it writes. The text never becomes an argument. */
function runProgram(
  program: string,
  flags: readonly string[],
  text: string,
  limitMs: number,
  children: Set<ChildProcess>,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, flags, { stdio: ["pipe", "pipe", "pipe"] });
    children.add(child);
    const chunks: Buffer[] = [];
    let size = 0;
    let complaint = "";
    let fault: Fault | null = null;
    const stop = (reason: Fault) => {
      fault ??= reason;
      child.kill("SIGKILL");
      // Something that the program started may hold the pipes open: nobody waits for it.
      child.stdout.destroy();
      child.stderr.destroy();
      settle();
    };
    const timer = setTimeout(
      () => stop(new Fault("time-out", `${program} took longer than ${limitMs} ms`)),
      limitMs,
    );
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES)
        stop(new Fault("model.failed", `${program} wrote more than ${MAX_OUTPUT_BYTES} bytes`));
      else chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(0, 500);
    });
    // A program that ends before it has read everything closes the pipe: its exit status says what happened.
    child.stdin.on("error", () => {});
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === "ENOENT";
      fault ??= missing
        ? new Fault("audio.program-missing", HINT, { cause })
        : new Fault("model.failed", `${program} does not start`, { cause });
      settle();
    });
    child.on("close", (status) => {
      if (status !== 0)
        fault ??= new Fault(
          "model.failed",
          `${program} ended with ${status ?? "a signal"}: ${complaint.trim()}`,
        );
      settle();
    });
    child.stdin.end(text);

    function settle(): void {
      clearTimeout(timer);
      children.delete(child);
      if (fault === null) resolve(Buffer.concat(chunks));
      else reject(fault);
    }
  });
}
