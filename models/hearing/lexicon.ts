/**
 * The decoder's lexicon: every word of the menu and of the function vocabulary, spelled in labels, in one prefix tree.
 *
 * Words come from models/understanding, so the decoder and the parser know the same ones, and a new menu needs no
 * training. A word that the tree cannot spell (another script) is left out. Names of several words are also entered
 * word by word, because customers shorten them.
 */
import type { Language, Menu } from "../../daemon/core/menu.ts";
import { lexicon as vocabulary, type WordSense } from "../understanding/lexicon.ts";
import { type Alphabet, koreanSpoken } from "./alphabet.ts";
import { englishSpellings, soundsLike } from "./english-spellings.ts";
import { classOf, WORD_CLASSES, type WordClass } from "./grammar.ts";
import { englishNumber } from "./number-words.ts";
import { otherWords } from "./other-words.ts";

export type Word = {
  /** As it is written in the transcript. */
  readonly text: string;
  /** Positions in WORD_CLASSES of everything the word can be. */
  readonly classes: readonly number[];
  /** Whether a space stands before it in a transcript. */
  readonly spaced: boolean;
  /** Cost in nats beside the grammar's: doubtful forms pay. */
  readonly cost: number;
};

/**
 * A prefix tree in flat arrays: the children of node n are entries first[n] to first[n + 1] of childLabel and
 * childNode. Node 0 is the root.
 */
export type PrefixTree = {
  readonly first: Int32Array;
  readonly childLabel: Int32Array;
  readonly childNode: Int32Array;
  /** Words that end in a node. */
  readonly words: readonly (readonly number[])[];
};

export type DecoderLexicon = {
  readonly words: readonly Word[];
  readonly tree: PrefixTree;
  readonly unspoken: readonly string[];
};

/** A part of a name stands for the whole only with doubt. */
const PART_COST = 1.5;
/** A word that leads nowhere must be clearly heard. */
const OTHER_COST = 1;
const MIN_PART_LABELS = 3;
/** Words of one or two labels fit any noise: they pay for it. */
const SHORT_COSTS: readonly number[] = [0, 1.2, 0.5];
/** What leans on another word is short by nature, and the grammar holds it in its place. */
const BOUND_CLASSES = new Set<WordClass>(["I", "O", "D", "N", "B", "S", "T", "C", "K", "Q"]);
/** Written words of a menu of 500 items with room for their other spellings; beyond it those are left out. */
const MAX_WORDS = 24_000;

/** A spelling that is not the written one. */
const SPELLING_COST = 0.4;

/** Sounds that may be missing from a name that is long enough to be known without them. */
const WEAK: Readonly<Record<Language, RegExp>> = { ko: /[\u1100-\u11ff]/u, en: /[a-z]/, zh: /(?!)/ };
const CODA_AT_END = /[\u11a8-\u11ff]$/u;
const LEAST_WORN_LETTERS = 7;
const WORN_COST = 2.5;

type Draft = {
  readonly text: string;
  readonly labels: readonly number[];
  readonly classes: Set<number>;
  spaced: boolean;
  cost: number;
};

/** Collects words by their labels and text: one word may be spelled in several ways, one spelling be several words. */
class Drafts {
  readonly #byKey = new Map<string, Draft>();
  readonly #language: Language;
  readonly #alphabet: Alphabet;

  constructor(language: Language, alphabet: Alphabet) {
    this.#language = language;
    this.#alphabet = alphabet;
  }

  get list(): readonly Draft[] {
    return [...this.#byKey.values()];
  }

  /** The written spelling. False when the word cannot be spelled in labels. */
  enter(text: string, sense: WordSense, cost: number): boolean {
    return this.#spell(text, spoken(text, this.#language), sense, cost);
  }

  /** Spellings that sound the same or nearly so. */
  respell(text: string, sense: WordSense, cost: number): void {
    if (this.#language !== "en") return;
    const said = spoken(text, this.#language);
    for (const other of soundsLike(said)) this.#spell(text, other, sense, cost);
    for (const other of englishSpellings(said)) this.#spell(text, other, sense, cost + SPELLING_COST);
  }

  /** 셋, 넷 and 둘 lose their last sound to the end of the breath; 세, 네 and 두 cannot stand there. */
  shorten(text: string, sense: WordSense): void {
    const said = spoken(text, this.#language).normalize("NFD");
    if (sense.kind === "number" && sense.form === "native" && CODA_AT_END.test(said)) {
      this.#spell(text, said.slice(0, -1), sense, WORN_COST);
    }
  }

  /** With one sound missing, as names come out of noise. */
  wear(text: string, sense: WordSense): void {
    const letters = [...spoken(text, this.#language).normalize("NFD").replaceAll(" ", "")];
    if (letters.length < LEAST_WORN_LETTERS) return;
    for (const [index, letter] of letters.entries()) {
      if (!WEAK[this.#language].test(letter)) continue;
      this.#spell(text, letters.toSpliced(index, 1).join(""), sense, WORN_COST);
    }
  }

  #spell(text: string, said: string, sense: WordSense, extra: number): boolean {
    const labels = this.#alphabet.encode(said);
    if (labels === undefined || labels.length === 0) return false;
    const key = `${labels.join(" ")}/${text}`;
    const spaced = isSpaced(text, sense, this.#language);
    const name = classOf(text, sense);
    const wordClass = WORD_CLASSES.indexOf(name);
    const cost = extra + (BOUND_CLASSES.has(name) ? 0 : (SHORT_COSTS[labels.length] ?? 0));
    const known = this.#byKey.get(key);
    if (known === undefined) {
      if (this.#byKey.size >= MAX_WORDS) return false;
      this.#byKey.set(key, { text, labels, classes: new Set([wordClass]), spaced, cost });
    } else if (extra === 0) {
      known.classes.add(wordClass);
      known.spaced ||= spaced;
      known.cost = Math.min(known.cost, cost);
    }
    return true;
  }
}

export function buildLexicon(menu: Menu, language: Language, alphabet: Alphabet): DecoderLexicon {
  const drafts = new Drafts(language, alphabet);
  const entries = vocabulary(menu, language);
  const names = entries.filter(({ sense }) => sense.kind === "item" || sense.kind === "option");
  const others = otherWords(language).map((word) => ({
    word,
    sense: { kind: "filler" } as const,
    cost: OTHER_COST,
  }));
  const parts = names.flatMap(({ word, sense }) =>
    partsOf(word, language, alphabet).map((part) => ({ word: part, sense, cost: PART_COST })),
  );
  // What is written comes first, so that a menu of any size finds room for it.
  const unspoken = entries.filter(({ word, sense }) => !drafts.enter(word, sense, 0)).map(({ word }) => word);
  for (const { word, sense, cost } of [...others, ...parts]) drafts.enter(word, sense, cost);
  for (const { word, sense } of entries) drafts.respell(word, sense, 0);
  for (const { word, sense, cost } of [...others, ...parts]) drafts.respell(word, sense, cost);
  for (const { word, sense } of entries) drafts.shorten(word, sense);
  for (const { word, sense } of names) drafts.wear(word, sense);
  const words = drafts.list.map(({ text, classes, spaced, cost }) => ({
    text,
    classes: [...classes],
    spaced,
    cost,
  }));
  return { words, tree: buildTree(drafts.list.map(({ labels }) => labels)), unspoken };
}

function spoken(text: string, language: Language): string {
  if (language === "ko") return koreanSpoken(text);
  return text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/&/g, " and ")
    .replace(/\d{1,6}/g, (digits) => englishNumber(Number(digits)));
}

const ATTACHED_JOINTS = new Set(["이랑", "랑", "하고", "하구", "과", "와"]);

/** Particles and short joints are written onto the word before them, as Korean spelling has it. */
function isSpaced(text: string, sense: WordSense, language: Language): boolean {
  if (language !== "ko") return true;
  return sense.kind !== "particle" && !(sense.kind === "and" && ATTACHED_JOINTS.has(text));
}

function partsOf(name: string, language: Language, alphabet: Alphabet): readonly string[] {
  const parts = name.split(/\s+/);
  if (parts.length < 2) return [];
  return parts.filter((part) => (alphabet.encode(spoken(part, language))?.length ?? 0) >= MIN_PART_LABELS);
}

type Branch = { children: Map<number, number>; words: number[] };

function buildTree(spellings: readonly (readonly number[])[]): PrefixTree {
  const nodes: Branch[] = [{ children: new Map(), words: [] }];
  for (const [word, labels] of spellings.entries()) {
    let node = 0;
    for (const label of labels) {
      const children = (nodes[node] as Branch).children;
      let child = children.get(label);
      if (child === undefined) {
        child = nodes.push({ children: new Map(), words: [] }) - 1;
        children.set(label, child);
      }
      node = child;
    }
    (nodes[node] as Branch).words.push(word);
  }
  const first = new Int32Array(nodes.length + 1);
  for (const [index, node] of nodes.entries())
    first[index + 1] = (first[index] as number) + node.children.size;
  const links = nodes.flatMap((node) => [...node.children]);
  return {
    first,
    childLabel: Int32Array.from(links, ([label]) => label),
    childNode: Int32Array.from(links, ([, node]) => node),
    words: nodes.map((node) => node.words),
  };
}
