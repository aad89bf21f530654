/**
 * Mentions to basket edits: resolves what a mention refers to (the sentence so far, the last basket line), splits
 * ("두 잔, 하나는 따뜻하게"), exchanges and corrections. Names only items, options and values that the menu has.
 */
import type { BasketEdit } from "../../daemon/core/intent.ts";
import type { Menu } from "../../daemon/core/menu.ts";
import type { DialogueContext } from "../model.ts";
import {
  type Add,
  add,
  alterAll,
  alterLine,
  BARE_QUANTITY_CERTAINTY,
  IMPLIED_CERTAINTY,
  lastAdd,
  lineWith,
  optionOf,
  optionsFor,
  UNPLACED_CERTAINTY,
  type Work,
} from "./draft.ts";
import { hasOptions, type Mention, newMention } from "./mentions.ts";
import { settled } from "./settlement.ts";

export type Plan = {
  readonly edits: readonly BasketEdit[];
  /** Everything is to go: the order is cancelled. */
  readonly cancelsAll: boolean;
  /** 0 to 1: what had to be guessed or left out. */
  readonly certainty: number;
};

export function planEdits(mentions: readonly Mention[], menu: Menu, context: DialogueContext): Plan {
  const work: Work = {
    menu,
    lines: context.lines,
    confirming: context.expectation === "confirmation",
    drafts: [],
    parts: new Set(),
    wholes: new Set(),
    cancelsAll: false,
    certainty: 1,
  };
  const inOrder = settled(mentions);
  for (let index = 0; index < inOrder.length; index++) {
    const mention = inOrder[index];
    if (mention === undefined) continue;
    const next = inOrder[index + 1];
    if (exchanges(work, mention, next)) index++;
    else if (mention.verb === "remove" && mention.target === "quantity") correct(work, mention);
    else if (mention.verb === "remove") remove(work, mention);
    else if (mention.verb === "change" || mention.corrects === true) correct(work, mention);
    else if (mention.itemId !== undefined) addNamed(work, mention, mention.itemId);
    else addUnnamed(work, mention);
  }
  const edits: BasketEdit[] = work.drafts.filter((draft) => draft.kind !== "add" || draft.quantity > 0);
  // 전부 취소하고 모카 하나: everything in the basket goes, and the order goes on.
  if (work.cancelsAll && edits.length > 0) edits.unshift(...clearing(context));
  return { edits, cancelsAll: work.cancelsAll, certainty: work.certainty };
}

/** True when the edits only say again what the basket holds. */
export function restates(edits: readonly BasketEdit[], context: DialogueContext): boolean {
  const last = context.lines.at(-1);
  return edits.every((edit) => {
    if (edit.kind !== "add" && edit.kind !== "set-quantity") return false;
    const line =
      edit.itemId === undefined ? last : context.lines.find((known) => known.itemId === edit.itemId);
    if (line === undefined || line.quantity !== edit.quantity) return false;
    return (
      edit.kind === "set-quantity" ||
      Object.entries(edit.options).every(([group, value]) => line.options[group] === value)
    );
  });
}

/** Removes every line of the basket. */
export function clearing(context: DialogueContext): readonly BasketEdit[] {
  return [...new Set(context.lines.map((line) => line.itemId))].map((itemId) => ({ kind: "remove", itemId }));
}

/** Pairs of mentions that mean "this becomes that". True when the second mention is used up. */
function exchanges(work: Work, mention: Mention, next: Mention | undefined): boolean {
  if (next === undefined || mention.verb === "remove") return false;
  if (mention.unwanted === true) {
    exchange(work, mention, next);
    return true;
  }
  if (
    isBareQuantity(mention) &&
    next.itemId !== undefined &&
    next.quantity === undefined &&
    next.corrects !== true
  ) {
    // 두 잔 주세요, 아메리카노요.
    addNamed(work, { ...next, quantity: mention.quantity ?? 1 }, next.itemId);
    return true;
  }
  // 아메리카노를 따뜻한 라떼로: without a verb the particles say it.
  const becomes =
    mention.object === true &&
    next.target === "item" &&
    mention.itemId !== undefined &&
    lineWith(work, mention.itemId) !== undefined;
  if (becomes && next.itemId !== undefined) {
    exchange(work, mention, next);
    return true;
  }
  const partBecomesItem = mention.part === true && mention.itemId === undefined && !hasOptions(mention);
  const bothNamed =
    mention.itemId !== undefined &&
    mention.target !== "item" &&
    next.itemId !== undefined &&
    next.itemId !== mention.itemId;
  if (
    next.itemId !== undefined &&
    (partBecomesItem ||
      (mention.verb === "change" &&
        next.verb === "change" &&
        (bothNamed || mention.pointed === true || mention.quantity !== undefined)))
  ) {
    exchange(work, mention, next);
    return true;
  }
  return false;
}

function isBareQuantity(mention: Mention): boolean {
  const { quantity, itemId, part, target, more, same, corrects, verb } = mention;
  return (
    quantity !== undefined &&
    itemId === undefined &&
    !hasOptions(mention) &&
    part !== true &&
    target === undefined &&
    more !== true &&
    same !== true &&
    corrects !== true &&
    verb !== "change"
  );
}

function exchange(work: Work, from: Mention, to: Mention): void {
  const parent = lastAdd(work);
  const fromItem = from.itemId ?? (from.inherits === true ? parent?.itemId : undefined);
  // "two lattes, not one": the number that is not wanted belongs to the item that is.
  const counted =
    from.quantity !== undefined && from.part !== true && to.itemId !== undefined
      ? lineWith(work, to.itemId)
      : undefined;
  const line = fromItem === undefined ? (counted ?? work.lines.at(-1)) : lineWith(work, fromItem);
  const quantity = to.quantity;
  const toItem = to.itemId ?? fromItem;
  if (
    from.itemId === undefined &&
    parent !== undefined &&
    from.inherits === true &&
    to.itemId !== undefined
  ) {
    // 아메리카노 두 잔 하나는 라떼로: inside the sentence nothing has entered the basket yet.
    const moved = Math.min(from.quantity ?? parent.quantity, parent.quantity);
    parent.quantity -= moved;
    add(work, to.itemId, quantity ?? moved, optionsFor(work, to.itemId, to));
    return;
  }
  if (line === undefined) {
    if (toItem === undefined) work.certainty *= UNPLACED_CERTAINTY;
    else add(work, toItem, quantity ?? from.quantity ?? 1, optionsFor(work, toItem, to));
    return;
  }
  const named =
    from.itemId === undefined
      ? counted === undefined
        ? {}
        : { itemId: counted.itemId }
      : { itemId: from.itemId };
  if (to.itemId === undefined || to.itemId === line.itemId) {
    alterLine(work, named, line, to, from.part === true ? from.quantity : undefined);
    return;
  }
  const options = optionsFor(work, to.itemId, to);
  const partly = from.quantity !== undefined && from.quantity < line.quantity;
  if (partly) {
    work.drafts.push({ kind: "remove", ...named, quantity: from.quantity ?? 1 });
    add(work, to.itemId, quantity ?? from.quantity ?? 1, options);
  } else {
    work.drafts.push({
      kind: "replace",
      ...named,
      withItemId: to.itemId,
      ...(quantity === undefined ? {} : { quantity }),
      options,
    });
  }
}

function remove(work: Work, mention: Mention): void {
  const parent = lastAdd(work);
  const itemId = mention.itemId ?? (mention.inherits === true ? parent?.itemId : undefined);
  if (mention.all === true && itemId === undefined && mention.quantity === undefined) {
    work.cancelsAll = true;
    return;
  }
  const quantity = mention.quantity === undefined ? {} : { quantity: mention.quantity };
  const options = hasOptions(mention) ? optionsFor(work, itemId, mention) : {};
  const some = Object.keys(options).length > 0;
  if (itemId !== undefined || !some) {
    if (itemId === undefined) work.certainty *= IMPLIED_CERTAINTY;
    work.drafts.push({
      kind: "remove",
      ...(itemId === undefined ? {} : { itemId }),
      ...quantity,
      ...(some ? { options } : {}),
    });
    return;
  }
  if (mention.pointed === true || mention.quantity !== undefined) {
    // 따뜻한 거 하나 빼 주세요: the line that has these options.
    const line = work.lines.findLast((known) =>
      Object.entries(options).every(([group, value]) => optionOf(work.menu, known, group) === value),
    );
    work.drafts.push({
      kind: "remove",
      ...(line === undefined ? {} : { itemId: line.itemId }),
      ...quantity,
      options,
    });
    if (line === undefined) work.certainty *= UNPLACED_CERTAINTY;
    return;
  }
  correct(work, { ...newMention(), dropped: mention.options });
}

/** 바꿔 주세요 and "아니 ...": what is in the basket becomes what is named. */
function correct(work: Work, mention: Mention): void {
  const parent = lastAdd(work);
  if (mention.itemId === undefined && mention.inherits === true && parent !== undefined)
    return addUnnamed(work, mention);
  const last = work.lines.at(-1);
  const same = mention.itemId === undefined ? last : lineWith(work, mention.itemId);
  if (mention.itemId !== undefined && same === undefined) {
    if (last === undefined || mention.also === true || mention.more === true) {
      add(work, mention.itemId, mention.quantity ?? 1, optionsFor(work, mention.itemId, mention));
      return;
    }
    work.certainty *= IMPLIED_CERTAINTY;
    const quantity = mention.quantity === undefined ? {} : { quantity: mention.quantity };
    work.drafts.push({
      kind: "replace",
      withItemId: mention.itemId,
      ...quantity,
      options: optionsFor(work, mention.itemId, mention),
    });
    return;
  }
  if (mention.also === true || mention.more === true) {
    return mention.itemId === undefined ? addUnnamed(work, mention) : addNamed(work, mention, mention.itemId);
  }
  if (same === undefined) {
    work.certainty *= UNPLACED_CERTAINTY;
    return;
  }
  if (mention.itemId === undefined && mention.all === true) return alterAll(work, mention);
  if (mention.itemId === undefined) work.certainty *= IMPLIED_CERTAINTY;
  alterLine(work, mention.itemId === undefined ? {} : { itemId: mention.itemId }, same, mention);
}

function addNamed(work: Work, mention: Mention, itemId: string): void {
  const line = lineWith(work, itemId);
  const options = optionsFor(work, itemId, mention);
  const some = Object.keys(options).length > 0;
  const grows = mention.more === true || mention.same === true || mention.also === true;
  const restated =
    mention.target === "quantity" || (mention.topic === true && mention.quantity !== undefined && !some);
  if (line !== undefined && !grows && restated) return alterLine(work, { itemId }, line, mention);
  const restyles = mention.part === true || (mention.target === "options" && mention.quantity === undefined);
  if (line !== undefined && !grows && some && restyles) return alterLine(work, { itemId }, line, mention);
  const chosen =
    line !== undefined && grows && !some && mention.also !== true ? { ...line.options } : options;
  // 아메리카노에 샷 추가해 주세요: it is in the basket, and what is wished for it is not on the menu.
  if (line !== undefined && mention.wished === true && mention.quantity === undefined && !some && !grows) {
    work.certainty *= UNPLACED_CERTAINTY;
    return;
  }
  // 라떼로요, when something else was ordered: perhaps it is meant in its place.
  if (work.lines.length > 0 && !grows && mention.target === "item" && mention.quantity === undefined) {
    if (work.confirming) return correct(work, mention);
    work.certainty *= BARE_QUANTITY_CERTAINTY;
  }
  add(work, itemId, mention.quantity ?? 1, chosen);
  const draft = work.drafts.at(-1);
  if (mention.part === true && draft !== undefined) work.parts.add(draft);
}

function addUnnamed(work: Work, mention: Mention): void {
  const parent = mention.inherits === true ? lastAdd(work) : undefined;
  if (parent !== undefined) return refine(work, mention, parent);
  const last = work.lines.at(-1);
  if (last === undefined) {
    work.certainty *= UNPLACED_CERTAINTY;
    return;
  }
  if (mention.more === true && mention.each === true) {
    for (const line of work.lines) add(work, line.itemId, mention.quantity ?? 1, { ...line.options });
    return;
  }
  if (mention.more === true || mention.same === true) {
    work.certainty *= IMPLIED_CERTAINTY;
    add(work, last.itemId, mention.quantity ?? 1, {
      ...last.options,
      ...optionsFor(work, last.itemId, mention),
    });
    return;
  }
  if (mention.all === true && hasOptions(mention)) return alterAll(work, mention);
  if (!hasOptions(mention) && mention.quantity === undefined) {
    work.certainty *= UNPLACED_CERTAINTY;
    return;
  }
  const bare = !hasOptions(mention) && mention.target !== "quantity";
  work.certainty *= bare ? BARE_QUANTITY_CERTAINTY : IMPLIED_CERTAINTY;
  alterLine(work, {}, last, mention);
}

/** A mention without an item after one with: a part of it, the same again in another way, or more about it. */
function refine(work: Work, mention: Mention, parent: Add): void {
  const own = optionsFor(work, parent.itemId, mention);
  const options = { ...parent.options, ...own };
  const clash = Object.entries(own).some(
    ([group, value]) => parent.options[group] !== undefined && parent.options[group] !== value,
  );
  const { quantity } = mention;
  if (mention.rest === true) {
    Object.assign(parent.options, own);
    return;
  }
  if (mention.more === true || mention.same === true) return add(work, parent.itemId, quantity ?? 1, options);
  if (quantity === undefined) {
    // 아메리카노 두 잔 주세요, 전부 아이스로요: more about what was just said.
    for (const draft of work.drafts) {
      if (draft === parent || (mention.all === true && draft.kind === "add"))
        Object.assign(
          draft.kind === "add" ? draft.options : {},
          optionsFor(work, draft.kind === "add" ? draft.itemId : undefined, mention),
        );
    }
    return;
  }
  if (Object.keys(own).length === 0) {
    if (mention.part !== true) parent.quantity = quantity;
    return;
  }
  // Parts of one whole are named one after the other: 두 잔, 하나는 아이스, 하나는 따뜻하게.
  const divisible = work.wholes.has(parent) || (parent.quantity >= 2 && !clash);
  const splits = quantity <= parent.quantity && (mention.part === true ? !work.parts.has(parent) : divisible);
  const part: Add = { kind: "add", itemId: parent.itemId, quantity, options };
  if (mention.part === true) work.parts.add(part);
  if (!splits) {
    work.drafts.push(part);
    return;
  }
  parent.quantity -= quantity;
  work.wholes.add(parent);
  // What is left of the whole stays last, so that the next part is taken from it.
  work.drafts.splice(parent.quantity > 0 ? work.drafts.indexOf(parent) : work.drafts.length, 0, part);
}
