/** Edits in the making: the drafts so far, the basket they refer to, and the options that an item can have. */
import type { BasketEdit } from "../../daemon/core/intent.ts";
import { findItem, type Menu } from "../../daemon/core/menu.ts";
import type { DialogueContext } from "../model.ts";
import { hasOptions, type Mention, takesOption } from "./mentions.ts";

export type Line = DialogueContext["lines"][number];
export type Add = { kind: "add"; itemId: string; quantity: number; options: Record<string, string> };
export type Draft = Add | Exclude<BasketEdit, { kind: "add" }>;

export type Work = {
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
export const IMPLIED_CERTAINTY = 0.92;
export const BARE_QUANTITY_CERTAINTY = 0.8;
export const DROPPED_OPTION_CERTAINTY = 0.75;
export const UNPLACED_CERTAINTY = 0.55;

/** Options that the item has, dropped ones at their default. What it does not have lowers the certainty. */
export function optionsFor(work: Work, itemId: string | undefined, mention: Mention): Record<string, string> {
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
export function opposite(menu: Menu, groupId: string, value: string): string | undefined {
  const group = menu.optionGroups.find((known) => known.id === groupId);
  if (group === undefined) return undefined;
  if (group.default !== value) return group.default;
  const others = group.values.filter((known) => known.id !== value);
  return others.length === 1 ? others[0]?.id : undefined;
}

export function lineWith(work: Work, itemId: string): Line | undefined {
  return work.lines.findLast((line) => line.itemId === itemId);
}

export function lastAdd(work: Work): Add | undefined {
  return work.drafts.findLast((draft): draft is Add => draft.kind === "add" && draft.quantity > 0);
}

export function add(work: Work, itemId: string, quantity: number, options: Record<string, string>): void {
  if (findItem(work.menu, itemId) === undefined || quantity < 1) return;
  work.drafts.push({ kind: "add", itemId, quantity, options });
}

/** Sets quantity or options of a line that is in the basket. */
export function alterLine(
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

export function optionOf(menu: Menu, line: Line, group: string): string | undefined {
  if (!takesOption(menu, line.itemId, group)) return undefined;
  return line.options[group] ?? menu.optionGroups.find((known) => known.id === group)?.default;
}

/** 전부 아이스로: every line whose item has such an option. */
export function alterAll(work: Work, mention: Mention): void {
  for (const itemId of new Set(work.lines.map((line) => line.itemId))) {
    const options = Object.fromEntries(
      Object.entries(mention.options).filter(([group]) => takesOption(work.menu, itemId, group)),
    );
    if (Object.keys(options).length > 0) work.drafts.push({ kind: "set-options", itemId, options });
  }
  if (!hasOptions(mention)) work.certainty *= UNPLACED_CERTAINTY;
}
