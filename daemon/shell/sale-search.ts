/**
 * Finds the sale that staff means: by its number of today, by its id, or by the beginning of its id.
 *
 * A number of an earlier day is not taken, although it would be unique: whoever reads it off an old receipt should say
 * so by the id that stands beside it. An id that is whole and unknown may be a sale of another terminal.
 */
import type { Store } from "../../sync/store/store.ts";
import type { SaleEvent } from "../core/event.ts";
import type { TerminalState } from "../core/sale.ts";
import type { FoundSale } from "../core/staff.ts";

export type SoldSales = Pick<Store<SaleEvent, TerminalState>, "soldSale" | "soldSales">;

export type SaleSearch =
  | { readonly kind: "found"; readonly sale: FoundSale }
  /** A whole id that this journal does not know. */
  | { readonly kind: "elsewhere"; readonly saleId: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "earlier-day"; readonly candidates: readonly FoundSale[] }
  | { readonly kind: "ambiguous"; readonly candidates: readonly FoundSale[] };

/** How far back a number or the beginning of an id is looked for; older sales are named by their whole id. */
const SEARCHED_SALES = 2_000;
/** Most sales that staff asks for are recent. */
const FIRST_LOOK = 50;
const SHORTEST_BEGINNING = 4;
const MAXIMUM_CANDIDATES = 5;
const WHOLE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BEGINNING = /^[0-9a-f-]+$/;
const NUMBER = /^\d{1,7}$/;

/** `today` is the number of the business day that is open. */
export function findSale(sales: SoldSales, name: string, today: number): SaleSearch {
  const wanted = name.trim().toLowerCase();
  if (WHOLE_ID.test(wanted)) {
    const sale = sales.soldSale(wanted);
    return sale === null ? { kind: "elsewhere", saleId: wanted } : { kind: "found", sale };
  }
  const byNumber = NUMBER.test(wanted) ? ofNumber(sales, Number(wanted), today) : null;
  if (byNumber?.kind === "found") return byNumber;
  if (BEGINNING.test(wanted) && wanted.length >= SHORTEST_BEGINNING) {
    const byId = ofBeginning(sales, wanted);
    if (byId.kind !== "unknown") return byId;
  }
  return byNumber ?? { kind: "unknown" };
}

function ofNumber(sales: SoldSales, number: number, today: number): SaleSearch {
  for (const limit of [FIRST_LOOK, SEARCHED_SALES]) {
    const sale = sales.soldSales(limit).find(({ sequence }) => sequence === number);
    if (sale === undefined) continue;
    return sale.day === today ? { kind: "found", sale } : { kind: "earlier-day", candidates: [sale] };
  }
  return { kind: "unknown" };
}

function ofBeginning(sales: SoldSales, beginning: string): SaleSearch {
  const fitting = sales.soldSales(SEARCHED_SALES).filter(({ saleId }) => saleId.startsWith(beginning));
  const [sale] = fitting;
  if (sale === undefined) return { kind: "unknown" };
  if (fitting.length === 1) return { kind: "found", sale };
  return { kind: "ambiguous", candidates: fitting.slice(0, MAXIMUM_CANDIDATES) };
}
