/**
 * Text as sound-like symbols, and what it costs to take one for another.
 *
 * Korean syllables become onset, vowel and coda (a silent ㅇ onset is left out); Latin letters and digits stand for
 * themselves. Costs follow what listeners and recognisers confuse: plain, tense and aspirated onsets; ㅐ and ㅔ, which
 * most speakers no longer part; codas that neutralise; a coda that is carried to the next syllable.
 */

const HANGUL_FIRST = 0xac00;
const HANGUL_COUNT = 11_172;
const ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
/** Codas by the sound they neutralise to, in Unicode's order from index 1. */
const CODA_SOUNDS = "KKKNNNTLKMLLLPLMPPTTOTTKTPT";

/** Symbol numbers: onsets from 1, vowels from 20, codas from 41, letters from 70, digits from 96. */
const VOWEL_BASE = 20;
const CODA_BASE = 41;
const LETTER_BASE = 70;
const DIGIT_BASE = 96;
const SYMBOLS = 106;
/** Everything else is its code point above this and only equals itself. */
const OTHER_BASE = 1_000;

const SILENT_ONSET = 11;

/** The symbols of one character of plain text. */
export function phonesOf(character: string): readonly number[] {
  const code = character.codePointAt(0) ?? 0;
  const syllable = code - HANGUL_FIRST;
  if (syllable >= 0 && syllable < HANGUL_COUNT) {
    const onset = Math.floor(syllable / 588);
    const coda = syllable % 28;
    const phones = onset === SILENT_ONSET ? [] : [1 + onset];
    phones.push(VOWEL_BASE + (Math.floor(syllable / 28) % 21));
    if (coda > 0) phones.push(CODA_BASE + coda - 1);
    return phones;
  }
  if (code >= 97 && code <= 122) return [LETTER_BASE + code - 97];
  if (code >= 48 && code <= 57) return [DIGIT_BASE + code - 48];
  return [OTHER_BASE + code];
}

const SUBSTITUTION = new Float32Array(SYMBOLS * SYMBOLS).fill(1.2);
const INSERTION = new Float32Array(SYMBOLS).fill(0.9);

function pair(a: number, b: number, cost: number): void {
  SUBSTITUTION[a * SYMBOLS + b] = Math.min(cost, SUBSTITUTION[a * SYMBOLS + b] ?? cost);
  SUBSTITUTION[b * SYMBOLS + a] = Math.min(cost, SUBSTITUTION[b * SYMBOLS + a] ?? cost);
}

function among(symbols: readonly number[], cost: number): void {
  for (const a of symbols) for (const b of symbols) if (a !== b) pair(a, b, cost);
}

function range(base: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => base + index);
}

function fillKorean(): void {
  const onset = (letter: string) => 1 + ONSETS.indexOf(letter);
  const vowel = (letter: string) => VOWEL_BASE + VOWELS.indexOf(letter);
  const group = (letters: string, of: (letter: string) => number, cost: number) =>
    among([...letters].map(of), cost);
  among(range(1, 19), 1);
  for (const letters of ["ㄱㄲㅋ", "ㄷㄸㅌ", "ㅂㅃㅍ", "ㅈㅉㅊ", "ㅅㅆ"]) group(letters, onset, 0.2);
  for (const [letters, cost] of [
    ["ㄴㄹ", 0.35],
    ["ㄴㅁ", 0.45],
    ["ㅁㅂ", 0.45],
    ["ㄷㄴ", 0.5],
    ["ㅅㅈㅊ", 0.45],
    ["ㅎㅋ", 0.5],
    ["ㅎㅍ", 0.5],
    ["ㄷㅈ", 0.5],
    ["ㄹㄷ", 0.5],
  ] as const) {
    group(letters, onset, cost);
  }
  among(range(VOWEL_BASE, 21), 0.9);
  for (const [letters, cost] of [
    ["ㅐㅔ", 0.1],
    ["ㅚㅙㅞ", 0.1],
    ["ㅔㅖ", 0.15],
    ["ㅐㅒ", 0.15],
    ["ㅖㅒ", 0.1],
    ["ㅢㅣ", 0.25],
    ["ㅢㅡ", 0.3],
    ["ㅗㅜ", 0.35],
    ["ㅓㅗ", 0.35],
    ["ㅏㅑ", 0.3],
    ["ㅓㅕ", 0.3],
    ["ㅗㅛ", 0.3],
    ["ㅜㅠ", 0.3],
    ["ㅡㅜ", 0.35],
    ["ㅡㅓ", 0.45],
    ["ㅏㅓ", 0.5],
    ["ㅣㅟ", 0.4],
    ["ㅘㅏ", 0.4],
    ["ㅝㅓ", 0.4],
    ["ㅔㅣ", 0.5],
    ["ㅐㅏ", 0.5],
    ["ㅟㅚ", 0.4],
    ["ㅢㅔ", 0.4],
    ["ㅘㅗ", 0.5],
    ["ㅔㅚ", 0.35],
    ["ㅔㅞ", 0.35],
  ] as const) {
    group(letters, vowel, cost);
  }
  const codas = range(CODA_BASE, 27);
  const sound = (coda: number) => CODA_SOUNDS[coda - CODA_BASE] ?? "";
  among(codas, 0.8);
  const near = [
    ["N", "M"],
    ["N", "O"],
    ["M", "O"],
    ["K", "O"],
    ["T", "N"],
    ["P", "M"],
    ["N", "L"],
  ];
  for (const a of codas) {
    for (const b of codas) {
      if (a === b) continue;
      const [x, y] = [sound(a), sound(b)];
      if (x === y) pair(a, b, 0.1);
      else if (near.some(([p, q]) => (p === x && q === y) || (p === y && q === x))) pair(a, b, 0.3);
      else if ("KTP".includes(x) && "KTP".includes(y)) pair(a, b, 0.4);
    }
    // A coda that the next syllable takes over ("잔이" heard as 자니).
    const carried =
      { K: "ㄱㄲㅋ", N: "ㄴ", T: "ㄷㅅㅆㅈㅊㅌ", L: "ㄹ", M: "ㅁ", P: "ㅂㅍ", O: "" }[sound(a)] ?? "";
    for (const letter of carried) pair(a, onset(letter), 0.25);
  }
  for (const symbol of range(1, 19)) INSERTION[symbol] = 0.8;
  INSERTION[onset("ㅎ")] = 0.35;
  INSERTION[vowel("ㅡ")] = 0.45;
  INSERTION[vowel("ㅣ")] = 0.7;
  for (const coda of codas) INSERTION[coda] = "ONL".includes(sound(coda)) ? 0.4 : 0.5;
}

function fillLatin(): void {
  const letter = (character: string) => LETTER_BASE + character.charCodeAt(0) - 97;
  among(range(LETTER_BASE, 26), 1);
  among([..."aeiouy"].map(letter), 0.45);
  for (const [letters, cost] of [
    ["bp", 0.4],
    ["dt", 0.4],
    ["gkcq", 0.35],
    ["szcx", 0.4],
    ["fv", 0.35],
    ["mn", 0.4],
    ["lr", 0.4],
    ["vw", 0.45],
    ["jg", 0.45],
    ["bv", 0.45],
    ["fp", 0.5],
  ] as const) {
    among([...letters].map(letter), cost);
  }
  for (const character of "aiouy") INSERTION[letter(character)] = 0.6;
  INSERTION[letter("e")] = 0.4;
  INSERTION[letter("h")] = 0.4;
  INSERTION[letter("s")] = 0.6;
  INSERTION[letter("r")] = 0.6;
}

fillKorean();
fillLatin();

/** What it costs to read `b` where `a` was meant. */
export function substitutionCost(a: number, b: number): number {
  if (a === b) return 0;
  if (a >= SYMBOLS || b >= SYMBOLS) return 1.2;
  return SUBSTITUTION[a * SYMBOLS + b] ?? 1.2;
}

/** What it costs when a symbol is too many or missing; one that doubles its neighbour is cheap. */
export function insertionCost(symbol: number, neighbour: number): number {
  const cost = symbol < SYMBOLS ? (INSERTION[symbol] ?? 0.9) : 0.9;
  return symbol === neighbour ? Math.min(cost, 0.25) : cost;
}
