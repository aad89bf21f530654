/** Korean words to mentions: [options] item [options] [number counter] [options로] ... verb. */
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

/** `before` is what the option replaced in the mention it stands behind, so that it can be taken out again. */
type Trailing = { readonly group: string; readonly value: string; readonly before: string | undefined };

/** The state of one pass over the words. */
type Scan = {
  readonly menu: Menu;
  readonly mentions: Mention[];
  /** The mention that is being filled; null after a conjunction or a verb. */
  current: Mention | null;
  /** Options behind the item that may still turn out to belong to the next item. */
  trailing: Trailing[];
  /** Mentions from here on wait for their verb. */
  segment: number;
  /** The next mention corrects what was said before. */
  correcting: boolean;
};

export function scanKorean(words: readonly Word[], menu: Menu): readonly Mention[] {
  const scan: Scan = { menu, mentions: [], current: null, trailing: [], segment: 0, correcting: false };
  for (const [index, word] of words.entries()) takeWord(scan, word, words[index + 1], words[index - 1]);
  close(scan);
  return scan.mentions.filter((mention) => !isEmpty(mention) || mention.verb === "remove");
}

function takeWord(scan: Scan, word: Word, next: Word | undefined, before: Word | undefined): void {
  // 시럽 빼 주세요, 샷 추가: the verb belongs to something that the menu does not have.
  if (before?.kind === "unknown" && concernsUnknown(scan, word)) return;
  switch (word.kind) {
    case "item":
      return takeItem(scan, word.itemId, word.options);
    case "option":
      return takeOption(scan, word, next);
    case "quantity":
      return takeQuantity(scan, word.value);
    case "particle":
      return takeParticle(scan, word.role, before);
    case "unknown":
      if (scan.current !== null) scan.current.wished = true;
      return;
    case "and":
      return close(scan);
    case "no":
      // 치즈케이크는 됐어요
      if (scan.current?.topic === true && scan.current.quantity === undefined && endsWish(next))
        return takeVerb(scan, "remove");
      close(scan);
      scan.correcting = true;
      return;
    case "instead": {
      const unwanted = scan.current ?? scan.mentions.at(-1);
      if (unwanted !== undefined) unwanted.unwanted = true;
      close(scan);
      scan.correcting = true;
      return;
    }
    case "without":
      return takeWithout(scan);
    case "remove":
    case "cancel":
      return takeVerb(scan, "remove");
    case "change":
      return takeVerb(scan, "change");
    case "order":
    case "pay":
      return takeVerb(scan, "add");
    case "thing":
      scan.trailing = [];
      takeThing(scan, word.becomes);
      return;
    case "more": {
      const mention = scan.current ?? open(scan);
      mention.more = true;
      return;
    }
    case "same":
      open(scan).same = true;
      return;
    case "all": {
      // 아메리카노 하나 라떼 하나 [둘 다 아이스로]: after several items it speaks of them together.
      const named = scan.mentions
        .slice(scan.segment)
        .filter((mention) => mention.itemId !== undefined).length;
      (scan.current === null || named > 1 ? open(scan) : scan.current).all = true;
      return;
    }
    case "yes":
      // 아메리카노는 그대로 하고 ...: what is named is to stay as it is.
      if (scan.current?.itemId !== undefined && scan.current.verb === undefined) scan.mentions.pop();
      return close(scan);
    case "rest":
      close(scan);
      open(scan).rest = true;
      return;
    default:
      return;
  }
}

/** Nothing that could take the item's place follows a "no". */
function endsWish(next: Word | undefined): boolean {
  return next === undefined || next.kind === "pay" || next.kind === "order";
}

/** An item before it was only where it belongs ("아메리카노에 샷 추가"), so it is not ordered again. */
function concernsUnknown(scan: Scan, word: Word): boolean {
  if (
    word.kind !== "more" &&
    word.kind !== "remove" &&
    word.kind !== "without" &&
    word.kind !== "change" &&
    word.kind !== "cancel"
  )
    return false;
  const waiting = scan.mentions.length > scan.segment;
  if (
    word.kind === "more" &&
    waiting &&
    scan.current?.itemId !== undefined &&
    scan.current.quantity === undefined
  )
    scan.mentions.pop();
  close(scan);
  return true;
}

function open(scan: Scan): Mention {
  const mention = newMention();
  const earlier = scan.mentions.findLast((known) => known.itemId !== undefined);
  if (earlier !== undefined) mention.inherits = true;
  if (scan.correcting) mention.corrects = true;
  scan.correcting = false;
  scan.trailing = [];
  scan.mentions.push(mention);
  scan.current = mention;
  return mention;
}

function close(scan: Scan): void {
  scan.current = null;
  scan.trailing = [];
}

function takeItem(scan: Scan, itemId: string, options: Readonly<Record<string, string>>): void {
  const { current } = scan;
  const joins =
    current !== null &&
    current.itemId === undefined &&
    current.part !== true &&
    current.same !== true &&
    (current.pointed !== true || hasOptions(current)) &&
    !(current.all === true && hasOptions(current)) &&
    current.rest !== true;
  if (joins) {
    current.itemId = itemId;
    delete current.inherits;
    Object.assign(current.options, options);
    scan.trailing = [];
    return;
  }
  // 아메리카노 한 잔, [따뜻한] 라떼: what stands right before the item is its own.
  const moved = scan.trailing.filter(({ group }) => takesOption(scan.menu, itemId, group));
  takeBack(current, moved);
  const mention = open(scan);
  delete mention.inherits;
  mention.itemId = itemId;
  for (const { group, value } of moved) mention.options[group] = value;
  Object.assign(mention.options, options);
}

function takeBack(mention: Mention | null, moved: readonly Trailing[]): void {
  if (mention === null) return;
  for (const { group, before } of moved) {
    if (before === undefined) delete mention.options[group];
    else mention.options[group] = before;
  }
}

/** An adverb (따뜻하게) or an option with 로, 거 or 요 behind it speaks of what stands before it. */
function pointsBack(text: string, next: Word | undefined): boolean {
  return (
    text.endsWith("게") ||
    next?.kind === "thing" ||
    (next?.kind === "particle" && (next.role === "direction" || next.role === "polite"))
  );
}

function takeOption(
  scan: Scan,
  word: { group: string; value: string; text: string },
  next: Word | undefined,
): void {
  const { current } = scan;
  const taken = current?.options[word.group];
  const clashes = taken !== undefined && taken !== word.value;
  const mention =
    current === null || (clashes && (current.quantity !== undefined || current.itemId !== undefined))
      ? open(scan)
      : current;
  const movable = mention.itemId !== undefined && !pointsBack(word.text, next);
  const before = mention.options[word.group];
  mention.options[word.group] = word.value;
  if (word.text.endsWith("게")) mention.target = "options";
  if (movable) scan.trailing.push({ group: word.group, value: word.value, before });
  else if (mention.quantity !== undefined && mention.itemId !== undefined)
    scan.trailing = scan.trailing.filter(({ group }) => group !== word.group);
}

function takeThing(scan: Scan, becomes: boolean): void {
  const mention = scan.current ?? open(scan);
  mention.pointed = true;
  if (becomes && hasOptions(mention)) mention.target = "options";
}

function takeQuantity(scan: Scan, value: number): void {
  const { current } = scan;
  if (current === null) {
    open(scan).quantity = value;
    return;
  }
  if (current.quantity === undefined) {
    current.quantity = value;
    // 아메리카노 아이스 [하나]: the options before the number are settled.
    scan.trailing = [];
    return;
  }
  // 두 잔 [아이스 하나] 뜨거운 거 하나: options between two numbers belong to the second.
  const moved = scan.trailing;
  takeBack(current, moved);
  const mention = open(scan);
  for (const { group, value: option } of moved) mention.options[group] = option;
  mention.quantity = value;
}

function takeParticle(
  scan: Scan,
  role: Extract<Word, { kind: "particle" }>["role"],
  before: Word | undefined,
): void {
  const { current } = scan;
  if (role === "each") {
    const mention = current ?? scan.mentions.at(-1) ?? open(scan);
    mention.each = true;
    return;
  }
  if (current === null) return;
  if (role === "topic" && before?.kind === "quantity") current.part = true;
  if (role === "topic" && before?.kind === "item") current.topic = true;
  if (role === "also") current.also = true;
  if (role === "object" && before?.kind === "item") current.object = true;
  if (role === "direction" || role === "polite") scan.trailing = [];
  if (role === "direction") {
    if (before?.kind === "quantity") current.target = "quantity";
    else if (before?.kind === "item") current.target = "item";
    else if (hasOptions(current)) current.target = "options";
  }
}

/** 아메리카노 빼고 ...: takes the item out; 휘핑 빼고: takes back an option, of the item before or after it. */
function takeWithout(scan: Scan): void {
  const { current } = scan;
  if (current === null) return;
  const last = Object.entries(current.options).at(-1);
  const optionOnly = last !== undefined && (current.itemId === undefined || scan.trailing.length > 0);
  if (optionOnly && current.quantity === undefined) {
    delete current.options[last[0]];
    current.dropped[last[0]] = last[1];
    scan.trailing = [];
    return;
  }
  takeVerb(scan, "remove");
}

function takeVerb(scan: Scan, verb: Verb): void {
  const waiting = scan.mentions.slice(scan.segment);
  if (waiting.length === 0) {
    // 빼 주세요 with nothing named: the last thing spoken of.
    if (verb === "remove" && scan.mentions.every((mention) => mention.verb !== "remove")) {
      const mention = open(scan);
      mention.verb = verb;
    }
    close(scan);
    scan.segment = scan.mentions.length;
    return;
  }
  // 바꿔 + 주세요, 더 + 주세요: the auxiliary behind a verb adds nothing.
  for (const [index, mention] of waiting.entries()) {
    // 라떼 하나 더 추가하고 모카는 빼 주세요: adding is done before the verb of the rest.
    const added = mention.more === true && verb !== "add" && index < waiting.length - 1;
    mention.verb ??= added ? "add" : verb;
  }
  close(scan);
  scan.segment = scan.mentions.length;
}
