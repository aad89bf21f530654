/** The decoder against log-probabilities that are spelled out, so no model is needed. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readMenu } from "../../daemon/menu-file.ts";
import { Decoder } from "../../models/hearing/decoder.ts";
import { buildLexicon } from "../../models/hearing/lexicon.ts";
import { spelledSpeech, testAlphabet } from "../support/spelled-speech.ts";

const menu = readMenu(fileURLToPath(new URL("../../daemon/menu.example.yaml", import.meta.url)));
const korean = new Decoder(testAlphabet, buildLexicon(menu, "ko", testAlphabet), "ko");
const english = new Decoder(testAlphabet, buildLexicon(menu, "en", testAlphabet), "en");

function hear(decoder: Decoder, text: string, options = {}, expectation: "order" | "confirmation" = "order") {
  const { logProbs, frames } = spelledSpeech(text, options);
  return decoder.decode(logProbs, frames, expectation);
}

const solid = (text: string | undefined) => text?.replaceAll(" ", "");

const ORDERS = [
  "아메리카노 두 잔 주세요",
  "아이스 아메리카노 한 잔이랑 치즈케이크 하나 주세요",
  "따뜻한 카페라떼 세 잔 하고 크루아상 네 개요",
  "생수 열두 병 주세요",
  "자몽에이드 하나 빼 주세요",
  "바닐라라떼 말고 카페모카 주세요",
  "소금빵 다섯 개 카드로",
  "네",
  "아니요",
  "취소",
  "도와주세요",
  "얼마예요",
  "큰 걸로 하나 더요",
];

describe("korean", () => {
  it.each(ORDERS)("hears %s", (text) => {
    const { hypotheses } = hear(korean, text);
    expect(solid(hypotheses[0]?.text)).toBe(solid(text));
    expect(hypotheses[0]?.confidence).toBeGreaterThan(0.9);
    expect(hypotheses.length).toBeLessThanOrEqual(8);
  });

  it.each(ORDERS.slice(0, 7))("hears %s with noise and one label in thirty wrong", (text) => {
    const heard = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter(
      (seed) =>
        solid(hear(korean, text, { seed, mistakes: 0.033, noise: 1 }).hypotheses[0]?.text) === solid(text),
    );
    expect(heard.length).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ["아메리카노 세 짠 주세요", "아메리카노세잔주세요"],
    ["카페라테 두 잔 주세요", "카페라떼두잔주세요"],
    ["크루아사 하나 주세요", "크루아상하나주세요"],
    ["초코쿠기 하나 주세여", "초코쿠키하나주세여"],
    ["녹짜 두 잔", "녹차두잔"],
    ["유자차 하나 조세요", "유자차하나주세요"],
  ])("reads %s as %s", (said, meant) => {
    expect(solid(hear(korean, said).hypotheses[0]?.text)).toBe(meant);
  });

  it("puts words in their places", () => {
    const words = hear(korean, "아메리카노 두 잔 주세요").hypotheses[0]?.words ?? [];
    expect(words.map((word) => word.text)).toEqual(["아메리카노", "두", "잔", "주세요"]);
    const ends = words.map((word) => word.toFrame);
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    expect(words.every((word) => word.known && word.confidence > 0.9)).toBe(true);
  });

  it.each([
    "오늘 날씨가 참 좋네",
    "축구 결과 알려 줘",
    "비밀번호가 뭐였더라",
    "몰라요",
    "화장실 어디예요",
    "텔레비전 프로그램",
  ])("does not bend %s into an order", (text) => {
    const names = menu.items.flatMap((item) => item.names.ko ?? []);
    const words = hear(korean, text).hypotheses[0]?.words ?? [];
    expect(words.filter((word) => word.known && names.includes(word.text))).toEqual([]);
  });

  it("hears nothing in blanks", () => expect(hear(korean, "").hypotheses).toEqual([]));

  it("keeps the words around an unknown one", () => {
    const best = hear(korean, "아메리카노 두 잔 그리고 콤푸차 하나 주세요").hypotheses[0];
    expect(best?.words.filter((word) => word.known).map((word) => word.text)).toEqual(
      expect.arrayContaining(["아메리카노", "두", "잔", "그리고", "하나", "주세요"]),
    );
    expect(best?.words.find((word) => !word.known)?.text).toContain("콤");
  });

  it("takes a bare yes for a yes when one is expected", () => {
    expect(hear(korean, "네", { noise: 1 }, "confirmation").hypotheses[0]?.text).toBe("네");
  });
});

describe("english", () => {
  it.each([
    "two iced americanos please",
    "can i get a large vanilla latte and a chocolate cookie",
    "three ham and cheese sandwiches and one water",
    "remove the croissant",
    "yes please",
    "no",
    "that's all",
    "how much is the grapefruit ade",
  ])("hears %s", (text) => {
    expect(hear(english, text).hypotheses[0]?.text).toBe(text);
  });
});

it("takes under 150 ms for 3 s of speech with noise", () => {
  const { logProbs, frames } = spelledSpeech("따뜻한 카페라떼 세 잔 하고 크루아상 네 개 주세요", {
    noise: 1.5,
  });
  for (let i = 0; i < 5; i += 1) korean.decode(logProbs, frames, "order");
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    korean.decode(logProbs, frames, "order");
    return performance.now() - start;
  });
  expect(Math.min(...times)).toBeLessThan(150);
});
