/**
 * The report of a business day as lines. What the ledger has not settled yet stands apart from the totals, in a frame of
 * its own, because it is in the net amount and not safe.
 */
import { formatAmount, type Money } from "../../daemon/core/money.ts";
import type { DayReport, Total } from "../../daemon/core/receipt.ts";
import {
  blank,
  copyMark,
  heading,
  type LayoutOptions,
  labelled,
  type PaperLine,
  padEnd,
  padStart,
  pair,
  prominent,
  right,
  rule,
  text,
  timeText,
  wrap,
} from "./composition.ts";
import { textColumns } from "./ks-x-1001.ts";
import { DAY_WORDS, type DayWords } from "./staff-words.ts";
import { type ReceiptWords, WORDS } from "./words.ts";

type Row = { readonly label: string; readonly count: string; readonly amount: string };

/** The whole report from top to bottom, without the cut. */
export function dayReportLines(report: DayReport, options: LayoutOptions): PaperLine[] {
  const language = options.language ?? report.language;
  const common = WORDS[language];
  const words = DAY_WORDS[language];
  const { columns } = options;
  const copy = report.copy ? copyMark(common.copy, words.copyNote, columns) : [];
  return [
    ...copy,
    ...heading(words.title, report.merchant, common, columns),
    rule("=", columns),
    ...particulars(report, common, words, options),
    ...totals(report, words, columns),
    ...net(report, common, words, columns),
    ...notSettled(report, words, columns),
    blank(),
    text(`${words.signature}: ${"_".repeat(Math.floor(columns / 2))}`),
    ...copy,
  ];
}

function particulars(
  report: DayReport,
  common: ReceiptWords,
  words: DayWords,
  options: LayoutOptions,
): PaperLine[] {
  const { columns, timeZone } = options;
  const { firstNumber: first, lastNumber: last } = report;
  const numbers = first === null || last === null ? words.nothingSold : `${first} - ${last}`;
  return [
    ...labelled(words.day, String(report.day), columns),
    ...labelled(common.terminal, report.terminal, columns),
    ...labelled(words.opened, timeText(report.openedMs, common, timeZone), columns),
    ...labelled(words.closed, timeText(report.closedMs, common, timeZone), columns),
    ...labelled(words.numbers, numbers, columns),
  ];
}

function totals(report: DayReport, words: DayWords, columns: number): PaperLine[] {
  const { card, cardOffline, refunds, voids, declinedAfter, dismissed } = report.totals;
  const sales = { count: card.count + cardOffline.count, minor: card.minor + cardOffline.minor };
  const given = (label: string, total: Total): Row => row(label, total, report);
  const taken = (label: string, total: Total): Row =>
    row(label, { count: total.count, minor: -total.minor }, report);
  return [
    rule("-", columns),
    ...table(
      [
        { label: words.method, count: words.count, amount: words.amount },
        given(words.card, card),
        given(words.cardOffline, cardOffline),
        given(words.sales, sales),
        taken(words.refunds, refunds),
        taken(words.voids, voids),
        taken(words.declinedAfter, declinedAfter),
        taken(words.dismissed, dismissed),
      ],
      columns,
    ),
    rule("-", columns),
  ];
}

function net(report: DayReport, common: ReceiptWords, words: DayWords, columns: number): PaperLine[] {
  const amount = common.money(inCurrency(report, report.netMinor));
  const wide = textColumns(words.net) + 1 + textColumns(amount) <= Math.floor(columns / 2);
  return pair(words.net, amount, columns, { bold: true, width: wide ? 2 : 1, height: 2 });
}

function notSettled(report: DayReport, words: DayWords, columns: number): PaperLine[] {
  const { queued, refundsQueued } = report;
  return [
    rule("=", columns),
    ...prominent(`[ ${words.notSettled} ]`, columns),
    ...table([row(words.queued, queued, report), row(words.refundsQueued, refundsQueued, report)], columns),
    ...wrap(words.notSettledNote, columns).map((part) => text(part)),
    rule("=", columns),
  ];
}

function row(label: string, total: Total, report: DayReport): Row {
  const amount = formatAmount(inCurrency(report, total.minor));
  return { label, count: String(total.count), amount };
}

function inCurrency(report: DayReport, minor: bigint): Money {
  return { minor, currency: report.currency };
}

/** Label, count and amount in columns; a label that does not fit beside its figures stands above them. */
function table(rows: readonly Row[], columns: number): PaperLine[] {
  const gap = columns >= 42 ? 2 : 1;
  const countColumns = Math.max(...rows.map((entry) => textColumns(entry.count)));
  const amountColumns = Math.max(...rows.map((entry) => textColumns(entry.amount)));
  const figureColumns = countColumns + gap + amountColumns;
  return rows.flatMap((entry) => {
    const figures = `${padStart(entry.count, countColumns)}${" ".repeat(gap)}${padStart(entry.amount, amountColumns)}`;
    if (figureColumns > columns)
      return [text(entry.label), ...right(entry.count, columns), ...right(entry.amount, columns)];
    const room = columns - figureColumns - gap;
    if (room >= textColumns(entry.label))
      return [text(`${padEnd(entry.label, room)}${" ".repeat(gap)}${figures}`)];
    return [...wrap(entry.label, columns).map((part) => text(part)), text(padStart(figures, columns))];
  });
}
