/**
 * The paper of the virtual printer: carries out what the parser understood, as dots, and gives a PNG picture of each
 * receipt that was cut or torn off, with the text of its lines.
 *
 * Assumes font A of 12 by 24 dots, two-byte characters of 24 by 24, at 203 dots an inch.
 */
import { type Canvas, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import qrcode from "qrcode-generator";
import type { PaperColumns } from "../composition.ts";
import type { Fonts } from "../fonts.ts";
import type { Operation } from "./parser.ts";

/** Printable dots and, outside them, the blank margin of the roll at each side. */
const AREA_DOTS: Readonly<Record<PaperColumns, number>> = { 32: 384, 42: 512, 48: 576 };
const MARGIN_DOTS = 32;
const CELL = 12;
const HEIGHT = 24;
/** Paper between the print head and the knife. */
const CUTTER_FEED_DOTS = 96;
const PAPER_COLOUR = "#fdfdfa";
const INK = "#17171b";

export type PrintedLine = {
  readonly text: string;
  readonly align: "left" | "center" | "right";
  readonly bold: boolean;
  readonly width: number;
  readonly height: number;
};

export type PaperPiece = {
  readonly png: Buffer;
  /** Text lines as they were printed; a picture is the line "[picture]", a QR code "[QR data]". */
  readonly lines: readonly PrintedLine[];
  readonly qr: readonly string[];
  /** False when the piece ended because the paper did. */
  readonly cut: boolean;
};

type Glyph = { readonly character: string; readonly columns: 1 | 2 } & Style;
type Style = { readonly bold: boolean; readonly width: number; readonly height: number };
type Strip = { readonly canvas: Canvas; readonly dots: number };

export class Paper {
  readonly #area: number;
  readonly #fonts: Fonts;
  #strips: Strip[] = [];
  #lines: PrintedLine[] = [];
  #qr: string[] = [];
  #line: Glyph[] = [];
  #style: Style = { bold: false, width: 1, height: 1 };
  #align: PrintedLine["align"] = "left";
  #spacing = 30;

  constructor(columns: PaperColumns, fonts: Fonts) {
    this.#area = AREA_DOTS[columns];
    this.#fonts = fonts;
  }

  get blank(): boolean {
    return this.#strips.length === 0;
  }

  /** Carries out one operation; returns how many dots the paper moved. */
  apply(operation: Operation): number {
    switch (operation.kind) {
      case "initialise":
        this.clearLine();
        this.#style = { bold: false, width: 1, height: 1 };
        this.#align = "left";
        this.#spacing = 30;
        return 0;
      case "character":
        return this.#put(operation);
      case "line-feed":
        return this.#feedLines(operation.lines);
      case "feed-dots":
        return this.#flushLine() + this.#feed(operation.dots);
      case "line-spacing":
        this.#spacing = operation.dots;
        return 0;
      case "bold":
        this.#style = { ...this.#style, bold: operation.on };
        return 0;
      case "size":
        this.#style = { ...this.#style, width: operation.width, height: operation.height };
        return 0;
      case "align":
        this.#align = operation.to;
        return 0;
      case "picture":
        return this.#flushLine() + this.#picture(operation);
      case "qr":
        return this.#flushLine() + this.#code(operation);
      case "cut":
        return this.#flushLine() + (operation.feed ? this.#feed(CUTTER_FEED_DOTS) : 0);
      case "drawer":
      case "report":
      case "unknown":
        return 0;
    }
  }

  /** Drops what stands in the line buffer and is not on paper yet. */
  clearLine(): void {
    this.#line = [];
  }

  /** Takes off what was printed. */
  tear(cut: boolean): PaperPiece {
    const height = this.#strips.reduce((sum, strip) => sum + strip.dots, 0) + HEIGHT;
    const canvas = createCanvas(this.#area + 2 * MARGIN_DOTS, height);
    const context = canvas.getContext("2d");
    context.fillStyle = PAPER_COLOUR;
    context.fillRect(0, 0, canvas.width, height);
    let y = HEIGHT;
    for (const strip of this.#strips) {
      context.drawImage(strip.canvas, MARGIN_DOTS, y);
      y += strip.dots;
    }
    const piece: PaperPiece = { png: canvas.toBuffer("image/png"), lines: this.#lines, qr: this.#qr, cut };
    this.#strips = [];
    this.#lines = [];
    this.#qr = [];
    return piece;
  }

  /** A character that would stand out of the printable area goes to the next line, as in a real printer. */
  #put(operation: { character: string; columns: 1 | 2 }): number {
    const glyph: Glyph = { character: operation.character, columns: operation.columns, ...this.#style };
    const moved = widthOf([...this.#line, glyph]) > this.#area ? this.#feedLines(1) : 0;
    this.#line.push(glyph);
    return moved;
  }

  #feedLines(count: number): number {
    let moved = 0;
    for (let index = 0; index < count; index += 1) {
      const flushed = this.#flushLine();
      if (flushed > 0) moved += flushed;
      else {
        this.#lines.push({ text: "", align: this.#align, bold: false, width: 1, height: 1 });
        moved += this.#feed(this.#spacing);
      }
    }
    return moved;
  }

  #feed(dots: number): number {
    if (dots > 0) this.#strips.push({ canvas: createCanvas(1, 1), dots });
    return dots;
  }

  /** Prints the line buffer; 0 when it is empty. A line advances by its tallest character or the line spacing. */
  #flushLine(): number {
    const [first] = this.#line;
    if (first === undefined) return 0;
    const tallest = Math.max(...this.#line.map((glyph) => glyph.height)) * HEIGHT;
    const dots = Math.max(this.#spacing, tallest + 6);
    const canvas = createCanvas(this.#area, dots);
    const context = canvas.getContext("2d");
    let x = this.#start(widthOf(this.#line));
    for (const glyph of this.#line) {
      drawGlyph(context, glyph, x, tallest, this.#fonts);
      x += glyph.columns * CELL * glyph.width;
    }
    const { bold, width, height } = first;
    const text = this.#line.map((glyph) => glyph.character).join("");
    this.#lines.push({ text, align: this.#align, bold, width, height });
    this.#strips.push({ canvas, dots });
    this.#line = [];
    return dots;
  }

  #start(width: number): number {
    if (this.#align === "left") return 0;
    return Math.floor((this.#area - width) / (this.#align === "center" ? 2 : 1));
  }

  #picture(operation: { bytesPerRow: number; rows: number; bits: Uint8Array }): number {
    const { bytesPerRow, rows, bits } = operation;
    const canvas = createCanvas(this.#area, Math.max(rows, 1));
    const context = canvas.getContext("2d");
    context.fillStyle = INK;
    const left = this.#start(bytesPerRow * 8);
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < bytesPerRow * 8; x += 1) {
        const byte = bits[y * bytesPerRow + (x >> 3)] ?? 0;
        if ((byte & (0x80 >> (x & 7))) !== 0) context.fillRect(left + x, y, 1, 1);
      }
    }
    this.#lines.push({ text: "[picture]", align: this.#align, bold: false, width: 1, height: 1 });
    this.#strips.push({ canvas, dots: rows });
    return rows;
  }

  #code(operation: { data: string; moduleDots: number; level: "L" | "M" | "Q" | "H" }): number {
    const code = qrcode(0, operation.level);
    code.addData(operation.data);
    code.make();
    const modules = code.getModuleCount();
    const size = modules * operation.moduleDots;
    const canvas = createCanvas(this.#area, size);
    const context = canvas.getContext("2d");
    context.fillStyle = INK;
    const left = this.#start(size);
    for (let row = 0; row < modules; row += 1) {
      for (let column = 0; column < modules; column += 1) {
        if (!code.isDark(row, column)) continue;
        const dots = operation.moduleDots;
        context.fillRect(left + column * dots, row * dots, dots, dots);
      }
    }
    this.#qr.push(operation.data);
    this.#lines.push({
      text: `[QR ${operation.data}]`,
      align: this.#align,
      bold: false,
      width: 1,
      height: 1,
    });
    this.#strips.push({ canvas, dots: size });
    return size;
  }
}

function widthOf(line: readonly Glyph[]): number {
  return line.reduce((sum, glyph) => sum + glyph.columns * CELL * glyph.width, 0);
}

/** Draws at the printer's own 12 or 24 by 24 dots and enlarges the dots, as a printer's size command does. */
function drawGlyph(context: SKRSContext2D, glyph: Glyph, x: number, tallest: number, fonts: Fonts): void {
  const width = glyph.columns * CELL;
  const cell = createCanvas(width, HEIGHT);
  const ink = cell.getContext("2d");
  ink.fillStyle = INK;
  ink.textAlign = "center";
  const family = fonts.familyFor(glyph.character);
  if (family !== undefined) {
    ink.font = `${HEIGHT - 1}px "${family}"`;
    ink.translate(width / 2, 20);
    ink.scale(Math.min(1, width / ink.measureText(glyph.character).width), 1);
    for (const shift of glyph.bold ? [0, 1] : [0]) ink.fillText(glyph.character, shift, 0);
  } else if (glyph.character !== " ") {
    ink.fillRect(2, 3, width - 4, HEIGHT - 6);
  }
  withoutGrey(ink, width);
  context.imageSmoothingEnabled = false;
  const height = HEIGHT * glyph.height;
  context.drawImage(cell, x, tallest - height, width * glyph.width, height);
}

function withoutGrey(context: SKRSContext2D, width: number): void {
  const image = context.getImageData(0, 0, width, HEIGHT);
  for (let index = 3; index < image.data.length; index += 4) {
    image.data[index] = (image.data[index] ?? 0) > 105 ? 255 : 0;
  }
  context.putImageData(image, 0, 0);
}
