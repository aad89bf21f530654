/** A café's menu for tests of understanding and speaking: near-identical names, two option groups, several counters. */
import type { Menu } from "../../daemon/core/menu.ts";

export const CAFE_MENU: Menu = {
  currency: "KRW",
  vatPercent: 10,
  optionGroups: [
    {
      id: "temperature",
      default: "hot",
      values: [
        { id: "hot", names: { ko: ["따뜻한", "뜨거운", "핫"], en: ["hot"] }, priceDelta: 0n },
        { id: "iced", names: { ko: ["아이스", "차가운"], en: ["iced"] }, priceDelta: 500n },
      ],
    },
    {
      id: "size",
      default: "regular",
      values: [
        { id: "regular", names: { ko: ["레귤러"], en: ["regular"] }, priceDelta: 0n },
        { id: "large", names: { ko: ["라지"], en: ["large"] }, priceDelta: 1_000n },
      ],
    },
    {
      id: "cream",
      default: "plain",
      values: [
        { id: "plain", names: { ko: ["휘핑 없이"], en: ["no whip"] }, priceDelta: 0n },
        { id: "whipped", names: { ko: ["휘핑"], en: ["whipped cream"] }, priceDelta: 500n },
      ],
    },
  ],
  items: [
    {
      id: "americano",
      names: { ko: ["아메리카노"], en: ["americano"] },
      price: 4_000n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "cafe-latte",
      names: { ko: ["카페라떼", "라떼", "우유 커피"], en: ["cafe latte", "latte"] },
      price: 4_500n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "vanilla-latte",
      names: { ko: ["바닐라라떼"], en: ["vanilla latte"] },
      price: 5_000n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "cappuccino",
      names: { ko: ["카푸치노"], en: ["cappuccino"] },
      price: 4_500n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "mocha",
      names: { ko: ["카페모카"], en: ["cafe mocha"] },
      price: 5_000n,
      counter: "잔",
      options: ["temperature", "size", "cream"],
    },
    {
      id: "cold-brew",
      names: { ko: ["콜드브루"], en: ["cold brew"] },
      price: 5_000n,
      counter: "잔",
      options: ["size"],
    },
    {
      id: "green-tea-latte",
      names: { ko: ["녹차라떼"], en: ["green tea latte"] },
      price: 5_500n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "iced-tea",
      names: { ko: ["아이스티", "복숭아 아이스티"], en: ["iced tea", "peach iced tea"] },
      price: 4_000n,
      counter: "잔",
      options: ["size"],
    },
    {
      id: "lemonade",
      names: { ko: ["레몬에이드"], en: ["lemonade"] },
      price: 5_500n,
      counter: "잔",
      options: ["size"],
    },
    {
      id: "cheesecake",
      names: { ko: ["치즈케이크"], en: ["cheesecake"] },
      price: 6_000n,
      counter: "조각",
      options: [],
    },
    {
      id: "croissant",
      names: { ko: ["크루아상"], en: ["croissant"] },
      price: 3_500n,
      counter: "개",
      options: [],
    },
    {
      id: "salt-bread",
      names: { ko: ["소금빵"], en: ["salt bread"] },
      price: 3_200n,
      counter: "개",
      options: [],
    },
    {
      id: "water",
      names: { ko: ["생수", "물"], en: ["water", "bottled water"] },
      price: 1_000n,
      counter: "병",
      options: [],
    },
    {
      id: "tteokbokki",
      names: { ko: ["떡볶이"], en: ["tteokbokki"] },
      price: 6_500n,
      counter: "인분",
      options: [],
    },
  ],
};
