/**
 * The decoder: CTC scores of an utterance and the lexicon of a menu to the words that were said.
 *
 * A time-synchronous prefix beam search (Hannun et al. 2014; here with the best instead of the summed alignment, so that
 * words have places in time) over the closed vocabulary, with the grammar's costs between words. Speech outside the
 * vocabulary goes through a garbage word that follows the unconstrained best path at a price for every label: it keeps
 * strange talk from being bent into an order. Confidence is how far the chosen path lies below that best path, per label.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { Expectation } from "../model.ts";
import { type Alphabet, BLANK } from "./alphabet.ts";
import {
  type EmissionRules,
  type Emissions,
  greedyLabels,
  readEmissions,
  sketchLabels,
} from "./emissions.ts";
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

export type DecoderWeights = {
  /** Prefixes kept after every frame, and how far below the best one may lie. */
  readonly beam: number;
  readonly beamWidth: number;
  /** Nats between a frame's best label and its worst. */
  readonly clip: number;
  /** Multiplies the grammar's costs. */
  readonly grammar: number;
  /** Nats for every word: short words do not come for free. */
  readonly word: number;
  /** Nats for every label of unknown speech, and for its beginning. */
  readonly garbageLabel: number;
  readonly garbageWord: number;
  /** Nats below the best path, per label, at which confidence has fallen to 1/e. */
  readonly doubt: number;
  /** A word less sure than this is not believed: what was heard is written instead. */
  readonly leastWord: number;
  /** Added to orders while a yes or no is expected. */
  readonly unexpected: number;
};

export const DEFAULT_WEIGHTS: DecoderWeights = {
  beam: 72,
  beamWidth: 18,
  clip: 5.5,
  grammar: 1.4,
  word: 0.8,
  garbageLabel: 2,
  garbageWord: 2.5,
  doubt: 3,
  leastWord: 0.5,
  unexpected: 1,
};

const NONE = Number.NEGATIVE_INFINITY;
/** The node of unknown speech, beside those of the tree. */
const GARBAGE_NODE = -1;
const UNKNOWN_WORD = -1;
const UNKNOWN_CLASS = WORD_CLASSES.indexOf("U");
/** A frame whose blank is this sure adds nothing to any word. */
const SURE_BLANK = -0.02;
const CONFIRMATION_CLASSES = new Set(["Y", "F", "R", "Q"].map((name) => WORD_CLASSES.indexOf(name as "Y")));

/** The words so far; shared between prefixes. */
type History = {
  readonly id: number;
  readonly before: History | null;
  /** Index into the lexicon's words, or UNKNOWN_WORD. */
  readonly word: number;
  readonly classes: readonly number[];
  /** Grammar, word and garbage costs up to here. */
  readonly cost: number;
  readonly fromFrame: number;
  readonly toFrame: number;
  /** Total score when the word ended. */
  readonly score: number;
};

type Prefix = {
  readonly history: History;
  readonly node: number;
  /** Label that was emitted last, which cannot follow itself without a blank. */
  readonly last: number;
  /** Best scores of alignments that end in a blank and in the last label. */
  blank: number;
  label: number;
  /** Frame where the present word began. */
  fromFrame: number;
};

export class Decoder {
  readonly #alphabet: Alphabet;
  readonly #lexicon: DecoderLexicon;
  readonly #grammar: Grammar;
  readonly #rules: EmissionRules;
  readonly #weights: DecoderWeights;
  readonly #nodes: number;

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
    this.#nodes = lexicon.tree.words.length + 1;
  }

  /** The unconstrained best path alone: cheap enough for partial results. */
  sketch(logProbs: Float32Array, frames: number): string {
    return this.#alphabet.decode(sketchLabels(logProbs, frames, this.#rules.allowed));
  }

  /** `logProbs` is [frames, labels] of the acoustic model. */
  decode(logProbs: Float32Array, frames: number, expectation: Expectation): Decoding {
    const emissions = readEmissions(logProbs, frames, this.#rules);
    const path = greedyLabels(emissions);
    if (path.length === 0) return { hypotheses: [], unconstrained: "" };
    const search = new Search(
      emissions,
      this.#lexicon,
      this.#grammar,
      this.#weights,
      this.#nodes,
      expectation,
    );
    const hypotheses = search.run().map((ending) => this.#describe(ending, emissions));
    return { hypotheses: distinct(hypotheses), unconstrained: this.#alphabet.decode(path) };
  }

  #describe(ending: Ending, emissions: Emissions): Hypothesis {
    const words: HeardWord[] = [];
    let text = "";
    for (const history of chain(ending.history)) {
      const entry = this.#lexicon.words[history.word];
      const labels = greedyLabels(emissions, history.fromFrame, history.toFrame);
      const confidence = entry === undefined ? 0 : this.#confidence(history, emissions, labels.length);
      const known = entry !== undefined && confidence >= this.#weights.leastWord;
      const said = known ? entry.text : this.#alphabet.decode(labels);
      if (said === "") continue;
      words.push({ text: said, fromFrame: history.fromFrame, toFrame: history.toFrame, confidence, known });
      text += `${text === "" || entry?.spaced === false ? "" : " "}${said}`;
    }
    return { text, words, score: ending.score, confidence: this.#overall(ending, emissions) };
  }

  /** How far a word lies below the best path of the same frames. */
  #confidence(history: History, emissions: Emissions, labels: number): number {
    const before = history.before;
    const acoustic = history.score + history.cost - (before === null ? 0 : before.score + before.cost);
    const start = before === null ? 0 : before.toFrame;
    const free = (emissions.bestSum[history.toFrame] as number) - (emissions.bestSum[start] as number);
    return Math.exp(Math.min(0, acoustic - free) / (this.#weights.doubt * Math.max(2, labels)));
  }

  /** The same over the whole turn; unknown speech counts by its costs. */
  #overall(ending: Ending, emissions: Emissions): number {
    const unknown = chain(ending.history).filter((history) => history.word === UNKNOWN_WORD);
    const garbage = unknown.reduce((sum, history) => sum + history.cost - (history.before?.cost ?? 0), 0);
    const acoustic = ending.score + ending.cost - garbage;
    const free = emissions.bestSum[emissions.frames] as number;
    const labels = Math.max(2, greedyLabels(emissions).length);
    return Math.exp(Math.min(0, acoustic - free) / (this.#weights.doubt * labels));
  }
}

type Ending = { readonly history: History; readonly score: number; readonly cost: number };

function chain(history: History): readonly History[] {
  const out: History[] = [];
  for (let at: History | null = history; at !== null && at.before !== null; at = at.before) out.push(at);
  return out.reverse();
}

function distinct(hypotheses: readonly Hypothesis[]): readonly Hypothesis[] {
  const seen = new Set<string>();
  return hypotheses
    .filter(({ text }) => text !== "" && !seen.has(text) && seen.add(text))
    .slice(0, MAX_HYPOTHESES);
}

/** One utterance. Kept apart from the decoder because it is all state. */
class Search {
  readonly #emissions: Emissions;
  readonly #lexicon: DecoderLexicon;
  readonly #grammar: Grammar;
  readonly #weights: DecoderWeights;
  readonly #nodes: number;
  readonly #expectation: Expectation;
  readonly #histories = new Map<string, History>();
  #prefixes = new Map<number, Prefix>();
  #next = new Map<number, Prefix>();
  #threshold = NONE;

  constructor(
    emissions: Emissions,
    lexicon: DecoderLexicon,
    grammar: Grammar,
    weights: DecoderWeights,
    nodes: number,
    expectation: Expectation,
  ) {
    this.#emissions = emissions;
    this.#lexicon = lexicon;
    this.#grammar = grammar;
    this.#weights = weights;
    this.#nodes = nodes;
    this.#expectation = expectation;
  }

  run(): readonly Ending[] {
    const empty: History = {
      id: 0,
      before: null,
      word: UNKNOWN_WORD,
      classes: [],
      cost: 0,
      fromFrame: 0,
      toFrame: 0,
      score: 0,
    };
    this.#prefixes.set(0, { history: empty, node: 0, last: BLANK, blank: 0, label: NONE, fromFrame: 0 });
    for (let frame = 0; frame < this.#emissions.frames; frame += 1) {
      const fresh = this.#freshLabel(frame);
      if (fresh) this.#leaveGarbage(frame);
      this.#advance(frame, fresh);
      this.#prune();
    }
    this.#leaveGarbage(this.#emissions.frames);
    return this.#endings();
  }

  /** Whether the best path begins a label in this frame. */
  #freshLabel(frame: number): boolean {
    const { best } = this.#emissions;
    return best[frame] !== BLANK && (frame === 0 || best[frame] !== best[frame - 1]);
  }

  #advance(frame: number, fresh: boolean): void {
    const { scores, labels, best, bestScore } = this.#emissions;
    const row = frame * labels;
    const blankScore = scores[row + BLANK] as number;
    const quiet = best[frame] === BLANK && (bestScore[frame] as number) > SURE_BLANK;
    this.#next = new Map();
    this.#threshold = this.#bestOf(this.#prefixes) + (bestScore[frame] as number) - this.#weights.beamWidth;
    for (const prefix of this.#prefixes.values()) {
      const top = Math.max(prefix.blank, prefix.label);
      if (prefix.node === GARBAGE_NODE) {
        const step = (bestScore[frame] as number) - (fresh ? this.#weights.garbageLabel : 0);
        this.#offer(prefix.history, GARBAGE_NODE, BLANK, top + step, NONE, prefix.fromFrame);
        continue;
      }
      const repeat = prefix.last === BLANK ? NONE : prefix.label + (scores[row + prefix.last] as number);
      this.#offer(prefix.history, prefix.node, prefix.last, top + blankScore, repeat, prefix.fromFrame);
      if (quiet) continue;
      this.#extend(prefix, frame, top);
      if (fresh && prefix.node === 0) {
        const { garbageWord, garbageLabel } = this.#weights;
        const entry = top + (bestScore[frame] as number) - garbageWord - garbageLabel;
        this.#offer(prefix.history, GARBAGE_NODE, BLANK, entry, NONE, frame);
      }
    }
    this.#prefixes = this.#next;
  }

  /** Every child of the prefix's node by one label. */
  #extend(prefix: Prefix, frame: number, top: number): void {
    const { tree } = this.#lexicon;
    const { scores, labels } = this.#emissions;
    const row = frame * labels;
    const end = tree.first[prefix.node + 1] as number;
    for (let link = tree.first[prefix.node] as number; link < end; link += 1) {
      const label = tree.childLabel[link] as number;
      const score = (label === prefix.last ? prefix.blank : top) + (scores[row + label] as number);
      if (score < this.#threshold) continue;
      const node = tree.childNode[link] as number;
      const fromFrame = prefix.node === 0 ? frame : prefix.fromFrame;
      this.#offer(prefix.history, node, label, NONE, score, fromFrame);
      for (const word of tree.words[node] ?? [])
        this.#finishWord(prefix.history, word, label, score, fromFrame, frame);
    }
  }

  #finishWord(
    history: History,
    word: number,
    label: number,
    score: number,
    fromFrame: number,
    frame: number,
  ): void {
    const entry = this.#lexicon.words[word];
    if (entry === undefined) return;
    const cost =
      this.#weights.word + entry.cost + this.#weights.grammar * this.#follow(history, entry.classes);
    if (score - cost < this.#threshold) return;
    const next = this.#history(history, word, entry.classes, cost, fromFrame, frame + 1, score - cost);
    this.#offer(next, 0, label, NONE, score - cost, frame + 1);
  }

  /** Garbage ends where the best path begins another label: the words after it start there. */
  #leaveGarbage(frame: number): void {
    for (const prefix of [...this.#prefixes.values()]) {
      if (prefix.node !== GARBAGE_NODE || prefix.fromFrame === frame) continue;
      const follow = this.#weights.grammar * this.#follow(prefix.history, [UNKNOWN_CLASS]);
      const labels = this.#freshBetween(prefix.fromFrame, frame);
      const cost = follow + this.#weights.garbageWord + labels * this.#weights.garbageLabel;
      const score = prefix.blank - follow;
      const history = this.#history(
        prefix.history,
        UNKNOWN_WORD,
        [UNKNOWN_CLASS],
        cost,
        prefix.fromFrame,
        frame,
        score,
      );
      this.#merge(this.#prefixes, history, 0, BLANK, score, NONE, frame);
    }
  }

  #freshBetween(from: number, to: number): number {
    let count = 0;
    for (let frame = from; frame < to; frame += 1) if (this.#freshLabel(frame)) count += 1;
    return count;
  }

  #follow(history: History, classes: readonly number[]): number {
    let lowest = Number.POSITIVE_INFINITY;
    const before = history.before === null ? [-1] : history.classes;
    for (const from of before) {
      for (const to of classes)
        lowest = Math.min(lowest, this.#grammar.follow(from, to) + this.#surprise(from, to));
    }
    return lowest;
  }

  #surprise(from: number, to: number): number {
    if (this.#expectation === "order" || from !== -1) return 0;
    return CONFIRMATION_CLASSES.has(to) ? 0 : this.#weights.unexpected;
  }

  /** One object for one sequence of words; unknown words are told apart by their place. */
  #history(
    before: History,
    word: number,
    classes: readonly number[],
    cost: number,
    fromFrame: number,
    toFrame: number,
    score: number,
  ): History {
    const place = word === UNKNOWN_WORD ? `:${fromFrame}:${toFrame}` : "";
    const key = `${before.id}/${word}${place}`;
    const known = this.#histories.get(key);
    if (known !== undefined && known.score >= score) return known;
    const id = known?.id ?? this.#histories.size + 1;
    const history: History = {
      id,
      before,
      word,
      classes,
      cost: before.cost + cost,
      fromFrame,
      toFrame,
      score,
    };
    this.#histories.set(key, history);
    return history;
  }

  #offer(
    history: History,
    node: number,
    last: number,
    blank: number,
    label: number,
    fromFrame: number,
  ): void {
    if (blank < this.#threshold && label < this.#threshold) return;
    this.#merge(this.#next, history, node, last, blank, label, fromFrame);
  }

  #merge(
    into: Map<number, Prefix>,
    history: History,
    node: number,
    last: number,
    blank: number,
    label: number,
    fromFrame: number,
  ): void {
    const key = history.id * this.#nodes + (node === GARBAGE_NODE ? this.#nodes - 1 : node);
    const known = into.get(key);
    if (known === undefined) {
      into.set(key, { history, node, last, blank, label, fromFrame });
      return;
    }
    const better = Math.max(blank, label) > Math.max(known.blank, known.label);
    if (better) known.fromFrame = fromFrame;
    if (better && history !== known.history) {
      into.set(key, {
        ...known,
        history,
        blank: Math.max(blank, known.blank),
        label: Math.max(label, known.label),
      });
      return;
    }
    known.blank = Math.max(known.blank, blank);
    known.label = Math.max(known.label, label);
  }

  #bestOf(prefixes: ReadonlyMap<number, Prefix>): number {
    let best = NONE;
    for (const prefix of prefixes.values()) best = Math.max(best, prefix.blank, prefix.label);
    return best;
  }

  #prune(): void {
    if (this.#prefixes.size <= this.#weights.beam) return;
    const sorted = [...this.#prefixes].sort(
      ([, a], [, b]) => Math.max(b.blank, b.label) - Math.max(a.blank, a.label),
    );
    this.#prefixes = new Map(sorted.slice(0, this.#weights.beam));
  }

  #endings(): readonly Ending[] {
    const endings: Ending[] = [];
    for (const { history, node, blank, label } of this.#prefixes.values()) {
      if (node !== 0 || history.before === null) continue;
      const closing =
        this.#weights.grammar * Math.min(...history.classes.map((name) => this.#grammar.end(name)));
      const score = Math.max(blank, label) - closing;
      endings.push({ history, score, cost: history.cost + closing });
    }
    return endings.sort((a, b) => b.score - a.score);
  }
}
