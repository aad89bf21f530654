/**
 * What a customer can mean: a closed union. Speech, touch and (later) a language model all arrive as one of these,
 * and whatever item, option or quantity they name is checked against the menu again in the basket.
 */
import type { Language } from "./menu.ts";

/** Option group id -> value id. Groups not named keep their default (add) or present value (change). */
export type Options = { readonly [group: string]: string };

export type BasketEdit =
  | { readonly kind: "add"; readonly itemId: string; readonly quantity: number; readonly options: Options }
  /** Without a quantity the whole line goes. Without an item the last mentioned line is meant. */
  | {
      readonly kind: "remove";
      readonly itemId?: string;
      readonly quantity?: number;
      readonly options?: Options;
    }
  /** Sets the quantity of a line. */
  | { readonly kind: "set-quantity"; readonly itemId?: string; readonly quantity: number }
  /** "make one of them iced": moves `quantity` units (all when absent) of a line to other options. */
  | {
      readonly kind: "set-options";
      readonly itemId?: string;
      readonly quantity?: number;
      readonly options: Options;
    }
  /** "no, a latte instead": the item of a line is exchanged, quantity kept unless given. */
  | {
      readonly kind: "replace";
      readonly itemId?: string;
      readonly withItemId: string;
      readonly quantity?: number;
      readonly options: Options;
    };

export type Intent =
  | { readonly kind: "edit"; readonly edits: readonly BasketEdit[] }
  | { readonly kind: "ask-price"; readonly itemId?: string }
  | { readonly kind: "confirm" }
  | { readonly kind: "deny" }
  /** "pay", "that is all", "by card": the order is complete. */
  | { readonly kind: "pay" }
  | { readonly kind: "cancel" }
  | { readonly kind: "repeat" }
  | { readonly kind: "help" }
  | { readonly kind: "staff" };

/** One customer turn after recognition and understanding. */
export type Turn = {
  readonly language: Language;
  readonly intent: Intent;
  /** 0 to 1; below the core's threshold the turn is asked back instead of carried out. */
  readonly confidence: number;
};
