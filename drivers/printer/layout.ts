/**
 * A receipt as lines of a given number of columns: pure, no bytes, no fonts.
 *
 * Assumes a monospaced printer: ASCII takes one column, Hangul and everything else of KS X 1001 two, so alignment
 * counts columns and not characters. Words that do not fit wrap; an amount is never broken over lines while it fits the
 * paper at all, and nothing is ever cut off: what is too long goes on, right-aligned, on lines of its own.
 */
import type { Language } from "../../daemon/core/menu.ts";
import { formatAmount } from "../../daemon/core/money.ts";
import type { Receipt, ReceiptLine } from "../../daemon/core/receipt.ts";
import { columnsOf, printable, textColumns } from "./ks-x-1001.ts";
import { type ReceiptWords, WORDS } from "./words.ts";

/** Characters of font A (12 dots) on a line: 58 mm paper, 80 mm at 180 dpi, 80 mm at 203 dpi. */
export type PaperColumns = 32 | 42 | 48;

/** Multiples of the normal character, as GS ! counts them. */
export type Scale = 1 | 2 | 3;

export type TextLine = {
  readonly kind: "text";
  readonly text: string;
  readonly align: "left" | "center";
  readonly bold: boolean;
  readonly width: Scale;
  readonly height: Scale;
};

export type PaperLine =
  /** `textColumns(text) * width` is at most the paper's columns. */
  | TextLine
  /** A QR code of this text, centred, with a blank line under it. */
  | { readonly kind: "qr"; readonly data: string };

export type LayoutOptions = {
  readonly columns: PaperColumns;
  /** IANA name; the receipt shows the shop's own time. */
  readonly timeZone: string;
  /** Language of the fixed words, when it is not to be the receipt's own. */
  readonly language?: Language;
};

/** Before this the clock was plainly never set (a board without a battery starts in 1970). */
const CLOCK_SET_AFTER_MS = Date.UTC(2024, 0, 1);
/** A name column narrower than this is given up, and the figures go under the name. */
const MIN_NAME_COLUMNS = 12;
/** Longest text that still becomes a QR code; a longer one would not scan at this size. */
const MAX_QR_CHARACTERS = 128;

/** The whole receipt from top to bottom, without the cut. */
export function layOut(receipt: Receipt, options: LayoutOptions): PaperLine[] {
  const words = WORDS[options.language ?? receipt.language];
  const { columns } = options;
  const copy = receipt.copy ? copyMark(words, columns) : [];
  return [
    ...copy,
    ...heading(receipt, words, columns),
    ...orderNumber(receipt, words, columns),
    ...particulars(receipt, words, options),
    ...table(receipt.lines, words, columns),
    ...totals(receipt, words, columns),
    ...payment(receipt, words, columns),
    ...footer(receipt, words, columns),
    ...copy,
  ];
}

function copyMark(words: ReceiptWords, columns: number): PaperLine[] {
  return [blank(), ...prominent(words.copy, columns), ...centred(words.copyNote, columns), blank()];
}

function heading(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  const { merchant } = receipt;
  const rows: readonly (readonly [string, string])[] = [
    [words.registration, merchant.registration],
    [words.representative, merchant.representative],
    [words.phone, merchant.phone],
    [words.address, merchant.address],
  ];
  return [
    ...centred(words.title, columns, { bold: true }),
    ...centred(merchant.name, columns, { bold: true, width: 2, height: 2 }),
    blank(),
    ...rows.flatMap(([label, value]) => labelled(label, value, columns)),
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
  const time =
    receipt.timeMs < CLOCK_SET_AFTER_MS ? words.clockUnset : shopTime(receipt.timeMs, options.timeZone);
  return [
    ...labelled(words.soldAt, time, options.columns),
    ...labelled(words.terminal, receipt.terminal, options.columns),
  ];
}

/** "2026-11-20 14:05:09" in the shop's time zone. */
function shopTime(timeMs: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(timeMs);
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}:${part("second")}`;
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

function footer(receipt: Receipt, words: ReceiptWords, columns: number): PaperLine[] {
  const id = printable(receipt.saleId);
  const code: PaperLine[] =
    /^[\x20-\x7e]+$/.test(id) && id.length <= MAX_QR_CHARACTERS ? [{ kind: "qr", data: id }] : [];
  return [
    ...centred(words.thanks, columns),
    ...centred(words.keep, columns),
    blank(),
    ...code,
    ...centred(`${words.saleId} ${id}`, columns),
  ];
}

type Style = { readonly bold?: boolean; readonly width?: Scale; readonly height?: Scale };

function text(content: string, align: "left" | "center" = "left", style: Style = {}): TextLine {
  const { bold = false, width = 1, height = 1 } = style;
  return { kind: "text", text: content.trimEnd(), align, bold, width, height };
}

function blank(): TextLine {
  return text("");
}

function rule(character: string, columns: number): TextLine {
  return text(character.repeat(columns));
}

/** Centred and wrapped; a text that is too long even for a few lines of large print is printed smaller. */
function centred(content: string, columns: number, style: Style = {}): PaperLine[] {
  const clean = printable(content);
  const width = style.width ?? 1;
  const tooLong = width > 1 && textColumns(clean) > 2 * Math.floor(columns / width);
  const fitting: Style = tooLong ? { ...style, width: 1 } : style;
  const perLine = Math.floor(columns / (fitting.width ?? 1));
  return wrap(clean, perLine).map((part) => text(part, "center", fitting));
}

/** Large, and on one line if at all possible. */
function prominent(content: string, columns: number): PaperLine[] {
  const width = textColumns(printable(content)) * 2 <= columns ? 2 : 1;
  return centred(content, columns, { bold: true, width, height: 2 });
}

/** "label  value" with the value continued under itself. Nothing when there is no value. */
function labelled(label: string, value: string, columns: number): PaperLine[] {
  const clean = printable(value);
  if (clean === "") return [];
  const lead = `${label}: `;
  const indent = textColumns(lead);
  const room = columns - indent;
  if (room < MIN_NAME_COLUMNS) return wrap(`${lead}${clean}`, columns).map((part) => text(part));
  return wrap(clean, room).map((part, index) => text(`${index === 0 ? lead : " ".repeat(indent)}${part}`));
}

/** The label at the left and the value at the right of one line, or of two when they do not fit beside each other. */
function pair(label: string, value: string, columns: number, style: Style = {}): PaperLine[] {
  const room = Math.floor(columns / (style.width ?? 1));
  const clean = printable(value);
  const used = textColumns(label) + textColumns(clean);
  if (used + 1 <= room) return [text(`${label}${" ".repeat(room - used)}${clean}`, "left", style)];
  return [...wrap(label, room).map((part) => text(part, "left", style)), ...right(clean, room, style)];
}

function right(value: string, columns: number, style: Style = {}): PaperLine[] {
  return wrap(value, columns).map((part) => text(padStart(part, columns), "left", style));
}

function padStart(value: string, columns: number): string {
  return `${" ".repeat(Math.max(0, columns - textColumns(value)))}${value}`;
}

function padEnd(value: string, columns: number): string {
  return `${value}${" ".repeat(Math.max(0, columns - textColumns(value)))}`;
}

/** Breaks at blanks where a word fits the line, inside the word where it does not. Every character comes out. */
export function wrap(content: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  const flush = (): void => {
    lines.push(line);
    line = "";
    used = 0;
  };
  for (const word of content.split(" ")) {
    const size = textColumns(word);
    const space = line === "" ? 0 : 1;
    if (line !== "" && used + space + size > columns) flush();
    if (line !== "") {
      line += " ";
      used += 1;
    }
    for (const character of word) {
      const width = columnsOf(character);
      if (used + width > columns) flush();
      line += character;
      used += width;
    }
  }
  if (line !== "") flush();
  return lines;
}
