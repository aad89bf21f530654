/**
 * A receipt as lines: the shop, the order number to be called by, the goods, the totals with their VAT, the payment.
 */
import { formatAmount } from "../../daemon/core/money.ts";
import type { Receipt, ReceiptLine } from "../../daemon/core/receipt.ts";
import {
  blank,
  centred,
  copyMark,
  heading,
  type LayoutOptions,
  labelled,
  MIN_NAME_COLUMNS,
  type PaperLine,
  padEnd,
  padStart,
  pair,
  prominent,
  qrOf,
  right,
  rule,
  text,
  timeText,
  wrap,
} from "./composition.ts";
import { printable, textColumns } from "./ks-x-1001.ts";
import { type ReceiptWords, WORDS } from "./words.ts";

/** The whole receipt from top to bottom, without the cut. */
export function receiptLines(receipt: Receipt, options: LayoutOptions): PaperLine[] {
  const words = WORDS[options.language ?? receipt.language];
  const { columns } = options;
  const copy = receipt.copy ? copyMark(words.copy, words.copyNote, columns) : [];
  return [
    ...copy,
    ...heading(words.title, receipt.merchant, words, columns),
    ...orderNumber(receipt, words, columns),
    ...particulars(receipt, words, options),
    ...table(receipt.lines, words, columns),
    ...totals(receipt, words, columns),
    ...payment(receipt, words, columns),
    ...givenBack(receipt, words, columns),
    ...footer(receipt, words, columns),
    ...copy,
  ];
}

function orderNumber(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  return [
    rule("=", columns),
    ...centred(words.orderNumber, columns, { bold: true }),
    ...centred(String(receipt.number), columns, { bold: true, width: 3, height: 3 }),
    rule("=", columns),
  ];
}

function particulars(receipt: Receipt, words: ReceiptWords, options: LayoutOptions): PaperLine[] {
  return [
    ...labelled(words.soldAt, timeText(receipt.timeMs, words, options.timeZone), options.columns),
    ...labelled(words.terminal, receipt.terminal, options.columns),
  ];
}

type Cells = { readonly unit: string; readonly quantity: string; readonly amount: string };

/** The goods: name, unit price, quantity, amount, with the figures in columns as wide as the widest of them. */
function table(lines: readonly ReceiptLine[], words: ReceiptWords, columns: number): PaperLine[] {
  const header: Cells = { unit: words.unitPrice, quantity: words.quantity, amount: words.amount };
  const cells = lines.map(
    (line): Cells => ({
      unit: formatAmount(line.unitPrice),
      quantity: String(line.quantity),
      amount: formatAmount(line.amount),
    }),
  );
  const gap = columns >= 42 ? 2 : 1;
  const widest = (pick: (cell: Cells) => string): number =>
    Math.max(...[header, ...cells].map((cell) => textColumns(pick(cell))));
  const widths = [widest((c) => c.unit), widest((c) => c.quantity), widest((c) => c.amount)] as const;
  const figures = (cell: Cells): string =>
    [
      padStart(cell.unit, widths[0]),
      padStart(cell.quantity, widths[1]),
      padStart(cell.amount, widths[2]),
    ].join(" ".repeat(gap));
  const nameColumns = columns - (widths[0] + widths[1] + widths[2] + 3 * gap);
  const row = (name: string, cell: Cells): PaperLine[] => {
    const parts = wrap(printable(name), columns);
    const last = parts.at(-1) ?? "";
    if (nameColumns < MIN_NAME_COLUMNS || textColumns(last) > nameColumns) {
      return [...parts.map((part) => text(part)), ...figureLines(cell, figures(cell), columns)];
    }
    const beside = text(`${padEnd(last, nameColumns)}${" ".repeat(gap)}${figures(cell)}`);
    return [...parts.slice(0, -1).map((part) => text(part)), beside];
  };
  return [
    rule("-", columns),
    ...row(words.item, header),
    rule("-", columns),
    ...lines.flatMap((line, index) => {
      const cell = cells[index];
      return cell === undefined ? [] : [...row(line.name, cell), ...optionLines(line.options, columns)];
    }),
  ];
}

/** The figures under a name: on one line if the paper is wide enough, else the amount on a line of its own. */
function figureLines(cell: Cells, joined: string, columns: number): PaperLine[] {
  if (textColumns(joined) <= columns) return [text(padStart(joined, columns))];
  return [...right(`${cell.unit} x ${cell.quantity}`, columns), ...right(cell.amount, columns)];
}

function optionLines(options: readonly string[], columns: number): PaperLine[] {
  const joined = options
    .map(printable)
    .filter((option) => option !== "")
    .join(", ");
  if (joined === "") return [];
  return wrap(joined, columns - 4).map((part, index) => text(`${index === 0 ? "  - " : "    "}${part}`));
}

function totals(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  const total = words.money(receipt.total);
  const wide = textColumns(words.total) + 1 + textColumns(total) <= Math.floor(columns / 2);
  const supply = { minor: receipt.total.minor - receipt.vat.minor, currency: receipt.total.currency };
  const taxed =
    receipt.vatPercent > 0
      ? [
          ...pair(`  ${words.supply}`, formatAmount(supply), columns),
          ...pair(`  ${words.vat(receipt.vatPercent)}`, formatAmount(receipt.vat), columns),
          ...wrap(words.vatNote, columns - 2).map((part) => text(`  ${part}`)),
        ]
      : pair(`  ${words.taxFree}`, formatAmount(receipt.total), columns);
  return [
    rule("-", columns),
    ...pair(words.total, total, columns, { bold: true, width: wide ? 2 : 1, height: 2 }),
    ...taxed,
    rule("-", columns),
  ];
}

function payment(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  const { payment: paid } = receipt;
  const rows = [
    ...pair(words.payment, words.card, columns),
    ...pair(words.cardNumber, paid.card, columns),
    ...pair(words.paid, words.money(receipt.total), columns),
  ];
  switch (paid.kind) {
    case "approved":
      return [...rows, ...pair(words.authorisation, paid.authorisation, columns), rule("-", columns)];
    case "approved-offline":
      return [
        ...rows,
        blank(),
        ...prominent(`[ ${words.offline} ]`, columns),
        ...wrap(words.offlineNote, columns).map((part) => text(part)),
        rule("-", columns),
      ];
  }
}

function givenBack(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  if (receipt.givenBack === undefined) return [];
  const amount = words.money(receipt.givenBack);
  return [...prominent(`[ ${words.givenBack} ${amount} ]`, columns), rule("-", columns)];
}

function footer(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  const id = printable(receipt.saleId);
  return [
    ...centred(words.thanks, columns),
    ...centred(words.keep, columns),
    blank(),
    ...qrOf(id),
    ...centred(`${words.saleId} ${id}`, columns),
  ];
}
