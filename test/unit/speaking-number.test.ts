/** Numbers, amounts and particles as they are said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { englishAmount, englishCaption, koreanAmount, koreanCaption } from "../../models/speaking/amounts.ts";
import { englishNumber, plural } from "../../models/speaking/english-number.ts";
import {
  counted,
  nativeNumber,
  nativeNumberAlone,
  sinoNumber,
  withParticle,
} from "../../models/speaking/korean-number.ts";

describe("Sino-Korean", () => {
  test.each([
    [0n, "영"],
    [1n, "일"],
    [6n, "육"],
    [10n, "십"],
    [11n, "십일"],
    [20n, "이십"],
    [99n, "구십구"],
    [100n, "백"],
    [101n, "백일"],
    [110n, "백십"],
    [111n, "백십일"],
    [999n, "구백구십구"],
    [1_000n, "천"],
    [1_500n, "천오백"],
    [4_000n, "사천"],
    [4_500n, "사천오백"],
    [9_999n, "구천구백구십구"],
    [10_000n, "만"],
    [10_001n, "만 일"],
    [11_000n, "만 천"],
    [14_000n, "만 사천"],
    [15_000n, "만 오천"],
    [14_900n, "만 사천구백"],
    [20_000n, "이만"],
    [21_000n, "이만 천"],
    [100_000n, "십만"],
    [110_000n, "십일만"],
    [123_450n, "십이만 삼천사백오십"],
    [1_000_000n, "백만"],
    [10_000_000n, "천만"],
    [100_000_000n, "일억"],
    [110_000_000n, "일억 천만"],
    [100_010_000n, "일억 일만"],
    [1_000_000_000_000n, "일조"],
    [-3_500n, "마이너스 삼천오백"],
  ])("%s is %s", (value, words) => {
    expect(sinoNumber(value)).toBe(words);
  });

  test("is never empty and different for different values", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        (a, b) => {
          expect(sinoNumber(a)).toMatch(/^[영일이삼사오육칠팔구십백천만억조 ]+$/);
          if (a !== b) expect(sinoNumber(a)).not.toBe(sinoNumber(b));
        },
      ),
    );
  });

  test("reads back to the value it was made from", () => {
    const digits = "영일이삼사오육칠팔구";
    const units: Readonly<Record<string, bigint>> = { 십: 10n, 백: 100n, 천: 1_000n };
    const myriads: Readonly<Record<string, bigint>> = { 만: 10n ** 4n, 억: 10n ** 8n, 조: 10n ** 12n };
    const readNumber = (words: string) => {
      let total = 0n;
      let section = 0n;
      let digit = 0n;
      for (const character of words.replace(/ /g, "")) {
        const myriad = myriads[character];
        const unit = units[character];
        if (myriad !== undefined) {
          const part = section + digit;
          total += (part === 0n ? 1n : part) * myriad;
          section = 0n;
          digit = 0n;
        } else if (unit !== undefined) {
          section += (digit === 0n ? 1n : digit) * unit;
          digit = 0n;
        } else digit = BigInt(digits.indexOf(character));
      }
      return total + section + digit;
    };
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 16n - 1n }), (value) => {
        expect(readNumber(sinoNumber(value))).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe("native Korean and counters", () => {
  test.each([
    [1, "잔", "한 잔"],
    [2, "잔", "두 잔"],
    [3, "잔", "세 잔"],
    [4, "잔", "네 잔"],
    [5, "개", "다섯 개"],
    [6, "병", "여섯 병"],
    [10, "잔", "열 잔"],
    [11, "잔", "열한 잔"],
    [12, "잔", "열두 잔"],
    [19, "개", "열아홉 개"],
    [20, "잔", "스무 잔"],
    [21, "잔", "스물한 잔"],
    [24, "개", "스물네 개"],
    [30, "잔", "서른 잔"],
    [45, "개", "마흔다섯 개"],
    [99, "개", "아흔아홉 개"],
    [100, "잔", "백 잔"],
    [120, "잔", "백이십 잔"],
    [18_000, "잔", "만 팔천 잔"],
    [1, "인분", "일 인분"],
    [2, "인분", "이 인분"],
    [10, "인분", "십 인분"],
    [3, "조각", "세 조각"],
    [4, "그릇", "네 그릇"],
  ])("%d %s is %s", (value, counter, words) => {
    expect(counted(value, counter)).toBe(words);
  });

  test.each([
    [1, "하나", "한"],
    [3, "셋", "세"],
    [11, "열하나", "열한"],
    [20, "스물", "스무"],
    [22, "스물둘", "스물두"],
    [0, "영", "영"],
  ])("%d alone is %s, before a counter %s", (value, alone, before) => {
    expect(nativeNumberAlone(value)).toBe(alone);
    expect(nativeNumber(value)).toBe(before);
  });
});

describe("particles", () => {
  test.each([
    ["아메리카노", "아메리카노를", "아메리카노가", "아메리카노로", "아메리카노는"],
    ["소금빵", "소금빵을", "소금빵이", "소금빵으로", "소금빵은"],
    ["물", "물을", "물이", "물로", "물은"],
    ["콜라 1", "콜라 1을", "콜라 1이", "콜라 1로", "콜라 1은"],
    ["세트 2", "세트 2를", "세트 2가", "세트 2로", "세트 2는"],
    ["세트 3", "세트 3을", "세트 3이", "세트 3으로", "세트 3은"],
    ["메뉴 7", "메뉴 7을", "메뉴 7이", "메뉴 7로", "메뉴 7은"],
    ["메뉴 10", "메뉴 10을", "메뉴 10이", "메뉴 10으로", "메뉴 10은"],
    ["BLT", "BLT를", "BLT가", "BLT로", "BLT는"],
    ["사이즈 L", "사이즈 L을", "사이즈 L이", "사이즈 L로", "사이즈 L은"],
    ["사이즈 M", "사이즈 M을", "사이즈 M이", "사이즈 M으로", "사이즈 M은"],
    ["Latte", "Latte를", "Latte가", "Latte로", "Latte는"],
    ["Lemon", "Lemon을", "Lemon이", "Lemon으로", "Lemon은"],
    ["라떼 (대)", "라떼 (대)를", "라떼 (대)가", "라떼 (대)로", "라떼 (대)는"],
  ])("%s", (name, object, subject, direction, topic) => {
    expect(withParticle(name, "을/를")).toBe(object);
    expect(withParticle(name, "이/가")).toBe(subject);
    expect(withParticle(name, "으로/로")).toBe(direction);
    expect(withParticle(name, "은/는")).toBe(topic);
  });

  test("any name gets one of the two", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        expect([`${name}을`, `${name}를`]).toContain(withParticle(name, "을/를"));
      }),
    );
  });
});

describe("amounts", () => {
  test.each([
    // minor units, currency, Korean, Korean caption, English, English caption
    [15_000n, "KRW", "만 오천 원", "15,000원", "fifteen thousand won", "15,000 won"],
    [500n, "KRW", "오백 원", "500원", "five hundred won", "500 won"],
    [0n, "KRW", "영 원", "0원", "zero won", "0 won"],
    [1_550n, "USD", "십오 달러 오십 센트", "15.50달러", "fifteen dollars and fifty cents", "$15.50"],
    [100n, "USD", "일 달러", "1.00달러", "one dollar", "$1.00"],
    [1n, "USD", "일 센트", "0.01달러", "one cent", "$0.01"],
    [250n, "EUR", "이 유로 오십 센트", "2.50유로", "two euros and fifty cents", "€2.50"],
    [1_200n, "JPY", "천이백 엔", "1,200엔", "one thousand two hundred yen", "¥1,200"],
    [
      -4_500n,
      "KRW",
      "마이너스 사천오백 원",
      "-4,500원",
      "minus four thousand five hundred won",
      "-4,500 won",
    ],
    [1_505n, "KWD", "일 점 오영오 KWD", "1.505 KWD", "one point five zero five KWD", "1.505 KWD"],
  ])("%s %s", (minor, currency, korean, koreanText, english, englishText) => {
    const amount = { minor, currency };
    expect(koreanAmount(amount)).toBe(korean);
    expect(koreanCaption(amount)).toBe(koreanText);
    expect(englishAmount(amount)).toBe(english);
    expect(englishCaption(amount)).toBe(englishText);
  });
});

describe("English numbers", () => {
  test.each([
    [0n, "zero"],
    [7n, "seven"],
    [13n, "thirteen"],
    [20n, "twenty"],
    [21n, "twenty-one"],
    [100n, "one hundred"],
    [115n, "one hundred fifteen"],
    [4_500n, "four thousand five hundred"],
    [123_450n, "one hundred twenty-three thousand four hundred fifty"],
    [1_000_001n, "one million one"],
    [-5n, "minus five"],
  ])("%s is %s", (value, words) => {
    expect(englishNumber(value)).toBe(words);
  });

  test.each([
    ["latte", "lattes"],
    ["cheesecake", "cheesecakes"],
    ["peach", "peaches"],
    ["pastry", "pastries"],
    ["espresso", "espressos"],
  ])("%s, %s", (one, many) => {
    expect(plural(one)).toBe(many);
  });
});
