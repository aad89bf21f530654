/**
 * What the decoder reads off one utterance: the model's log-probabilities, bounded and blurred towards similar sounds,
 * and the unconstrained best path that everything is compared with.
 */
import { BLANK } from "./alphabet.ts";
import type { SimilarSounds } from "./similar-sounds.ts";

export type Emissions = {
  readonly frames: number;
  readonly labels: number;
  /** [frames, labels], natural logarithms. */
  readonly scores: Float32Array;
  /** Best label of every frame and its score. */
  readonly best: Int32Array;
  readonly bestScore: Float32Array;
  /** Sum of bestScore before each frame; one longer than the frames. */
  readonly bestSum: Float64Array;
};

/**
 * A frame never says "impossible": a label scores at worst this far below the frame's best, so that one wrong label in a
 * long word costs about as much as one edit.
 */
const CLIP = 7;

/** `logProbs` is [frames, labels] as the model gives it. */
export function readEmissions(
  logProbs: Float32Array,
  frames: number,
  labels: number,
  similar: SimilarSounds,
): Emissions {
  const scores = new Float32Array(frames * labels);
  const best = new Int32Array(frames);
  const bestScore = new Float32Array(frames);
  const bestSum = new Float64Array(frames + 1);
  for (let frame = 0; frame < frames; frame += 1) {
    const row = frame * labels;
    let top = BLANK;
    for (let label = 1; label < labels; label += 1) {
      if ((logProbs[row + label] as number) > (logProbs[row + top] as number)) top = label;
    }
    const topScore = logProbs[row + top] as number;
    best[frame] = top;
    bestScore[frame] = topScore;
    bestSum[frame + 1] = (bestSum[frame] as number) + topScore;
    const floor = topScore - CLIP;
    for (let label = 0; label < labels; label += 1) {
      let score = logProbs[row + label] as number;
      for (let i = similar.offset[label] as number; i < (similar.offset[label + 1] as number); i += 1) {
        const other = (logProbs[row + (similar.label[i] as number)] as number) - (similar.cost[i] as number);
        if (other > score) score = other;
      }
      scores[row + label] = Math.max(score, floor);
    }
  }
  return { frames, labels, scores, best, bestScore, bestSum };
}

/** Labels of the best path with repeats merged and blanks dropped, in frames [from, to). */
export function greedyLabels(emissions: Emissions, from = 0, to = emissions.frames): readonly number[] {
  const out: number[] = [];
  let last: number = BLANK;
  for (let frame = from; frame < to; frame += 1) {
    const label = emissions.best[frame] as number;
    if (label !== last && label !== BLANK) out.push(label);
    last = label;
  }
  return out;
}
