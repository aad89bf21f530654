/**
 * Where the contract suites of microphone and speaker run: software sound normally, real hardware with SAYPAY_REAL_SOUND=1.
 * With real hardware the speaker stands before the microphone, as on a counter: what is said to the microphone comes out of
 * the speaker, and what the terminal speaks is recorded by the microphone. SAYPAY_MICROPHONE and SAYPAY_SPEAKER name the ALSA
 * devices ("plughw:CARD=Device").
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Recording, Tap } from "./recording.ts";
import { type SoundEnvironment, VirtualSound } from "./sound.ts";
import { encodeWav, type Sound } from "./wav.ts";

export type SoundWorld = {
  start(): Promise<SoundEnvironment>;
  /** Plays samples to the terminal's microphone; resolves when they were played. */
  say(sound: Sound): Promise<void>;
  /** Records what the terminal speaks, from now on. */
  recordSpeaker(): Recording;
  stop(): Promise<void>;
};

const RECORDING_RATE = 48_000;

class RealSound implements SoundWorld {
  readonly #microphone = process.env["SAYPAY_MICROPHONE"] ?? "default";
  readonly #speaker = process.env["SAYPAY_SPEAKER"] ?? "default";
  readonly #children = new Set<ChildProcessWithoutNullStreams>();

  async start(): Promise<SoundEnvironment> {
    return { env: {}, microphoneDevice: this.#microphone, speakerDevice: this.#speaker };
  }

  async say(sound: Sound): Promise<void> {
    const child = this.#spawn("aplay", [`--device=${this.#speaker}`, "-"]);
    child.stdout.resume();
    child.stdin.end(encodeWav(sound));
    const code = await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
    if (code !== 0) throw new Error(`aplay ended with status ${String(code)}`);
  }

  /** The recorder runs until the recording is stopped: the microphone is shared with nobody in these suites. */
  recordSpeaker(): Recording {
    const tap = new Tap(RECORDING_RATE);
    const format = ["--format=S16_LE", "--channels=1", `--rate=${RECORDING_RATE}`, "--file-type=raw"];
    const periods = ["--period-time=10000", "--buffer-time=200000"];
    const child = this.#spawn("arecord", [`--device=${this.#microphone}`, ...format, ...periods]);
    child.stdout.on("data", (chunk: Buffer) => tap.take(chunk));
    return tap.record(() => child.kill("SIGKILL"));
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #spawn(program: string, programArguments: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn(program, ["--quiet", ...programArguments]);
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    child.stderr.pipe(process.stderr, { end: false });
    return child;
  }
}

export const isRealSound = process.env["SAYPAY_REAL_SOUND"] === "1";

export function soundWorld(): SoundWorld {
  return isRealSound ? new RealSound() : new VirtualSound();
}
