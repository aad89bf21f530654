/**
 * One run of arecord through node-record-lpcm16, with the package's traps closed: a missing program would be an uncaught
 * exception (its child has no error handler), and it reports an error for every exit that is not status 0, also after stop().
 */
import { fileURLToPath } from "node:url";
import lpcm16, { type Recording } from "node-record-lpcm16";
import { Fault } from "../../daemon/core/fault.ts";
import { SAMPLE_RATE } from "./frames.ts";

export type RecorderListener = {
  readonly data: (chunk: Buffer) => void;
  /** Exactly once; null after stop(). Nothing of the device is held any more. */
  readonly ended: (fault: Fault | null) => void;
};

/** arecord leaves at once when asked; one that hangs in the sound driver is killed after this. */
const STOP_LIMIT_MS = 500;
const MAXIMUM_COMPLAINT = 300;

export class Recorder {
  readonly #device: string;
  readonly #listener: RecorderListener;
  #recording: Recording | null = null;
  #complaint = "";
  #stopping = false;
  #ended = false;

  constructor(device: string, listener: RecorderListener) {
    this.#device = device;
    this.#listener = listener;
  }

  start(): void {
    const recorder = fileURLToPath(new URL("./arecord.cjs", import.meta.url));
    const format = { sampleRate: SAMPLE_RATE, channels: 1, audioType: "raw" };
    const recording = lpcm16.record({ ...format, recorder, device: this.#device });
    this.#recording = recording;
    // Listeners are set before this turn of the event loop ends, which is when a failed spawn is told.
    recording.process.once("error", (error: NodeJS.ErrnoException) => this.#end(spawnFault(error)));
    recording.process.once("close", (code, signal) => this.#end(this.#exitFault(code, signal)));
    recording.process.stderr?.on("data", (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString()).slice(-MAXIMUM_COMPLAINT);
    });
    recording.stream().on("data", this.#listener.data);
    // The package's own error says less than the exit and the complaint, and also comes after stop().
    recording.stream().on("error", () => {});
  }

  /** Ends the recording; `ended(null)` follows. */
  stop(): void {
    this.#stopping = true;
    this.#recording?.stop();
    setTimeout(() => this.#kill(), STOP_LIMIT_MS).unref();
  }

  /** Ends a recorder that delivers nothing; `ended` follows with a fault. */
  abandon(): void {
    this.#kill();
  }

  #kill(): void {
    if (!this.#ended) this.#recording?.process.kill("SIGKILL");
  }

  #exitFault(code: number | null, signal: NodeJS.Signals | null): Fault {
    const complaint = this.#complaint.trim().split("\n").at(-1) ?? "";
    if (signal !== null) return new Fault("audio.no-frames", `arecord was ended by ${signal}`);
    return new Fault(
      "audio.no-device",
      `"${this.#device}": ${complaint || `arecord ended with status ${code}`}`,
    );
  }

  #end(fault: Fault): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.ended(this.#stopping ? null : fault);
  }
}

function spawnFault(error: NodeJS.ErrnoException): Fault {
  if (error.code !== "ENOENT")
    return new Fault("audio.no-device", `arecord does not start: ${error.message}`, { cause: error });
  return new Fault("audio.program-missing", "arecord; run: apt-get install alsa-utils", { cause: error });
}
