/**
 * A short notation for intents and baskets, so that tests of understanding read as tables:
 * `+2 americano(iced,large)` add, `-1 *` remove one of the last line, `=3 americano` set the quantity,
 * `~1 *(iced)` set options, `* > 2 mocha(iced)` replace, `? mocha` ask the price, else the intent's name or `none`.
 */
import type { BasketEdit, Options } from "../../daemon/core/intent.ts";
import type { Menu } from "../../daemon/core/menu.ts";
import type { DialogueContext, Expectation, Understanding } from "../../models/model.ts";

export function notation(understanding: Understanding): string {
  if (understanding === null) return "none";
  const { intent } = understanding;
  if (intent.kind === "edit") return intent.edits.map(editNotation).join(", ");
  if (intent.kind === "ask-price") return `? ${intent.itemId ?? "*"}`;
  return intent.kind;
}

function optionsNotation(options: Options | undefined): string {
  const values = Object.entries(options ?? {})
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([, value]) => value);
  return values.length === 0 ? "" : `(${values.join(",")})`;
}

function editNotation(edit: BasketEdit): string {
  switch (edit.kind) {
    case "add":
      return `+${edit.quantity} ${edit.itemId}${optionsNotation(edit.options)}`;
    case "remove":
      return `-${edit.quantity ?? ""} ${edit.itemId ?? "*"}${optionsNotation(edit.options)}`;
    case "set-quantity":
      return `=${edit.quantity} ${edit.itemId ?? "*"}`;
    case "set-options":
      return `~${edit.quantity ?? ""} ${edit.itemId ?? "*"}${optionsNotation(edit.options)}`;
    case "replace":
      return `${edit.itemId ?? "*"} > ${edit.quantity ?? ""} ${edit.withItemId}${optionsNotation(edit.options)}`;
  }
}

/** "2 americano(iced), 1 mocha" as basket lines; value ids are unique in the menus of the tests. */
export function contextOf(menu: Menu, basket: string, expectation: Expectation = "order"): DialogueContext {
  const lines =
    basket === ""
      ? []
      : basket.split(/,\s*(?![^(]*\))/).map((text) => {
          const found = /^(\d+) ([a-z-]+)(?:\(([^)]*)\))?$/.exec(text.trim());
          if (found === null) throw new Error(`not a basket line: ${text}`);
          const values = found[3]?.split(",") ?? [];
          const options = Object.fromEntries(values.map((value) => [groupOf(menu, value), value]));
          return { itemId: found[2] ?? "", quantity: Number(found[1]), options };
        });
  return { expectation, lines };
}

function groupOf(menu: Menu, value: string): string {
  const group = menu.optionGroups.find((known) => known.values.some((candidate) => candidate.id === value));
  if (group === undefined) throw new Error(`no option value ${value}`);
  return group.id;
}
