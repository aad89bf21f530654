/**
 * The acoustic model under onnxruntime: features of a stretch of sound to log-probabilities of labels.
 *
 * Runs are queued one behind another, because two at once only take the processor from each other; a run that nobody
 * waits for any more is skipped before it starts.
 */
import "./no-telemetry.ts";
import * as onnx from "onnxruntime-node";
import { Fault } from "../../daemon/core/fault.ts";
import type { Alphabet } from "./alphabet.ts";
import { MELS } from "./log-mel.ts";
import { type ModelFolder, readModelFolder } from "./model-folder.ts";

export type LogProbs = { readonly data: Float32Array; readonly frames: number };

export interface AcousticModel {
  readonly alphabet: Alphabet;
  readonly folder: Pick<ModelFolder, "compression" | "frameStrideMs">;
  /** `features` is [frames, 80]. Rejects with Fault model.failed. `wanted` is asked just before the run. */
  run(features: Float32Array, wanted?: () => boolean): Promise<LogProbs | null>;
  close(): Promise<void>;
}

/** One second: enough to make onnxruntime allocate and choose its kernels before the first customer. */
const WARM_UP_FRAMES = [100, 300];

class OnnxAcousticModel implements AcousticModel {
  readonly alphabet: Alphabet;
  readonly folder: ModelFolder;
  readonly #session: onnx.InferenceSession;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(folder: ModelFolder, session: onnx.InferenceSession) {
    this.folder = folder;
    this.alphabet = folder.alphabet;
    this.#session = session;
  }

  run(features: Float32Array, wanted: () => boolean = () => true): Promise<LogProbs | null> {
    const result = this.#queue.then(() => (wanted() ? this.#infer(features) : null));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#session.release();
  }

  async #infer(features: Float32Array): Promise<LogProbs> {
    const frames = features.length / MELS;
    const input = new onnx.Tensor("float32", features, [1, frames, MELS]);
    let output: onnx.Tensor | undefined;
    try {
      output = (await this.#session.run({ features: input }))["log_probs"];
    } catch (cause) {
      throw new Fault("model.failed", `the acoustic model failed on ${frames} frames`, { cause });
    }
    const [, outputFrames, labels] = output?.dims ?? [];
    if (output === undefined || outputFrames === undefined || labels !== this.alphabet.size) {
      throw new Fault("model.damaged", "the acoustic model's output does not fit tokens.json");
    }
    return { data: output.data as Float32Array, frames: outputFrames };
  }
}

/** Loads, checks and warms up the model of a folder. Rejects with Fault model.missing, model.damaged or model.failed. */
export async function openAcousticModel(directory: string, threads: number): Promise<AcousticModel> {
  const folder = await readModelFolder(directory);
  let session: onnx.InferenceSession;
  try {
    session = await onnx.InferenceSession.create(folder.weights, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Idle threads that spin take the processor from the sound drivers on a small machine.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
  } catch (cause) {
    throw new Fault("model.damaged", `${directory}/model.onnx is not a model that this program can run`, {
      cause,
    });
  }
  const model = new OnnxAcousticModel(folder, session);
  for (const frames of WARM_UP_FRAMES) await model.run(new Float32Array(frames * MELS));
  return model;
}
