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

export type EmissionRules = {
  readonly similar: SimilarSounds;
  /** 1 for labels of the language that is listened to (and the blank), 0 for the others: they are left out. */
  readonly allowed: Uint8Array;
  /**
   * A frame never says "impossible": a label scores at worst this far below the frame's best, in nats, so that one wrong
   * label in a long word costs about as much as one edit.
   */
  readonly clip: number;
};

/** `logProbs` is [frames, labels] as the model gives it. */
export function readEmissions(logProbs: Float32Array, frames: number, rules: EmissionRules): Emissions {
  const { similar, allowed, clip } = rules;
  const labels = allowed.length;
  const scores = new Float32Array(frames * labels);
  const best = new Int32Array(frames);
  const bestScore = new Float32Array(frames);
  const bestSum = new Float64Array(frames + 1);
  for (let frame = 0; frame < frames; frame += 1) {
    const row = logProbs.subarray(frame * labels, (frame + 1) * labels);
    const top = bestLabel(row, allowed);
    const topScore = row[top] as number;
    best[frame] = top;
    bestScore[frame] = topScore;
    bestSum[frame + 1] = (bestSum[frame] as number) + topScore;
    blur(row, scores.subarray(frame * labels, (frame + 1) * labels), similar, topScore - clip);
  }
  return { frames, labels, scores, best, bestScore, bestSum };
}

function bestLabel(row: Float32Array, allowed: Uint8Array): number {
  let top = BLANK;
  for (let label = 1; label < allowed.length; label += 1) {
    if (allowed[label] === 1 && (row[label] as number) > (row[top] as number)) top = label;
  }
  return top;
}

/** Every label takes over from a neighbour that stands clearly better; nothing falls under the floor. */
function blur(row: Float32Array, out: Float32Array, similar: SimilarSounds, floor: number): void {
  for (let label = 0; label < row.length; label += 1) {
    let score = row[label] as number;
    for (let i = similar.offset[label] as number; i < (similar.offset[label + 1] as number); i += 1) {
      const other = (row[similar.label[i] as number] as number) - (similar.cost[i] as number);
      if (other > score) score = other;
    }
    out[label] = Math.max(score, floor);
  }
}

/**
 * How sure the model is of the labels on its best path, 0 to 1. Speech of a kind that it never learnt comes out as a soft
 * mumble of labels, into which any words fit.
 */
export function clarity(emissions: Emissions): number {
  let sum = 0;
  let count = 0;
  for (let frame = 0; frame < emissions.frames; frame += 1) {
    if (emissions.best[frame] === BLANK) continue;
    sum += Math.exp(emissions.bestScore[frame] as number);
    count += 1;
  }
  return count === 0 ? 1 : sum / count;
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
