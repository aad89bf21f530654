/**
 * What understanding must never do, whatever it is given: throw, name something that the menu does not have, or take
 * so long that a customer notices.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BasketEdit, Options } from "../../daemon/core/intent.ts";
import type { DialogueContext, Understanding } from "../../models/model.ts";
import { koreanAdverb, lexicon, plain } from "../../models/understanding/lexicon.ts";
import { compileMenu, understand } from "../../models/understanding/parser.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";
import { contextOf, notation } from "../support/understanding-notation.ts";

const compiled = { ko: compileMenu(CAFE_MENU, "ko"), en: compileMenu(CAFE_MENU, "en") };
const vocabulary = {
  ko: lexicon(CAFE_MENU, "ko").map((entry) => entry.word),
  en: lexicon(CAFE_MENU, "en").map((entry) => entry.word),
};

const contexts: fc.Arbitrary<DialogueContext> = fc
  .constantFrom("", "1 americano", "2 mocha(iced,whipped), 3 water", "1 tteokbokki")
  .chain((basket) =>
    fc
      .constantFrom("order" as const, "confirmation" as const)
      .map((expectation) => contextOf(CAFE_MENU, basket, expectation)),
  );

function sentences(language: "ko" | "en"): fc.Arbitrary<string> {
  const word = fc.constantFrom(...vocabulary[language]);
  const noise = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.nat().map(String),
  );
  const parts = fc.array(fc.oneof({ weight: 6, arbitrary: word }, { weight: 1, arbitrary: noise }), {
    maxLength: 14,
  });
  return fc.tuple(parts, fc.constantFrom("", " ")).map(([all, between]) => all.join(between));
}

/** Fails unless everything that an understanding names is on the menu and belongs together. */
function expectOnMenu(understanding: Understanding): void {
  if (understanding === null) return;
  expect(understanding.confidence).toBeGreaterThan(0);
  expect(understanding.confidence).toBeLessThanOrEqual(1);
  const { intent } = understanding;
  if (intent.kind === "ask-price" && intent.itemId !== undefined) expectItem(intent.itemId);
  if (intent.kind !== "edit") return;
  expect(intent.edits.length).toBeGreaterThan(0);
  for (const edit of intent.edits) expectEdit(edit);
}

function expectItem(itemId: string): void {
  expect(CAFE_MENU.items.map((item) => item.id)).toContain(itemId);
}

function expectEdit(edit: BasketEdit): void {
  if (edit.itemId !== undefined) expectItem(edit.itemId);
  if (edit.kind === "replace") expectItem(edit.withItemId);
  if ("quantity" in edit && edit.quantity !== undefined) {
    expect(Number.isSafeInteger(edit.quantity)).toBe(true);
    expect(edit.quantity).toBeGreaterThan(0);
  }
  if (!("options" in edit) || edit.options === undefined) return;
  const owner = edit.kind === "replace" ? edit.withItemId : edit.itemId;
  expectOptions(edit.options, owner);
}

function expectOptions(options: Options, itemId: string | undefined): void {
  for (const [group, value] of Object.entries(options)) {
    const known = CAFE_MENU.optionGroups.find((candidate) => candidate.id === group);
    expect(known?.values.map((candidate) => candidate.id)).toContain(value);
    if (itemId !== undefined)
      expect(CAFE_MENU.items.find((item) => item.id === itemId)?.options).toContain(group);
  }
}

describe("whatever is said", () => {
  test.each(["ko", "en"] as const)("words of the lexicon in any order (%s)", (language) => {
    fc.assert(
      fc.property(sentences(language), contexts, (text, context) => {
        expectOnMenu(understand({ text }, compiled[language], context, language));
      }),
      { numRuns: 300 },
    );
  });

  test("any text at all, in any language", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        contexts,
        fc.constantFrom<"ko" | "en">("ko", "en"),
        (text, context, language) => {
          expectOnMenu(understand({ text }, compiled[language], context, language));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("alternatives and confidences at their edges", () => {
    fc.assert(
      fc.property(
        sentences("ko"),
        fc.array(fc.record({ text: sentences("ko"), score: fc.double({ noNaN: true }) }), { maxLength: 8 }),
        fc.double({ noNaN: true }),
        contexts,
        (text, alternatives, confidence, context) => {
          expectOnMenu(understand({ text, alternatives, confidence }, compiled.ko, context, "ko"));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("any quantity of digits is read as it is written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (quantity) => {
        const understanding = understand(
          { text: `아메리카노 ${quantity}잔` },
          compiled.ko,
          contextOf(CAFE_MENU, ""),
          "ko",
        );
        expect(notation(understanding)).toBe(`+${quantity} americano`);
      }),
    );
  });
});

describe("alternatives", () => {
  const context = contextOf(CAFE_MENU, "");
  test.each([
    // best text, alternatives, meaning
    [
      "아베리타도 두 단",
      [
        { text: "아베리타도 두 단", score: -1 },
        { text: "아메리카노 두 잔", score: -1.5 },
      ],
      "+2 americano",
    ],
    [
      "아메리카노 두 잔",
      [
        { text: "아메리카노 두 잔", score: -1 },
        { text: "아메리카노 세 잔", score: -9 },
      ],
      "+2 americano",
    ],
    [
      "아메리카노 두 잔",
      [
        { text: "아메리카노 두 잔", score: -1 },
        { text: "아메리카노 세 잔", score: -1.1 },
      ],
      "+2 americano",
    ],
  ])("%s with %j", (text, alternatives, means) => {
    expect(notation(understand({ text, alternatives }, compiled.ko, context, "ko"))).toBe(means);
  });

  test("a worse reading puts nothing into words that ask for nothing", () => {
    const text = "주문할게요";
    const basket = contextOf(CAFE_MENU, "1 americano");
    const alternatives = [
      { text, score: -1 },
      { text: "안 할게요", score: -3 },
    ];
    expect(understand({ text, alternatives }, compiled.ko, basket, "ko")).toBeNull();
  });

  test("a rival that is nearly as likely and means something else lowers the confidence", () => {
    const text = "아메리카노 두 잔";
    const alone = understand({ text }, compiled.ko, context, "ko")?.confidence ?? 0;
    const rivalled = understand(
      {
        text,
        alternatives: [
          { text, score: -1 },
          { text: "아메리카노 세 잔", score: -1.1 },
        ],
      },
      compiled.ko,
      context,
      "ko",
    );
    expect(rivalled?.confidence).toBeLessThan(alone);
  });

  test("what the recogniser doubts is doubted", () => {
    const text = "아메리카노 두 잔";
    const unsure = understand({ text, confidence: 0.2 }, compiled.ko, context, "ko")?.confidence;
    expect(unsure).toBeLessThan(0.7);
  });
});

describe("the lexicon", () => {
  test.each([
    ["따뜻한", "따뜻하게"],
    ["뜨거운", "뜨겁게"],
    ["차가운", "차갑게"],
    ["큰", "크게"],
    ["작은", "작게"],
    ["아이스", undefined],
  ])("%s is wished for as %s", (adjective, adverb) => {
    expect(koreanAdverb(adjective)).toBe(adverb);
  });

  test("a word that the menu uses is not a function word beside it", () => {
    const words = lexicon(CAFE_MENU, "ko");
    const menuWords = new Set(
      words
        .filter(({ sense }) => sense.kind === "item" || sense.kind === "option")
        .map(({ word }) => plain(word)),
    );
    const doubled = words.filter(
      ({ word, sense }) => sense.kind !== "item" && sense.kind !== "option" && menuWords.has(plain(word)),
    );
    expect(doubled).toEqual([]);
  });

  test("a part of a name that only one item has is understood with doubt", () => {
    const understanding = understand(
      { text: "복숭아 두 잔 주세요" },
      compiled.ko,
      contextOf(CAFE_MENU, ""),
      "ko",
    );
    expect(notation(understanding)).toBe("+2 iced-tea");
    expect(understanding?.confidence).toBeLessThan(0.7);
  });

  test.each([
    ["칼국수 두 그릇 주세요", "+2 clam-noodles"],
    ["바지락칼국수 하나", "+1 clam-noodles"],
    // Both end in it.
    ["국수 하나 주세요", "none"],
  ])("the noun of a compound: %s", (text, means) => {
    const [item] = CAFE_MENU.items;
    if (item === undefined) throw new Error("the menu has an item");
    const noodles = (id: string, name: string) => ({ ...item, id, names: { ko: [name] }, counter: "그릇" });
    const menu = {
      ...CAFE_MENU,
      items: [noodles("clam-noodles", "바지락칼국수"), noodles("cold-noodles", "동치미국수")],
    };
    expect(notation(understand({ text }, menu, contextOf(menu, ""), "ko"))).toBe(means);
  });

  test("two items that share a name are understood with doubt", () => {
    const [americano, latte] = CAFE_MENU.items;
    if (americano === undefined || latte === undefined) throw new Error("the menu has two items");
    const menu = {
      ...CAFE_MENU,
      items: [americano, { ...latte, names: { ko: ["카페라떼", "아메리카노"] } }],
    };
    const understanding = understand({ text: "아메리카노 한 잔" }, menu, contextOf(menu, ""), "ko");
    expect(understanding?.confidence).toBeLessThan(0.7);
  });
});

describe("time", () => {
  test("a long order takes 1.2 ms on a quiet machine: the fastest of 60 readings may take four times that", () => {
    const text =
      "음아이스아메리카노두잔이랑따뜻한카페라떼라지로한잔그리고치즈케이크두조각주시고요아니아메리카노는세잔으로해주세요";
    const times = Array.from({ length: 60 }, () => {
      const start = performance.now();
      understand({ text }, compiled.ko, contextOf(CAFE_MENU, ""), "ko");
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(5);
  });
});
