/**
 * The search of the decoder: one utterance's emissions through the prefix tree, word after word, frame after frame.
 *
 * A prefix is a place in the tree behind a last word. Because the grammar looks at one word back, two prefixes at the
 * same place behind the same word have the same future: only the better one goes on, and remembers the other as its rival
 * (Viterbi recombination), from which the runners-up are told at the end. Alignments are CTC's: a label repeats freely,
 * and follows itself only across a blank.
 */
import type { Expectation } from "../model.ts";
import { BLANK } from "./alphabet.ts";
import type { DecoderWeights } from "./decoder-weights.ts";
import type { Emissions } from "./emissions.ts";
import { type Grammar, WORD_CLASSES } from "./grammar.ts";
import type { DecoderLexicon } from "./lexicon.ts";

/** The words so far, as a chain; the first link is empty. */
export type History = {
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
  /** Other words that lead to the same place, and how far behind they were. */
  readonly rivals: { readonly history: History; readonly behind: number }[];
};

export type Ending = { readonly history: History; readonly score: number; readonly cost: number };

export const UNKNOWN_WORD = -1;

const NONE = Number.NEGATIVE_INFINITY;
/** The node of unknown speech, beside those of the tree. */
const GARBAGE_NODE = -1;
const UNKNOWN_CLASS = WORD_CLASSES.indexOf("U");
/** A blank of this log-probability is sure. */
const SURE_BLANK = -0.02;
const CONFIRMATION_CLASSES = new Set(
  (["Y", "F", "R", "Q"] as const).map((name) => WORD_CLASSES.indexOf(name)),
);
const MAX_RIVALS = 3;

type Prefix = {
  history: History;
  readonly node: number;
  /** Label that was emitted last, which cannot follow itself without a blank. */
  readonly last: number;
  /** Best scores of alignments that end in a blank and in the last label. */
  blank: number;
  label: number;
  /** Frame where the present word began. */
  fromFrame: number;
};

function scoreOf(prefix: Prefix): number {
  return Math.max(prefix.blank, prefix.label);
}

export class BeamSearch {
  readonly #emissions: Emissions;
  readonly #lexicon: DecoderLexicon;
  readonly #grammar: Grammar;
  readonly #weights: DecoderWeights;
  readonly #expectation: Expectation;
  /** Prefixes of one frame by place: (last word + 2) * nodes + node. */
  #prefixes = new Map<number, Prefix>();
  #next = new Map<number, Prefix>();
  #threshold = NONE;
  readonly #nodes: number;

  constructor(
    emissions: Emissions,
    lexicon: DecoderLexicon,
    grammar: Grammar,
    weights: DecoderWeights,
    expectation: Expectation,
  ) {
    this.#emissions = emissions;
    this.#lexicon = lexicon;
    this.#grammar = grammar;
    this.#weights = weights;
    this.#expectation = expectation;
    this.#nodes = lexicon.tree.words.length + 1;
  }

  /** Complete sequences of words, best first; empty when no sequence survived. */
  run(): readonly Ending[] {
    this.#merge(this.#prefixes, START, 0, BLANK, 0, NONE, 0);
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

  /** A sure blank. Words grow in the first of a row of them, where a sound may be missing, and not in the others. */
  #isQuiet(frame: number): boolean {
    const { best, bestScore } = this.#emissions;
    return frame >= 0 && best[frame] === BLANK && (bestScore[frame] as number) > SURE_BLANK;
  }

  #advance(frame: number, fresh: boolean): void {
    const { scores, labels, bestScore } = this.#emissions;
    const row = frame * labels;
    const blankScore = scores[row + BLANK] as number;
    const top = bestScore[frame] as number;
    const quiet = this.#isQuiet(frame) && this.#isQuiet(frame - 1);
    this.#next = new Map();
    this.#threshold = this.#bestOf(this.#prefixes) + top - this.#weights.beamWidth;
    for (const prefix of this.#prefixes.values()) {
      const score = scoreOf(prefix);
      if (prefix.node === GARBAGE_NODE) {
        const step = top - (fresh ? this.#weights.garbageLabel : 0);
        this.#offer(prefix.history, GARBAGE_NODE, BLANK, score + step, NONE, prefix.fromFrame);
        continue;
      }
      const repeat = prefix.last === BLANK ? NONE : prefix.label + (scores[row + prefix.last] as number);
      this.#offer(prefix.history, prefix.node, prefix.last, score + blankScore, repeat, prefix.fromFrame);
      if (quiet) continue;
      this.#extend(prefix, frame, score);
      if (fresh && prefix.node === 0) {
        const entry = score + top - this.#weights.garbageWord - this.#weights.garbageLabel;
        this.#offer(prefix.history, GARBAGE_NODE, BLANK, entry, NONE, frame);
      }
    }
    this.#prefixes = this.#next;
  }

  /** Every child of the prefix's node by one label. A word's own cost is paid with its first label. */
  #extend(prefix: Prefix, frame: number, score: number): void {
    const { tree } = this.#lexicon;
    const { scores, labels } = this.#emissions;
    const row = frame * labels;
    const begins = prefix.node === 0;
    const advance = begins ? this.#weights.word : 0;
    const fromFrame = begins ? frame : prefix.fromFrame;
    const end = tree.first[prefix.node + 1] as number;
    for (let link = tree.first[prefix.node] as number; link < end; link += 1) {
      const label = tree.childLabel[link] as number;
      const before = label === prefix.last ? prefix.blank : score;
      const after = before + (scores[row + label] as number) - advance;
      if (after < this.#threshold) continue;
      const node = tree.childNode[link] as number;
      this.#offer(prefix.history, node, label, NONE, after, fromFrame);
      for (const word of tree.words[node] ?? [])
        this.#finishWord(prefix.history, word, label, after, fromFrame, frame);
    }
  }

  #finishWord(
    before: History,
    word: number,
    label: number,
    score: number,
    fromFrame: number,
    frame: number,
  ): void {
    const entry = this.#lexicon.words[word];
    if (entry === undefined) return;
    const rest = entry.cost + this.#weights.grammar * this.#follow(before, entry.classes);
    const total = score - rest;
    if (total < this.#threshold) return;
    const history: History = {
      before,
      word,
      classes: entry.classes,
      cost: before.cost + rest + this.#weights.word,
      fromFrame,
      toFrame: frame + 1,
      score: total,
      rivals: [],
    };
    this.#offer(history, 0, label, NONE, total, frame + 1);
  }

  /** Garbage ends where the best path begins another label: the words after it start there. */
  #leaveGarbage(frame: number): void {
    const garbage = Array.from(this.#prefixes.values()).filter(
      (prefix) => prefix.node === GARBAGE_NODE && prefix.fromFrame !== frame,
    );
    for (const prefix of garbage) {
      const before = prefix.history;
      const follow = this.#weights.grammar * this.#follow(before, [UNKNOWN_CLASS]);
      const labels = this.#freshBetween(prefix.fromFrame, frame);
      const score = prefix.blank - follow;
      const history: History = {
        before,
        word: UNKNOWN_WORD,
        classes: [UNKNOWN_CLASS],
        cost: before.cost + follow + this.#weights.garbageWord + labels * this.#weights.garbageLabel,
        fromFrame: prefix.fromFrame,
        toFrame: frame,
        score,
        rivals: [],
      };
      this.#merge(this.#prefixes, history, 0, BLANK, score, NONE, frame);
    }
  }

  #freshBetween(from: number, to: number): number {
    let count = 0;
    for (let frame = from; frame < to; frame += 1) if (this.#freshLabel(frame)) count += 1;
    return count;
  }

  #follow(history: History, classes: readonly number[]): number {
    const before = history.before === null ? AT_START : history.classes;
    let lowest = Number.POSITIVE_INFINITY;
    for (const from of before) {
      for (const to of classes) {
        lowest = Math.min(lowest, this.#grammar.follow(from, to) + this.#surprise(from, to));
      }
    }
    return lowest;
  }

  #surprise(from: number, to: number): number {
    if (this.#expectation === "order" || from !== -1) return 0;
    return CONFIRMATION_CLASSES.has(to) ? 0 : this.#weights.unexpected;
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

  /** One prefix for one place: the better alignment wins, another past becomes the winner's rival. */
  #merge(
    into: Map<number, Prefix>,
    history: History,
    node: number,
    last: number,
    blank: number,
    label: number,
    fromFrame: number,
  ): void {
    const state = history.before === null ? 0 : history.word + 2;
    const key = state * this.#nodes + (node === GARBAGE_NODE ? this.#nodes - 1 : node);
    const known = into.get(key);
    if (known === undefined) {
      into.set(key, { history, node, last, blank, label, fromFrame });
      return;
    }
    const score = Math.max(blank, label);
    const behind = scoreOf(known) - score;
    if (history === known.history) {
      if (behind < 0) known.fromFrame = fromFrame;
      known.blank = Math.max(known.blank, blank);
      known.label = Math.max(known.label, label);
    } else if (behind >= 0) {
      rememberRival(known.history, history, behind);
    } else {
      rememberRival(history, known.history, -behind);
      into.set(key, { history, node, last, blank, label, fromFrame });
    }
  }

  #bestOf(prefixes: ReadonlyMap<number, Prefix>): number {
    let best = NONE;
    for (const prefix of prefixes.values()) best = Math.max(best, scoreOf(prefix));
    return best;
  }

  #prune(): void {
    if (this.#prefixes.size <= this.#weights.beam) return;
    const sorted = [...this.#prefixes].sort(([, a], [, b]) => scoreOf(b) - scoreOf(a));
    this.#prefixes = new Map(sorted.slice(0, this.#weights.beam));
  }

  #endings(): readonly Ending[] {
    const endings: Ending[] = [];
    for (const prefix of this.#prefixes.values()) {
      const { history, node } = prefix;
      if (node !== 0 || history.before === null) continue;
      const closing =
        this.#weights.grammar * Math.min(...history.classes.map((name) => this.#grammar.end(name)));
      endings.push({ history, score: scoreOf(prefix) - closing, cost: history.cost + closing });
    }
    return endings.sort((a, b) => b.score - a.score);
  }
}

const AT_START: readonly number[] = [-1];
const START: History = {
  before: null,
  word: UNKNOWN_WORD,
  classes: [],
  cost: 0,
  fromFrame: 0,
  toFrame: 0,
  score: 0,
  rivals: [],
};

/** The same words placed a frame apart are no rivals. */
function rememberRival(winner: History, loser: History, behind: number): void {
  if (winner.before === null || (winner.before === loser.before && winner.word === loser.word)) return;
  if (sameWords(winner, loser)) return;
  const { rivals } = winner;
  if (rivals.length < MAX_RIVALS) {
    rivals.push({ history: loser, behind });
    return;
  }
  const weakest = rivals.reduce(
    (most, rival, index) => (rival.behind > (rivals[most]?.behind ?? 0) ? index : most),
    0,
  );
  if (behind < (rivals[weakest]?.behind ?? 0)) rivals[weakest] = { history: loser, behind };
}

function sameWords(a: History, b: History): boolean {
  let [x, y]: [History | null, History | null] = [a, b];
  for (; x !== null && y !== null; x = x.before, y = y.before) {
    if (x === y) return true;
    if (x.word !== y.word) return false;
  }
  return x === y;
}

/** The links of a chain, first word first, without the empty one. */
export function chain(history: History): readonly History[] {
  const out: History[] = [];
  for (let at: History | null = history; at !== null && at.before !== null; at = at.before) out.push(at);
  return out.reverse();
}
