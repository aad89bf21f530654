/**
 * The menu file: YAML that counter staff can edit, checked as a whole. Every mistake is listed with its line.
 *
 * Prices are integers in minor units of the menu's currency (won for KRW, cents for USD) and include VAT.
 */
import { z } from "zod";
import { parseSettings, readSettings } from "../sync/settings-file.ts";
import type { Menu, Names } from "./core/menu.ts";

/** Limits that keep a menu speakable and a receipt printable. */
const MAX_ITEMS = 500;
const MAX_NAMES = 20;
const MAX_NAME_LENGTH = 60;
const MAX_PRICE_MINOR = 100_000_000;
/** Below the 32 that one line of a message to the ledger may have. */
const MAX_OPTION_GROUPS = 20;

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "use lower-case letters, digits and dashes, at most 40 characters");
const nameList = z.array(z.string().trim().min(1).max(MAX_NAME_LENGTH)).min(1).max(MAX_NAMES);
const names = z
  .strictObject({ ko: nameList.optional(), en: nameList.optional(), zh: nameList.optional() })
  .refine(
    (value) => Object.values(value).some((list) => list !== undefined),
    "give a name in at least one language",
  )
  .transform(
    (value): Names => Object.fromEntries(Object.entries(value).filter(([, list]) => list !== undefined)),
  );
const minor = z.number().int("an amount is a whole number of minor units").max(MAX_PRICE_MINOR);

const optionGroup = z
  .strictObject({
    id,
    values: z
      .array(z.strictObject({ id, names, priceDelta: minor.default(0).transform(BigInt) }))
      .min(2, "an option needs at least two values"),
    default: id,
  })
  .superRefine((group, context) => {
    reportDoubles(group.values, "values", context);
    if (!group.values.some((value) => value.id === group.default)) {
      context.addIssue({
        code: "custom",
        path: ["default"],
        message: `"${group.default}" is not one of the values`,
      });
    }
  });

const item = z.strictObject({
  id,
  names,
  price: minor.min(0, "a price cannot be negative").transform(BigInt),
  counter: z.string().trim().min(1).max(10).default("개"),
  options: z.array(id).max(MAX_OPTION_GROUPS).default([]),
});

const menuSchema = z
  .strictObject({
    currency: z.string().regex(/^[A-Z]{3}$/, "an ISO 4217 code such as KRW"),
    vatPercent: z.number().int().min(0).max(50).default(10),
    optionGroups: z.array(optionGroup).default([]),
    items: z.array(item).min(1, "a menu needs at least one item").max(MAX_ITEMS),
  })
  .superRefine((menu, context) => {
    reportDoubles(menu.items, "items", context);
    reportDoubles(menu.optionGroups, "optionGroups", context);
    for (const [index, entry] of menu.items.entries()) {
      const cheapest = cheapestPrice(entry, menu.optionGroups);
      if (cheapest !== null && cheapest < 0n) {
        const message = `with its cheapest options it would cost ${cheapest}; nobody is paid for taking something`;
        context.addIssue({ code: "custom", path: ["items", index, "price"], message });
      }
      for (const [at, option] of entry.options.entries()) {
        if (menu.optionGroups.some((group) => group.id === option)) continue;
        const path = ["items", index, "options", at];
        context.addIssue({ code: "custom", path, message: `there is no option group "${option}"` });
      }
    }
  });

/** What the item costs with the cheapest value of each of its option groups; null where amounts are mistakes already. */
function cheapestPrice(
  entry: z.output<typeof item>,
  groups: readonly z.output<typeof optionGroup>[],
): bigint | null {
  const applied = groups.filter((group) => entry.options.includes(group.id));
  let sum = entry.price;
  for (const { values } of applied) {
    const [cheapest] = values.map((value) => value.priceDelta).sort((a, b) => (a < b ? -1 : 1));
    // A part that has a mistake was not turned into what its type says.
    if (typeof sum !== "bigint" || typeof cheapest !== "bigint") return null;
    sum += cheapest;
  }
  return sum;
}

function reportDoubles(list: readonly { id: string }[], field: string, context: z.RefinementCtx): void {
  for (const [index, entry] of list.entries()) {
    if (list.findIndex((other) => other.id === entry.id) === index) continue;
    context.addIssue({ code: "custom", path: [field, index, "id"], message: `"${entry.id}" is used twice` });
  }
}

/** Reads a menu file. Throws Fault "settings.invalid" that lists every mistake as file:line:column. */
export function readMenu(path: string): Menu {
  return readSettings(path, menuSchema);
}

/** The same from text; `name` stands for the file in messages. */
export function parseMenu(text: string, name: string): Menu {
  return parseSettings(text, name, menuSchema);
}
