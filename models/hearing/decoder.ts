/**
 * The decoder: CTC scores of an utterance and the lexicon of a menu to the words that were said.
 *
 * A time-synchronous beam search (after Hannun et al. 2014, with the best instead of the summed alignment, so that
 * words have places in time) over the closed vocabulary, with the grammar's costs between words. Speech outside the
 * vocabulary goes through a garbage word that follows the unconstrained best path at a price for every label: it keeps
 * strange talk from being bent into an order. Confidence is how far the chosen path lies below that best path, per label.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { Expectation } from "../model.ts";
import type { Alphabet } from "./alphabet.ts";
import { BeamSearch, chain, type Ending, type History, UNKNOWN_WORD } from "./beam-search.ts";
import { DEFAULT_WEIGHTS, type DecoderWeights } from "./decoder-weights.ts";
import { clarity, type EmissionRules, type Emissions, greedyLabels, readEmissions } from "./emissions.ts";
import { type Grammar, grammarOf, WORD_CLASSES } from "./grammar.ts";
import type { DecoderLexicon } from "./lexicon.ts";
import { similarSounds } from "./similar-sounds.ts";

export type HeardWord = {
  readonly text: string;
  /** Frames of the acoustic model, [from, to). */
  readonly fromFrame: number;
  readonly toFrame: number;
  /** 0 to 1; 0 for speech outside the vocabulary. */
  readonly confidence: number;
  readonly known: boolean;
};

export type Hypothesis = {
  readonly text: string;
  readonly words: readonly HeardWord[];
  /** Natural logarithm, acoustic and grammar together; only differences mean something. */
  readonly score: number;
  readonly confidence: number;
};

export type Decoding = {
  /** Best first, at most MAX_HYPOTHESES; empty when nothing was said. */
  readonly hypotheses: readonly Hypothesis[];
  /** The unconstrained best path, without spaces. */
  readonly unconstrained: string;
};

export const MAX_HYPOTHESES = 8;
/** How steeply confidence falls when the labels get soft. */
const CLARITY_POWER = 3;
/** Endings whose runners-up are looked at. */
const MAX_ENDINGS = 4;
const BOUND = new Set(
  (["D", "N", "B", "S", "T", "C", "K", "P", "Q"] as const).map((name) => WORD_CLASSES.indexOf(name)),
);
/** A confidence over few labels says little: fewer than this count as this many. */
const LEAST_LABELS = 2;

export class Decoder {
  readonly #alphabet: Alphabet;
  readonly #lexicon: DecoderLexicon;
  readonly #grammar: Grammar;
  readonly #rules: EmissionRules;
  readonly #weights: DecoderWeights;

  constructor(
    alphabet: Alphabet,
    lexicon: DecoderLexicon,
    language: Language,
    weights: DecoderWeights = DEFAULT_WEIGHTS,
  ) {
    this.#alphabet = alphabet;
    this.#lexicon = lexicon;
    this.#grammar = grammarOf(language);
    const allowed = alphabet.labelsOf(language);
    this.#rules = { similar: similarSounds(alphabet), allowed, clip: weights.clip };
    this.#weights = weights;
  }

  /** `logProbs` is [frames, labels] of the acoustic model. */
  decode(logProbs: Float32Array, frames: number, expectation: Expectation): Decoding {
    const emissions = readEmissions(logProbs, frames, this.#rules);
    const path = greedyLabels(emissions);
    const unconstrained = this.#alphabet.decode(path);
    if (path.length === 0) return { hypotheses: [], unconstrained };
    const search = new BeamSearch(emissions, this.#lexicon, this.#grammar, this.#weights, expectation);
    const endings = search.run().slice(0, MAX_ENDINGS);
    const hypotheses = endings.flatMap((ending) => this.#readings(ending, emissions, path.length));
    const best = distinct(hypotheses);
    return { hypotheses: best.length > 0 ? best : [unknown(unconstrained, frames)], unconstrained };
  }

  /** An ending, and the same with one rival in place of its beginning. */
  #readings(ending: Ending, emissions: Emissions, labels: number): readonly Hypothesis[] {
    const links = chain(ending.history);
    const confidence = this.#overall(ending, links, emissions, labels);
    const decay = this.#weights.doubt * Math.max(LEAST_LABELS, labels);
    const main = { ...this.#written(links, emissions), score: ending.score, confidence };
    const others = links.flatMap((link, index) =>
      link.rivals.map(({ history, behind }) => ({
        ...this.#written([...chain(history), ...links.slice(index + 1)], emissions),
        score: ending.score - behind,
        confidence: confidence * Math.exp(-behind / decay),
      })),
    );
    return [main, ...others];
  }

  #written(links: readonly History[], emissions: Emissions): Pick<Hypothesis, "text" | "words"> {
    const words: HeardWord[] = [];
    let text = "";
    for (const link of links) {
      const entry = this.#lexicon.words[link.word];
      const labels = greedyLabels(emissions, link.fromFrame, link.toFrame);
      const confidence = entry === undefined ? 0 : this.#confidence(link, emissions, labels.length);
      const known = entry !== undefined && (confidence >= this.#weights.leastWord || isBound(entry.classes));
      const said = known ? entry.text : this.#alphabet.decode(labels);
      if (said === "") continue;
      words.push({ text: said, fromFrame: link.fromFrame, toFrame: link.toFrame, confidence, known });
      text += `${text === "" || entry?.spaced === false ? "" : " "}${said}`;
    }
    return { text, words };
  }

  /** How far a word lies below the best path of the same frames. */
  #confidence(link: History, emissions: Emissions, labels: number): number {
    const { before } = link;
    const acoustic = link.score + link.cost - (before === null ? 0 : before.score + before.cost);
    const start = before === null ? 0 : before.toFrame;
    const free = (emissions.bestSum[link.toFrame] as number) - (emissions.bestSum[start] as number);
    return Math.exp(Math.min(0, acoustic - free) / (this.#weights.doubt * Math.max(LEAST_LABELS, labels)));
  }

  /** The same over the whole turn, and how clear the labels were; unknown speech counts by its costs. */
  #overall(ending: Ending, links: readonly History[], emissions: Emissions, labels: number): number {
    const strange = links.filter((link) => link.word === UNKNOWN_WORD);
    const garbage = strange.reduce((sum, link) => sum + link.cost - (link.before?.cost ?? 0), 0);
    const acoustic = ending.score + ending.cost - garbage;
    const free = emissions.bestSum[emissions.frames] as number;
    const fit = Math.exp(
      Math.min(0, acoustic - free) / (this.#weights.doubt * Math.max(LEAST_LABELS, labels)),
    );
    return fit * Math.min(1, clarity(emissions) / this.#weights.clear) ** CLARITY_POWER;
  }
}

/** Numbers, counters, particles and endings are too short to be judged alone; the words around them hold them. */
function isBound(classes: readonly number[]): boolean {
  return classes.every((name) => BOUND.has(name));
}

/** When no sequence of words survived the search, what was heard stands as one unknown word. */
function unknown(text: string, frames: number): Hypothesis {
  const words = [{ text, fromFrame: 0, toFrame: frames, confidence: 0, known: false }];
  return { text, words, score: 0, confidence: 0 };
}

function distinct(hypotheses: readonly Hypothesis[]): readonly Hypothesis[] {
  const seen = new Set<string>();
  return hypotheses
    .toSorted((a, b) => b.score - a.score)
    .filter(({ text }) => text !== "" && !seen.has(text) && seen.add(text))
    .slice(0, MAX_HYPOTHESES);
}
