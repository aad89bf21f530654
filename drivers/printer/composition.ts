/**
 * The parts that every paper is made of: lines of a given number of columns, pure, no bytes, no fonts.
 *
 * Assumes a monospaced printer: ASCII takes one column, Hangul and everything else of KS X 1001 two, so alignment
 * counts columns and not characters. Words that do not fit wrap; an amount is never broken over lines while it fits the
 * paper at all, and nothing is ever cut off: what is too long goes on, right-aligned, on lines of its own.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { Merchant } from "../../daemon/core/receipt.ts";
import { columnsOf, printable, textColumns } from "./ks-x-1001.ts";

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
export const MIN_NAME_COLUMNS = 12;
/** Longest text that still becomes a QR code; a longer one would not scan at this size. */
const MAX_QR_CHARACTERS = 128;

/** What every paper says of the shop and the terminal, in its language. */
export type CommonWords = {
  readonly registration: string;
  readonly representative: string;
  readonly address: string;
  readonly phone: string;
  readonly clockUnset: string;
};

/** What the paper is, and whose it is. */
export function heading(title: string, merchant: Merchant, words: CommonWords, columns: number): PaperLine[] {
  const rows: readonly (readonly [string, string])[] = [
    [words.registration, merchant.registration],
    [words.representative, merchant.representative],
    [words.phone, merchant.phone],
    [words.address, merchant.address],
  ];
  return [
    ...centred(title, columns, { bold: true }),
    ...centred(merchant.name, columns, { bold: true, width: 2, height: 2 }),
    blank(),
    ...rows.flatMap(([label, value]) => labelled(label, value, columns)),
  ];
}

/** Stands at the top and at the bottom of any paper that is not the first one. */
export function copyMark(mark: string, note: string, columns: number): PaperLine[] {
  return [blank(), ...prominent(mark, columns), ...centred(note, columns), blank()];
}

/** The id as a QR code when it can be one. */
export function qrOf(id: string): PaperLine[] {
  const scannable = /^[\x20-\x7e]+$/.test(id) && id.length <= MAX_QR_CHARACTERS;
  return scannable ? [{ kind: "qr", data: id }] : [];
}

/** "2026-11-20 14:05:09" in the shop's time zone, or that the clock was never set. */
export function timeText(timeMs: number, words: CommonWords, timeZone: string): string {
  return timeMs < CLOCK_SET_AFTER_MS ? words.clockUnset : shopTime(timeMs, timeZone);
}

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

export type Style = { readonly bold?: boolean; readonly width?: Scale; readonly height?: Scale };

export function text(content: string, align: "left" | "center" = "left", style: Style = {}): TextLine {
  const { bold = false, width = 1, height = 1 } = style;
  return { kind: "text", text: content.trimEnd(), align, bold, width, height };
}

export function blank(): TextLine {
  return text("");
}

export function rule(character: string, columns: number): TextLine {
  return text(character.repeat(columns));
}

/** Centred and wrapped; a text that is too long even for a few lines of large print is printed smaller. */
export function centred(content: string, columns: number, style: Style = {}): PaperLine[] {
  const clean = printable(content);
  const width = style.width ?? 1;
  const tooLong = width > 1 && textColumns(clean) > 2 * Math.floor(columns / width);
  const fitting: Style = tooLong ? { ...style, width: 1 } : style;
  const perLine = Math.floor(columns / (fitting.width ?? 1));
  return wrap(clean, perLine).map((part) => text(part, "center", fitting));
}

/** Large, and on one line if at all possible. */
export function prominent(content: string, columns: number): PaperLine[] {
  const width = textColumns(printable(content)) * 2 <= columns ? 2 : 1;
  return centred(content, columns, { bold: true, width, height: 2 });
}

/** "label  value" with the value continued under itself. Nothing when there is no value. */
export function labelled(label: string, value: string, columns: number): PaperLine[] {
  const clean = printable(value);
  if (clean === "") return [];
  const lead = `${label}: `;
  const indent = textColumns(lead);
  const room = columns - indent;
  if (room < MIN_NAME_COLUMNS) return wrap(`${lead}${clean}`, columns).map((part) => text(part));
  return wrap(clean, room).map((part, index) => text(`${index === 0 ? lead : " ".repeat(indent)}${part}`));
}

/** The label at the left and the value at the right of one line, or of two when they do not fit beside each other. */
export function pair(label: string, value: string, columns: number, style: Style = {}): PaperLine[] {
  const room = Math.floor(columns / (style.width ?? 1));
  const clean = printable(value);
  const used = textColumns(label) + textColumns(clean);
  if (used + 1 <= room) return [text(`${label}${" ".repeat(room - used)}${clean}`, "left", style)];
  return [...wrap(label, room).map((part) => text(part, "left", style)), ...right(clean, room, style)];
}

export function right(value: string, columns: number, style: Style = {}): PaperLine[] {
  return wrap(value, columns).map((part) => text(padStart(part, columns), "left", style));
}

export function padStart(value: string, columns: number): string {
  return `${" ".repeat(Math.max(0, columns - textColumns(value)))}${value}`;
}

export function padEnd(value: string, columns: number): string {
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
