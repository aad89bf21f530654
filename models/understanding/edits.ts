/**
 * Mentions to basket edits: resolves what a mention refers to (the sentence so far, the last basket line), splits
 * ("두 잔, 하나는 따뜻하게"), exchanges and corrections. Names only items, options and values that the menu has.
 */
import type { BasketEdit } from "../../daemon/core/intent.ts";
import { findItem, type Menu } from "../../daemon/core/menu.ts";
import type { DialogueContext } from "../model.ts";
import { hasOptions, type Mention, newMention, takesOption } from "./mentions.ts";

type Line = DialogueContext["lines"][number];
type Add = { kind: "add"; itemId: string; quantity: number; options: Record<string, string> };
type Draft = Add | Exclude<BasketEdit, { kind: "add" }>;

export type Plan = {
  readonly edits: readonly BasketEdit[];
  /** Everything is to go: the order is cancelled. */
  readonly cancelsAll: boolean;
  /** 0 to 1: what had to be guessed or left out. */
  readonly certainty: number;
};

type Work = {
  readonly menu: Menu;
  readonly lines: readonly Line[];
  /** The customer answers a read-back. */
  readonly confirming: boolean;
  readonly drafts: Draft[];
  /** Drafts that are themselves a part (하나는 ...): the next part is not taken from them. */
  readonly parts: Set<Draft>;
  /** Drafts that parts were taken from. */
  readonly wholes: Set<Draft>;
  cancelsAll: boolean;
  certainty: number;
};

/** A wish that refers to the last thing without naming it is a little less certain than one that names it. */
const IMPLIED_CERTAINTY = 0.92;
const BARE_QUANTITY_CERTAINTY = 0.8;
const DROPPED_OPTION_CERTAINTY = 0.75;
const UNPLACED_CERTAINTY = 0.55;

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
  const settled = spreadQuantities(settleCorrections(mentions));
  for (let index = 0; index < settled.length; index++) {
    const mention = settled[index];
    if (mention === undefined) continue;
    const next = settled[index + 1];
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

/** 아메리카노 두 잔 아니 세 잔: the corrected mention takes the place of the one before it. */
function settleCorrections(mentions: readonly Mention[]): readonly Mention[] {
  const settled: Mention[] = [];
  for (const mention of mentions) {
    // What names an item again corrects that item, else what was said last.
    const named = settled.findLastIndex(
      (known) => mention.itemId !== undefined && known.itemId === mention.itemId,
    );
    const index = named < 0 ? settled.length - 1 : named;
    const before = settled[index];
    // 아메리카노 두 잔 라떼 세 잔, 아 라떼는 두 잔만요.
    const restates =
      named >= 0 && mention.topic === true && mention.quantity !== undefined && !hasOptions(mention);
    const corrects =
      (mention.corrects === true || restates) &&
      before !== undefined &&
      before.unwanted !== true &&
      before.verb !== "remove";
    if (!corrects || mention.also === true || mention.more === true) {
      settled.push(corrects ? without(mention, "corrects") : { ...mention });
      continue;
    }
    const otherItem = mention.itemId !== undefined && mention.itemId !== before.itemId;
    const options =
      otherItem && before.itemId !== undefined ? mention.options : { ...before.options, ...mention.options };
    settled[index] = {
      ...without(before, "target"),
      ...without(without(mention, "corrects"), "inherits"),
      ...(before.corrects === true ? { corrects: true } : {}),
      options,
    };
  }
  return settled;
}

function without(mention: Mention, key: "corrects" | "inherits" | "target"): Mention {
  const copy = { ...mention };
  delete copy[key];
  return copy;
}

/** 아메리카노랑 라떼 두 잔씩: the quantity goes to every item before it that has none. */
function spreadQuantities(mentions: readonly Mention[]): readonly Mention[] {
  for (const [index, mention] of mentions.entries()) {
    if (mention.each !== true || mention.quantity === undefined) continue;
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const target = mentions[earlier];
      // "a latte" counts nothing yet when "two each" follows.
      if (target === undefined || (target.quantity ?? 1) !== 1 || target.verb !== mention.verb) break;
      target.quantity = mention.quantity;
    }
  }
  // 각각 두 잔 as a mention of its own has done its work.
  return mentions.filter(
    (mention) =>
      !(
        mention.each === true &&
        mention.inherits === true &&
        mention.itemId === undefined &&
        !hasOptions(mention)
      ),
  );
}

/** Options that the item has, dropped ones at their default. What it does not have lowers the certainty. */
function optionsFor(work: Work, itemId: string | undefined, mention: Mention): Record<string, string> {
  const wanted: Record<string, string> = { ...mention.options };
  for (const [group, value] of Object.entries(mention.dropped)) {
    const other = opposite(work.menu, group, value);
    if (other !== undefined) wanted[group] = other;
  }
  if (itemId === undefined) return wanted;
  const kept = Object.entries(wanted).filter(([group]) => takesOption(work.menu, itemId, group));
  if (kept.length < Object.keys(wanted).length) work.certainty *= DROPPED_OPTION_CERTAINTY;
  return Object.fromEntries(kept);
}

/** What remains when an option value is taken back: the default, or the only other value. */
function opposite(menu: Menu, groupId: string, value: string): string | undefined {
  const group = menu.optionGroups.find((known) => known.id === groupId);
  if (group === undefined) return undefined;
  if (group.default !== value) return group.default;
  const others = group.values.filter((known) => known.id !== value);
  return others.length === 1 ? others[0]?.id : undefined;
}

function lineWith(work: Work, itemId: string): Line | undefined {
  return work.lines.findLast((line) => line.itemId === itemId);
}

function lastAdd(work: Work): Add | undefined {
  return work.drafts.findLast((draft): draft is Add => draft.kind === "add" && draft.quantity > 0);
}

function add(work: Work, itemId: string, quantity: number, options: Record<string, string>): void {
  if (findItem(work.menu, itemId) === undefined || quantity < 1) return;
  work.drafts.push({ kind: "add", itemId, quantity, options });
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

/** Sets quantity or options of a line that is in the basket. */
function alterLine(
  work: Work,
  named: { itemId?: string },
  line: Line,
  mention: Mention,
  part?: number,
): void {
  const options = optionsFor(work, line.itemId, mention);
  const some = Object.keys(options).length > 0;
  const partial =
    part ??
    (mention.part === true ||
    (some &&
      mention.target !== "quantity" &&
      mention.quantity !== undefined &&
      mention.quantity < line.quantity)
      ? mention.quantity
      : undefined);
  if (partial === undefined && mention.quantity !== undefined) {
    work.drafts.push({ kind: "set-quantity", ...named, quantity: mention.quantity });
  }
  if (some)
    work.drafts.push({
      kind: "set-options",
      ...named,
      ...(partial === undefined ? {} : { quantity: partial }),
      options,
    });
  if (!some && (mention.quantity === undefined || partial !== undefined))
    work.certainty *= UNPLACED_CERTAINTY;
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

function optionOf(menu: Menu, line: Line, group: string): string | undefined {
  if (!takesOption(menu, line.itemId, group)) return undefined;
  return line.options[group] ?? menu.optionGroups.find((known) => known.id === group)?.default;
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

/** 전부 아이스로: every line whose item has such an option. */
function alterAll(work: Work, mention: Mention): void {
  for (const itemId of new Set(work.lines.map((line) => line.itemId))) {
    const options = Object.fromEntries(
      Object.entries(mention.options).filter(([group]) => takesOption(work.menu, itemId, group)),
    );
    if (Object.keys(options).length > 0) work.drafts.push({ kind: "set-options", itemId, options });
  }
  if (!hasOptions(mention)) work.certainty *= UNPLACED_CERTAINTY;
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
