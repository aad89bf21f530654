/**
 * What follows what in a counter order: costs in nats for one class of words after another, as a small table.
 *
 * A closed vocabulary alone would hear particles and numbers everywhere, because the shortest words fit any noise. The
 * table makes a bare determiner (두) want a counter, a particle want something before it, and leaves the rest nearly
 * free: what the customer may say is the parser's business, the decoder only needs to know what is odd.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { WordSense } from "../understanding/lexicon.ts";
import type { NumberForm } from "../understanding/vocabulary.ts";

/**
 * I item, O option, D determiner number (두), N native number that stands alone (둘) or an English number, B native
 * number that does both (다섯), S Sino-Korean digit, T Sino-Korean ten and more, C counter of native numbers, K counter of
 * Sino-Korean numbers (인분), P particle, Q polite ending, A and, V verb (order, remove, pay, price ...), X without or
 * instead, M more, same, all, thing, Y yes, no, fine, R requests that stand alone, F filler, U unknown speech; "^" start
 * and "$" end of the turn.
 */
export type WordClass =
  | ("I" | "O" | "D" | "N" | "B" | "S" | "T" | "C" | "K" | "P")
  | ("Q" | "A" | "V" | "X" | "M" | "Y" | "R" | "F" | "U");

export const WORD_CLASSES: readonly WordClass[] = [..."IODNBSTCKPQAVXMYRFU"] as WordClass[];

/** One row for what stands before: classes that may follow with their cost; what is not named costs UNLIKELY. */
const KOREAN: Readonly<Record<string, string>> = {
  "^": "I0 O0 Y0 F0.5 R0.3 N0.5 B0.5 D0.7 S1.5 T1.5 V0.8 M1 A1 U1 X3 C5 K5 P5 Q4",
  I: "N0 B0 D0 S0.7 T0.7 $0.5 I1 O0.7 P0.4 Q0.5 A0.3 V0.3 X0.3 M0.7 F1 Y2 C4 K4 R2 U1",
  O: "I0 O0.5 D0.5 B0.5 N0.7 S1.2 T1.2 P0.6 Q0.7 V0.5 M0.6 $0.7 A1 X0.6 F1 C3 R2 U1",
  D: "C0 K1.5 I3.5 $5 U2 Q5 P5 V5 A5",
  N: "$0.3 P0.5 Q0.3 A0.3 V0.2 M0.5 I0.7 O0.7 D0.8 N0.8 B0.8 X0.7 F1 S3 C3 U1.5",
  B: "C0 K2 $0.5 P0.6 Q0.4 A0.4 V0.3 M0.6 I0.8 O0.8 D0.7 N0.7 B0.7 X0.8 F1 S3 U1.5",
  S: "T0.2 S0.6 K0 C1.6 I2 $1.5 P1 Q1 A1 V1.2 U2",
  T: "S0 T0.4 K0.1 C0.8 I2 $1.5 P1 Q1 A1 V1.2 U2",
  C: "$0.3 P0.3 Q0.2 A0.2 V0.1 I0.5 O0.6 M0.5 X0.6 F1 Y1.5 N2 B2 D2 R1.5 U1",
  K: "$0.3 P0.3 Q0.2 A0.2 V0.1 I0.5 O0.6 M0.5 X0.6 F1 Y1.5 N2 B2 D2 R1.5 U1",
  P: "I0.5 O0.5 N0.5 B0.5 D0.5 S1.2 T1.2 V0.3 $0.7 A1 M0.7 X1 P1 Q0.7 F1 Y2 R1.5 U1",
  Q: "$0.2 I0.8 O0.8 F1 V1.2 Y1.2 A0.7 N1 B1 D1 M1 R1.2 X2 U1",
  A: "I0.1 O0.3 F0.7 N1 B1 D1 V1.2 M0.8 S2 $2 Y1.5 R1.5 U1",
  V: "$0.1 F1 I0.8 O0.8 V0.8 Q0.7 A0.8 Y1.2 P1.5 D1 N1 B1 M1 R1 X2 U1",
  X: "I0.2 O0.3 V0.5 N0.6 B0.6 D0.6 M0.6 F1 $2 U1",
  M: "I0.5 O0.5 N0.4 B0.4 D0.3 V0.2 P0.5 Q0.5 $0.6 M0.7 A1 X0.5 F1 Y1.5 R1 U1",
  Y: "$0.1 Y0.6 I0.7 O0.7 V0.5 F0.7 R0.6 N1 B1 D1 A1 M0.8 Q1.2 X1.5 U1",
  R: "$0.1 Q1 V1 F1 Y1 I1.5 O1.5 R1 U1",
  F: "I0.2 O0.2 Y0.7 F0.7 R0.5 N0.6 B0.6 D0.6 S1.5 T1.5 V0.6 M0.8 A1 $1 X2 K1 U1",
  U: "I0.5 O0.5 Y1 F0.7 R1 N0.7 B0.7 D0.7 S1.5 T1.5 V0.5 M0.7 A0.7 $0.3 X1 P0.7 Q0.7 C2 K2",
};

const ENGLISH: Readonly<Record<string, string>> = {
  "^": "V0 N0.1 I0.3 O0.3 Y0 F0.4 R0.3 M0.8 A1 X1 P2 C3 U1",
  I: "$0.1 A0.1 V0.4 N0.5 P0.7 O0.8 I1.2 X0.6 M0.7 F1 Y1.2 C2 R1 U1",
  O: "I0 O0.4 M0.4 C0.8 $0.6 V0.6 A0.7 N1 F0.8 P0.8 Y1.5 X1 U1",
  N: "I0 O0.1 C0.3 M0.4 N0.6 $0.9 V1.6 F1.4 P1.2 A1.2 X1.6 U1",
  C: "I0 O0.3 F0.5 M0.8 $0.8 N1 V0.8 A0.8 U1",
  P: "I0.3 O0.3 N0.3 M0.5 $0.6 V0.7 F0.6 A0.8 U1",
  A: "I0.2 O0.2 N0 M0.5 V0.4 F0.4 Y1.2 X0.8 $2 P1 R1 U1",
  V: "N0 I0.2 O0.2 M0.2 F0.3 $0.2 P0.7 V0.6 A0.8 C1 Y1 X0.8 R1 U1",
  X: "I0.1 O0.2 N0.4 F0.3 M0.4 $2 V1 U1",
  M: "I0.3 O0.2 N0.4 P0.4 F0.4 $0.4 V0.5 A0.7 C0.7 M0.6 X0.8 Y1.5 U1",
  Y: "$0.1 V0.3 F0.4 N0.6 I0.7 O0.7 Y0.6 M0.6 X0.6 R0.6 A0.8 P1 U1",
  R: "$0.1 F0.7 V1 Y1 R1 A1 I1.5 U1",
  F: "I0.1 O0.1 N0.2 V0.4 M0.4 F0.5 Y0.7 $0.7 A0.8 R0.5 X0.8 P0.7 C0.8 U1",
  U: "I0.5 O0.5 N0.5 V0.4 M0.6 F0.5 $0.3 A0.6 Y1 P0.7 X0.8 R1 C1",
};

const UNLIKELY = 3.5;

export type Grammar = {
  /** Cost of class `to` after `from`, by position in WORD_CLASSES; `from` -1 is the start of the turn. */
  readonly follow: (from: number, to: number) => number;
  /** Cost of ending after `from`. */
  readonly end: (from: number) => number;
};

function row(text: string): { readonly costs: readonly number[]; readonly end: number } {
  const given = new Map(text.split(" ").map((entry) => [entry.slice(0, 1), Number(entry.slice(1))]));
  return { costs: WORD_CLASSES.map((name) => given.get(name) ?? UNLIKELY), end: given.get("$") ?? UNLIKELY };
}

export function grammarOf(language: Language): Grammar {
  const table = language === "en" ? ENGLISH : KOREAN;
  const start = row(table["^"] ?? "");
  const rows = WORD_CLASSES.map((name) => row(table[name] ?? ""));
  return {
    follow: (from, to) => (from < 0 ? start : rows[from])?.costs[to] ?? UNLIKELY,
    end: (from) => (from < 0 ? 0 : (rows[from]?.end ?? UNLIKELY)),
  };
}

/** Native numbers that only stand alone; all others also stand before a counter. */
const ALONE = new Set(["하나", "둘", "셋", "넷", "스물"]);
const SINO_COUNTERS = new Set(["인분", "번", "리터", "그램", "원", "명분", "퍼센트"]);
const TEN = 10;

function numberClass(word: string, value: number, form: NumberForm): WordClass {
  switch (form) {
    case "determiner":
      return "D";
    case "native":
      return ALONE.has(word) ? "N" : "B";
    case "sino":
      return value < TEN ? "S" : "T";
    case "word":
      return "N";
  }
}

/** The class that a word with a sense of the vocabulary behaves like. */
export function classOf(word: string, sense: WordSense): WordClass {
  switch (sense.kind) {
    case "item":
    case "dish":
      return "I";
    case "option":
      return "O";
    case "number":
      return numberClass(word, sense.value, sense.form);
    case "counter":
      return SINO_COUNTERS.has(word) ? "K" : "C";
    case "particle":
      return sense.role === "polite" ? "Q" : "P";
    case "and":
      return "A";
    case "without":
    case "instead":
      return "X";
    case "more":
    case "same":
    case "all":
    case "rest":
    case "thing":
      return "M";
    case "yes":
    case "no":
    case "fine":
      return "Y";
    case "cancel-all":
    case "repeat":
    case "help":
    case "staff":
      return "R";
    case "filler":
      return "F";
    default:
      return "V";
  }
}
