/** What a recording orders in the end, for `hear` and the recognition benchmark. */
import { applyEdits } from "../../daemon/core/basket.ts";
import type { BasketEdit, Options } from "../../daemon/core/intent.ts";
import type { Menu } from "../../daemon/core/menu.ts";

export type OrderedItem = { readonly id: string; readonly quantity: number; readonly options: Options };

/** One customer may order this much in a recording; the core's own limits belong to the shop's settings. */
const NO_LIMITS = { questionAbove: 9_999, refuseAbove: 9_999, lines: 100 };

/** What is ordered in the end. Options hold what was said; a correction inside the recording is carried out. */
export function orderedItems(menu: Menu, edits: readonly BasketEdit[]): readonly OrderedItem[] {
  if (edits.every((edit) => edit.kind === "add")) {
    return edits.map(({ itemId, quantity, options }) => ({ id: itemId, quantity, options }));
  }
  const { basket } = applyEdits(menu, NO_LIMITS, [], edits);
  return basket.map(({ itemId, quantity, options }) => ({ id: itemId, quantity, options }));
}
