/**
 * The labels of the acoustic model: conjoining jamo and Latin letters, label 0 is the CTC blank.
 *
 * A Korean syllable is its NFD code points, onset, vowel and coda. Where the model was trained without the silent onset
 * (U+110B), it is left out when text is turned into labels and put back when labels are turned into text.
 */
import type { Language } from "../../daemon/core/menu.ts";
import { sinoKorean } from "./number-words.ts";

export const BLANK = 0;
const SILENT_ONSET = "\u110b";

/** Names of Latin letters as Koreans say them, for names such as "BLT 샌드위치". */
const LETTER_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  "a에이 b비 c씨 d디 e이 f에프 g지 h에이치 i아이 j제이 k케이 l엘 m엠 n엔 o오 p피 q큐 r알 s에스 t티 u유 v브이 w더블유 x엑스 y와이 z제트"
    .split(" ")
    .map((entry) => [entry.slice(0, 1), entry.slice(1)]),
);

function isOnset(token: string): boolean {
  return token >= "\u1100" && token <= "\u1112";
}

function isVowel(token: string): boolean {
  return token >= "\u1161" && token <= "\u1175";
}

export class Alphabet {
  readonly tokens: readonly string[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #silentOnsetOmitted: boolean;

  /** `tokens` as in tokens.json: index 0 is the blank, every other entry one code point. */
  constructor(tokens: readonly string[], silentOnset: "omitted" | "written") {
    this.tokens = tokens;
    const entries = tokens.map((token, index) => [token, index] as const);
    this.#index = new Map(entries.filter(([token]) => token !== ""));
    this.#silentOnsetOmitted = silentOnset === "omitted";
  }

  get size(): number {
    return this.tokens.length;
  }

  indexOf(token: string): number | undefined {
    return this.#index.get(token);
  }

  /** Labels of a text as it is spoken; spaces and marks have none. `undefined` when a letter cannot be said. */
  encode(text: string): readonly number[] | undefined {
    const labels: number[] = [];
    for (const character of text.normalize("NFD").toLowerCase()) {
      const label = this.#index.get(character);
      if (label !== undefined) labels.push(label);
      else if (character === SILENT_ONSET && this.#silentOnsetOmitted) continue;
      else if (/[\p{L}\p{N}]/u.test(character)) return undefined;
    }
    return labels;
  }

  /** 1 for the blank and the labels that a language is written with: jamo in Korean, letters in all others. */
  labelsOf(language: Language): Uint8Array {
    const isLetter = (token: string) => token >= "a" && token <= "z";
    return Uint8Array.from(this.tokens, (token) =>
      token === "" || isLetter(token) !== (language === "ko") ? 1 : 0,
    );
  }

  /** Text of labels without blanks and repeats: composed, without spaces. */
  decode(labels: readonly number[]): string {
    let out = "";
    let afterOnset = false;
    for (const label of labels) {
      const token = this.tokens[label] ?? "";
      if (isVowel(token) && !afterOnset) out += SILENT_ONSET;
      out += token;
      afterOnset = isOnset(token);
    }
    return out.normalize("NFC");
  }
}

/** A Korean name as it is said: digits become Sino-Korean numbers and Latin letters their names. */
export function koreanSpoken(name: string): string {
  return name
    .toLowerCase()
    .replace(/\d{1,8}/g, (digits) => sinoKorean(Number(digits)))
    .replace(/[a-z]/g, (letter) => LETTER_NAMES[letter] ?? letter);
}
