/**
 * The basket: edits proposed by speech or touch, checked against the menu. Prices come from the menu alone.
 *
 * Lines with the same item and options are one line; the line that was mentioned last stands last, because
 * "make one of them iced" means that one.
 */
import type { SoldLine } from "./clearing.ts";
import type { BasketEdit, Options } from "./intent.ts";
import { findItem, type Language, type Menu, type MenuItem, nameOf, type OptionGroup } from "./menu.ts";
import { add, type Money, money, times } from "./money.ts";
import type { Prompt } from "./prompt.ts";
import type { Basket, BasketLine } from "./sale.ts";

export type QuantityLimits = {
  /** Above this a quantity is asked back ("eighteen thousand waters?"). */
  readonly questionAbove: number;
  /** Above this it is refused. */
  readonly refuseAbove: number;
  /** Lines a basket may have. */
  readonly lines: number;
};

/** A line as it would be: it is not in the basket yet because its quantity needs a yes. */
export type QuantityQuestion = {
  readonly itemId: string;
  readonly quantity: number;
  readonly options: Options;
  /** Units of another line that this one takes the place of; they leave the basket with the yes and not before. */
  readonly replaces?: BasketLine;
};

export type EditResult = {
  readonly basket: Basket;
  readonly changed: boolean;
  readonly question: QuantityQuestion | null;
  /** Why something was not done; said when nothing else was. */
  readonly problem: Prompt | null;
};

/** Carries out the edits one after another; an edit that does not fit the menu or the basket changes nothing. */
export function applyEdits(
  menu: Menu,
  limits: QuantityLimits,
  basket: Basket,
  edits: readonly BasketEdit[],
): EditResult {
  let result: EditResult = { basket, changed: false, question: null, problem: null };
  for (const edit of edits) {
    const next = applyEdit(menu, limits, result.basket, edit);
    result = {
      basket: next.basket,
      changed: result.changed || next.changed,
      question: result.question ?? next.question,
      problem: result.problem ?? next.problem,
    };
  }
  return result;
}

function applyEdit(menu: Menu, limits: QuantityLimits, basket: Basket, edit: BasketEdit): EditResult {
  switch (edit.kind) {
    case "add":
      return addLine(menu, limits, basket, edit.itemId, edit.quantity, edit.options);
    case "remove": {
      const at = findLine(basket, edit.itemId, edit.options);
      const line = basket[at];
      if (line === undefined) return unchanged(basket, { kind: "not-in-basket" });
      if (edit.quantity !== undefined && !isCount(edit.quantity))
        return unchanged(basket, { kind: "item-unknown" });
      const left = edit.quantity === undefined ? 0 : line.quantity - edit.quantity;
      return changed(left > 0 ? moveLast(basket, at, { ...line, quantity: left }) : without(basket, at));
    }
    case "set-quantity": {
      const at = findLine(basket, edit.itemId);
      const line = basket[at];
      if (line === undefined) return unchanged(basket, { kind: "not-in-basket" });
      if (edit.quantity === 0) return changed(without(basket, at));
      if (!isCount(edit.quantity)) return unchanged(basket, { kind: "item-unknown" });
      return put(limits, without(basket, at), { ...line, quantity: edit.quantity }, basket);
    }
    case "set-options": {
      const at = findLine(basket, edit.itemId);
      const line = basket[at];
      const item = line && findItem(menu, line.itemId);
      if (line === undefined || item === undefined) return unchanged(basket, { kind: "not-in-basket" });
      const moved = Math.min(edit.quantity ?? line.quantity, line.quantity);
      if (!isCount(moved)) return unchanged(basket, { kind: "item-unknown" });
      const options = completeOptions(menu, item, { ...line.options, ...edit.options });
      if (options === null) return unchanged(basket, { kind: "item-unknown" });
      const rest = line.quantity - moved;
      const before = rest > 0 ? moveLast(basket, at, { ...line, quantity: rest }) : without(basket, at);
      const next = put(limits, before, { itemId: line.itemId, quantity: moved, options }, basket);
      return insteadOf({ ...line, quantity: moved }, next);
    }
    case "replace": {
      const at = findLine(basket, edit.itemId);
      const line = basket[at];
      if (line === undefined) return unchanged(basket, { kind: "not-in-basket" });
      const quantity = edit.quantity ?? line.quantity;
      const item = findItem(menu, edit.withItemId);
      if (item === undefined) return unchanged(basket, { kind: "item-unknown" });
      // What the customer said about the old line ("iced") still holds where the new item has that option.
      const kept = Object.fromEntries(
        Object.entries(line.options).filter(([group]) => item.options.includes(group)),
      );
      const next = addLine(menu, limits, without(basket, at), item.id, quantity, {
        ...kept,
        ...edit.options,
      });
      return insteadOf(line, next.changed ? next : { ...next, basket });
    }
  }
}

/** A question about a line that takes another's place remembers which. */
function insteadOf(replaces: BasketLine, result: EditResult): EditResult {
  return result.question === null ? result : { ...result, question: { ...result.question, replaces } };
}

function isCount(quantity: number): boolean {
  return Number.isSafeInteger(quantity) && quantity > 0;
}

function addLine(
  menu: Menu,
  limits: QuantityLimits,
  basket: Basket,
  itemId: string,
  quantity: number,
  asked: Options,
): EditResult {
  const item = findItem(menu, itemId);
  if (item === undefined || !isCount(quantity)) return unchanged(basket, { kind: "item-unknown" });
  const options = completeOptions(menu, item, asked);
  if (options === null) return unchanged(basket, { kind: "item-unknown" });
  return put(limits, basket, { itemId, quantity, options }, basket);
}

/** Adds a line that is already checked against the menu, asking back or refusing large quantities. */
function put(limits: QuantityLimits, basket: Basket, line: BasketLine, original: Basket): EditResult {
  const at = basket.findIndex((other) => sameLine(other, line));
  const quantity = line.quantity + (basket[at]?.quantity ?? 0);
  if (quantity > limits.refuseAbove)
    return unchanged(original, { kind: "quantity-refused", limit: limits.refuseAbove });
  if (at === -1 && basket.length >= limits.lines) {
    return unchanged(original, { kind: "quantity-refused", limit: limits.lines });
  }
  if (quantity > limits.questionAbove) {
    return { basket: original, changed: false, question: { ...line, quantity }, problem: null };
  }
  return changed(at === -1 ? [...basket, line] : moveLast(basket, at, { ...line, quantity }));
}

/** The customer said yes to an unusual quantity. It stays below `refuseAbove`, which put() has checked. */
export function acceptQuestion(basket: Basket, question: QuantityQuestion): Basket {
  const { itemId, options, quantity, replaces } = question;
  const rest = replaces === undefined ? basket : takeOff(basket, replaces);
  const at = rest.findIndex((line) => sameLine(line, question));
  const line = { itemId, options, quantity };
  return at === -1 ? [...rest, line] : moveLast(rest, at, line);
}

function takeOff(basket: Basket, units: BasketLine): Basket {
  return basket.flatMap((line) => {
    if (!sameLine(line, units)) return [line];
    const quantity = line.quantity - units.quantity;
    return quantity > 0 ? [{ ...line, quantity }] : [];
  });
}

/** Every option group of the item with a valid value, or null when one that was asked for does not exist for it. */
function completeOptions(menu: Menu, item: MenuItem, asked: Options): Options | null {
  const groups = groupsOf(menu, item);
  for (const [groupId, valueId] of Object.entries(asked)) {
    const group = groups.find((candidate) => candidate.id === groupId);
    if (group === undefined || !group.values.some((value) => value.id === valueId)) return null;
  }
  return Object.fromEntries(groups.map((group) => [group.id, asked[group.id] ?? group.default]));
}

function groupsOf(menu: Menu, item: MenuItem): readonly OptionGroup[] {
  return menu.optionGroups.filter((group) => item.options.includes(group.id));
}

/** Index of the line that is meant: by item, else by options, else the last one; -1 when there is none. */
function findLine(basket: Basket, itemId?: string, options?: Options): number {
  const asked = Object.entries(options ?? {});
  return basket.findLastIndex(
    (line) =>
      (itemId === undefined || line.itemId === itemId) &&
      asked.every(([group, value]) => line.options[group] === value),
  );
}

function sameLine(a: { itemId: string; options: Options }, b: { itemId: string; options: Options }): boolean {
  const keys = Object.keys(a.options);
  return (
    a.itemId === b.itemId &&
    keys.length === Object.keys(b.options).length &&
    keys.every((key) => a.options[key] === b.options[key])
  );
}

function without(basket: Basket, at: number): Basket {
  return basket.filter((_, index) => index !== at);
}

function moveLast(basket: Basket, at: number, line: BasketLine): Basket {
  return [...without(basket, at), line];
}

function changed(basket: Basket): EditResult {
  return { basket, changed: true, question: null, problem: null };
}

function unchanged(basket: Basket, problem: Prompt): EditResult {
  return { basket, changed: false, question: null, problem };
}

/** Price of one unit with its options; null when the menu no longer has the item. */
export function unitPrice(menu: Menu, line: { itemId: string; options: Options }): Money | null {
  const item = findItem(menu, line.itemId);
  if (item === undefined) return null;
  let minor = item.price;
  for (const group of groupsOf(menu, item)) {
    const chosen = line.options[group.id] ?? group.default;
    minor += group.values.find((value) => value.id === chosen)?.priceDelta ?? 0n;
  }
  return money(minor, menu.currency);
}

/** Lines with names and amounts as they are charged and printed. Lines that the menu does not have are left out. */
export function priceLines(menu: Menu, basket: Basket, language: Language): readonly SoldLine[] {
  return basket.flatMap((line) => {
    const item = findItem(menu, line.itemId);
    const unit = unitPrice(menu, line);
    if (item === undefined || unit === null) return [];
    return [{ ...line, name: nameOf(item, language), amount: times(unit, line.quantity) }];
  });
}

export function totalOf(menu: Menu, lines: readonly SoldLine[]): Money {
  return lines.reduce((sum, line) => add(sum, line.amount), money(0n, menu.currency));
}

/** The basket without lines that a changed menu no longer offers, options completed anew. */
export function revalidate(menu: Menu, basket: Basket): Basket {
  return basket.flatMap((line) => {
    const item = findItem(menu, line.itemId);
    const options = item && completeOptions(menu, item, line.options);
    return options ? [{ ...line, options }] : [];
  });
}

/** Names of the options of a line that differ from the item's default, for receipt and display. */
export function optionNames(
  menu: Menu,
  line: { itemId: string; options: Options },
  language: Language,
): string[] {
  const item = findItem(menu, line.itemId);
  if (item === undefined) return [];
  return groupsOf(menu, item).flatMap((group) => {
    const value = group.values.find((candidate) => candidate.id === line.options[group.id]);
    return value === undefined || value.id === group.default ? [] : [nameOf(value, language)];
  });
}
