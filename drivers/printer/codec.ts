/**
 * Paper lines as ESC/POS bytes, in pieces that end between lines so that a printer can be asked after each how far it
 * got. Pure: the same lines and fonts give the same bytes.
 *
 * Commands follow Epson's "ESC/POS Command Reference"; only those are used that Korean printers and their clones share:
 * ESC @, ESC R, ESC 2, ESC a, ESC E, GS !, FS &, FS ., GS v 0, GS ( k, GS V, ESC d, ESC p. No byte of data ever looks
 * like a real-time command (DLE EOT, DLE ENQ, DLE DC4), because printers obey those even inside a picture.
 */

import type { PaperColumns, PaperLine, TextLine } from "./composition.ts";
import type { Fonts } from "./fonts.ts";
import { printerBytes } from "./ks-x-1001.ts";
import { type Bitmap, CHARACTER_DOTS, drawLine, substituteMissing } from "./raster.ts";

const ESC = 0x1b;
const FS = 0x1c;
const GS = 0x1d;
const DLE = 0x10;
const LF = 0x0a;

/** International character set 13, Korea: 0x5C prints the won sign. */
const KOREA = 13;
/** Dots of a QR module; 5 at 203 dpi is 0.63 mm, which telephones read at arm's length. */
const QR_MODULE_DOTS = 5;
/** Error correction level M, GS ( k function 169. */
const QR_LEVEL_M = 49;
/** Blank dots under a drawn line, so that it advances like a printed one (30 dots with ESC 2 at 180 dpi). */
const LINE_GAP_DOTS = 6;
/** Lines fed past the tear bar where there is no cutter. */
const TEAR_FEED_LINES = 5;
/** Pulse for the drawer, ESC p: on 25 x 2 ms, off 250 x 2 ms. */
const DRAWER_PULSE = [25, 250] as const;

/** A piece holds at most so many lines or bytes; the receive buffer of a small printer is 4 KiB. */
const MAX_PIECE_LINES = 4;
const MAX_PIECE_BYTES = 1_024;

export type EncodeOptions = {
  readonly columns: PaperColumns;
  readonly fonts: Fonts;
  readonly cut: "full" | "partial" | "none";
  /** Connector pin of the cash drawer to open first, if any. */
  readonly drawer: "none" | "pin-2" | "pin-5";
};

export type Encoded = {
  /** In order; each ends between two lines. The last one holds the cut. */
  readonly pieces: readonly Buffer[];
  /** Characters that came out as question marks for want of a font. */
  readonly missing: readonly string[];
};

/** One receipt from initialisation to cut. */
export function encodePaper(lines: readonly PaperLine[], options: EncodeOptions): Encoded {
  const missing = new Set<string>();
  const pieces: Buffer[] = [];
  let bytes: number[] = [...prologue(options)];
  let held = 0;
  for (const line of lines) {
    bytes.push(...encodeLine(line, options, missing));
    held += 1;
    if (held >= MAX_PIECE_LINES || bytes.length >= MAX_PIECE_BYTES) {
      pieces.push(Buffer.from(bytes));
      bytes = [];
      held = 0;
    }
  }
  bytes.push(...cut(options.cut));
  pieces.push(Buffer.from(bytes));
  return { pieces, missing: [...missing] };
}

function prologue(options: EncodeOptions): number[] {
  const start = [ESC, 0x40, ESC, 0x52, KOREA, FS, 0x2e, ESC, 0x32];
  if (options.drawer === "none") return start;
  return [...start, ESC, 0x70, options.drawer === "pin-2" ? 0 : 1, ...DRAWER_PULSE];
}

/** Ends a receipt that failed half-way, before the next one. */
export function cutOff(kind: EncodeOptions["cut"]): Buffer {
  return Buffer.from([ESC, 0x40, ...cut(kind)]);
}

function cut(kind: EncodeOptions["cut"]): number[] {
  switch (kind) {
    // Function B of GS V feeds to the knife first.
    case "full":
      return [GS, 0x56, 65, 0];
    case "partial":
      return [GS, 0x56, 66, 0];
    case "none":
      return [ESC, 0x64, TEAR_FEED_LINES];
  }
}

function encodeLine(line: PaperLine, options: EncodeOptions, missing: Set<string>): number[] {
  if (line.kind === "qr") return encodeQr(line.data);
  const whole = substituteMissing(line.text, options.fonts);
  for (const character of whole.missing) missing.add(character);
  const shown: TextLine = { ...line, text: whole.text };
  const runs = textBytes(shown.text);
  if (runs === undefined) {
    const height = CHARACTER_DOTS * line.height + LINE_GAP_DOTS;
    return encodePicture(drawLine(shown, options.columns, height, options.fonts));
  }
  const plain = !line.bold && line.width === 1 && line.height === 1 && line.align === "left";
  if (plain || shown.text === "") return [...runs, LF];
  return [...style(line), ...runs, LF, ...style(undefined)];
}

/** Alignment, emphasis (both character sets) and size; undefined sets everything back. */
function style(line: TextLine | undefined): number[] {
  const centre = line?.align === "center" ? 1 : 0;
  const size = (((line?.width ?? 1) - 1) << 4) | ((line?.height ?? 1) - 1);
  return [ESC, 0x61, centre, ESC, 0x45, line?.bold === true ? 1 : 0, GS, 0x21, size];
}

/** Undefined when a character has to be drawn. Two-byte mode is on only around two-byte characters. */
function textBytes(text: string): number[] | undefined {
  const bytes: number[] = [];
  let twoByte = false;
  for (const character of text) {
    const code = printerBytes(character);
    if (code === undefined) return undefined;
    const wanted = code.length === 2;
    if (wanted !== twoByte) bytes.push(FS, wanted ? 0x26 : 0x2e);
    twoByte = wanted;
    bytes.push(...code);
  }
  if (twoByte) bytes.push(FS, 0x2e);
  return bytes;
}

/** GS v 0, normal density. */
function encodePicture(bitmap: Bitmap): number[] {
  const { bytesPerRow, rows } = bitmap;
  const header = [GS, 0x76, 0x30, 0, bytesPerRow & 0xff, bytesPerRow >> 8, rows & 0xff, rows >> 8];
  return [...header, ...withoutRealTimeCommands(bitmap.bits)];
}

/** Leaves out one dot wherever picture data would spell DLE EOT, DLE ENQ or DLE DC4. */
export function withoutRealTimeCommands(bits: Uint8Array): Uint8Array {
  return bits.map((byte, index) => {
    const next = bits[index + 1];
    return byte === DLE && (next === 0x04 || next === 0x05 || next === 0x14) ? 0 : byte;
  });
}

/** GS ( k functions 165 (model 2), 167 (module size), 169 (error correction), 180 (store), 181 (print). */
function encodeQr(data: string): number[] {
  const payload = Buffer.from(data, "latin1");
  const command = (...parameters: number[]): number[] => {
    const length = parameters.length + 1;
    return [GS, 0x28, 0x6b, length & 0xff, length >> 8, 0x31, ...parameters];
  };
  return [
    ESC,
    0x61,
    1,
    ...command(0x41, 0x32, 0),
    ...command(0x43, QR_MODULE_DOTS),
    ...command(0x45, QR_LEVEL_M),
    ...command(0x50, 0x30, ...payload),
    ...command(0x51, 0x30),
    LF,
    ESC,
    0x61,
    0,
  ];
}
