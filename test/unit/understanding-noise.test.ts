/**
 * Orders with the errors of a recogniser: syllables taken apart, single sounds exchanged for near ones, lost or doubled, at
 * a rate as a small recogniser has on voices it never heard. What matters is how many are understood exactly, and that
 * those understood wrongly are doubted.
 */
import { describe, expect, test } from "vitest";
import { counted } from "../../models/speaking/korean-number.ts";
import { compileMenu, understand } from "../../models/understanding/parser.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";
import { contextOf, notation } from "../support/understanding-notation.ts";

const compiled = compileMenu(CAFE_MENU, "ko");
const EMPTY = contextOf(CAFE_MENU, "");

/** mulberry32: small, seeded, good enough to draw sentences. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Onsets, vowels and codas (Unicode order) that are easily taken for one another. */
const NEAR_ONSETS = [
  [0, 1, 15],
  [3, 4, 16],
  [7, 8, 17],
  [12, 13, 14],
  [9, 10],
  [2, 5],
  [2, 6],
  [18, 15],
];
const NEAR_VOWELS = [
  [1, 5],
  [8, 13],
  [4, 8],
  [18, 13],
  [18, 4],
  [0, 2],
  [4, 6],
  [20, 19],
  [0, 4],
  [11, 10, 15],
];
const NEAR_CODAS = [
  [4, 16, 21],
  [1, 24],
  [7, 19],
  [17, 26],
  [4, 8],
  [0, 4],
  [0, 21],
  [0, 8],
];

function misheard(text: string, rate: number, random: () => number): string {
  const near = (groups: readonly (readonly number[])[], value: number) => {
    const options = groups
      .filter((group) => group.includes(value))
      .flat()
      .filter((other) => other !== value);
    return options[Math.floor(random() * options.length)] ?? value;
  };
  return [...text]
    .map((character) => {
      const code = character.charCodeAt(0) - 0xac00;
      if (code < 0 || code >= 11_172) return character;
      let [onset, vowel, coda] = [Math.floor(code / 588), Math.floor(code / 28) % 21, code % 28];
      if (random() < rate) onset = near(NEAR_ONSETS, onset);
      if (random() < rate) vowel = near(NEAR_VOWELS, vowel);
      if (random() < rate) coda = near(NEAR_CODAS, coda);
      return String.fromCharCode(0xac00 + onset * 588 + vowel * 28 + coda);
    })
    .join("");
}

type Order = { readonly text: string; readonly means: string };

function order(random: () => number): Order {
  const pick = <T>(all: readonly T[]): T => {
    const chosen = all[Math.floor(random() * all.length)];
    if (chosen === undefined) throw new Error("nothing to pick from");
    return chosen;
  };
  const parts = Array.from({ length: random() < 0.6 ? 1 : 2 }, () => {
    const item = pick(CAFE_MENU.items);
    const quantity = 1 + Math.floor(random() * 5);
    const iced = item.options.includes("temperature") && random() < 0.5;
    const large = item.options.includes("size") && random() < 0.25;
    const name = pick(item.names.ko ?? [item.id]);
    const before = `${large ? "라지 " : ""}${iced ? "아이스 " : ""}`;
    const values = [...(iced ? ["iced"] : []), ...(large ? ["large"] : [])].join(",");
    return {
      text: `${before}${name} ${counted(quantity, item.counter)}`,
      means: `+${quantity} ${item.id}${values === "" ? "" : `(${values})`}`,
    };
  });
  const ending = pick([" 주세요", "이요", " 부탁드려요", " 할게요", "", " 주시겠어요"]);
  return {
    text: `${parts.map((part) => part.text).join(pick([" ", "이랑 ", " 그리고 "]))}${ending}`.replace(
      /\s/g,
      "",
    ),
    means: parts.map((part) => part.means).join(", "),
  };
}

/** Shares of 400 drawn orders: understood exactly, and understood wrongly at a confidence that the core would act on. */
function measured(rate: number): { exact: number; wrong: number } {
  const random = randomFrom(20_260);
  const orders = Array.from({ length: 400 }, () => order(random));
  let exact = 0;
  let wrong = 0;
  for (const { text, means } of orders) {
    const understanding = understand({ text: misheard(text, rate, random) }, compiled, EMPTY, "ko");
    if (notation(understanding) === means) exact++;
    else if ((understanding?.confidence ?? 0) >= 0.7) wrong++;
  }
  return { exact: exact / orders.length, wrong: wrong / orders.length };
}

describe("drawn orders without spaces", () => {
  test.each([
    // error rate of each sound, exactly understood at least, confidently wrong at most
    [0, 1, 0],
    [0.02, 0.97, 0.02],
    [0.05, 0.95, 0.02],
    [0.1, 0.87, 0.04],
  ])("with %d of the sounds misheard", (rate, leastExact, mostWrong) => {
    const { exact, wrong } = measured(rate);
    expect(exact).toBeGreaterThanOrEqual(leastExact);
    expect(wrong).toBeLessThanOrEqual(mostWrong);
  });
});
