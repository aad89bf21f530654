/** Korean utterances at a counter and what they mean. Confidence: sure is at least 0.7, otherwise the row says less. */
import { describe, expect, test } from "vitest";
import type { Expectation } from "../../models/model.ts";
import { compileMenu, understand } from "../../models/understanding/parser.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";
import { contextOf, notation } from "../support/understanding-notation.ts";

const compiled = compileMenu(CAFE_MENU, "ko");

type Row = readonly [said: string, means: string];

function table(title: string, basket: string, expectation: Expectation, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)("%s", (said, means) => {
      const context = contextOf(CAFE_MENU, basket, expectation);
      expect(notation(understand({ text: said }, compiled, context, "ko"))).toBe(means);
      // A recogniser gives no spaces: the meaning must not hang on them.
      expect(notation(understand({ text: said.replace(/[\s,.?!]/g, "") }, compiled, context, "ko"))).toBe(
        means,
      );
    });
  });
}

table("orders into an empty basket", "", "order", [
  ["아메리카노 주세요", "+1 americano"],
  ["아메리카노", "+1 americano"],
  ["아메리카노 한 잔 주세요", "+1 americano"],
  ["아메리카노 두 잔이요", "+2 americano"],
  ["아메리카노 세 잔 부탁드려요", "+3 americano"],
  ["아메리카노 네 잔 주세요", "+4 americano"],
  ["네 아메리카노 네 잔 주세요", "+4 americano"],
  ["네 아메리카노 주세요", "+1 americano"],
  ["아메리카노 다섯 잔 할게요", "+5 americano"],
  ["아메리카노 열 잔", "+10 americano"],
  ["아메리카노 열두 잔", "+12 americano"],
  ["아메리카노 스무 잔 주문할게요", "+20 americano"],
  ["아메리카노 스물한 잔", "+21 americano"],
  ["아메리카노 서른다섯 잔 주세요", "+35 americano"],
  ["아메리카노 이십 잔", "+20 americano"],
  ["아메리카노 십이 잔 주세요", "+12 americano"],
  ["아메리카노 백 잔 주세요", "+100 americano"],
  ["아메리카노 만 팔천 잔", "+18000 americano"],
  ["아메리카노 18000잔", "+18000 americano"],
  ["아메리카노 18,000잔", "+18000 americano"],
  ["아메리카노 3잔이랑 라떼 2잔", "+3 americano, +2 cafe-latte"],
  ["아메리카노 하나 주세요", "+1 americano"],
  ["아메리카노 둘 라떼 하나", "+2 americano, +1 cafe-latte"],
  ["아메리카노 하나하고 라떼 둘이요", "+1 americano, +2 cafe-latte"],
  ["아이스 아메리카노 두 잔 주세요", "+2 americano(iced)"],
  ["아메리카노 두 잔 아이스로 주세요", "+2 americano(iced)"],
  ["아메리카노 아이스로 두 잔 주세요", "+2 americano(iced)"],
  ["아메리카노 아이스 두 잔", "+2 americano(iced)"],
  ["아메리카노 차가운 걸로 두 잔 주세요", "+2 americano(iced)"],
  ["아메리카노 두 잔 차갑게 해 주세요", "+2 americano(iced)"],
  ["시원한 아메리카노 하나 줘요", "+1 americano(iced)"],
  ["뜨거운 아메리카노 한 잔", "+1 americano(hot)"],
  ["따뜻한 라떼 한 잔이랑 아이스 아메리카노 두 잔 주세요", "+1 cafe-latte(hot), +2 americano(iced)"],
  ["아메리카노 따뜻하게 한 잔 주세요", "+1 americano(hot)"],
  ["라지 아메리카노 한 잔 아이스로", "+1 americano(iced,large)"],
  ["아이스 아메리카노 라지로 두 잔", "+2 americano(iced,large)"],
  ["아이스 아메리카노 큰 걸로 하나 주세요", "+1 americano(iced,large)"],
  ["큰 사이즈 아이스 라떼 두 잔이요", "+2 cafe-latte(iced,large)"],
  ["아메리카노 라지 사이즈로 세 잔 부탁합니다", "+3 americano(large)"],
  ["아메리카노 두 잔 카페라떼 한 잔", "+2 americano, +1 cafe-latte"],
  ["아메리카노 두 잔 아이스 라떼 한 잔", "+2 americano, +1 cafe-latte(iced)"],
  ["아메리카노 두 잔 아이스로 라떼 한 잔 따뜻하게", "+2 americano(iced), +1 cafe-latte(hot)"],
  [
    "아메리카노 한 잔 바닐라라떼 두 잔 치즈케이크 한 조각 주세요",
    "+1 americano, +2 vanilla-latte, +1 cheesecake",
  ],
  ["아메리카노 한 잔이랑 카페라떼 두 잔이랑 크루아상 세 개요", "+1 americano, +2 cafe-latte, +3 croissant"],
  ["카푸치노 하나 그리고 콜드브루 하나 주시겠어요", "+1 cappuccino, +1 cold-brew"],
  ["아메리카노랑 라떼 주세요", "+1 americano, +1 cafe-latte"],
  ["아메리카노랑 라떼 하나씩 주세요", "+1 americano, +1 cafe-latte"],
  ["아메리카노랑 라떼 두 잔씩 주세요", "+2 americano, +2 cafe-latte"],
  ["아메리카노 라떼 각각 세 잔이요", "+3 americano, +3 cafe-latte"],
  ["떡볶이 이 인분 주세요", "+2 tteokbokki"],
  ["떡볶이 삼 인분이랑 물 두 병", "+3 tteokbokki, +2 water"],
  ["치즈케이크 두 조각이요", "+2 cheesecake"],
  ["생수 한 병만 주세요", "+1 water"],
  ["소금빵 두 개랑 아이스티 한 잔 있어요", "+2 salt-bread, +1 iced-tea"],
  ["레몬에이드 되나요", "+1 lemonade"],
  ["카페모카 휘핑 빼고 한 잔 주세요", "+1 mocha(plain)"],
  ["휘핑 빼고 카페모카 한 잔", "+1 mocha(plain)"],
  ["아아 두 잔 주세요", "+2 americano(iced)"],
  ["뜨아 한 잔", "+1 americano(hot)"],
  ["아아 하나 뜨아 하나", "+1 americano(iced), +1 americano(hot)"],
  ["아메리카노 두 잔 하나는 따뜻하게 하나는 아이스로 주세요", "+1 americano(hot), +1 americano(iced)"],
  ["아메리카노 두 잔 주세요 하나는 아이스로요", "+1 americano(iced), +1 americano"],
  ["아메리카노 세 잔인데요 두 잔은 아이스로 주세요", "+2 americano(iced), +1 americano"],
  ["아메리카노 세 잔 중에 한 잔은 따뜻하게 나머지는 아이스로", "+1 americano(hot), +2 americano(iced)"],
  ["아메리카노 아이스 하나 뜨거운 거 하나", "+1 americano(iced), +1 americano(hot)"],
  ["아메리카노 아이스 두 잔 따뜻한 거 한 잔 주세요", "+2 americano(iced), +1 americano(hot)"],
  ["아메리카노 두 잔 아이스 하나 뜨거운 거 하나", "+1 americano(iced), +1 americano(hot)"],
  ["아메리카노 두 잔 하나는 라떼로", "+1 americano, +1 cafe-latte"],
  ["아메리카노 두 잔 아니 세 잔 주세요", "+3 americano"],
  ["아메리카노 아니 라떼 두 잔 주세요", "+2 cafe-latte"],
  ["아메리카노 두 잔 아니 라떼 두 잔이요", "+2 cafe-latte"],
  ["아이스 아메리카노 두 잔 아니 따뜻한 걸로 두 잔", "+2 americano(hot)"],
  ["아메리카노 두 잔 주세요 아니 세 잔이요", "+3 americano"],
  ["아메리카노 두 잔이랑 라떼 한 잔 아니 아메리카노는 세 잔으로 해 주세요", "+3 americano, +1 cafe-latte"],
  ["아메리카노 말고 라떼 주세요", "+1 cafe-latte"],
  ["아이스 아메리카노 말고 뜨거운 거요", "+1 americano(hot)"],
  ["아메리카노 두 잔 카드로 결제할게요", "+2 americano"],
  ["아메리카노 한 잔 먹고 갈게요", "+1 americano"],
  ["포장이요 아메리카노 한 잔이요", "+1 americano"],
  ["음 어 저기요 아메리카노 음 두 잔 주세요", "+2 americano"],
  ["그 있잖아요 아이스 아메리카노 하나만요", "+1 americano(iced)"],
  ["안녕하세요 카페라떼 하나 주문할게요", "+1 cafe-latte"],
  ["저는 라떼요", "+1 cafe-latte"],
  ["혹시 녹차라떼 따뜻한 거 한 잔 될까요", "+1 green-tea-latte(hot)"],
  ["제가 아메리카노 시킬게요", "+1 americano"],
  ["두 잔 주세요 아메리카노", "+2 americano"],
  ["복숭아 아이스티 두 잔", "+2 iced-tea"],
  ["우유 커피 하나", "+1 cafe-latte"],
]);

table("orders in many other words", "", "order", [
  [
    "아메리카노 아이스로 라지 하나랑 라떼 따뜻한 걸로 하나 주시고 치즈케이크도 하나 주세요",
    "+1 americano(iced,large), +1 cafe-latte(hot), +1 cheesecake",
  ],
  ["아이스 아메리카노 둘 따뜻한 라떼 하나 이렇게 주세요", "+2 americano(iced), +1 cafe-latte(hot)"],
  ["따뜻한 아메리카노랑 아이스 라떼 한 잔씩이요", "+1 americano(hot), +1 cafe-latte(iced)"],
  ["아메리카노 두 잔인데 하나는 아이스 하나는 핫으로요", "+1 americano(iced), +1 americano(hot)"],
  ["라떼 두 개 주시는데 하나는 라지로 해 주세요", "+1 cafe-latte(large), +1 cafe-latte"],
  ["아메리카노 하나 아니다 두 개 주세요", "+2 americano"],
  ["아메리카노 따뜻하게 하나 차갑게 둘", "+1 americano(hot), +2 americano(iced)"],
  ["아메리카노 한 잔 그리고 물도 한 병", "+1 americano, +1 water"],
  ["아이스 카페모카 라지 사이즈 휘핑 빼고 하나 주세요", "+1 mocha(iced,large,plain)"],
  ["휘핑 올려서 카페모카 하나요", "+1 mocha(whipped)"],
  ["아메리카노 4천 원짜리 하나", "+1 americano"],
  ["라떼는 한 잔만 아메리카노는 두 잔", "+1 cafe-latte, +2 americano"],
  ["뜨거운 걸로 아메리카노 한 잔", "+1 americano(hot)"],
  ["아메리카노 핫 하나 아이스 하나", "+1 americano(hot), +1 americano(iced)"],
  [
    "아메리카노 뜨거운 거 라지로 한 잔이랑 아이스 레귤러로 두 잔",
    "+1 americano(hot,large), +2 americano(iced,regular)",
  ],
  ["아메리카노 주문할게요 두 잔이요", "+2 americano"],
  ["녹차 라떼 말고 바닐라 라떼 두 잔", "+2 vanilla-latte"],
  ["아메리카노 두 잔 라떼 세 잔 아 라떼는 두 잔만요", "+2 americano, +2 cafe-latte"],
  ["아메리카노 하나 라떼 하나 둘 다 아이스로", "+1 americano(iced), +1 cafe-latte(iced)"],
  ["전부 아이스로 아메리카노 두 잔 라떼 한 잔", "+2 americano(iced), +1 cafe-latte(iced)"],
  ["아메리카노 시럽 빼고 한 잔 주세요", "+1 americano"],
  ["아메리카노 두 잔 샷 추가해서 주세요", "+2 americano"],
  ["주문할게요", "none"],
  ["커피 한 잔 주세요", "none"],
  ["아무거나 주세요", "none"],
]);

table("recognition errors", "", "order", [
  ["아매리카노 두 잔 주새요", "+2 americano"],
  ["아메리까노 한잔 주세여", "+1 americano"],
  ["아메리카누 두 짠 주세요", "+2 americano"],
  ["아이스 아메리가노 두 잔 주세요", "+2 americano(iced)"],
  ["메리카노 한 잔 주세요", "+1 americano"],
  ["카펠라떼 한 잔이요", "+1 cafe-latte"],
  ["카페라테 두 잔", "+2 cafe-latte"],
  ["바닐라 라테 한 잔", "+1 vanilla-latte"],
  ["바닐나라떼 하나", "+1 vanilla-latte"],
  ["카프치노 두 잔", "+2 cappuccino"],
  ["꼴드부르 한 잔 주세요", "+1 cold-brew"],
  ["치즈케익 한 조각", "+1 cheesecake"],
  ["크로아상 두 개", "+2 croissant"],
  ["떡보끼 이 인분", "+2 tteokbokki"],
  ["떡뽀기 삼 인분 주세요", "+3 tteokbokki"],
  ["레모네이드 한 잔", "+1 lemonade"],
  ["녹차나떼 아이스로 하나", "+1 green-tea-latte(iced)"],
  ["아이쓰 아메리카노 하나", "+1 americano(iced)"],
  ["따듯한 라떼 하나", "+1 cafe-latte(hot)"],
  ["소굼빵 네 개 주세요", "+4 salt-bread"],
]);

table("no order", "", "order", [
  ["오늘 날씨 어때", "none"],
  ["지금 몇 시예요", "none"],
  ["어제 축구 봤어", "none"],
  ["엄마 나 이따가 전화할게", "none"],
  ["화장실이 어디예요", "none"],
  ["시청해 주셔서 감사합니다", "none"],
  ["음", "none"],
  ["", "none"],
  ["엠비씨 뉴스 이덕영입니다", "none"],
  ["아 그래서 내가 그 사람한테 말했지", "none"],
]);

table("requests", "", "order", [
  ["다시 말해 주세요", "repeat"],
  ["뭐라고요", "repeat"],
  ["못 들었어요 다시 한번 말씀해 주세요", "repeat"],
  ["도와주세요", "help"],
  ["어떻게 주문해요", "help"],
  ["메뉴 뭐 있어요", "help"],
  ["직원 불러 주세요", "staff"],
  ["사람 좀 불러 주세요", "staff"],
  ["아메리카노 얼마예요", "? americano"],
  ["카페라떼 가격이 얼마예요", "? cafe-latte"],
  ["치즈케이크는 얼마인가요", "? cheesecake"],
  ["다 해서 얼마예요", "? *"],
  ["취소할게요", "cancel"],
  ["전체 취소해 주세요", "cancel"],
  ["그만할게요", "cancel"],
  ["처음부터 다시 할게요", "cancel"],
  ["주문 취소", "cancel"],
]);

table("a basket of one americano, two iced lattes", "1 americano, 2 cafe-latte(iced)", "order", [
  ["아니 바닐라라떼로", "* >  vanilla-latte"],
  ["아니요 카푸치노로 바꿔 주세요", "* >  cappuccino"],
  ["아메리카노 말고 카푸치노", "americano >  cappuccino"],
  ["아메리카노를 카푸치노로 바꿔 주세요", "americano >  cappuccino"],
  ["아메리카노 대신 따뜻한 바닐라라떼로 주세요", "americano >  vanilla-latte(hot)"],
  ["그거 말고 콜드브루 주세요", "* >  cold-brew"],
  ["라떼 한 잔은 카푸치노로 바꿔 주세요", "-1 cafe-latte, +1 cappuccino"],
  ["하나는 카푸치노로 바꿔 주세요", "-1 *, +1 cappuccino"],
  ["하나 빼 주세요", "-1 *"],
  ["빼 주세요", "- *"],
  ["아메리카노 빼 주세요", "- americano"],
  ["라떼 한 잔 빼 주세요", "-1 cafe-latte"],
  ["아메리카노는 취소할게요", "- americano"],
  ["아메리카노 빼고 콜드브루 하나 주세요", "- americano, +1 cold-brew"],
  ["라떼 하나 취소해 주세요", "-1 cafe-latte"],
  ["그거 취소해 주세요", "- *"],
  ["전부 빼 주세요", "cancel"],
  ["따뜻한 거 하나 빼 주세요", "-1 americano(hot)"],
  ["한 잔은 따뜻하게 바꿔 주세요", "~1 *(hot)"],
  ["하나는 따뜻하게요", "~1 *(hot)"],
  ["따뜻한 걸로 바꿔 주세요", "~ *(hot)"],
  ["아이스 말고 따뜻한 걸로 주세요", "~ *(hot)"],
  ["라떼는 따뜻하게 해 주세요", "~ cafe-latte(hot)"],
  ["아메리카노 아이스로 바꿔 주세요", "~ americano(iced)"],
  ["라떼 한 잔은 따뜻하게 해 주세요", "~1 cafe-latte(hot)"],
  ["라지로 해 주세요", "~ *(large)"],
  ["큰 걸로요", "~ *(large)"],
  ["전부 아이스로 해 주세요", "~ americano(iced), ~ cafe-latte(iced)"],
  ["둘 다 라지로요", "~ americano(large), ~ cafe-latte(large)"],
  ["세 잔으로 해 주세요", "=3 *"],
  ["세 잔으로 바꿔 주세요", "=3 *"],
  ["라떼 세 잔으로 해 주세요", "=3 cafe-latte"],
  ["아메리카노를 네 잔으로 바꿔 주세요", "=4 americano"],
  ["아니 세 잔이요", "=3 *"],
  ["아니 아메리카노 두 잔이요", "=2 americano"],
  ["두 잔 더 주세요", "+2 cafe-latte(iced)"],
  ["하나 더요", "+1 cafe-latte(iced)"],
  ["한 잔 추가해 주세요", "+1 cafe-latte(iced)"],
  ["같은 걸로 하나 더 주세요", "+1 cafe-latte(iced)"],
  ["같은 거 두 잔", "+2 cafe-latte(iced)"],
  ["라떼 한 잔 더 주세요", "+1 cafe-latte(iced)"],
  ["아메리카노 하나 더 주세요", "+1 americano"],
  ["아메리카노 아이스로 하나 더", "+1 americano(iced)"],
  ["따뜻한 라떼 하나 추가요", "+1 cafe-latte(hot)"],
  ["그리고 치즈케이크도 하나 주세요", "+1 cheesecake"],
  ["콜드브루 한 잔 주세요", "+1 cold-brew"],
  ["아메리카노 하나는 빼고 라떼 하나 더 주세요", "-1 americano, +1 cafe-latte(iced)"],
  ["라떼 안 할게요", "- cafe-latte"],
  ["라떼 말고 아메리카노로 해 주세요", "cafe-latte >  americano"],
  ["라떼 한 잔으로 줄여 주세요", "=1 cafe-latte"],
  ["라떼를 세 잔으로 늘려 주세요", "=3 cafe-latte"],
  ["아메리카노 하나 더 추가하고 라떼는 빼 주세요", "+1 americano, - cafe-latte"],
  ["아메리카노는 그대로 하고 라떼만 빼 주세요", "- cafe-latte"],
  ["하나는 아이스 하나는 따뜻하게 해 주세요", "~1 *(iced), ~1 *(hot)"],
  ["라떼 뜨거운 걸로", "~ cafe-latte(hot)"],
  ["아 잠깐만요 라떼 말고 카푸치노요", "cafe-latte >  cappuccino"],
  ["라떼 취소하고 카푸치노 주세요", "- cafe-latte, +1 cappuccino"],
  ["전부 취소하고 카푸치노 하나 주세요", "- americano, - cafe-latte, +1 cappuccino"],
  ["아뇨 라떼 하나가 아니라 세 잔이요", "=3 cafe-latte"],
  ["라떼는 세 잔이에요", "=3 cafe-latte"],
  ["라떼 두 잔 결제해 주세요", "pay"],
  ["라떼 두 잔 더 결제해 주세요", "+2 cafe-latte(iced)"],
  ["따뜻한 걸로 하나 더", "+1 cafe-latte(hot)"],
  ["맞아요 근데 라떼는 따뜻하게요", "~ cafe-latte(hot)"],
  ["하나씩 더 주세요", "+1 americano, +1 cafe-latte(iced)"],
  ["라떼는 됐어요", "- cafe-latte"],
  ["라떼는 됐고 결제할게요", "- cafe-latte"],
  ["아니 라떼 필요 없어요", "- cafe-latte"],
  ["아메리카노를 따뜻한 카푸치노로", "americano >  cappuccino(hot)"],
  ["얼음 빼 주세요", "none"],
  ["시럽 빼 주세요", "none"],
  ["샷 추가해 주세요", "none"],
  ["아메리카노에 샷 추가해 주세요", "none"],
  ["처음부터 다시요", "cancel"],
  ["더 필요한 거 없어요", "deny"],
  ["이제 됐어요 결제할게요", "pay"],
  ["주문 다시 할게요", "cancel"],
  ["총 얼마죠", "? *"],
  ["사장님", "staff"],
  ["결제할게요", "pay"],
  ["카드로 계산할게요", "pay"],
  ["이게 다예요", "pay"],
  ["아니요 그게 다예요", "pay"],
  ["끝", "pay"],
  ["없어요", "deny"],
  ["네", "confirm"],
]);

table("the read-back of two americanos is waiting for a yes", "2 americano", "confirmation", [
  ["네", "confirm"],
  ["네 맞아요", "confirm"],
  ["예", "confirm"],
  ["응", "confirm"],
  ["어 맞아", "confirm"],
  ["네 네", "confirm"],
  ["네 결제해 주세요", "confirm"],
  ["네 그렇게 해 주세요", "confirm"],
  ["좋아요", "confirm"],
  ["그래요", "confirm"],
  ["결제할게요", "pay"],
  ["아니요", "deny"],
  ["아니", "deny"],
  ["아뇨 틀렸어요", "deny"],
  ["안 돼요", "deny"],
  ["아니에요", "deny"],
  ["네 잔이요", "=4 *"],
  ["네 잔으로 해 주세요", "=4 *"],
  ["아니 네 잔이요", "=4 *"],
  ["아니요 세 잔이요", "=3 *"],
  ["아니요 라떼요", "* >  cafe-latte"],
  ["아니요 라떼 두 잔 주세요", "* > 2 cafe-latte"],
  ["아니 아이스로요", "~ *(iced)"],
  ["아니요 하나는 아이스로 해 주세요", "~1 *(iced)"],
  ["네 그리고 라떼 하나 추가요", "+1 cafe-latte"],
  ["네 라떼도 한 잔 주세요", "+1 cafe-latte"],
  ["네 하나 더 주세요", "+1 americano"],
  ["네 아메리카노 두 잔 맞아요", "confirm"],
  ["두 잔 맞아요", "confirm"],
  ["아메리카노 두 잔이요", "confirm"],
  ["라떼로요", "* >  cafe-latte"],
  ["아니요 라떼 한 잔 더 주세요", "+1 cafe-latte"],
  ["하나만 빼 주세요", "-1 *"],
  ["취소할게요", "cancel"],
  ["다시 말해 주세요", "repeat"],
  ["오늘 날씨 어때", "none"],
]);

describe("confidence", () => {
  const confidenceOf = (text: string, basket = "", expectation: Expectation = "order") =>
    understand({ text }, compiled, contextOf(CAFE_MENU, basket, expectation), "ko")?.confidence ?? 0;

  test("a clear order is sure", () => {
    expect(confidenceOf("아이스 아메리카노 두 잔 주세요")).toBeGreaterThan(0.95);
  });
  test("it falls with the distance of what was heard", () => {
    const heard = ["아메리카노 한 잔", "아매리카노 한 잔", "메리가노 한 잔"].map((text) =>
      confidenceOf(text),
    );
    expect(heard).toEqual([...heard].sort((a, b) => b - a));
    expect(new Set(heard).size).toBe(3);
  });
  test("unknown words around an order make it doubtful", () => {
    expect(confidenceOf("그래서 철수가 어제 아메리카노 마셨다는데")).toBeLessThan(0.6);
  });
  test("a yes that nobody asked for is less sure", () => {
    expect(confidenceOf("네", "1 americano", "order")).toBeLessThan(
      confidenceOf("네", "1 americano", "confirmation"),
    );
  });
  test("an option that the item does not have is left out and doubted", () => {
    const understanding = understand(
      { text: "따뜻한 콜드브루 한 잔" },
      compiled,
      contextOf(CAFE_MENU, ""),
      "ko",
    );
    expect(notation(understanding)).toBe("+1 cold-brew");
    expect(understanding?.confidence).toBeLessThan(0.8);
  });
});
