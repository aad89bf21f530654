/** What the server tells the page: the shop's card of names and prices once, and the screen whenever it changed. */
import { type Menu, nameOf } from "../core/menu.ts";
import { exponentOf } from "../core/money.ts";
import type { View } from "../core/view.ts";
import type { Situation } from "./situation.ts";
import { type DisplayLanguage, type Trouble, WORDS } from "./words.ts";

export type Shop = {
  readonly name: string;
  readonly language: DisplayLanguage;
  readonly menu: Menu;
};

type Named = { readonly id: string; readonly name: { readonly [language in DisplayLanguage]: string } };

export type MenuCard = {
  readonly shop: string;
  /** The language that is spoken to customers and understood from them. */
  readonly language: DisplayLanguage;
  readonly currency: string;
  /** Digits of the minor unit by ISO 4217; a browser's own table may differ. */
  readonly digits: number;
  readonly items: readonly (Named & {
    readonly price: bigint;
    readonly options: readonly {
      readonly id: string;
      readonly default: string;
      readonly values: readonly (Named & { readonly delta: bigint })[];
    }[];
  })[];
};

export function menuCard({ name, language, menu }: Shop): MenuCard {
  return {
    shop: name,
    language,
    currency: menu.currency,
    digits: exponentOf(menu.currency),
    items: menu.items.map((item) => ({
      ...named(item),
      price: item.price,
      options: menu.optionGroups
        .filter((group) => item.options.includes(group.id))
        .map((group) => ({
          id: group.id,
          default: group.default,
          values: group.values.map((value) => ({ ...named(value), delta: value.priceDelta })),
        })),
    })),
  };
}

function named(entry: Parameters<typeof nameOf>[0]): Named {
  return { id: entry.id, name: { ko: nameOf(entry, "ko"), en: nameOf(entry, "en") } };
}

export type Screen = View & {
  readonly caption: Situation["caption"];
  readonly heard: string | null;
  readonly voice: Situation["voice"];
  readonly troubles: readonly Trouble[];
  readonly cardProblem: Situation["cardProblem"];
  readonly paid: Situation["paid"];
  readonly staffCalled: boolean;
  readonly receiptMissing: boolean;
  readonly ended: (Omit<NonNullable<Situation["ended"]>, "atMs"> & { readonly agoMs: number }) | null;
  /** Another one than the page was loaded with: page, words or menu are new, load again. */
  readonly edition: string;
};

/** `nowMs` is of the same clock as the observations. */
export function screenOf(view: View, situation: Situation, edition: string, nowMs: number): Screen {
  const { ended, troubles, sold: _, receiptMissing, ...rest } = situation;
  const { atMs = 0, ...ending } = ended ?? {};
  return {
    ...view,
    ...rest,
    troubles: [...new Set(Object.values(troubles))],
    receiptMissing: receiptMissing !== null && receiptMissing === view.saleId,
    ended: ended === null ? null : { ...(ending as Omit<typeof ended, "atMs">), agoMs: nowMs - atMs },
    edition,
  };
}

/** Amounts are bigint; JSON has none, so they travel as decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "bigint" ? member.toString() : member,
  );
}

export const WORDS_JSON = toJson(WORDS);
