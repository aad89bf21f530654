/**
 * The numbers that the decoder is tuned by, all in nats (differences of natural log-probabilities) unless said otherwise.
 * They were chosen on a development set of the training tools with another seed than the published test set.
 */
export type DecoderWeights = {
  /** Prefixes kept after every frame, and how far below the best one may lie. */
  readonly beam: number;
  readonly beamWidth: number;
  /** Between a frame's best label and its worst. */
  readonly clip: number;
  /** Multiplies the grammar's costs. */
  readonly grammar: number;
  /** For every word: short words do not come for free. */
  readonly word: number;
  /** For every label of unknown speech, and for its beginning. */
  readonly garbageLabel: number;
  readonly garbageWord: number;
  /** Below the best path, per label, at which confidence has fallen to 1/e. */
  readonly doubt: number;
  /** Mean probability of the best path's labels from which on they count as clear, 0 to 1. */
  readonly clear: number;
  /** A confidence, 0 to 1. A word less sure than this is not believed: what was heard is written instead. */
  readonly leastWord: number;
  /** Added to orders while a yes or no is expected. */
  readonly unexpected: number;
};

export const DEFAULT_WEIGHTS: DecoderWeights = {
  beam: 80,
  beamWidth: 18,
  clip: 6,
  grammar: 1.8,
  word: 0.8,
  garbageLabel: 2,
  garbageWord: 2.5,
  doubt: 3,
  clear: 0.75,
  leastWord: 0.5,
  unexpected: 1,
};
