/**
 * The senses of the closed function-word vocabulary: what a word that is not on the menu can contribute to a turn.
 *
 * One list per language (vocabulary-ko.ts, vocabulary-en.ts) is the only source, for the parser and for the lexicon of
 * the speech decoder. A word is written as a recogniser would transcribe it, without spaces in Korean.
 */
export type NumberForm =
  /** Korean native before a counter (한, 두, 스무); must be followed by one. */
  | "determiner"
  /** Korean native alone (하나, 둘, 스물). */
  | "native"
  /** Sino-Korean (일, 이, 십, 만). */
  | "sino"
  /** English number words. */
  | "word";

export type ParticleRole =
  | "topic"
  | "subject"
  | "object"
  | "direction"
  | "also"
  | "only"
  | "of"
  | "each"
  | "polite";

export type Sense =
  | { readonly kind: "number"; readonly value: number; readonly form: NumberForm }
  | { readonly kind: "counter" }
  | { readonly kind: "particle"; readonly role: ParticleRole }
  /** Joins two things: 그리고, 랑, and. */
  | { readonly kind: "and" }
  /** Asks for what was named: 주세요, can I get. */
  | { readonly kind: "order" }
  /** Takes the named thing out: 빼 주세요, remove. */
  | { readonly kind: "remove" }
  /** 빼고, without: takes out what stands before it (ko) or after it (en), and the sentence goes on. */
  | { readonly kind: "without" }
  /** 취소해 주세요, cancel: removes what is named, or the whole order when nothing is. */
  | { readonly kind: "cancel" }
  /** 전체 취소, start over: the whole order whatever is named. */
  | { readonly kind: "cancel-all" }
  /** 바꿔 주세요, change, make it. */
  | { readonly kind: "change" }
  /** 말고, 대신, instead of. */
  | { readonly kind: "instead" }
  | { readonly kind: "more" }
  | { readonly kind: "same" }
  | { readonly kind: "all" }
  | { readonly kind: "rest" }
  /** 거, 걸, one: stands for an item that was named. */
  | {
      readonly kind: "thing";
      /** 걸로: what stands before it is what it shall become. */
      readonly becomes?: boolean;
    }
  | { readonly kind: "yes" }
  | { readonly kind: "no" }
  /** 괜찮아요: agrees or declines, depending on the question; never enough to charge by itself. */
  | { readonly kind: "fine" }
  | { readonly kind: "pay" }
  | { readonly kind: "repeat" }
  | { readonly kind: "help" }
  | { readonly kind: "staff" }
  | { readonly kind: "price" }
  /** Says where it is eaten; understood and ignored unless the menu has such an option. */
  | { readonly kind: "dining" }
  /** A wish that menus may have as an option (샷, less ice); on a menu without it, what is left is doubted. */
  | { readonly kind: "wish" }
  | { readonly kind: "filler" };

export type FunctionWord = { readonly word: string; readonly sense: Sense };

/** Words of one sense, written in one line and parted by bars. */
export function words(sense: Sense, line: string): readonly FunctionWord[] {
  return line.split("|").map((word) => ({ word: word.trim(), sense }));
}

/** Words that mean the same option everywhere: a value that has one of them as a name is also called by the others. */
export type OptionSynonyms = readonly string[];

/** A short form that stands for several words of the menu: 아아 is 아이스 아메리카노. */
export type Abbreviation = { readonly word: string; readonly stands: readonly string[] };
