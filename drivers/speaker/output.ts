/**
 * The sound device through the speaker package (ALSA), with its traps closed; read from its binding.c and output/alsa.c.
 *
 * - On loading, the binding opens ALSA's "default" to ask for its formats, and an assertion ends the process when there is
 *   none. It is loaded under an ALSA configuration whose default is a null device, so that a missing device is an error that
 *   can be reported.
 * - close() plays on until the buffer is empty and blocks meanwhile; close(true) drops what is queued and is at once silent.
 * - Every write to the device loses about 490 bytes for ever (measured over 200,000 writes; the binding never deletes its
 *   work item). Writes are counted, so that the process can be replaced in a quiet moment.
 * - The device is opened by the first write, also an empty one, and blocks writes once half a second is queued.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Speaker from "speaker";
import { Fault } from "../../daemon/core/fault.ts";

/** A device that takes no samples for so long hangs: its buffer is half a second. */
const WRITE_LIMIT_MS = 2_000;
const NULL_DEFAULT = "pcm.!default { type null }\n";

type SpeakerClass = typeof Speaker;
/** The package takes a device, which its types do not know. */
type Options = Speaker.Options & Speaker.Format & { readonly device: string };

async function loadSpeaker(): Promise<SpeakerClass> {
  const folder = mkdtempSync(join(tmpdir(), "saypay-alsa-"));
  const file = join(folder, "asound.conf");
  writeFileSync(file, NULL_DEFAULT);
  // The ALSA library reads this variable when it opens a device, so it can only be changed here, around the load.
  const configured = process.env["ALSA_CONFIG_PATH"];
  process.env["ALSA_CONFIG_PATH"] = file;
  try {
    return (await import("speaker")).default;
  } catch (error) {
    throw new Fault(
      "audio.program-missing",
      "the speaker package does not load; run: apt-get install libasound2",
      {
        cause: error,
      },
    );
  } finally {
    if (configured === undefined) delete process.env["ALSA_CONFIG_PATH"];
    else process.env["ALSA_CONFIG_PATH"] = configured;
    rmSync(folder, { recursive: true, force: true });
  }
}

export class Output {
  readonly #device: string;
  readonly #sampleRate: number;
  #speaker: Speaker | null = null;
  #writes = 0;

  constructor(device: string, sampleRate: number) {
    this.#device = device;
    this.#sampleRate = sampleRate;
  }

  /** Rejects with the Fault "audio.no-device". Nothing sounds before the first samples. */
  async open(): Promise<void> {
    const SpeakerClass = await loadSpeaker();
    const options: Options = {
      channels: 1,
      bitDepth: 16,
      sampleRate: this.#sampleRate,
      device: this.#device,
    };
    const speaker = new SpeakerClass(options);
    // Every failure also reaches the callback of the write that met it.
    speaker.on("error", () => {});
    this.#speaker = speaker;
    await this.write(new Int16Array(0));
  }

  /** Resolves when the samples are in the device's buffer. After a rejection the output has to be opened again. */
  async write(pcm: Int16Array): Promise<void> {
    const speaker = this.#speaker;
    if (speaker === null) throw new Fault("audio.no-device", `"${this.#device}" is not open`);
    const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    let limit: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        limit = setTimeout(
          () => reject(new Error(`takes no samples for ${WRITE_LIMIT_MS} ms`)),
          WRITE_LIMIT_MS,
        );
        speaker.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      this.#speaker = null;
      if (error instanceof Error) throw this.#fault(error);
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Silences the device at once by dropping what it holds. No write may be under way. It has to be opened again. */
  drop(): void {
    this.#speaker?.close(true);
    this.#speaker = null;
  }

  /** Since the process started. */
  get writes(): number {
    return this.#writes;
  }

  get isOpen(): boolean {
    return this.#speaker !== null;
  }

  #fault(error: Error): Fault {
    const detail = `"${this.#device}": ${error.message}; the devices are listed by: aplay -L`;
    return new Fault("audio.no-device", detail, { cause: error });
  }
}
