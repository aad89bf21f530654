/** What a customer display shows of the terminal: derived from the state, never kept. */
import { optionNames, priceLines, totalOf } from "./basket.ts";
import { findItem, type Language, nameOf } from "./menu.ts";
import type { Money } from "./money.ts";
import type { Phase, Standing, TerminalState } from "./sale.ts";
import type { SaleSettings } from "./settings.ts";

export type ViewLine = {
  readonly itemId: string;
  readonly name: string;
  readonly options: readonly string[];
  readonly optionIds: { readonly [group: string]: string };
  readonly quantity: number;
  readonly amount: Money;
};

export type View = {
  readonly phase: Phase["kind"] | "idle";
  readonly saleId: string | null;
  readonly number: number | null;
  readonly language: Language | null;
  readonly lines: readonly ViewLine[];
  readonly total: Money;
  /** The unusual quantity that the line would have after a yes. */
  readonly question: { readonly name: string; readonly quantity: number } | null;
  /** The ledger can be reached. */
  readonly linkUp: boolean;
  /** Charges that still wait for the ledger's word. */
  readonly waiting: number;
  /** "recalling" or "barred": nothing is sold now. */
  readonly standing: Standing["kind"];
};

export function viewOf(settings: SaleSettings, state: TerminalState): View {
  const { sale, linkUp, openCharges, standing } = state;
  const language = sale?.language ?? "ko";
  const charge = sale !== null && "charge" in sale.phase ? sale.phase.charge : null;
  const sold = charge?.lines ?? (sale === null ? [] : priceLines(settings.menu, sale.basket, language));
  const asked = sale?.phase.kind === "quantity-question" ? sale.phase : null;
  const nameFor = (itemId: string, otherwise: string): string =>
    nameOf(findItem(settings.menu, itemId) ?? { id: otherwise, names: {} }, language);
  return {
    phase: sale?.phase.kind ?? "idle",
    saleId: sale?.id ?? null,
    number: sale?.sequence ?? null,
    language: sale?.language ?? null,
    lines: sold.map((line) => ({
      itemId: line.itemId,
      name: nameFor(line.itemId, line.name),
      options: optionNames(settings.menu, line, language),
      optionIds: line.options,
      quantity: line.quantity,
      amount: line.amount,
    })),
    total: charge?.amount ?? totalOf(settings.menu, sold),
    question: asked && { name: nameFor(asked.itemId, asked.itemId), quantity: asked.quantity },
    linkUp,
    waiting: openCharges.length,
    standing: standing.kind,
  };
}
