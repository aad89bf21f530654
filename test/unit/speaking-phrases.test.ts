/** Every prompt in words and as a caption, in Korean and English: the whole script of the terminal in one table. */
import { describe, expect, test } from "vitest";
import type { Money } from "../../daemon/core/money.ts";
import type { Prompt } from "../../daemon/core/prompt.ts";
import { phrase } from "../../models/speaking/phrase.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";

const won = (minor: bigint): Money => ({ minor, currency: "KRW" });
const iced = { temperature: "iced" };

type Row = readonly [
  prompt: Prompt,
  korean: string,
  caption: string,
  english: string,
  englishCaption?: string,
];

const SCRIPT: readonly Row[] = [
  [
    { kind: "welcome" },
    "어서 오세요. 무엇을 드릴까요?",
    "어서 오세요. 무엇을 드릴까요?",
    "Welcome. What can I get you?",
  ],
  [
    {
      kind: "read-back",
      lines: [
        { itemId: "americano", quantity: 2, options: iced },
        { itemId: "cafe-latte", quantity: 1, options: {} },
      ],
      total: won(14_000n),
    },
    "아이스 아메리카노 두 잔, 카페라떼 한 잔, 모두 만 사천 원입니다. 결제할까요?",
    "아이스 아메리카노 2잔, 카페라떼 1잔, 모두 14,000원입니다. 결제할까요?",
    "Two iced americanos and one cafe latte. That's fourteen thousand won. Shall I take the payment?",
    "2 iced americanos and 1 cafe latte. That's 14,000 won. Shall I take the payment?",
  ],
  [
    {
      kind: "read-back",
      lines: [
        { itemId: "mocha", quantity: 1, options: { temperature: "iced", size: "large", cream: "whipped" } },
        { itemId: "tteokbokki", quantity: 2, options: {} },
        { itemId: "water", quantity: 1, options: {} },
      ],
      total: won(21_500n),
    },
    "휘핑 라지 아이스 카페모카 한 잔, 떡볶이 이 인분, 생수 한 병, 모두 이만 천오백 원입니다. 결제할까요?",
    "휘핑 라지 아이스 카페모카 1잔, 떡볶이 2인분, 생수 1병, 모두 21,500원입니다. 결제할까요?",
    "One whipped cream large iced cafe mocha, two servings of tteokbokki and one bottle of water. That's twenty-one thousand five hundred won. Shall I take the payment?",
    "1 whipped cream large iced cafe mocha, 2 servings of tteokbokki and 1 bottle of water. That's 21,500 won. Shall I take the payment?",
  ],
  [
    // Two lines of one item: the option that tells them apart is said although it is the default.
    {
      kind: "read-back",
      lines: [
        { itemId: "americano", quantity: 1, options: iced },
        { itemId: "americano", quantity: 1, options: { temperature: "hot" } },
      ],
      total: won(8_500n),
    },
    "아이스 아메리카노 한 잔, 따뜻한 아메리카노 한 잔, 모두 팔천오백 원입니다. 결제할까요?",
    "아이스 아메리카노 1잔, 따뜻한 아메리카노 1잔, 모두 8,500원입니다. 결제할까요?",
    "One iced americano and one hot americano. That's eight thousand five hundred won. Shall I take the payment?",
    "1 iced americano and 1 hot americano. That's 8,500 won. Shall I take the payment?",
  ],
  [
    { kind: "ask-change" },
    "어떻게 바꿔 드릴까요?",
    "어떻게 바꿔 드릴까요?",
    "What would you like to change?",
  ],
  [
    { kind: "basket-empty" },
    "아직 주문하신 메뉴가 없습니다. 무엇을 드릴까요?",
    "아직 주문하신 메뉴가 없습니다. 무엇을 드릴까요?",
    "You have not ordered anything yet. What can I get you?",
  ],
  [
    { kind: "item-unknown" },
    "죄송합니다. 저희 메뉴에 없습니다. 다른 메뉴를 말씀해 주세요.",
    "죄송합니다. 저희 메뉴에 없습니다. 다른 메뉴를 말씀해 주세요.",
    "Sorry, that is not on our menu. What else can I get you?",
  ],
  [
    { kind: "not-in-basket" },
    "그 메뉴는 주문하지 않으셨습니다. 다시 말씀해 주세요.",
    "그 메뉴는 주문하지 않으셨습니다. 다시 말씀해 주세요.",
    "That is not in your order. Please say it again.",
  ],
  [
    { kind: "quantity-question", itemId: "americano", quantity: 100 },
    "아메리카노 백 잔이 맞으신가요?",
    "아메리카노 100잔이 맞으신가요?",
    "One hundred americanos, is that right?",
    "100 americanos, is that right?",
  ],
  [
    { kind: "quantity-question", itemId: "croissant", quantity: 30 },
    "크루아상 서른 개가 맞으신가요?",
    "크루아상 30개가 맞으신가요?",
    "Thirty croissants, is that right?",
    "30 croissants, is that right?",
  ],
  [
    { kind: "quantity-refused", limit: 50 },
    "한 번에 쉰 개까지만 주문하실 수 있습니다. 더 필요하시면 직원에게 말씀해 주세요.",
    "한 번에 50개까지만 주문하실 수 있습니다. 더 필요하시면 직원에게 말씀해 주세요.",
    "I can take up to fifty at once. Please ask our staff for more.",
    "I can take up to 50 at once. Please ask our staff for more.",
  ],
  [
    { kind: "price", itemId: "cafe-latte", price: won(4_500n) },
    "카페라떼는 사천오백 원입니다.",
    "카페라떼는 4,500원입니다.",
    "The cafe latte is four thousand five hundred won.",
    "The cafe latte is 4,500 won.",
  ],
  [
    { kind: "price", itemId: "salt-bread", price: won(3_200n) },
    "소금빵은 삼천이백 원입니다.",
    "소금빵은 3,200원입니다.",
    "The salt bread is three thousand two hundred won.",
    "The salt bread is 3,200 won.",
  ],
  [
    { kind: "tap-card", total: won(14_000n) },
    "만 사천 원입니다. 카드를 대 주세요.",
    "14,000원입니다. 카드를 대 주세요.",
    "Fourteen thousand won. Please tap your card.",
    "14,000 won. Please tap your card.",
  ],
  [
    { kind: "tap-again", reason: "wrong-card" },
    "사용할 수 없는 카드입니다. 다른 카드를 대 주세요.",
    "사용할 수 없는 카드입니다. 다른 카드를 대 주세요.",
    "I cannot use that card. Please tap another card.",
  ],
  [
    { kind: "tap-again", reason: "torn-away" },
    "카드를 너무 빨리 떼셨습니다. 다시 대고 잠시 기다려 주세요.",
    "카드를 너무 빨리 떼셨습니다. 다시 대고 잠시 기다려 주세요.",
    "The card moved away too soon. Please tap again and hold it.",
  ],
  [
    { kind: "tap-again", reason: "two-cards" },
    "카드가 두 장 이상입니다. 한 장만 대 주세요.",
    "카드가 두 장 이상입니다. 한 장만 대 주세요.",
    "I see more than one card. Please tap only one.",
  ],
  [
    { kind: "tap-again", reason: "replayed" },
    "카드가 확인되지 않았습니다. 카드를 다시 대 주세요.",
    "카드가 확인되지 않았습니다. 카드를 다시 대 주세요.",
    "I could not check the card. Please tap it again.",
  ],
  [
    { kind: "tap-again", reason: "unverified" },
    "확인되지 않는 카드입니다. 다른 카드를 대 주세요.",
    "확인되지 않는 카드입니다. 다른 카드를 대 주세요.",
    "I do not know that card. Please tap another card.",
  ],
  [
    { kind: "tap-again", reason: "reader-fault" },
    "카드를 읽지 못했습니다. 잠시 후 다시 대 주세요.",
    "카드를 읽지 못했습니다. 잠시 후 다시 대 주세요.",
    "I could not read the card. Please tap again in a moment.",
  ],
  [
    { kind: "authorising" },
    "결제 중입니다. 잠시만 기다려 주세요.",
    "결제 중입니다. 잠시만 기다려 주세요.",
    "One moment, please.",
  ],
  [
    { kind: "approved", total: won(14_000n) },
    "만 사천 원 결제되었습니다. 영수증을 받아 주세요. 감사합니다.",
    "14,000원 결제되었습니다. 영수증을 받아 주세요. 감사합니다.",
    "Fourteen thousand won paid. Please take your receipt. Thank you.",
    "14,000 won paid. Please take your receipt. Thank you.",
  ],
  [
    { kind: "approved-offline", total: won(9_500n) },
    "구천오백 원 오프라인으로 승인되었습니다. 영수증을 받아 주세요. 감사합니다.",
    "9,500원 오프라인으로 승인되었습니다. 영수증을 받아 주세요. 감사합니다.",
    "Nine thousand five hundred won approved offline. Please take your receipt. Thank you.",
    "9,500 won approved offline. Please take your receipt. Thank you.",
  ],
  [
    { kind: "declined", reason: "insufficient-funds" },
    "잔액이 부족합니다. 다른 카드를 대 주세요.",
    "잔액이 부족합니다. 다른 카드를 대 주세요.",
    "There is not enough money on the card. Please tap another card.",
  ],
  [
    { kind: "declined", reason: "card-blocked" },
    "사용이 정지된 카드입니다. 다른 카드를 대 주세요.",
    "사용이 정지된 카드입니다. 다른 카드를 대 주세요.",
    "This card is blocked. Please tap another card.",
  ],
  [
    { kind: "declined", reason: "limit-exceeded" },
    "카드 한도를 넘었습니다. 다른 카드를 대 주세요.",
    "카드 한도를 넘었습니다. 다른 카드를 대 주세요.",
    "This is over the card's limit. Please tap another card.",
  ],
  [
    { kind: "declined", reason: "not-honoured" },
    "카드사에서 승인하지 않았습니다. 다른 카드를 대 주세요.",
    "카드사에서 승인하지 않았습니다. 다른 카드를 대 주세요.",
    "The card was declined. Please tap another card.",
  ],
  [
    { kind: "declined", reason: "card-replayed" },
    "카드 확인에 실패해서 결제하지 않았습니다. 다른 카드를 대 주세요.",
    "카드 확인에 실패해서 결제하지 않았습니다. 다른 카드를 대 주세요.",
    "The card check failed and nothing was charged. Please tap another card.",
  ],
  [
    { kind: "checking" },
    "결제 결과를 확인하고 있습니다. 카드를 다시 대지 마시고 잠시만 기다려 주세요.",
    "결제 결과를 확인하고 있습니다. 카드를 다시 대지 마시고 잠시만 기다려 주세요.",
    "I am checking the payment. Please do not tap again, and wait a moment.",
  ],
  [
    { kind: "not-charged" },
    "결제되지 않았습니다. 요금은 청구되지 않습니다.",
    "결제되지 않았습니다. 요금은 청구되지 않습니다.",
    "The payment did not go through. You have not been charged.",
  ],
  [
    { kind: "offline-refused", reason: "disabled" },
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "Sorry, our connection is not working and I cannot take cards right now. Please ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "not-welcomed" },
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "Sorry, our connection is not working and I cannot take cards right now. Please ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "ledger-silent" },
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.",
    "Sorry, our connection is not working and I cannot take cards right now. Please ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "unverified" },
    "죄송합니다. 통신이 끊긴 동안에는 이 카드를 쓸 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊긴 동안에는 이 카드를 쓸 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, this card cannot be used while our connection is down. Please order again with another card, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "denied" },
    "죄송합니다. 통신이 끊긴 동안에는 이 카드를 쓸 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊긴 동안에는 이 카드를 쓸 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, this card cannot be used while our connection is down. Please order again with another card, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "per-sale" },
    "죄송합니다. 통신이 끊겨 지금은 이 금액을 결제할 수 없습니다. 금액을 줄여 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊겨 지금은 이 금액을 결제할 수 없습니다. 금액을 줄여 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, our connection is down and I cannot take this much right now. Please order for a smaller amount, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "total" },
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, our connection is down and I cannot take more payments right now. Please come back later, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "count" },
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, our connection is down and I cannot take more payments right now. Please come back later, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "age" },
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, our connection is down and I cannot take more payments right now. Please come back later, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "per-card" },
    "죄송합니다. 통신이 끊긴 동안에는 이 카드로 더 결제하실 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊긴 동안에는 이 카드로 더 결제하실 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, this card cannot be used again while our connection is down. Please order again with another card, or ask our staff.",
  ],
  [
    { kind: "offline-refused", reason: "per-card-hour" },
    "죄송합니다. 통신이 끊긴 동안에는 이 카드로 더 결제하실 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "죄송합니다. 통신이 끊긴 동안에는 이 카드로 더 결제하실 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.",
    "Sorry, this card cannot be used again while our connection is down. Please order again with another card, or ask our staff.",
  ],
  [
    { kind: "cannot-cancel-now" },
    "결제가 진행 중이라 지금은 취소할 수 없습니다. 잠시만 기다려 주세요.",
    "결제가 진행 중이라 지금은 취소할 수 없습니다. 잠시만 기다려 주세요.",
    "The payment is in progress, so I cannot cancel it now. Please wait a moment.",
  ],
  [{ kind: "cancelled" }, "주문을 취소했습니다.", "주문을 취소했습니다.", "Your order is cancelled."],
  [
    { kind: "timed-out" },
    "주문을 마치지 못해 취소했습니다.",
    "주문을 마치지 못해 취소했습니다.",
    "We could not finish your order, so I cancelled it.",
  ],
  [
    { kind: "no-input" },
    "잘 안 들렸습니다. 다시 말씀해 주세요.",
    "잘 안 들렸습니다. 다시 말씀해 주세요.",
    "I did not hear you. Please say it again.",
  ],
  [
    { kind: "no-match" },
    "죄송합니다. 잘 못 알아들었습니다. 다시 말씀해 주세요.",
    "죄송합니다. 잘 못 알아들었습니다. 다시 말씀해 주세요.",
    "Sorry, I did not understand. Please say it again.",
  ],
  [
    { kind: "help" },
    "메뉴와 수량을 말씀해 주세요. 예를 들면, 아메리카노 두 잔 주세요. 다 고르시면, 결제라고 말씀해 주세요.",
    "메뉴와 수량을 말씀해 주세요. 예를 들면, 아메리카노 2잔 주세요. 다 고르시면, 결제라고 말씀해 주세요.",
    "Say what you would like, and how many. For example: two americanos, please. When you are done, say pay.",
    "Say what you would like, and how many. For example: 2 americanos, please. When you are done, say pay.",
  ],
  [
    { kind: "staff-called" },
    "직원을 불렀습니다. 잠시만 기다려 주세요.",
    "직원을 불렀습니다. 잠시만 기다려 주세요.",
    "I called our staff. Please wait a moment.",
  ],
  [
    { kind: "receipt-problem", reason: "paper-out" },
    "결제는 완료되었습니다. 영수증 용지가 떨어졌습니다. 직원에게 말씀해 주세요.",
    "결제는 완료되었습니다. 영수증 용지가 떨어졌습니다. 직원에게 말씀해 주세요.",
    "Your payment went through. The printer is out of paper. Please ask our staff.",
  ],
  [
    { kind: "receipt-problem", reason: "cover-open" },
    "결제는 완료되었습니다. 프린터 덮개가 열려 있어 영수증이 나오지 않습니다. 직원에게 말씀해 주세요.",
    "결제는 완료되었습니다. 프린터 덮개가 열려 있어 영수증이 나오지 않습니다. 직원에게 말씀해 주세요.",
    "Your payment went through. The printer is open, so there is no receipt. Please ask our staff.",
  ],
  [
    { kind: "receipt-problem", reason: "offline" },
    "결제는 완료되었습니다. 프린터가 응답하지 않습니다. 직원에게 말씀해 주세요.",
    "결제는 완료되었습니다. 프린터가 응답하지 않습니다. 직원에게 말씀해 주세요.",
    "Your payment went through. The printer does not answer. Please ask our staff.",
  ],
  [
    { kind: "out-of-order" },
    "죄송합니다. 지금은 이용하실 수 없습니다. 직원에게 말씀해 주세요.",
    "죄송합니다. 지금은 이용하실 수 없습니다. 직원에게 말씀해 주세요.",
    "Sorry, I am out of order right now. Please ask our staff.",
  ],
];

describe("the terminal's script", () => {
  test.each(SCRIPT.map(([prompt, ...texts]) => [JSON.stringify(prompt, bigints), prompt, ...texts] as const))(
    "%s",
    (_title, prompt, korean, caption, english, englishCaption = english) => {
      expect(phrase(prompt, CAFE_MENU, "ko")).toEqual({ spoken: korean, caption });
      expect(phrase(prompt, CAFE_MENU, "en")).toEqual({ spoken: english, caption: englishCaption });
    },
  );

  test("Chinese is spoken in English until its phrases are written", () => {
    expect(phrase({ kind: "welcome" }, CAFE_MENU, "zh")).toEqual(
      phrase({ kind: "welcome" }, CAFE_MENU, "en"),
    );
  });

  test("an item that has left the menu is named by its id instead of failing the prompt", () => {
    const prompt: Prompt = { kind: "price", itemId: "eggnog", price: won(1_000n) };
    expect(phrase(prompt, CAFE_MENU, "ko").spoken).toBe("eggnog는 천 원입니다.");
  });

  test("speech has no digits: a voice must not have to guess how they are read", () => {
    for (const [prompt] of SCRIPT) {
      expect(phrase(prompt, CAFE_MENU, "ko").spoken).not.toMatch(/[0-9]/);
      expect(phrase(prompt, CAFE_MENU, "en").spoken).not.toMatch(/[0-9]/);
    }
  });
});

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
