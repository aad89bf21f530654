/**
 * English words to mentions: verb ... [number] [options] item [options]. Numbers and options stand in front of the noun;
 * a number behind it ("americano two please") is taken too when no other noun follows.
 */
import type { Menu } from "../../daemon/core/menu.ts";
import {
  hasOptions,
  isEmpty,
  type Mention,
  newMention,
  takesOption,
  type Verb,
  type Word,
} from "./mentions.ts";

type Scan = {
  readonly menu: Menu;
  readonly mentions: Mention[];
  current: Mention | null;
  trailing: { group: string; value: string }[];
  /** Verb in force for what follows. */
  verb: Verb | null;
  /** "to": the next thing is what it becomes. */
  becoming: boolean;
  correcting: boolean;
  /** "instead of", "not": the next mention is what is not wanted. */
  unwanting: boolean;
};

export function scanEnglish(words: readonly Word[], menu: Menu): readonly Mention[] {
  const scan: Scan = {
    menu,
    mentions: [],
    current: null,
    trailing: [],
    verb: null,
    becoming: false,
    correcting: false,
    unwanting: false,
  };
  for (const [index, word] of words.entries()) takeWord(scan, word, words, index);
  if (scan.verb === "remove" && scan.mentions.length === 0) open(scan).pointed = true;
  return ordered(scan.mentions.filter((mention) => !isEmpty(mention)));
}

/** "a latte instead of the americano": the unwanted one comes first, as the edits expect. */
function ordered(mentions: readonly Mention[]): readonly Mention[] {
  const result = [...mentions];
  for (let index = 1; index < result.length; index++) {
    const [before, mention] = [result[index - 1], result[index]];
    if (mention?.unwanted !== true || before === undefined || before.unwanted === true) continue;
    const next = result[index + 1];
    // "two americanos, not the latte, a mocha": what follows is the wanted one.
    if (next?.corrects === true) continue;
    result[index - 1] = mention;
    result[index] = { ...before, corrects: true };
  }
  return result;
}

function takeWord(scan: Scan, word: Word, words: readonly Word[], index: number): void {
  switch (word.kind) {
    case "item":
      return takeItem(scan, word.itemId);
    case "option":
      return takeOption(scan, word);
    case "quantity":
      return takeQuantity(scan, word.value, words, index);
    case "particle":
      return takeParticle(scan, word.role);
    case "and":
      return close(scan);
    case "no":
      close(scan);
      scan.correcting = true;
      scan.verb = null;
      return;
    case "instead":
      close(scan);
      scan.unwanting = true;
      return;
    case "without":
      close(scan);
      scan.verb = "remove";
      return;
    case "remove":
    case "cancel":
      return takeRemove(scan, words, index);
    case "change":
      return takeChange(scan);
    case "order":
    case "pay":
      close(scan);
      if (word.kind === "order" && scan.verb === "remove") scan.verb = null;
      return;
    case "more":
      // "add two lattes", "two more", "one more latte"
      if (scan.current === null) {
        if (scan.verb === "remove") scan.verb = null;
        open(scan).more = true;
      } else scan.current.more = true;
      return;
    case "same":
      (scan.current ?? open(scan)).same = true;
      return;
    case "thing":
      scan.current ??= open(scan);
      if (scan.current.itemId === undefined) scan.current.pointed = true;
      if (scan.current.quantity !== undefined) scan.current.part = true;
      return;
    case "all":
      (scan.current ?? open(scan)).all = true;
      return;
    case "rest":
      close(scan);
      open(scan).rest = true;
      return;
    default:
      return;
  }
}

function open(scan: Scan): Mention {
  const mention = newMention();
  if (scan.mentions.some((known) => known.itemId !== undefined)) mention.inherits = true;
  if (scan.correcting) mention.corrects = true;
  if (scan.unwanting) {
    mention.unwanted = true;
    scan.correcting = true;
  } else scan.correcting = false;
  scan.unwanting = false;
  if (scan.verb !== null) mention.verb = scan.verb;
  if (scan.becoming) mention.target = "item";
  scan.becoming = false;
  scan.trailing = [];
  scan.mentions.push(mention);
  scan.current = mention;
  return mention;
}

function close(scan: Scan): void {
  scan.current = null;
  scan.trailing = [];
}

function takeItem(scan: Scan, itemId: string): void {
  const { current } = scan;
  if (current !== null && current.itemId === undefined && current.pointed !== true && current.rest !== true) {
    current.itemId = itemId;
    delete current.inherits;
    scan.trailing = [];
    return;
  }
  const moved = scan.trailing.filter(({ group }) => takesOption(scan.menu, itemId, group));
  for (const { group } of moved) delete current?.options[group];
  const mention = open(scan);
  delete mention.inherits;
  mention.itemId = itemId;
  for (const { group, value } of moved) mention.options[group] = value;
}

function takeOption(scan: Scan, word: { group: string; value: string }): void {
  const { current } = scan;
  if (scan.verb === "remove" && current === null && scan.mentions.length > 0) {
    // "a mocha without whipped cream"
    const item = scan.mentions.at(-1);
    if (item !== undefined) item.dropped[word.group] = word.value;
    return;
  }
  const taken = current?.options[word.group];
  const clashes = taken !== undefined && taken !== word.value && current?.itemId !== undefined;
  const mention = current === null || clashes ? open(scan) : current;
  mention.options[word.group] = word.value;
  if (mention.itemId !== undefined) scan.trailing.push({ group: word.group, value: word.value });
}

/** Whether a noun follows the number, so that it belongs there. */
function leadsToItem(words: readonly Word[], index: number): boolean {
  for (let at = index + 1; at < words.length; at++) {
    const kind = words[at]?.kind;
    if (kind === "item") return true;
    if (kind !== "option" && kind !== "more") return false;
  }
  return false;
}

function takeQuantity(scan: Scan, value: number, words: readonly Word[], index: number): void {
  const { current } = scan;
  const next = words[index + 1];
  const follows = leadsToItem(words, index) || next?.kind === "option";
  const fits =
    current !== null && current.quantity === undefined && (current.itemId === undefined || !follows);
  // "make it three": the pronoun is what is changed, three is what it becomes.
  if (fits && current !== null) {
    const moved = scan.trailing;
    if (current.pointed === true && current.itemId === undefined) current.target = "quantity";
    if (moved.length > 0 && follows) for (const { group } of moved) delete current.options[group];
    current.quantity = value;
    return;
  }
  open(scan).quantity = value;
}

function takeParticle(scan: Scan, role: Extract<Word, { kind: "particle" }>["role"]): void {
  if (role === "direction") {
    close(scan);
    scan.becoming = true;
    return;
  }
  if (role === "each") (scan.current ?? scan.mentions.at(-1) ?? open(scan)).each = true;
  if (role === "also") (scan.current ?? scan.mentions.at(-1) ?? newMention()).also = true;
}

/** "remove the latte" in front, "one less latte" between, "take the latte off" behind. */
function takeRemove(scan: Scan, words: readonly Word[], index: number): void {
  const { current } = scan;
  const counts = current !== null && current.itemId === undefined && current.quantity !== undefined;
  const ends = !words
    .slice(index + 1)
    .some((word) => word.kind === "item" || word.kind === "quantity" || word.kind === "thing");
  if (current !== null && current.verb === undefined && (counts || (ends && hasContent(current)))) {
    current.verb = "remove";
    if (ends) close(scan);
    return;
  }
  close(scan);
  scan.verb = "remove";
}

/** "make one of them iced" in front, "a latte instead" behind. */
function takeChange(scan: Scan): void {
  const { current } = scan;
  if (current !== null && hasContent(current) && current.verb === undefined) current.verb = "change";
  close(scan);
  scan.verb = "change";
}

function hasContent(mention: Mention): boolean {
  return mention.itemId !== undefined || hasOptions(mention);
}
