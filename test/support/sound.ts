/**
 * A sound card made of software: a private PulseAudio with two null sinks, one that the terminal's microphone listens to
 * and one that its speaker plays into. Real programs at both ends: arecord and the ALSA library under the drivers, pacat
 * and parec at the customer's side. Several can run at once: socket, cookie and ALSA configuration are in a folder of
 * their own. Assumes Debian's pulseaudio, pulseaudio-utils and libasound2-plugins.
 *
 * The sinks are loaded without rewinding: a null sink that rewinds lets its monitor lose the first milliseconds of every
 * sound, and renders two seconds ahead while nobody listens, which a new listener then waits for. Two taps run from start to
 * stop, hold the latency down, and are what recordings are cut from.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Recording, Tap } from "./recording.ts";
import type { Sound } from "./wav.ts";

/** What a terminal is given in place of sound hardware. */
export type SoundEnvironment = {
  /** For the daemon's or the driver's process. */
  readonly env: { readonly [name: string]: string };
  /** ALSA devices for the drivers' settings. */
  readonly microphoneDevice: string;
  readonly speakerDevice: string;
};

const MICROPHONE_RATE = 16_000;
const SPEAKER_RATE = 22_050;
const START_LIMIT_MS = 15_000;
const POLL_MS = 20;
/** Taps: the recording's times are as fine as this. */
const TAP_LATENCY_MS = 10;
/** What is said is buffered generously, so that a busy machine does not tear holes in the customer's words. */
const SAY_LATENCY_MS = 200;
const PACKAGES = "apt-get install pulseaudio pulseaudio-utils libasound2-plugins alsa-utils";

const ALSA_CONFIGURATION = `
pcm.microphone { type pulse device "mic.monitor" }
pcm.speaker { type pulse device "spk" }
pcm.!default { type asym capture.pcm "microphone" playback.pcm "speaker" }
ctl.!default { type pulse }
`;

export class VirtualSound {
  readonly #children = new Set<ChildProcess>();
  #microphone = new Tap(MICROPHONE_RATE);
  #speaker = new Tap(SPEAKER_RATE);
  #folder = "";
  #complaints = "";

  /** Resolves when both sinks exist and sound flows. Rejects with what PulseAudio said when it does not come up. */
  async start(): Promise<SoundEnvironment> {
    this.#folder = mkdtempSync(join(tmpdir(), "saypay-sound-"));
    writeFileSync(join(this.#folder, "asound.conf"), ALSA_CONFIGURATION);
    await this.plug();
    return this.environment;
  }

  /** The sound card is there again, with the same device names. */
  async plug(): Promise<void> {
    rmSync(this.#socket, { force: true });
    this.#microphone = new Tap(MICROPHONE_RATE);
    this.#speaker = new Tap(SPEAKER_RATE);
    this.#spawn("pulseaudio", serverArguments(this.#socket));
    await this.#until(() => existsSync(this.#socket), "PulseAudio opens its socket");
    this.#listen("mic.monitor", this.#microphone);
    this.#listen("spk.monitor", this.#speaker);
    await this.#until(() => this.#microphone.isFlowing && this.#speaker.isFlowing, "sound flows");
  }

  /** The sound card is gone, in the middle of whatever it does. Recordings end. */
  async unplug(): Promise<void> {
    const gone = [...this.#children].map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(gone);
  }

  get environment(): SoundEnvironment {
    return { env: this.#env, microphoneDevice: "microphone", speakerDevice: "speaker" };
  }

  /** Plays a WAV file, or samples, to the terminal's microphone. Resolves when the last sample was played. */
  async say(source: string | Sound): Promise<void> {
    const options = ["--device=mic", `--latency-msec=${SAY_LATENCY_MS}`];
    if (typeof source === "string") return this.#run("paplay", [...options, source], null);
    const format = ["--playback", "--raw", "--format=s16le", "--channels=1", `--rate=${source.sampleRate}`];
    const { buffer, byteOffset, byteLength } = source.pcm;
    return this.#run("pacat", [...format, ...options], Buffer.from(buffer, byteOffset, byteLength));
  }

  /** Records what the terminal speaks, from now on. */
  recordSpeaker(): Recording {
    return this.#speaker.record();
  }

  /** Records what the microphone is given to hear: the customer, with exact times. */
  recordMicrophone(): Recording {
    return this.#microphone.record();
  }

  async stop(): Promise<void> {
    await this.unplug();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#folder, "native");
  }

  get #env(): { readonly [name: string]: string } {
    return {
      ALSA_CONFIG_PATH: join(this.#folder, "asound.conf"),
      PULSE_SERVER: `unix:${this.#socket}`,
      PULSE_COOKIE: join(this.#folder, "cookie"),
    };
  }

  #spawn(program: string, programArguments: readonly string[]): ChildProcess {
    // PulseAudio keeps its state in the home folder: a private one leaves the person's own alone.
    const own = { HOME: this.#folder, XDG_RUNTIME_DIR: this.#folder, XDG_CONFIG_HOME: this.#folder };
    const env = { ...process.env, ...this.#env, ...own };
    // The kernel ends them with this process, also when it is killed and cannot clean up.
    const bound = ["--pdeathsig", "KILL", program, ...programArguments];
    const child = spawn("setpriv", bound, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    child.once("error", (error) => {
      this.#children.delete(child);
      this.#complain(error.message);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#complain(text));
    return child;
  }

  #complain(text: string): void {
    this.#complaints = (this.#complaints + text).slice(-2_000);
  }

  #listen(source: string, tap: Tap): void {
    const format = ["--record", "--raw", "--format=s16le", "--channels=1", `--rate=${tap.sampleRate}`];
    const child = this.#spawn("pacat", [...format, `--device=${source}`, `--latency-msec=${TAP_LATENCY_MS}`]);
    child.stdout?.on("data", (chunk: Buffer) => tap.take(chunk));
  }

  async #run(program: string, programArguments: readonly string[], input: Buffer | null): Promise<void> {
    const child = this.#spawn(program, programArguments);
    child.stdin
      ?.on("error", (error) => this.#complain(`${program}: ${error.message}\n`))
      .end(input ?? undefined);
    child.stdout?.resume();
    const code = await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${this.#complaints}`);
  }

  async #until(reached: () => boolean, what: string): Promise<void> {
    const limit = performance.now() + START_LIMIT_MS;
    while (!reached()) {
      if (performance.now() > limit || this.#children.size === 0) {
        const said = this.#complaints;
        await this.stop();
        throw new Error(`virtual sound did not start (waiting until ${what}): ${said}; needed: ${PACKAGES}`);
      }
      await delay(POLL_MS);
    }
  }
}

function serverArguments(socket: string): readonly string[] {
  const modules = [
    `module-null-sink sink_name=mic rate=${MICROPHONE_RATE} channels=1 format=s16le norewinds=1`,
    `module-null-sink sink_name=spk rate=${SPEAKER_RATE} channels=1 format=s16le norewinds=1`,
    // Last, because its socket is the sign that everything is there.
    `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
  ];
  const process = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"];
  return [...process, "--high-priority=no", "--realtime=no", ...modules.flatMap((module) => ["-L", module])];
}
