/**
 * What a sentence speaks of: each mention is an item with a quantity and options, or a part of one that refers to
 * something before ("하나는 따뜻하게"), together with the verb that decides what is to happen to it.
 *
 * Korean puts the quantity behind the noun and the verb at the end; English puts both in front. The scanners in
 * korean-scanner.ts and english-scanner.ts turn words into the same mentions; edits.ts turns those into basket edits.
 */
import type { Options } from "../../daemon/core/intent.ts";
import type { Menu } from "../../daemon/core/menu.ts";
import type { WordSense } from "./lexicon.ts";
import type { Token } from "./segmentation.ts";

export type Verb = "add" | "remove" | "change";

export type Mention = {
  itemId?: string;
  quantity?: number;
  options: Record<string, string>;
  /** Options that were taken back ("휘핑 빼고"): they return to the group's default. */
  dropped: Record<string, string>;
  verb?: Verb;
  /** A particle or word says that this is what it becomes: 라떼로, to a latte. */
  target?: "item" | "quantity" | "options";
  /** Stands in place of the mention before it, or of something in the basket when it is the first. */
  corrects?: boolean;
  /** Is the thing that is not wanted: 아메리카노 말고, instead of the americano. */
  unwanted?: boolean;
  /** Something that the menu does not have is said of it. */
  wished?: boolean;
  /** The item with 을 or 를: what something else may take the place of. */
  object?: boolean;
  /** The item as a topic: 라떼는. Stands against what was said of it before. */
  topic?: boolean;
  /** A number as a topic: 하나는, one of them. Speaks of a part of what was named. */
  part?: boolean;
  rest?: boolean;
  all?: boolean;
  more?: boolean;
  same?: boolean;
  also?: boolean;
  /** The quantity is meant for every item named so far: 두 잔씩, two each. */
  each?: boolean;
  /** 그거, it: named by pointing only. */
  pointed?: boolean;
  /** Follows a mention with an item in the same breath and names none itself. */
  inherits?: boolean;
};

export function newMention(): Mention {
  return { options: {}, dropped: {} };
}

export function isEmpty(mention: Mention): boolean {
  return (
    mention.itemId === undefined &&
    mention.quantity === undefined &&
    !hasOptions(mention) &&
    mention.more !== true &&
    mention.same !== true &&
    mention.pointed !== true &&
    mention.all !== true &&
    mention.rest !== true
  );
}

export function hasOptions(mention: Mention): boolean {
  return Object.keys(mention.options).length > 0 || Object.keys(mention.dropped).length > 0;
}

/** A token as the scanners see it: numbers are put together, fillers and unknown words are gone. */
export type Word =
  | { readonly kind: "item"; readonly itemId: string; readonly options: Options }
  | { readonly kind: "option"; readonly group: string; readonly value: string; readonly text: string }
  | { readonly kind: "quantity"; readonly value: number; readonly counted: boolean }
  | { readonly kind: "thing"; readonly becomes: boolean }
  /** Something that is not on the menu: what is done to it must not be done to something else. */
  | { readonly kind: "unknown" }
  | {
      readonly kind: "particle";
      readonly role:
        | "topic"
        | "subject"
        | "object"
        | "direction"
        | "also"
        | "only"
        | "of"
        | "each"
        | "polite";
    }
  | {
      readonly kind: Exclude<
        WordSense["kind"],
        "item" | "option" | "dish" | "number" | "counter" | "particle" | "filler" | "thing" | "wish"
      >;
    };

/** Quantities above this are not numbers that anyone means; the core questions what is merely large. */
export const MAX_QUANTITY = 999_999_999;

/** Adds up a run of number words: 이십삼, 열두, two hundred fifty, 18000. Returns its value and how many words it took. */
function numberAt(senses: readonly (WordSense | null)[], from: number): { value: number; length: number } {
  let total = 0;
  let section = 0;
  let digit = 0;
  let length = 0;
  let skipped = 0;
  let lastUnit = Number.POSITIVE_INFINITY;
  for (let index = from; index < senses.length; index++) {
    let sense = senses[index];
    // "one hundred and twenty"
    const joined = senses[index + 1];
    if (
      sense?.kind === "and" &&
      lastUnit === 100 &&
      digit === 0 &&
      joined?.kind === "number" &&
      joined.form === "word" &&
      joined.value > 1 &&
      joined.value < 100
    ) {
      index++;
      skipped++;
      sense = joined;
    }
    if (sense?.kind !== "number") break;
    const { value } = sense;
    if (value >= 1_000 && (value === 10_000 || sense.form === "word")) {
      total += (section + digit === 0 ? 1 : section + digit) * value;
      section = 0;
      digit = 0;
      lastUnit = Number.POSITIVE_INFINITY;
    } else if (
      (value === 100 || value === 1_000 || (value === 10 && sense.form === "sino")) &&
      value < lastUnit
    ) {
      section += (digit === 0 ? 1 : digit) * value;
      digit = 0;
      lastUnit = value;
    } else if (value >= 10 && value < 100 && digit === 0 && length === 0) {
      section += value;
      lastUnit = value >= 20 || sense.form !== "word" ? 10 : 1;
    } else if (value >= 10 && value < 100 && digit === 0 && lastUnit === 100) {
      section += value;
      lastUnit = 10;
    } else if (value < 10 && digit === 0 && (length === 0 || lastUnit > 1)) {
      digit = value;
      if (length > 0 && lastUnit === 10) lastUnit = 1;
    } else if (length === 0) {
      // Written in digits.
      section = value;
      lastUnit = 1;
    } else break;
    length++;
  }
  return { value: Math.min(total + section + digit, MAX_QUANTITY), length: Math.max(1, length) + skipped };
}

/** Shorter stretches are noise; a longer one is a word that the lexicon does not have. */
const LEAST_UNKNOWN_PHONES = 3;

/** Numbers that an English recogniser writes as their homophones. */
const HOMOPHONES: Readonly<Record<string, number>> = { for: 4, to: 2, too: 2, won: 1 };

/** "for lattes", "to iced americanos": a plural calls for a number, and the word before it sounds like one. */
function homophoneAt(tokens: readonly Token[], index: number): number | undefined {
  const value = HOMOPHONES[tokens[index]?.text ?? ""];
  if (value === undefined) return undefined;
  const noun = tokens.slice(index + 1).find((token) => token.sense?.kind !== "option");
  const single = value === 1 && (noun?.sense?.kind === "thing" || noun?.sense?.kind === "counter");
  // "change it to lattes" and "how much for lattes" mean the words that they say.
  const meant = tokens
    .slice(0, index)
    .some((token) => token.sense?.kind === "change" || token.sense?.kind === "price");
  const plural = !meant && noun?.sense?.kind === "item" && noun.text.endsWith("s");
  return plural || single ? value : undefined;
}

/** Tokens as words: fillers and unknown stretches dropped, numbers and counters joined to quantities. */
export function wordsOf(tokens: readonly Token[]): readonly Word[] {
  const senses = tokens.map((token) => token.sense);
  const words: Word[] = [];
  for (let index = 0; index < senses.length; index++) {
    const sense = senses[index];
    const homophone = homophoneAt(tokens, index);
    if (homophone !== undefined) {
      words.push({ kind: "quantity", value: homophone, counted: false });
      continue;
    }
    if (sense?.kind === "wish" || (sense === null && (tokens[index]?.phones ?? 0) >= LEAST_UNKNOWN_PHONES)) {
      words.push({ kind: "unknown" });
      continue;
    }
    if (sense === null || sense === undefined || sense.kind === "filler") continue;
    switch (sense.kind) {
      case "number": {
        const { value, length } = numberAt(senses, index);
        index += length - 1;
        const counted = senses[index + 1]?.kind === "counter";
        if (counted) index++;
        // 4천 원짜리: a price, not a quantity.
        if (tokens[index + 1]?.sense?.kind === "filler" && tokens[index + 1]?.text.startsWith("원")) break;
        // 한, 세, 이 without a counter: more likely a piece of another word ("주세요" misheard) than a number.
        const bare = !counted && length === 1 && (sense.form === "determiner" || sense.form === "sino");
        if (bare) break;
        // "Zero" of something is not a quantity of an order.
        if (value > 0) words.push({ kind: "quantity", value, counted });
        break;
      }
      case "counter":
        break;
      case "item":
        words.push({ kind: "item", itemId: sense.itemId, options: {} });
        break;
      case "dish":
        words.push({ kind: "item", itemId: sense.itemId, options: sense.options });
        break;
      case "option":
        words.push({
          kind: "option",
          group: sense.group,
          value: sense.value,
          text: tokens[index]?.text ?? "",
        });
        break;
      case "thing":
        words.push({ kind: "thing", becomes: sense.becomes === true });
        break;
      case "particle":
        words.push({ kind: "particle", role: sense.role });
        break;
      default:
        words.push({ kind: sense.kind });
    }
  }
  return words;
}

/** True when the item of the menu has that option group. */
export function takesOption(menu: Menu, itemId: string, group: string): boolean {
  return menu.items.find((item) => item.id === itemId)?.options.includes(group) ?? false;
}
