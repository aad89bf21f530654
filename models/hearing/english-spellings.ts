/**
 * Other spellings of English words, as somebody writes who only hears them: the acoustic model spells by ear, and a word
 * that it has never seen comes out without its silent letters.
 */
/** The short words that decide about quantities and answers, as they sound: "for octopus rices" is four of them. */
const SOUNDS: Readonly<Record<string, readonly string[]>> = {
  one: ["won", "wan", "wun"],
  two: ["to", "too", "tu"],
  three: ["tree", "thre"],
  four: ["for", "fo", "fore"],
  five: ["fiv"],
  six: ["siks", "sics"],
  seven: ["sevn"],
  eight: ["ate", "ait", "eit"],
  nine: ["nain", "nin", "nie"],
  ten: ["tin"],
  a: ["uh"],
  yes: ["yas", "ys", "yus"],
  yeah: ["ya", "yea"],
  okay: ["oke", "oka", "okey"],
  right: ["rite", "rait"],
  please: ["pleas", "ples", "plis"],
};

/** Spellings that sound just like the word. */
export function soundsLike(word: string): readonly string[] {
  return Object.hasOwn(SOUNDS, word) ? (SOUNDS[word] ?? []) : [];
}

/** Letters that are written and not said, in the order in which they are dropped. */
const SILENT: readonly (readonly [RegExp, string])[] = [
  [/([b-df-hj-np-tv-z])\1/g, "$1"],
  [/([aeiou][b-df-hj-np-tv-z]+)e(?=\s|s?$)/g, "$1"],
  [/\bkn/g, "n"],
  [/\bwh/g, "w"],
  [/igh/g, "i"],
  [/ck/g, "k"],
  [/ph/g, "f"],
  [/mb\b/g, "m"],
  [/ee/g, "e"],
  [/oo/g, "o"],
  [/ough/g, "o"],
  [/ewy?/g, "u"],
  [/les?\b/g, "ls"],
  [/(?<=[a-z]{2})[eao]r\b/g, "a"],
  [/ea/g, "e"],
  [/ou/g, "o"],
];

const MAX_SPELLINGS = 8;

/** Spellings beside the written one, nearest first, at most MAX_SPELLINGS. */
export function englishSpellings(word: string): readonly string[] {
  const found = new Set<string>();
  let worn = word;
  for (const [silent, said] of SILENT) {
    const alone = word.replace(silent, said);
    if (alone !== word) found.add(alone);
    worn = worn.replace(silent, said);
  }
  if (worn !== word) found.add(worn);
  return [...found].slice(0, MAX_SPELLINGS);
}
