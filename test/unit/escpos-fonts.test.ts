/** Which characters can be drawn: the character maps of font files, installed ones and ones made here. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fontCoverage } from "../../drivers/printer/font-coverage.ts";
import { findFonts } from "../../drivers/printer/fonts.ts";

const NANUM = "/usr/share/fonts/truetype/nanum/NanumGothicCoding.ttf";

/** A font file with nothing but a cmap table holding one subtable. */
function fontWith(subtable: Buffer, platform = 3): Buffer {
  const head = Buffer.alloc(12 + 16 + 12);
  head.writeUInt16BE(1, 4);
  head.write("cmap", 12, "latin1");
  head.writeUInt32BE(28, 20);
  head.writeUInt16BE(1, 30);
  head.writeUInt16BE(platform, 32);
  head.writeUInt16BE(1, 34);
  head.writeUInt32BE(12, 36);
  return Buffer.concat([head, subtable]);
}

/** Format 4 with one segment of A to C, where B has no glyph, and the closing segment. */
function format4(): Buffer {
  const words = [4, 0, 0, 4, 0, 0, 0, 0x43, 0xffff, 0, 0x41, 0xffff, 0, 1, 4, 0, 7, 0, 9];
  const bytes = Buffer.alloc(words.length * 2);
  words.forEach((word, index) => {
    bytes.writeUInt16BE(word, index * 2);
  });
  return bytes;
}

function format12(groups: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(16 + groups.length * 12);
  bytes.writeUInt16BE(12, 0);
  bytes.writeUInt32BE(groups.length, 12);
  groups.forEach(([first, last], index) => {
    bytes.writeUInt32BE(first, 16 + index * 12);
    bytes.writeUInt32BE(last, 20 + index * 12);
  });
  return bytes;
}

describe("a font's coverage", () => {
  test.each([
    ["format 4", fontWith(format4()), "AC", "BD@"],
    [
      "format 12",
      fontWith(
        format12([
          [0x41, 0x42],
          [0x1f600, 0x1f601],
        ]),
        0,
      ),
      "AB\u{1f600}\u{1f601}",
      "C\u{1f602}",
    ],
    ["an installed font", readFileSync(NANUM), "A가똠힣1원", "☕珍\u{1f600}"],
  ])("from %s", (_name, file, present, absent) => {
    const has = fontCoverage(file);
    expect(Array.from(present).filter((character) => !has(character.codePointAt(0) ?? 0))).toEqual([]);
    expect(Array.from(absent).filter((character) => has(character.codePointAt(0) ?? 0))).toEqual([]);
  });

  test("of any bytes is read or refused with a RangeError", () => {
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })).map(([at, value]) => {
        const bytes = fontWith(format4());
        bytes[at % bytes.length] = value;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(damaged, (file) => {
        try {
          expect(typeof fontCoverage(file)(0x41)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

test.each([
  ["가", true],
  ["똠", true],
  ["A", true],
  ["\u{10ffff}", false],
])("the installed fonts can draw %j: %s", (character, expected) => {
  expect(findFonts().familyFor(character) !== undefined).toBe(expected);
});

test("no folders, no fonts", () => {
  expect(findFonts([]).familyFor("A")).toBeUndefined();
  expect(findFonts(["/nowhere"]).familyFor("A")).toBeUndefined();
});
