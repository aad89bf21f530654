/**
 * Cuts a transcript into words of the lexicon: the cheapest path over its characters (Viterbi), where every word costs
 * a little, recognition errors cost their distance, and what the lexicon does not know costs most. Spaces are a hint
 * only, since Korean recognisers do not give them.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { WordSense } from "./lexicon.ts";
import { phonesOf } from "./phones.ts";
import { type Match, matchesAt, type WordTree } from "./word-tree.ts";

/** Characters of a transcript that are read; a counter order is far shorter. */
export const MAX_CHARACTERS = 240;
/** Digits of one number; longer runs are not a quantity. */
const MAX_DIGITS = 9;

export type Token = {
  /** null: characters that no word explains. */
  readonly sense: WordSense | null;
  readonly text: string;
  readonly distance: number;
  readonly phones: number;
  readonly ambiguous: boolean;
};

type Cells = {
  readonly characters: readonly string[];
  readonly gapBefore: readonly boolean[];
  readonly spaced: boolean;
};

/** Characters that count, in the shape of `plain`, and where the text had a space or a stop. */
function cellsOf(text: string): Cells {
  const clean = text
    .slice(0, MAX_CHARACTERS * 2)
    .replace(/(\d),(?=\d{3})/g, "$1")
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase();
  const characters: string[] = [];
  const gapBefore: boolean[] = [];
  let gap = true;
  let spaced = false;
  for (const character of clean) {
    if (/[\p{L}\p{N}]/u.test(character)) {
      if (characters.length === MAX_CHARACTERS) break;
      characters.push(character);
      gapBefore.push(gap);
      gap = false;
    } else if (!/['’-]/.test(character)) {
      gap = true;
      spaced ||= characters.length > 0;
    }
  }
  gapBefore.push(true);
  return { characters, gapBefore, spaced };
}

/** Word classes that the order of words depends on. */
const CLASSES = [
  "start",
  "unknown",
  "item",
  "option",
  "determiner",
  "native",
  "sino",
  "counter",
  "particle",
  "polite",
  "and",
  "order",
  "thing",
  "yes",
  "no",
  "filler",
  "other",
  "end",
] as const;
type WordClass = (typeof CLASSES)[number];
const CLASS_COUNT = CLASSES.length;

function classOf(sense: WordSense): WordClass {
  switch (sense.kind) {
    case "dish":
      return "item";
    case "number":
      return sense.form === "word" ? "native" : sense.form;
    case "particle":
      return sense.role === "polite" ? "polite" : sense.role === "each" ? "other" : "particle";
    case "item":
    case "option":
    case "counter":
    case "and":
    case "order":
    case "thing":
    case "yes":
    case "no":
    case "filler":
      return sense.kind;
    default:
      return "other";
  }
}

/** What it costs that `next` follows `previous`, in Korean; English words are told apart by their letters alone. */
function koreanTransition(previous: WordClass, next: WordClass): number {
  const nominal =
    previous === "item" ||
    previous === "option" ||
    previous === "native" ||
    previous === "counter" ||
    previous === "thing";
  // A determiner (한, 두, 네) calls for a counter; 네 without one is "yes".
  if (previous === "determiner" && next !== "counter" && next !== "determiner")
    return next === "item" ? 1 : 1.7;
  if (previous === "sino" && next !== "sino" && next !== "counter") return 0.9;
  switch (next) {
    case "particle":
      if (previous === "other" || previous === "filler") return 0.6;
      return nominal || previous === "sino" ? 0 : 1.3;
    case "polite":
      return previous === "start" || previous === "unknown" ? 1 : 0;
    case "determiner":
      return previous === "native" ? 0.1 : 0;
    case "sino":
      return previous === "sino" ? 0 : 0.45;
    case "counter":
      return previous === "determiner" || previous === "native" ? 0 : previous === "sino" ? 0.05 : 1.8;
    case "yes":
      return previous === "start" || previous === "yes" || previous === "filler" ? 0 : 0.7;
    case "filler":
      return previous === "start" ||
        previous === "filler" ||
        previous === "yes" ||
        previous === "no" ||
        previous === "and"
        ? 0.05
        : 0.3;
    case "and":
      return nominal || previous === "start" || previous === "filler" || previous === "yes" ? 0 : 0.4;
    default:
      return 0;
  }
}

function englishTransition(previous: WordClass, next: WordClass): number {
  if (next === "counter") return previous === "native" || previous === "item" ? 0 : 0.4;
  if (next === "filler") return 0.1;
  return 0;
}

function transitionTable(rule: (previous: WordClass, next: WordClass) => number): Float32Array {
  const table = new Float32Array(CLASS_COUNT * CLASS_COUNT);
  CLASSES.forEach((previous, p) => {
    CLASSES.forEach((next, n) => {
      table[p * CLASS_COUNT + n] = rule(previous, next);
    });
  });
  return table;
}

const KOREAN_TRANSITIONS = transitionTable(koreanTransition);
const ENGLISH_TRANSITIONS = transitionTable(englishTransition);
const CLASS_INDEX: Readonly<Record<WordClass, number>> = Object.fromEntries(
  CLASSES.map((name, index) => [name, index]),
) as Record<WordClass, number>;

/** A character without a word. A Korean syllable carries about as much as two and a half letters. */
const UNKNOWN_COST = { ko: 1, zh: 1, en: 0.38 } as const;
const UNKNOWN_START_COST = 0.35;

/** Letters of a word that is believed although the spaces are against it. */
const LEAST_CUT_PHONES = 5;

type Edge = {
  readonly from: number;
  readonly to: number;
  readonly cost: number;
  readonly wordClass: number;
  readonly token: Token;
};

function wordCost(match: Match, cells: number, language: Language): number {
  const { kind } = match.entry.sense;
  if (kind === "item" || kind === "option" || kind === "dish") return 0.1;
  if (language !== "ko") return kind === "filler" ? 0.25 : 0.2;
  if (kind === "filler") return cells === 1 ? 0.45 : 0.2;
  if (cells > 1) return 0.15;
  return kind === "counter" || kind === "number" || kind === "particle" ? 0.2 : 0.3;
}

function edgesOf(cells: Cells, tree: WordTree, language: Language): readonly (readonly Edge[])[] {
  const { characters, gapBefore, spaced } = cells;
  const offsets: number[] = [];
  const cellAt = new Map<number, number>();
  const phones: number[] = [];
  for (const [index, character] of characters.entries()) {
    offsets.push(phones.length);
    cellAt.set(phones.length, index);
    phones.push(...phonesOf(character));
  }
  cellAt.set(phones.length, characters.length);
  const spacePenalty = !spaced ? 0 : language === "ko" ? 0.04 : 0.75;
  const edgePenalty = (from: number, to: number) =>
    (gapBefore[from] ? 0 : spacePenalty) + (gapBefore[to] ? 0 : spacePenalty);
  return characters.map((character, from) => {
    const token: Token = {
      sense: null,
      text: character,
      distance: 0,
      phones: phonesOf(character).length,
      ambiguous: false,
    };
    const edges: Edge[] = [
      { from, to: from + 1, cost: UNKNOWN_COST[language], wordClass: CLASS_INDEX.unknown, token },
    ];
    edges.push(...digitEdges(cells, from));
    for (const match of matchesAt(tree, phones, offsets[from] ?? 0)) {
      const to = cellAt.get((offsets[from] ?? 0) + match.span);
      if (to === undefined || to === from) continue;
      const { entry, distance, length } = match;
      // In spaced English a word neither starts nor ends inside another, unless it is surely one of the menu ("2lattes").
      const cut = language === "en" && spaced && !(gapBefore[from] && gapBefore[to]);
      if (cut && (distance > 0 || length < LEAST_CUT_PHONES)) continue;
      const text = characters.slice(from, to).join("");
      const found: Token = { sense: entry.sense, text, distance, phones: length, ambiguous: entry.ambiguous };
      const cost = wordCost(match, to - from, language) + distance + edgePenalty(from, to);
      edges.push({ from, to, cost, wordClass: CLASS_INDEX[classOf(entry.sense)], token: found });
    }
    return edges;
  });
}

/** "3잔", "18,000": a run of digits is one number. */
function digitEdges(cells: Cells, from: number): readonly Edge[] {
  const { characters, gapBefore } = cells;
  const isDigit = (index: number) => /[0-9]/.test(characters[index] ?? "");
  if (!isDigit(from) || (from > 0 && isDigit(from - 1) && !gapBefore[from])) return [];
  let to = from + 1;
  while (isDigit(to) && !gapBefore[to] && to - from < MAX_DIGITS) to++;
  const text = characters.slice(from, to).join("");
  const sense: WordSense = { kind: "number", value: Number(text), form: "native" };
  const token: Token = { sense, text, distance: 0, phones: text.length, ambiguous: false };
  return [{ from, to, cost: 0.1, wordClass: CLASS_INDEX.native, token }];
}

type Step = { readonly cost: number; readonly edge: Edge; readonly before: number };

/** The words of a text, unknown characters joined to one token. */
export function segment(text: string, tree: WordTree, language: Language): readonly Token[] {
  const cells = cellsOf(text);
  const length = cells.characters.length;
  if (length === 0) return [];
  const edges = edgesOf(cells, tree, language);
  const transitions = language === "ko" ? KOREAN_TRANSITIONS : ENGLISH_TRANSITIONS;
  const unknown = CLASS_INDEX.unknown;
  const best: (Step | undefined)[][] = Array.from({ length: length + 1 }, () => []);
  for (let at = 0; at < length; at++) {
    const reached = best[at] ?? [];
    if (at > 0 && reached.length === 0) continue;
    for (const edge of edges[at] ?? []) {
      const { cost, before } = cheapestBefore(reached, at, edge.wordClass, transitions);
      if (before < 0) continue;
      const start = edge.wordClass === unknown && before !== unknown ? UNKNOWN_START_COST : 0;
      const total = cost + edge.cost + start;
      const row = best[edge.to];
      const known = row?.[edge.wordClass];
      if (row !== undefined && (known === undefined || total < known.cost))
        row[edge.wordClass] = { cost: total, edge, before };
    }
  }
  return tokensOf(best, edges, transitions);
}

function cheapestBefore(
  reached: readonly (Step | undefined)[],
  at: number,
  next: number,
  transitions: Float32Array,
): { cost: number; before: number } {
  if (at === 0) return { cost: transitions[next] ?? 0, before: CLASS_INDEX.start };
  let cost = Number.POSITIVE_INFINITY;
  let before = -1;
  for (let previous = 0; previous < reached.length; previous++) {
    const step = reached[previous];
    if (step === undefined) continue;
    const total = step.cost + (transitions[previous * CLASS_COUNT + next] ?? 0);
    if (total < cost) {
      cost = total;
      before = previous;
    }
  }
  return { cost, before };
}

function tokensOf(
  best: readonly (readonly (Step | undefined)[])[],
  edges: readonly (readonly Edge[])[],
  transitions: Float32Array,
): readonly Token[] {
  const path: Edge[] = [];
  let at = best.length - 1;
  let wordClass = cheapestBefore(best[at] ?? [], at, CLASS_INDEX.end, transitions).before;
  while (at > 0) {
    const step: Step | undefined = best[at]?.[wordClass];
    if (step === undefined) break;
    path.push(step.edge);
    at = step.edge.from;
    wordClass = step.before;
  }
  const tokens: Token[] = [];
  for (const edge of path.reverse()) {
    const last = tokens.at(-1);
    if (edge.token.sense === null && last?.sense === null) {
      tokens[tokens.length - 1] = {
        ...last,
        text: last.text + edge.token.text,
        phones: last.phones + edge.token.phones,
      };
    } else {
      tokens.push(withDoubt(edge, edges[edge.from] ?? []));
    }
  }
  return tokens;
}

/** A misheard menu word that is nearly as close to another menu word is doubtful. */
function withDoubt(edge: Edge, rivals: readonly Edge[]): Token {
  const { token } = edge;
  const kind = token.sense?.kind;
  if (token.distance === 0 || (kind !== "item" && kind !== "dish" && kind !== "option")) return token;
  const close = rivals.some((rival) => {
    const other = rival.token.sense;
    if (rival === edge || other === null || (other.kind !== "item" && other.kind !== "option")) return false;
    if (JSON.stringify(other) === JSON.stringify(token.sense)) return false;
    return rival.to >= edge.to && rival.token.distance - token.distance < 0.35;
  });
  return close ? { ...token, ambiguous: true } : token;
}
