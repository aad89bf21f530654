/**
 * Log-probabilities as an acoustic model would give them for a text, without a model: every label takes a few frames,
 * blanks lie between, noise and chosen mistakes are mixed in from a seed.
 */
import { Alphabet } from "../../models/hearing/alphabet.ts";

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));
}

/** The labels of the bundled model: blank, onsets without the silent one, vowels, codas, letters. */
export const TEST_TOKENS = [
  "",
  ...range(0x1100, 0x1112).filter((token) => token !== "\u110b"),
  ...range(0x1161, 0x1175),
  ...range(0x11a8, 0x11c2),
  ...range(0x61, 0x7a),
];

export const testAlphabet = new Alphabet(TEST_TOKENS, "omitted");

export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 4_294_967_296;
  };
}

export type Spelling = {
  readonly seed?: number;
  /** Standard deviation of noise on the unnormalised scores; the right label stands 8 above the others. */
  readonly noise?: number;
  /** Share of labels that another label beats clearly. */
  readonly mistakes?: number;
};

const PEAK = 8;

export function spelledSpeech(
  text: string,
  options: Spelling = {},
): { logProbs: Float32Array; frames: number } {
  const random = seeded(options.seed ?? 1);
  const gauss = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const size = testAlphabet.size;
  const rows: Float64Array[] = [];
  const put = (label: number) => {
    const row = Float64Array.from({ length: size }, () => gauss() * (options.noise ?? 0));
    row[label] = (row[label] as number) + PEAK;
    rows.push(row);
  };
  for (let i = 0; i < 5; i += 1) put(0);
  for (const label of testAlphabet.encode(text) ?? []) {
    const mistaken = random() < (options.mistakes ?? 0);
    const said = mistaken ? 1 + Math.floor(random() * (size - 1)) : label;
    put(said);
    if (random() < 0.4) put(said);
    put(0);
    if (random() < 0.5) put(0);
  }
  for (let i = 0; i < 8; i += 1) put(0);
  const logProbs = new Float32Array(rows.length * size);
  for (const [frame, row] of rows.entries()) {
    const top = Math.max(...row);
    const total = Math.log(row.reduce((sum, score) => sum + Math.exp(score - top), 0)) + top;
    for (let label = 0; label < size; label += 1)
      logProbs[frame * size + label] = (row[label] as number) - total;
  }
  return { logProbs, frames: rows.length };
}
