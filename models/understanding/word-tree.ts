/**
 * A tree of the lexicon's words by their phones, and the search in it that forgives recognition errors.
 *
 * From one place in the text it finds every word that starts there, exactly or within the distance that a word of its
 * length and trust may have. Shared beginnings are compared once (Levenshtein rows along the tree).
 */
import { type LexiconEntry, plain } from "./lexicon.ts";
import { insertionCost, phonesOf, substitutionCost } from "./phones.ts";

/** Phones that a match may be longer or shorter than the word. */
const BAND = 3;
/** Distance over the nearest stretch that another one of the same word may have. */
const LONGER_READING = 0.45;
/** Longest word in phones; a menu name beyond this is compared by its beginning only, and refused at compile time. */
export const MAX_WORD_PHONES = 96;

type Leaf = { readonly entry: LexiconEntry; readonly length: number; readonly limit: number };

type Node = {
  readonly children: Map<number, Node>;
  readonly leaves: Leaf[];
  readonly depth: number;
  /** Largest distance that any word below may have. */
  reach: number;
};

export type WordTree = Node;

export type Match = {
  readonly entry: LexiconEntry;
  /** Phones of the text that the match covers. */
  readonly span: number;
  readonly distance: number;
  /** Phones of the word. */
  readonly length: number;
};

function isMenuWord(entry: LexiconEntry): boolean {
  return entry.sense.kind === "item" || entry.sense.kind === "option" || entry.sense.kind === "dish";
}

/** Distance that a word may have: names of the menu are long and worth guessing, short function words are not. */
function limitOf(entry: LexiconEntry, length: number, cells: number): number {
  const { sense } = entry;
  if (entry.exact === true || sense.kind === "dish") return 0;
  if (/^[a-z0-9]/.test(plain(entry.word))) return latinLimit(isMenuWord(entry), length);
  // Numbers and counters are short, but they only count beside each other, so a near miss is believed.
  if (sense.kind === "counter") return length === 1 ? 0 : cells === 1 ? 0.5 : 0.1 * length;
  if (sense.kind === "number") {
    if (sense.value >= 100) return 0;
    if (cells > 1) return 0.16 * length;
    // 넷, 둘 stand alone, so that nothing beside them bears them out.
    return sense.form === "native" ? 0.3 : length === 1 ? 0.4 : 0.5;
  }
  if (sense.kind === "filler" || sense.kind === "wish" || length <= 2) return 0;
  // Adjectives are everyday words, near to many others; names of dishes are not.
  if (sense.kind === "option") return length <= 3 ? 0.25 : Math.min(1.6, 0.14 * length);
  if (isMenuWord(entry))
    return length <= 3 ? 0.35 : length <= 5 ? 0.2 * length : Math.min(3.2, 0.27 * length);
  if (cells === 1) return 0;
  if (length <= 5) return 0.35;
  // A wrong "yes", "no" or "cancel" does more harm than a wrong ending.
  const harmless =
    sense.kind === "order" || sense.kind === "more" || sense.kind === "change" || sense.kind === "price";
  return harmless ? Math.min(1.6, 0.16 * length) : Math.min(1.2, 0.1 * length);
}

/** A letter says less than a Korean phone does, so English words may be less far off. */
function latinLimit(onMenu: boolean, length: number): number {
  if (onMenu) return length <= 4 ? 0.35 : Math.min(2.4, 0.155 * length);
  return length <= 4 ? 0 : 0.11 * length;
}

export function growTree(entries: readonly LexiconEntry[]): WordTree {
  const root: Node = { children: new Map(), leaves: [], depth: 0, reach: 0 };
  for (const entry of entries) {
    const cells = [...plain(entry.word)];
    const phones = cells.flatMap(phonesOf);
    if (phones.length > MAX_WORD_PHONES) continue;
    const limit = limitOf(entry, phones.length, cells.length);
    let node = root;
    for (const phone of phones) {
      let child = node.children.get(phone);
      if (child === undefined) {
        child = { children: new Map(), leaves: [], depth: node.depth + 1, reach: 0 };
        node.children.set(phone, child);
      }
      node = child;
      node.reach = Math.max(node.reach, limit);
    }
    node.leaves.push({ entry, length: phones.length, limit });
  }
  return root;
}

/** Rows are used again for every search: a search is synchronous and never inside another. */
const ROWS: readonly Float32Array[] = Array.from(
  { length: MAX_WORD_PHONES + 1 },
  () => new Float32Array(MAX_WORD_PHONES + BAND + 2),
);

/** A beginning that is already this far off is given up; the whole word could not come within its limit sensibly. */
function prefixLimit(depth: number): number {
  return 0.95 + 0.22 * depth;
}

/** Every word of the tree that the text can be read as from `start` (an index of `phones`) on. */
export function matchesAt(tree: WordTree, phones: readonly number[], start: number): readonly Match[] {
  const found: Match[] = [];
  const available = phones.length - start;
  const first = ROWS[0];
  if (first === undefined) return found;
  first[0] = 0;
  for (let j = 1; j <= Math.min(BAND, available); j++) {
    first[j] = (first[j - 1] ?? 0) + insertionCost(phones[start + j - 1] ?? 0, -1);
  }
  descend(tree, -1);
  return found;

  function descend(node: Node, previous: number): void {
    for (const [phone, child] of node.children) {
      const least = fillRow(child.depth, phone, previous);
      if (least > child.reach || least > prefixLimit(child.depth)) continue;
      for (const leaf of child.leaves) collect(leaf);
      descend(child, phone);
    }
  }

  /** Fills the row of one depth from the row above; returns its least cost. */
  function fillRow(depth: number, phone: number, previous: number): number {
    const above = ROWS[depth - 1];
    const row = ROWS[depth];
    if (above === undefined || row === undefined) return Number.POSITIVE_INFINITY;
    const low = Math.max(0, depth - BAND);
    const high = Math.min(available, depth + BAND);
    const missing = insertionCost(phone, previous);
    let least = Number.POSITIVE_INFINITY;
    for (let j = low; j <= high; j++) {
      let cost = j <= depth - 1 + BAND ? (above[j] ?? 0) + missing : Number.POSITIVE_INFINITY;
      if (j > 0) {
        const heard = phones[start + j - 1] ?? 0;
        if (j - 1 >= low - 1 && j - 1 >= depth - 1 - BAND) {
          cost = Math.min(cost, (above[j - 1] ?? 0) + substitutionCost(phone, heard));
        }
        if (j > low)
          cost = Math.min(
            cost,
            (row[j - 1] ?? 0) + insertionCost(heard, j > 1 ? (phones[start + j - 2] ?? -1) : -1),
          );
      }
      row[j] = cost;
      if (cost < least) least = cost;
    }
    return least;
  }

  function collect(leaf: Leaf): void {
    const row = ROWS[leaf.length];
    if (row === undefined) return;
    const low = Math.max(1, leaf.length - BAND);
    const high = Math.min(available, leaf.length + BAND);
    let nearest = leaf.limit;
    for (let j = low; j <= high; j++) nearest = Math.min(nearest, row[j] ?? nearest);
    for (let j = low; j <= high; j++) {
      const distance = row[j] ?? Number.POSITIVE_INFINITY;
      // A stretch that only adds sounds to a nearer one is not another reading.
      if (distance <= leaf.limit && distance <= nearest + LONGER_READING)
        found.push({ entry: leaf.entry, span: j, distance, length: leaf.length });
    }
  }
}
