/**
 * Other spellings of English words, as somebody writes who only hears them: the acoustic model spells by ear, and a word
 * that it has never seen comes out without its silent letters.
 */
/** Words that sound alike at a counter: "for octopus rices" is four of them. */
const HOMOPHONES: Readonly<Record<string, readonly string[]>> = {
  four: ["for"],
  two: ["to", "too"],
  one: ["won", "wan"],
  eight: ["ate", "ait"],
  three: ["tree", "thre"],
  a: ["uh"],
};

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
];

const MAX_SPELLINGS = 5;

/** Spellings beside the written one, nearest first, at most MAX_SPELLINGS. */
export function englishSpellings(word: string): readonly string[] {
  const found = new Set<string>(HOMOPHONES[word] ?? []);
  let worn = word;
  for (const [silent, said] of SILENT) {
    const alone = word.replace(silent, said);
    if (alone !== word) found.add(alone);
    worn = worn.replace(silent, said);
  }
  if (worn !== word) found.add(worn);
  return [...found].slice(0, MAX_SPELLINGS);
}
