/** Which options of an order line are said: what differs from the default, and what tells two lines of one item apart. */
import { findItem, type Language, type Menu, type MenuItem, nameOf } from "../../daemon/core/menu.ts";
import type { SpokenLine } from "../../daemon/core/prompt.ts";

export type NamedLine = {
  /** Options and item, "아이스 아메리카노". */
  readonly name: string;
  readonly quantity: number;
  readonly counter: string;
};

/** Counter when a menu's item is unknown; a line always comes from the menu, so this is for a menu changed meanwhile. */
const PLAIN_COUNTER = "개";

/** Lines with their names in a language. The group that an item lists first stands nearest to the noun. */
export function namedLines(
  lines: readonly SpokenLine[],
  menu: Menu,
  language: Language,
): readonly NamedLine[] {
  return lines.map((line) => {
    const item = findItem(menu, line.itemId);
    if (item === undefined) return { name: line.itemId, quantity: line.quantity, counter: PLAIN_COUNTER };
    const twins = lines.filter((other) => other !== line && other.itemId === line.itemId);
    const options = item.options
      .filter((group) => isSaid(menu, group, line, twins))
      .map((group) => optionName(menu, group, chosenValue(menu, group, line), language))
      .reverse();
    return {
      name: [...options, nameOf(item, language)].join(" "),
      quantity: line.quantity,
      counter: item.counter,
    };
  });
}

function chosenValue(menu: Menu, group: string, line: SpokenLine): string {
  return line.options[group] ?? menu.optionGroups.find((known) => known.id === group)?.default ?? "";
}

function isSaid(menu: Menu, group: string, line: SpokenLine, twins: readonly SpokenLine[]): boolean {
  const value = chosenValue(menu, group, line);
  const standard = menu.optionGroups.find((known) => known.id === group)?.default;
  return value !== standard || twins.some((twin) => chosenValue(menu, group, twin) !== value);
}

function optionName(menu: Menu, group: string, value: string, language: Language): string {
  const named = menu.optionGroups
    .find((known) => known.id === group)
    ?.values.find((known) => known.id === value);
  return named === undefined ? value : nameOf(named, language);
}

/** Name and counter of an item, also of one that a menu no longer has. */
export function namedItem(menu: Menu, itemId: string, language: Language): { name: string; counter: string } {
  const item: MenuItem | undefined = findItem(menu, itemId);
  return item === undefined
    ? { name: itemId, counter: PLAIN_COUNTER }
    : { name: nameOf(item, language), counter: item.counter };
}
