/** What the encoder writes, read back by the virtual printer's own parser. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePaper, withoutRealTimeCommands } from "../../drivers/printer/codec.ts";
import type { PaperLine, Scale, TextLine } from "../../drivers/printer/composition.ts";
import { type Fonts, findFonts } from "../../drivers/printer/fonts.ts";
import { columnsOf, printable, printerBytes, textColumns } from "../../drivers/printer/ks-x-1001.ts";
import { layOut } from "../../drivers/printer/layout.ts";
import { EscposParser, type Operation } from "../../drivers/printer/virtual/parser.ts";
import { RealTimeFilter } from "../../drivers/printer/virtual/real-time.ts";
import { CAFE_PAPER } from "../support/receipts.ts";

const noFonts: Fonts = { familyFor: () => undefined };
const installed = findFonts();
/** As if one font had everything, so that the tests do not depend on which fonts for Chinese a machine has. */
const fonts: Fonts = { familyFor: () => installed.familyFor("A") };
const plain = { kind: "text", align: "left", bold: false, width: 1, height: 1 } as const;
const options = { columns: 42, fonts, cut: "partial", drawer: "none" } as const;

function encode(
  lines: readonly PaperLine[],
  changes: Partial<Parameters<typeof encodePaper>[1]> = {},
): Buffer {
  return Buffer.concat([...encodePaper(lines, { ...options, ...changes }).pieces]);
}

/** The parser's operations as lines of text with their style; what is no text is shown by its kind. */
function read(bytes: Iterable<number>): (Omit<TextLine, "kind"> | string)[] {
  const parser = new EscposParser();
  const seen: (Omit<TextLine, "kind"> | string)[] = [];
  let text = "";
  let style = { align: "left", bold: false, width: 1, height: 1 } as Omit<TextLine, "kind" | "text">;
  const apply = (operation: Operation): void => {
    switch (operation.kind) {
      case "character":
        text += operation.character;
        expect(operation.columns).toBe(columnsOf(operation.character));
        return;
      case "line-feed":
        seen.push({ text, ...style });
        text = "";
        return;
      case "align":
        if (operation.to !== "right") style = { ...style, align: operation.to };
        return;
      case "bold":
        style = { ...style, bold: operation.on };
        return;
      case "size":
        style = { ...style, width: operation.width as Scale, height: operation.height as Scale };
        return;
      case "initialise":
      case "line-spacing":
        return;
      case "qr":
        seen.push(`qr ${operation.data} ${operation.level} ${operation.moduleDots}`);
        return;
      case "cut":
      case "drawer":
      case "feed-dots":
      case "picture":
      case "report":
      case "unknown":
        seen.push(operation.kind);
    }
  };
  for (const byte of bytes) for (const operation of parser.feed(byte)) apply(operation);
  return seen;
}

describe("bytes for the printer", () => {
  test.each([
    ["ASCII", "Cafe 1,000", "4361666520312c3030300a"],
    ["Hangul in two-byte mode", "가a", "1c26b0a11c2e610a"],
    ["the won sign", "₩1", "5c310a"],
  ])("%s", (_name, text, expected) => {
    expect(encode([{ ...plain, text }]).toString("hex")).toContain(`1b32${expected}`);
  });

  test("start with initialisation and Korea, and end with a cut", () => {
    const hex = encode([{ ...plain, text: "a" }]).toString("hex");
    expect(hex).toMatch(/^1b401b520d/);
    expect(hex).toMatch(/1d564200$/);
  });

  test.each([
    ["full", /1d564100$/],
    ["partial", /1d564200$/],
    ["none", /1b6405$/],
  ] as const)("cut %s", (cut, expected) => {
    expect(encode([], { cut }).toString("hex")).toMatch(expected);
  });

  test.each([
    ["pin-2", "1b700019fa"],
    ["pin-5", "1b700119fa"],
  ] as const)("drawer on %s", (drawer, expected) => {
    expect(encode([], { drawer }).toString("hex")).toContain(expected);
  });

  test("the QR code holds the sale's id", () => {
    expect(read(encode([{ kind: "qr", data: "sale-1" }]))).toContain("qr sale-1 M 5");
  });

  test("come in pieces that end between lines", () => {
    const lines = layOut(CAFE_PAPER, { columns: 42, timeZone: "Asia/Seoul" });
    const { pieces } = encodePaper(lines, options);
    expect(pieces.length).toBeGreaterThan(5);
    for (const piece of pieces.slice(0, -1)) {
      expect(piece.length).toBeLessThan(1_200);
      expect(read(piece).length).toBeGreaterThan(0);
    }
  });
});

describe("characters that the printer lacks", () => {
  test.each(["똠방각하", "펲시", "珍珠奶茶", "café", "€5", "a\\b"])(
    "%s becomes one picture of the line",
    (text) => {
      expect(read(encode([{ ...plain, text }]))).toEqual(["picture", "cut"]);
      expect(encodePaper([{ ...plain, text }], options).missing).toEqual([]);
    },
  );

  test.each([
    ["똠방", "？방"],
    ["café", "caf?"],
  ])("without fonts %s is printed as %s, and they are named", (text, shown) => {
    const { pieces, missing } = encodePaper([{ ...plain, text }], { ...options, fonts: noFonts });
    expect(read(Buffer.concat([...pieces]))[0]).toMatchObject({ text: shown });
    expect(missing).toEqual(Array.from(text).filter((character) => printerBytes(character) === undefined));
    expect(textColumns(shown)).toBe(textColumns(text));
  });

  test("a picture has black dots in its line and nowhere else", () => {
    const parser = new EscposParser();
    const pictures = [...encode([{ ...plain, text: "똠" }])]
      .flatMap((byte) => parser.feed(byte))
      .filter((o) => o.kind === "picture");
    const [picture] = pictures;
    if (picture?.kind !== "picture") throw new Error("no picture");
    expect([picture.bytesPerRow, picture.rows]).toEqual([63, 30]);
    const used = [...picture.bits].flatMap((byte, index) =>
      byte === 0 ? [] : [index % picture.bytesPerRow],
    );
    expect(used.length).toBeGreaterThan(20);
    expect(Math.max(...used)).toBeLessThan(3);
  });
});

/** Characters of the printer's own sets, from the whole of KS X 1001. */
const printableText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.integer({ min: 0xac00, max: 0xd7a3 }),
      fc.integer({ min: 0x4e00, max: 0x9fff }),
      fc.integer({ min: 0xa0, max: 0x2fff }),
      fc.constant(0x20a9),
    ),
    { maxLength: 20 },
  )
  .map((codes) =>
    codes
      .map((code) => String.fromCodePoint(code))
      .filter((c) => printerBytes(c) !== undefined)
      .join(""),
  );

describe("any text", () => {
  const scale = fc.constantFrom<Scale>(1, 2, 3);
  const line = fc.record({
    kind: fc.constant("text" as const),
    text: printableText,
    align: fc.constantFrom("left" as const, "center" as const),
    bold: fc.boolean(),
    width: scale,
    height: scale,
  });

  test("of the printer's characters comes back the same, with its style", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const back = read(encode(lines, { fonts: noFonts }));
        const expected = lines.map(({ kind: _kind, ...rest }) =>
          rest.text === "" ? { text: "", align: "left", bold: false, width: 1, height: 1 } : rest,
        );
        expect(back).toEqual([...expected, "cut"]);
      }),
      { numRuns: 300 },
    );
  });

  test("whatever it is holds no real-time command and no unknown one", () => {
    const anything = fc.record({ text: fc.string({ unit: "binary", maxLength: 12 }), bold: fc.boolean() });
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 3 }), (given) => {
        const bytes = encode(given.map((one) => ({ ...plain, ...one, text: printable(one.text) })));
        expect([...new RealTimeFilter().take(bytes)].filter((item) => item.kind === "command")).toEqual([]);
        expect(read(bytes)).not.toContain("unknown");
      }),
      { numRuns: 60 },
    );
  });

  test("in a picture cannot spell a real-time command", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const nasty = fc
      .array(fc.constantFrom(0x10, 0x04, 0x05, 0x14, 1, 2), { maxLength: 200 })
      .map((all) => Uint8Array.from(all));
    fc.assert(
      fc.property(fc.oneof(bytes, nasty), (bits) => {
        const safe = withoutRealTimeCommands(bits);
        expect([...new RealTimeFilter().take(safe)].filter((item) => item.kind === "command")).toEqual([]);
        // Only ever the one dot of a DLE goes.
        expect(
          safe.every((byte, index) => byte === bits[index] || (bits[index] === 0x10 && byte === 0)),
        ).toBe(true);
      }),
    );
  });
});

describe("the printer's character set", () => {
  test("is KS X 1001 and not code page 949", () => {
    const count = (from: number, to: number): number =>
      Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)).filter(
        (c) => printerBytes(c) !== undefined,
      ).length;
    expect(count(0xac00, 0xd7a3)).toBe(2_350);
    expect(count(0x4e00, 0x9fff) + count(0xf900, 0xfaff)).toBe(4_888);
    expect(count(0x20, 0x7e)).toBe(94);
  });

  test.each([
    ["A", 1],
    ["₩", 1],
    ["é", 1],
    ["가", 2],
    ["똠", 2],
    ["×", 2],
    ["漢", 2],
    ["汉", 2],
    ["ㄱ", 2],
    ["☕", 2],
    ["😀", 2],
  ])("%s takes %i columns", (character, columns) => {
    expect(columnsOf(character)).toBe(columns);
  });

  test.each([
    ["각", "각"],
    ["a\tb\n c", "a b c"],
    ["\u200da\u0000b\u0301\u202e", "ab́".normalize("NFC").replace(/\p{M}/gu, "")],
    ["  x  ", "x"],
  ])("%j is printed as %j", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});
