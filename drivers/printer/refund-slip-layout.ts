/**
 * A refund slip as lines. Whoever holds it must see at a glance whether money has moved: a slip for a refund that waits
 * for the ledger has another title, says so in large print, and calls its amount a requested one.
 */
import type { RefundSlip } from "../../daemon/core/receipt.ts";
import {
  blank,
  centred,
  copyMark,
  heading,
  type LayoutOptions,
  labelled,
  type PaperLine,
  pair,
  prominent,
  qrOf,
  rule,
  text,
  timeText,
  wrap,
} from "./composition.ts";
import { printable, textColumns } from "./ks-x-1001.ts";
import { SLIP_WORDS, type SlipWords } from "./staff-words.ts";
import { type ReceiptWords, WORDS } from "./words.ts";

/** The whole slip from top to bottom, without the cut. */
export function refundSlipLines(slip: RefundSlip, options: LayoutOptions): PaperLine[] {
  const language = options.language ?? slip.language;
  const common = WORDS[language];
  const words = SLIP_WORDS[language];
  const { columns } = options;
  const copy = slip.copy ? copyMark(common.copy, words.copyNote, columns) : [];
  const state = words[slip.purpose][slip.status];
  return [
    ...copy,
    ...heading(state.title, slip.merchant, common, columns),
    rule("=", columns),
    ...prominent(`[ ${state.mark} ]`, columns),
    ...wrap(state.note, columns).map((part) => text(part)),
    rule("=", columns),
    ...particulars(slip, common, words, options),
    rule("-", columns),
    ...amounts(slip, state.amount, common, words, columns),
    rule("-", columns),
    ...footer(slip, common, words, columns),
    ...copy,
  ];
}

function particulars(
  slip: RefundSlip,
  common: ReceiptWords,
  words: SlipWords,
  options: LayoutOptions,
): PaperLine[] {
  const { columns, timeZone } = options;
  const number = slip.number === null ? words.soldElsewhere : String(slip.number);
  return [
    ...labelled(words.saleNumber, number, columns),
    ...labelled(words.at, timeText(slip.timeMs, common, timeZone), columns),
    ...labelled(common.terminal, slip.terminal, columns),
  ];
}

function amounts(
  slip: RefundSlip,
  label: string,
  common: ReceiptWords,
  words: SlipWords,
  columns: number,
): PaperLine[] {
  const amount = common.money(slip.amount);
  const wide = textColumns(label) + 1 + textColumns(amount) <= Math.floor(columns / 2);
  const sold = slip.saleAmount === null ? [] : pair(words.saleAmount, common.money(slip.saleAmount), columns);
  return [
    ...sold,
    ...pair(label, amount, columns, { bold: true, width: wide ? 2 : 1, height: 2 }),
    ...(slip.card === null ? [] : pair(common.cardNumber, slip.card, columns)),
  ];
}

function footer(slip: RefundSlip, common: ReceiptWords, words: SlipWords, columns: number): PaperLine[] {
  const id = printable(slip.saleId);
  return [
    ...centred(words.keep, columns),
    blank(),
    ...qrOf(id),
    ...centred(`${common.saleId} ${id}`, columns),
  ];
}
