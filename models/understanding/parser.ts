/**
 * Understanding by rules: one transcript, the menu and the dialogue become an intent with a confidence, or null when it
 * is not about an order. Pure and synchronous. Quantities are not limited here; the core questions large ones.
 *
 * Confidence is the product of how well the words were matched (recognition errors), how much of the text was
 * explained, and how much had to be guessed about what was meant.
 */
import type { Intent } from "../../daemon/core/intent.ts";
import type { Language, Menu } from "../../daemon/core/menu.ts";
import type { DialogueContext, Understanding } from "../model.ts";
import { clearing, planEdits, restates } from "./edits.ts";
import { scanEnglish } from "./english-scanner.ts";
import { scanKorean } from "./korean-scanner.ts";
import { lexicon, nameParts, type WordSense } from "./lexicon.ts";
import { type Word, wordsOf } from "./mentions.ts";
import { segment, type Token } from "./segmentation.ts";
import { growTree, type WordTree } from "./word-tree.ts";

export type CompiledMenu = { readonly menu: Menu; readonly language: Language; readonly tree: WordTree };

/** Builds the search tree of a menu: once for a menu and language, some milliseconds. */
export function compileMenu(menu: Menu, language: Language): CompiledMenu {
  const words = lexicon(menu, language);
  return { menu, language, tree: growTree([...words, ...nameParts(menu, language, words)]) };
}

/** One more reading of the same speech. `score` is a natural log-probability (or differs from one by a constant). */
export type Alternative = { readonly text: string; readonly score: number };

export type Transcript = {
  readonly text: string;
  /** N-best list of the recogniser, best first; may contain `text` itself. */
  readonly alternatives?: readonly Alternative[];
  /** The recogniser's own confidence in `text`, 0 to 1. */
  readonly confidence?: number;
};

export type UnderstandingLimits = {
  /** Alternatives read beside the best text. */
  readonly alternatives: number;
  /** Below this an understanding is none. */
  readonly leastConfidence: number;
};

export const DEFAULT_LIMITS: UnderstandingLimits = { alternatives: 4, leastConfidence: 0.25 };

/** How fast an alternative loses against the best text: e-fold for this much log-probability. */
const SCORE_SCALE = 4;
/** What an alternative is worth when the best text was understood to mean nothing. */
const PLAIN_TALK_LOSS = 0.4;
/** An alternative this close in log-probability that means something else makes the turn doubtful. */
const RIVAL_SCORE = 0.7;
const RIVAL_CERTAINTY = 0.8;

/** Reads one turn. Give a CompiledMenu where many turns are read; a Menu is compiled on each call. */
export function understand(
  input: Transcript,
  menu: Menu | CompiledMenu,
  context: DialogueContext,
  language: Language,
  limits: UnderstandingLimits = DEFAULT_LIMITS,
): Understanding {
  const compiled =
    "tree" in menu && menu.language === language
      ? menu
      : compileMenu("tree" in menu ? menu.menu : menu, language);
  const best = understandText(input.text, compiled, context);
  const others = (input.alternatives ?? []).slice(0, limits.alternatives + 1);
  const top = others.find((other) => other.text === input.text)?.score ?? others[0]?.score ?? 0;
  // "주문할게요" is heard well and asks for nothing: a worse reading must not put something into it.
  const plainTalk = best === null && isKnown(input.text, compiled);
  let chosen = best;
  let weight = best?.confidence ?? 0;
  let doubt = 1;
  for (const { text, score } of others) {
    if (text === input.text) continue;
    const reading = understandText(text, compiled, context);
    if (reading === null) continue;
    const behind = Math.max(0, top - score);
    const loss = Math.exp(-behind / SCORE_SCALE) * (plainTalk ? PLAIN_TALK_LOSS : 1);
    // A reading that explains clearly more than the best text wins; one that is nearly as good only adds doubt.
    if (reading.confidence * loss > weight + 0.05) {
      chosen = { intent: reading.intent, confidence: reading.confidence * loss };
      weight = chosen.confidence;
    } else if (
      behind < RIVAL_SCORE &&
      best !== null &&
      reading.confidence >= best.confidence &&
      !sameIntent(reading.intent, best.intent)
    ) {
      doubt = RIVAL_CERTAINTY;
    }
  }
  if (chosen === null) return null;
  const heard = input.confidence === undefined ? 1 : 0.5 + 0.5 * Math.min(1, Math.max(0, input.confidence));
  const confidence = Math.min(1, chosen.confidence * doubt * heard);
  return confidence < limits.leastConfidence ? null : { intent: chosen.intent, confidence };
}

function isKnown(text: string, compiled: CompiledMenu): boolean {
  const tokens = segment(text, compiled.tree, compiled.language);
  return tokens.length > 0 && tokens.every((token) => token.sense !== null && token.distance === 0);
}

function sameIntent(a: Intent, b: Intent): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function understandText(text: string, compiled: CompiledMenu, context: DialogueContext): Understanding {
  const tokens = segment(text, compiled.tree, compiled.language);
  if (
    tokens.every(
      (token) => token.sense === null || token.sense.kind === "filler" || token.sense.kind === "wish",
    )
  )
    return null;
  const words = wordsOf(tokens);
  const reading = intentOf(words, compiled, context);
  if (reading === null) return null;
  return { intent: reading.intent, confidence: reading.confidence * matchQuality(tokens) };
}

/** Confidence lost for each unit of distance per phone of a menu word. */
const DISTANCE_WEIGHT = 1.7;

/** Words that make an unknown stretch before them a wish. */
const ASKS_FOR: ReadonlySet<WordSense["kind"]> = new Set(["more", "remove", "without", "change"]);
const UNKNOWN_WISH_CERTAINTY = 0.6;
const UNKNOWN_ATTRIBUTE_CERTAINTY = 0.8;
const UNCOUNTED_CERTAINTY = 0.45;

/** 0 to 1: menu words' distances, doubtful words, and how much of the text no word explains. */
function matchQuality(tokens: readonly Token[]): number {
  let quality = 1;
  let explained = 0;
  let unknown = 0;
  for (const [index, { sense, distance, phones, ambiguous }] of tokens.entries()) {
    if (sense === null) {
      unknown += phones;
      // "샷 추가", "시럽 빼고": something is wanted that this menu does not have.
      const next = tokens[index + 1]?.sense?.kind;
      if (next !== undefined && ASKS_FOR.has(next)) quality *= UNKNOWN_WISH_CERTAINTY;
      // What stands right before an item is often an option that was not heard well.
      if (next === "item") quality *= UNKNOWN_ATTRIBUTE_CERTAINTY;
      continue;
    }
    if (sense.kind === "filler") continue;
    if (sense.kind === "wish") {
      quality *= UNKNOWN_WISH_CERTAINTY;
      continue;
    }
    // "메 잔": how many was said, but not understood.
    if (sense.kind === "counter" && tokens[index - 1]?.sense?.kind !== "number")
      quality *= UNCOUNTED_CERTAINTY;
    explained += phones;
    const onMenu = sense.kind === "item" || sense.kind === "dish" || sense.kind === "option";
    quality *= 1 - (onMenu ? DISTANCE_WEIGHT : 1) * (distance / Math.max(phones, 4));
    if (ambiguous) quality *= 0.65;
  }
  const share = explained / Math.max(1, explained + unknown);
  return Math.max(0, quality) * Math.min(1, share * share * 1.1);
}

type Reading = { readonly intent: Intent; readonly confidence: number } | null;

function sure(intent: Intent, confidence = 1): Reading {
  return { intent, confidence };
}

function intentOf(words: readonly Word[], compiled: CompiledMenu, context: DialogueContext): Reading {
  const has = (kind: Word["kind"]) => words.some((word) => word.kind === kind);
  const item = words.find((word) => word.kind === "item");
  const names = item !== undefined || has("quantity") || has("option");
  if (has("staff") && !names) return sure({ kind: "staff" });
  if (has("price"))
    return sure({ kind: "ask-price", ...(item === undefined ? {} : { itemId: item.itemId }) });
  if (has("cancel-all")) return startOver(words, compiled, context);
  if (has("repeat") && !names && !has("more")) return sure({ kind: "repeat" }, has("no") ? 0.9 : 1);
  if (has("help") && !names) return sure({ kind: "help" });
  if (has("cancel") && !names && !has("thing")) return sure({ kind: "cancel" });
  const refers =
    names || has("more") || has("same") || has("remove") || has("change") || (has("thing") && has("cancel"));
  const edit = refers ? editOf(words, compiled, context) : null;
  return edit ?? answerOf(words, context);
}

/** 전체 취소하고 모카 하나: the basket is emptied and the order goes on; without an item it is cancelled. */
function startOver(words: readonly Word[], compiled: CompiledMenu, context: DialogueContext): Reading {
  const after = words.slice(words.findIndex((word) => word.kind === "cancel-all") + 1);
  const anew = after.some((word) => word.kind === "item")
    ? editOf(after, compiled, { ...context, lines: [] })
    : null;
  if (anew?.intent.kind !== "edit")
    return sure({ kind: "cancel" }, words.some((word) => word.kind === "item") ? 0.8 : 1);
  return { ...anew, intent: { kind: "edit", edits: [...clearing(context), ...anew.intent.edits] } };
}

function editOf(words: readonly Word[], compiled: CompiledMenu, context: DialogueContext): Reading {
  const scan = compiled.language === "ko" ? scanKorean : scanEnglish;
  const plan = planEdits(scan(words, compiled.menu), compiled.menu, context);
  if (plan.cancelsAll && plan.edits.length === 0) return sure({ kind: "cancel" }, plan.certainty);
  if (plan.edits.length === 0) return null;
  const grows = words.some(
    (word) =>
      word.kind === "more" ||
      word.kind === "no" ||
      word.kind === "same" ||
      word.kind === "change" ||
      (word.kind === "particle" && word.role === "also"),
  );
  const saysAgain = context.lines.length > 0 && !grows && restates(plan.edits, context);
  if (saysAgain) {
    const answer = answerOf(
      words.filter((word) => word.kind === "yes" || word.kind === "pay"),
      context,
    );
    if (answer !== null) return answer;
    if (context.expectation === "confirmation") return sure({ kind: "confirm" }, REPEATED_ORDER_CERTAINTY);
  }
  return sure({ kind: "edit", edits: plan.edits }, plan.certainty);
}

/** The order said again instead of a yes. */
const REPEATED_ORDER_CERTAINTY = 0.65;

/** "네" to a question is sure; out of nowhere it is not. */
const UNASKED_CERTAINTY = 0.8;

function answerOf(words: readonly Word[], context: DialogueContext): Reading {
  const has = (kind: Word["kind"]) => words.some((word) => word.kind === kind);
  const asked = context.expectation === "confirmation";
  // Numbers and options that led nowhere make an answer doubtful ("네" heard in "네 개" without a basket).
  const loose = words.some(
    (word) => word.kind === "quantity" || word.kind === "item" || word.kind === "option",
  )
    ? 0.5
    : 1;
  if (has("no") && has("pay")) return sure({ kind: "pay" }, 0.9 * loose);
  if (has("no")) return sure({ kind: "deny" }, (has("yes") ? 0.4 : asked ? 1 : 0.9) * loose);
  if (has("yes") && has("pay")) return sure(asked ? { kind: "confirm" } : { kind: "pay" }, loose);
  if (has("pay")) return sure({ kind: "pay" }, loose);
  // "두 잔 맞아요" repeats what was asked.
  if (has("yes")) return sure({ kind: "confirm" }, asked ? (1 + loose) / 2 : UNASKED_CERTAINTY * loose);
  if (has("fine")) return sure({ kind: "deny" }, 0.45 * loose);
  if (asked && has("order") && loose === 1) return sure({ kind: "confirm" }, 0.6);
  return null;
}
