/** What a customer display shows of the terminal: derived from the state, never kept. */
import { optionNames, priceLines, totalOf } from "./basket.ts";
import { type Language, nameOf } from "./menu.ts";
import type { Money } from "./money.ts";
import type { Phase, TerminalState } from "./sale.ts";
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
  /** The ledger can be reached. */
  readonly linkUp: boolean;
  /** Charges that still wait for the ledger's word. */
  readonly waiting: number;
};

export function viewOf(settings: SaleSettings, state: TerminalState): View {
  const { sale, linkUp, openCharges } = state;
  const language = sale?.language ?? "ko";
  const charge = sale !== null && "charge" in sale.phase ? sale.phase.charge : null;
  const sold = charge?.lines ?? (sale === null ? [] : priceLines(settings.menu, sale.basket, language));
  return {
    phase: sale?.phase.kind ?? "idle",
    saleId: sale?.id ?? null,
    number: sale?.sequence ?? null,
    language: sale?.language ?? null,
    lines: sold.map((line) => ({
      itemId: line.itemId,
      name: nameOf(
        settings.menu.items.find((item) => item.id === line.itemId) ?? { id: line.name, names: {} },
        language,
      ),
      options: optionNames(settings.menu, line, language),
      optionIds: line.options,
      quantity: line.quantity,
      amount: line.amount,
    })),
    total: charge?.amount ?? totalOf(settings.menu, sold),
    linkUp,
    waiting: openCharges.length,
  };
}
