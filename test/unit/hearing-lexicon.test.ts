/** Spelling: text to labels and back, numbers and letters in names, other spellings, and what a menu adds to the tree. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMenu } from "../../daemon/menu-file.ts";
import { Alphabet, koreanSpoken } from "../../models/hearing/alphabet.ts";
import { Decoder } from "../../models/hearing/decoder.ts";
import { englishSpellings, soundsLike } from "../../models/hearing/english-spellings.ts";
import { buildLexicon } from "../../models/hearing/lexicon.ts";
import { englishNumber, sinoKorean } from "../../models/hearing/number-words.ts";
import { spelledSpeech, TEST_TOKENS, testAlphabet } from "../support/spelled-speech.ts";

const fixture = (name: string) =>
  readMenu(fileURLToPath(new URL(`../fixtures/menus/${name}`, import.meta.url)));

describe("alphabet", () => {
  const hangul = fc.string({
    unit: fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCodePoint(code)),
  });

  it("gives every Korean text back, with the silent onset left out", () => {
    fc.assert(
      fc.property(hangul, (text) => {
        expect(testAlphabet.decode(testAlphabet.encode(text) ?? [])).toBe(text);
      }),
    );
  });

  it("gives every Korean text back, with the silent onset written", () => {
    const written = new Alphabet([...TEST_TOKENS, "\u110b"], "written");
    fc.assert(
      fc.property(hangul, (text) => {
        expect(written.decode(written.encode(text) ?? [])).toBe(text);
      }),
    );
  });

  it.each([
    ["spaces and marks", "flat white, 주세요!", "flatwhite주세요"],
    ["capital letters", "LATTE", "latte"],
  ])("leaves out %s", (_, text, expected) => {
    expect(testAlphabet.decode(testAlphabet.encode(text) ?? [])).toBe(expected);
  });

  it.each(["拿铁", "7", "кофе"])("has no labels for %s", (text) =>
    expect(testAlphabet.encode(text)).toBeUndefined(),
  );

  it("listens to jamo in Korean and to letters in English", () => {
    const [korean, english] = [testAlphabet.labelsOf("ko"), testAlphabet.labelsOf("en")];
    expect([korean[0], english[0]]).toEqual([1, 1]);
    expect(korean[testAlphabet.indexOf("a") ?? 0]).toBe(0);
    expect(english[testAlphabet.indexOf("\u1161") ?? 0]).toBe(0);
  });
});

describe("numbers", () => {
  it.each([
    [0, "영", "zero"],
    [7, "칠", "seven"],
    [10, "십", "ten"],
    [21, "이십일", "twenty one"],
    [105, "백오", "one hundred five"],
    [1_100, "천백", "one thousand one hundred"],
    [12_500, "만이천오백", "twelve thousand five hundred"],
    [340_000, "삼십사만", "three hundred forty thousand"],
  ])("%i", (value, korean, english) => {
    expect([sinoKorean(value), englishNumber(value)]).toEqual([korean, english]);
  });
});

it.each([
  ["BLT 샌드위치", "비엘티 샌드위치"],
  ["세븐업 500", "세븐업 오백"],
  ["카페라떼", "카페라떼"],
])("says %s as %s", (name, spoken) => expect(koreanSpoken(name)).toBe(spoken));

it.each([
  ["flat white", ["flat whit", "flat wite", "flat wit"]],
  ["knife", ["knif", "nife", "nif"]],
  ["coffee", ["cofee", "coffe", "cofe"]],
  ["egg", ["eg"]],
  ["tart", []],
])("hears %s also as %j", (word, spellings) => expect(englishSpellings(word)).toEqual(spellings));

it("takes for and to for numbers where a number belongs", () => {
  expect([soundsLike("four"), soundsLike("two")]).toEqual([
    expect.arrayContaining(["for"]),
    expect.arrayContaining(["to"]),
  ]);
  expect(soundsLike("constructor")).toEqual([]);
});

describe("a menu", () => {
  it("that was never seen brings its words along", () => {
    const menu = fixture("flower-shop.yaml");
    const decoder = new Decoder(testAlphabet, buildLexicon(menu, "ko", testAlphabet), "ko");
    const { logProbs, frames } = spelledSpeech("상자포장 라넌큘러스 다섯 송이랑 유칼립투스 한 단 주세요", {
      noise: 1,
    });
    expect(decoder.decode(logProbs, frames, "order").hypotheses[0]?.text.replaceAll(" ", "")).toBe(
      "상자포장라넌큘러스다섯송이랑유칼립투스한단주세요",
    );
  });

  it("is known by parts of its names, by plurals and without a weak sound", () => {
    const menu = fixture("diner.yaml");
    const decoder = new Decoder(testAlphabet, buildLexicon(menu, "en", testAlphabet), "en");
    const hear = (text: string) => {
      const { logProbs, frames } = spelledSpeech(text);
      return decoder.decode(logProbs, frames, "order").hypotheses[0]?.text;
    };
    expect(hear("two club sandwiches and onion rings please")).toBe(
      "two club sandwiches and onion rings please",
    );
    expect(hear("one sandwich please")).toBe("one sandwich please");
    expect(hear("three blueberry pacakes")).toBe("three blueberry pancakes");
  });

  it("names what cannot be spelled instead of losing it silently", () => {
    const menu = fixture("flower-shop.yaml");
    const rose = { id: "rose", names: { ko: ["玫瑰"] }, price: 1n, counter: "송이", options: [] };
    expect(buildLexicon({ ...menu, items: [...menu.items, rose] }, "ko", testAlphabet).unspoken).toEqual([
      "玫瑰",
    ]);
  });
});
