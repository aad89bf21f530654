/**
 * The menu as the core and the recogniser see it: items, option groups, prices in minor units.
 *
 * Prices include VAT (Korean retail practice); the receipt shows how much of the total that is.
 */
import type { Currency } from "./money.ts";

export type Language = "ko" | "en" | "zh";

/** Per language: the first name is shown and spoken, the others are synonyms that are understood. */
export type Names = { readonly [language in Language]?: readonly string[] };

export type OptionValue = {
  readonly id: string;
  readonly names: Names;
  /** Added to the item's price, in minor units; may be negative. */
  readonly priceDelta: bigint;
};

export type OptionGroup = {
  readonly id: string;
  readonly values: readonly OptionValue[];
  /** Value id taken when the customer names none. */
  readonly default: string;
};

export type MenuItem = {
  readonly id: string;
  readonly names: Names;
  /** Price including VAT, minor units of the menu's currency. */
  readonly price: bigint;
  /** Korean counter noun: 잔, 개, 병, 그릇, 인분, 조각 ... */
  readonly counter: string;
  /** Ids of the option groups that apply to this item. */
  readonly options: readonly string[];
};

export type Menu = {
  readonly currency: Currency;
  readonly vatPercent: number;
  readonly optionGroups: readonly OptionGroup[];
  readonly items: readonly MenuItem[];
};

export function findItem(menu: Menu, id: string): MenuItem | undefined {
  return menu.items.find((item) => item.id === id);
}

/** The display name: the first in the language, else the first in any. Falls back to the id. */
export function nameOf(named: { readonly id: string; readonly names: Names }, language: Language): string {
  const { names } = named;
  return names[language]?.[0] ?? names.ko?.[0] ?? names.en?.[0] ?? names.zh?.[0] ?? named.id;
}
