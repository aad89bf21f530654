/**
 * ESC/POS as a printer reads it: one byte at a time in, operations out. Written from Epson's command reference, apart
 * from the driver's encoder, so that a mistake in one shows in the other.
 *
 * A generator holds the place in a half-received command; a printer does the same in its firmware.
 */
import iconv from "iconv-lite";

export type Operation =
  | { readonly kind: "initialise" }
  /** `columns` is 1 for font A's 12 dots and 2 for a two-byte character's 24. */
  | { readonly kind: "character"; readonly character: string; readonly columns: 1 | 2 }
  | { readonly kind: "line-feed"; readonly lines: number }
  | { readonly kind: "feed-dots"; readonly dots: number }
  | { readonly kind: "line-spacing"; readonly dots: number }
  | { readonly kind: "bold"; readonly on: boolean }
  | { readonly kind: "size"; readonly width: number; readonly height: number }
  | { readonly kind: "align"; readonly to: "left" | "center" | "right" }
  | {
      readonly kind: "picture";
      readonly bytesPerRow: number;
      readonly rows: number;
      readonly bits: Uint8Array;
    }
  | {
      readonly kind: "qr";
      readonly data: string;
      readonly moduleDots: number;
      readonly level: "L" | "M" | "Q" | "H";
    }
  | { readonly kind: "cut"; readonly full: boolean; readonly feed: boolean }
  | { readonly kind: "drawer"; readonly pin: 2 | 5 }
  /** GS r n: to be answered when its turn comes. */
  | { readonly kind: "report"; readonly of: number }
  | { readonly kind: "unknown"; readonly bytes: readonly number[] };

type Read = Generator<Operation | undefined, number, number>;
type Run = Generator<Operation | undefined, void, number>;

/** Larger pictures and codes are refused like a printer without the memory for them: their bytes print as text. */
const MAX_PICTURE_BYTES = 256 * 1_024;
const DEFAULT_SPACING_DOTS = 30;
const QR_LEVELS = ["L", "M", "Q", "H"] as const;

export class EscposParser {
  #run: Run = commands();

  constructor() {
    this.reset();
  }

  /** Forgets a half-received command and every setting. */
  reset(): void {
    this.#run = commands();
    this.#run.next();
  }

  /** At most two operations come out of one byte. */
  feed(byte: number): Operation[] {
    const operations: Operation[] = [];
    let step = this.#run.next(byte);
    // A yielded operation asks to go on without a byte; a yielded undefined asks for the next byte.
    while (step.done !== true && step.value !== undefined) {
      operations.push(step.value);
      step = this.#run.next(0);
    }
    return operations;
  }
}

function* byte(): Read {
  return yield undefined;
}

type Modes = { korea: boolean; twoByte: boolean; qr: { data: string; moduleDots: number; level: number } };

function* commands(): Run {
  const modes: Modes = { korea: false, twoByte: false, qr: { data: "", moduleDots: 3, level: 0 } };
  for (;;) {
    const first = yield* byte();
    if (first === 0x1b) yield* escapeCommand(modes);
    else if (first === 0x1c) yield* fieldCommand(modes);
    else if (first === 0x1d) yield* groupCommand(modes);
    else if (first === 0x0a) yield { kind: "line-feed", lines: 1 };
    else if (first >= 0x20) yield* printed(first, modes);
    // NUL, CR and the other control characters print nothing.
  }
}

function* printed(first: number, modes: Modes): Run {
  if (first < 0x80) {
    yield {
      kind: "character",
      character: modes.korea && first === 0x5c ? "\u20a9" : String.fromCharCode(first),
      columns: 1,
    };
    return;
  }
  if (!modes.twoByte || first < 0xa1 || first > 0xfe) {
    yield { kind: "character", character: "\ufffd", columns: 1 };
    return;
  }
  const second = yield* byte();
  const known =
    second >= 0xa1 && second <= 0xfe && !(first >= 0xad && first <= 0xaf) && first !== 0xc9 && first !== 0xfe;
  const decoded = known ? iconv.decode(Buffer.from([first, second]), "euc-kr") : "\ufffd";
  yield { kind: "character", character: decoded, columns: 2 };
}

function* escapeCommand(modes: Modes): Run {
  const code = yield* byte();
  switch (code) {
    case 0x40:
      Object.assign(modes, { korea: false, twoByte: false, qr: { data: "", moduleDots: 3, level: 0 } });
      yield { kind: "initialise" };
      return;
    case 0x32:
      yield { kind: "line-spacing", dots: DEFAULT_SPACING_DOTS };
      return;
    case 0x33:
      yield { kind: "line-spacing", dots: yield* byte() };
      return;
    case 0x45:
      yield { kind: "bold", on: ((yield* byte()) & 1) === 1 };
      return;
    case 0x4a:
      yield { kind: "feed-dots", dots: yield* byte() };
      return;
    case 0x52:
      modes.korea = (yield* byte()) === 13;
      return;
    case 0x61:
      yield { kind: "align", to: (["left", "center", "right"] as const)[(yield* byte()) % 48] ?? "left" };
      return;
    case 0x64:
      yield { kind: "line-feed", lines: yield* byte() };
      return;
    case 0x70: {
      const pin = (yield* byte()) % 48 === 0 ? 2 : 5;
      yield* byte();
      yield* byte();
      yield { kind: "drawer", pin };
      return;
    }
    default:
      yield { kind: "unknown", bytes: [0x1b, code] };
  }
}

function* fieldCommand(modes: Modes): Run {
  const code = yield* byte();
  if (code === 0x26) modes.twoByte = true;
  else if (code === 0x2e) modes.twoByte = false;
  else yield { kind: "unknown", bytes: [0x1c, code] };
}

function* groupCommand(modes: Modes): Run {
  const code = yield* byte();
  switch (code) {
    case 0x21: {
      const n = yield* byte();
      yield { kind: "size", width: ((n >> 4) & 7) + 1, height: (n & 7) + 1 };
      return;
    }
    case 0x28:
      yield* extended(modes);
      return;
    case 0x56: {
      const m = yield* byte();
      const feed = m === 65 || m === 66;
      if (feed) yield* byte();
      yield { kind: "cut", full: m === 0 || m === 48 || m === 65, feed };
      return;
    }
    case 0x72:
      yield { kind: "report", of: yield* byte() };
      return;
    case 0x76:
      yield* picture();
      return;
    default:
      yield { kind: "unknown", bytes: [0x1d, code] };
  }
}

/** GS v 0 m xL xH yL yH d... */
function* picture(): Run {
  const zero = yield* byte();
  yield* byte();
  const bytesPerRow = yield* word();
  const rows = yield* word();
  const size = bytesPerRow * rows;
  if (zero !== 0x30 || size > MAX_PICTURE_BYTES) {
    yield { kind: "unknown", bytes: [0x1d, 0x76, zero] };
    return;
  }
  const bits = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bits[index] = yield* byte();
  yield { kind: "picture", bytesPerRow, rows, bits };
}

/** GS ( x pL pH ...: only k with symbol 49 (QR) is carried out, the others are skipped by their length. */
function* extended(modes: Modes): Run {
  const letter = yield* byte();
  const length = yield* word();
  const parameters: number[] = [];
  for (let index = 0; index < length; index += 1) parameters.push(yield* byte());
  const [symbol, operation, ...rest] = parameters;
  if (letter !== 0x6b || symbol !== 49) {
    yield { kind: "unknown", bytes: [0x1d, 0x28, letter] };
    return;
  }
  const { qr } = modes;
  if (operation === 67) qr.moduleDots = rest[0] ?? qr.moduleDots;
  else if (operation === 69) qr.level = (rest[0] ?? 48) - 48;
  else if (operation === 80) qr.data = Buffer.from(rest.slice(1)).toString("latin1");
  else if (operation === 81) {
    yield { kind: "qr", data: qr.data, moduleDots: qr.moduleDots, level: QR_LEVELS[qr.level] ?? "L" };
  }
}

function* word(): Read {
  const low = yield* byte();
  const high = yield* byte();
  return low | (high << 8);
}
