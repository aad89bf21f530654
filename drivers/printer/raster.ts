/**
 * Draws a line of text as dots, for lines with a character that the printer does not have.
 *
 * The whole line becomes one picture on the same grid as printed text (12 dots a column, 24 dots high, times the
 * scale), so that it stands in line with its neighbours.
 */
import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { TextLine } from "./composition.ts";
import type { Fonts } from "./fonts.ts";
import { columnsOf, printerBytes, textColumns } from "./ks-x-1001.ts";

export const COLUMN_DOTS = 12;
export const CHARACTER_DOTS = 24;

/** One bit a dot, most significant bit first, 1 is black; rows of `bytesPerRow`. */
export type Bitmap = { readonly bytesPerRow: number; readonly rows: number; readonly bits: Uint8Array };

/**
 * Puts a question mark of the same width where neither the printer nor an installed font has the character, so that a
 * line stays readable and aligned. `missing` names what was replaced.
 */
export function substituteMissing(text: string, fonts: Fonts): { text: string; missing: readonly string[] } {
  const missing = new Set<string>();
  let result = "";
  for (const character of text) {
    if (printerBytes(character) !== undefined || fonts.familyFor(character) !== undefined) {
      result += character;
    } else {
      missing.add(character);
      result += columnsOf(character) === 2 ? "\uff1f" : "?";
    }
  }
  return { text: result, missing: [...missing] };
}

/** `columns` is the paper's width; `lineDots` the height of the picture, with the characters at its top. */
export function drawLine(line: TextLine, columns: number, lineDots: number, fonts: Fonts): Bitmap {
  const width = columns * COLUMN_DOTS;
  const canvas = createCanvas(width, lineDots);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, lineDots);
  context.fillStyle = "#000";
  const cell = COLUMN_DOTS * line.width;
  let x = line.align === "center" ? Math.floor((width - textColumns(line.text) * cell) / 2) : 0;
  for (const character of line.text) {
    drawCharacter(context, character, x, line, fonts);
    x += columnsOf(character) * cell;
  }
  return threshold(context.getImageData(0, 0, width, lineDots).data, width, lineDots);
}

function drawCharacter(
  context: SKRSContext2D,
  character: string,
  x: number,
  line: TextLine,
  fonts: Fonts,
): void {
  if (character === " ") return;
  const cell = columnsOf(character) * COLUMN_DOTS;
  const family = fonts.familyFor(character);
  if (family === undefined) return;
  context.save();
  context.translate(x, 0);
  context.scale(line.width, line.height);
  context.font = `${CHARACTER_DOTS - 1}px "${family}"`;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  // A glyph of a proportional font is made narrower, not smaller, until it fits its cell.
  const squeeze = Math.min(1, cell / context.measureText(character).width);
  context.translate(cell / 2, 20);
  context.scale(squeeze, 1);
  for (const shift of line.bold ? [0, 1] : [0]) context.fillText(character, shift, 0);
  context.restore();
}

/** Thermal paper knows no grey. */
function threshold(rgba: Uint8ClampedArray, width: number, rows: number): Bitmap {
  const bytesPerRow = Math.ceil(width / 8);
  const bits = new Uint8Array(bytesPerRow * rows);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const shade = rgba[(y * width + x) * 4] ?? 255;
      if (shade < 165) {
        const at = y * bytesPerRow + (x >> 3);
        bits[at] = (bits[at] ?? 0) | (0x80 >> (x & 7));
      }
    }
  }
  return { bytesPerRow, rows, bits };
}
