/**
 * The words of the customer display, one set a language. The types make a set complete: a phase, an ending, a closure,
 * a trouble or a card problem that the terminal learns does not compile until every language has a word for it.
 *
 * Menu names are the shop's own (daemon/menu-file.ts) and captions come from models/speaking; both are not in here.
 */
import type { CardProblem } from "../core/prompt.ts";
import type { Ending } from "../core/sale.ts";
import type { View } from "../core/view.ts";

/** Why nobody can order here now; whose fault it is, is no business of a customer's. */
export type Closure = Extract<View["standing"], "recalling" | "barred">;

/** What does not work, as far as a customer is concerned. */
export type Trouble =
  | "cannot-hear"
  | "cannot-speak"
  | "no-reader"
  | "paper-out"
  | "cover-open"
  | "no-printer"
  | "something";

export type Words = {
  /** The language's own name, on the button that switches to it. */
  readonly self: string;
  /** What the languages are called in this one. */
  readonly named: { readonly [language in DisplayLanguage]: string };
  readonly phase: { readonly [phase in View["phase"]]: string };
  readonly ended: { readonly [ending in Ending]: string };
  readonly closed: { readonly [closure in Closure]: { readonly title: string; readonly advice: string } };
  readonly trouble: { readonly [trouble in Trouble]: string };
  readonly card: { readonly [problem in CardProblem]: string };
  readonly ui: {
    readonly hello: string;
    readonly invitation: string;
    /** Instead of the invitation when nobody can be heard, or not in this language. */
    readonly invitationTouch: string;
    readonly start: string;
    readonly steps: readonly [order: string, tap: string, receipt: string];
    readonly menu: string;
    readonly order: string;
    readonly empty: string;
    readonly total: string;
    readonly review: string;
    readonly pay: string;
    readonly cancel: string;
    readonly repeat: string;
    readonly staff: string;
    readonly staffCalled: string;
    readonly change: string;
    readonly add: string;
    readonly close: string;
    readonly quantity: string;
    readonly or: string;
    readonly yes: string;
    readonly no: string;
    readonly question: string;
    readonly more: string;
    readonly fewer: string;
    readonly offline: string;
    readonly waiting: string;
    readonly connecting: string;
    readonly refused: string;
    readonly printing: string;
    readonly takeReceipt: string;
    readonly noReceipt: string;
    readonly paidOffline: string;
    readonly doNotTapAgain: string;
    readonly next: string;
    readonly number: string;
    readonly listening: string;
    readonly caption: string;
    readonly voiceIs: string;
  };
};

/** The languages that the display is written in. `{...}` is filled in by the page. */
export type DisplayLanguage = "ko" | "en";

export const WORDS: { readonly [language in DisplayLanguage]: Words } = {
  ko: {
    self: "한국어",
    named: { ko: "한국어", en: "영어" },
    phase: {
      idle: "주문을 시작해 주세요",
      listening: "무엇을 드릴까요?",
      basket: "더 담거나 바꿀 수 있어요",
      "quantity-question": "수량을 확인해 주세요",
      "read-back": "주문이 맞는지 확인해 주세요",
      "awaiting-card": "카드를 대 주세요",
      authorising: "결제하고 있습니다",
      uncertain: "결제 결과를 확인하고 있습니다",
      receipt: "결제되었습니다",
    },
    ended: {
      approved: "결제되었습니다",
      "approved-offline": "결제되었습니다",
      declined: "결제되지 않았습니다",
      cancelled: "주문을 취소했습니다",
      "timed-out": "응답이 없어 주문을 마쳤습니다",
      reversed: "결제되지 않았습니다. 돈은 빠져나가지 않았습니다",
    },
    closed: {
      recalling: {
        title: "잠시 준비하고 있습니다",
        advice: "곧 다시 주문하실 수 있습니다. 급하시면 직원에게 말씀해 주세요.",
      },
      barred: { title: "지금은 주문을 받지 않습니다", advice: "직원에게 말씀해 주세요." },
    },
    trouble: {
      "cannot-hear": "지금은 음성을 들을 수 없습니다. 화면을 눌러 주문해 주세요.",
      "cannot-speak": "지금은 소리가 나지 않습니다. 화면의 글자를 봐 주세요.",
      "no-reader": "카드 단말기가 응답하지 않습니다. 결제 전에 직원을 불러 주세요.",
      "paper-out": "영수증 용지가 없습니다. 결제는 할 수 있습니다.",
      "cover-open": "프린터 덮개가 열려 있습니다. 직원을 불러 주세요.",
      "no-printer": "프린터가 응답하지 않습니다. 결제는 할 수 있습니다.",
      something: "기계에 문제가 있습니다. 직원을 불러 주세요.",
    },
    card: {
      "wrong-card": "이 카드는 쓸 수 없습니다. 다른 카드를 대 주세요.",
      "torn-away": "카드를 너무 빨리 떼었습니다. 다시 대고 잠시 기다려 주세요.",
      "two-cards": "카드가 두 장입니다. 한 장만 대 주세요.",
      replayed: "카드를 확인할 수 없습니다. 다시 대 주세요.",
      unverified: "카드를 확인할 수 없습니다. 다른 카드를 대 주세요.",
      "reader-fault": "카드를 읽을 수 없습니다. 직원을 불러 주세요.",
    },
    ui: {
      hello: "어서 오세요",
      invitation: "말하거나 화면을 눌러 주문하세요",
      invitationTouch: "화면을 눌러 주문하세요",
      start: "주문 시작",
      steps: ["말하거나 눌러서 주문", "카드 대기", "영수증 받기"],
      menu: "메뉴",
      order: "주문 내역",
      empty: "아직 담은 것이 없습니다",
      total: "합계",
      review: "주문 확인",
      pay: "{amount} 결제하기",
      cancel: "주문 취소",
      repeat: "다시 듣기",
      staff: "직원 호출",
      staffCalled: "직원을 불렀습니다",
      change: "주문 고치기",
      add: "{amount} 담기",
      close: "닫기",
      quantity: "수량",
      or: " 또는 ",
      yes: "네, 맞아요",
      no: "아니요",
      question: "{name} {quantity}개가 맞나요?",
      more: "{name} 하나 더",
      fewer: "{name} 하나 빼기",
      offline: "오프라인 결제",
      waiting: "정산 대기 {count}건",
      connecting: "연결 중입니다. 잠시만 기다려 주세요.",
      refused: "주문이 그사이 바뀌었습니다. 다시 확인해 주세요.",
      printing: "영수증을 인쇄하고 있습니다",
      takeReceipt: "영수증을 받아 주세요. 고맙습니다!",
      noReceipt: "영수증을 인쇄하지 못했습니다. 직원에게 말씀해 주세요.",
      paidOffline: "지금은 네트워크가 없어, 연결되면 자동으로 처리됩니다.",
      doNotTapAgain: "카드를 다시 대지 마세요",
      next: "새 주문",
      number: "주문번호 {number}",
      listening: "듣고 있습니다",
      caption: "자막",
      voiceIs: "음성은 {language}로만 알아듣습니다. 화면은 한국어로 쓸 수 있습니다.",
    },
  },
  en: {
    self: "English",
    named: { ko: "Korean", en: "English" },
    phase: {
      idle: "Please start your order",
      listening: "What would you like?",
      basket: "Add more, or change your order",
      "quantity-question": "Please check the quantity",
      "read-back": "Please check your order",
      "awaiting-card": "Please tap your card",
      authorising: "Paying",
      uncertain: "Checking the payment",
      receipt: "Paid",
    },
    ended: {
      approved: "Paid",
      "approved-offline": "Paid",
      declined: "Not paid",
      cancelled: "Order cancelled",
      "timed-out": "We heard nothing, so the order has ended",
      reversed: "Not paid. Your card was not charged",
    },
    closed: {
      recalling: {
        title: "Back in a moment",
        advice: "You can order again soon. If you are in a hurry, please ask our staff.",
      },
      barred: { title: "Closed right now", advice: "Please ask our staff." },
    },
    trouble: {
      "cannot-hear": "We cannot hear you right now. Please order on the screen.",
      "cannot-speak": "There is no sound right now. Please read the screen.",
      "no-reader": "The card reader does not answer. Please call staff before you pay.",
      "paper-out": "There is no receipt paper. You can still pay.",
      "cover-open": "The printer's cover is open. Please call staff.",
      "no-printer": "The printer does not answer. You can still pay.",
      something: "Something does not work. Please call staff.",
    },
    card: {
      "wrong-card": "This card cannot be used here. Please try another one.",
      "torn-away": "The card was taken away too soon. Tap again and hold it still.",
      "two-cards": "There are two cards. Please tap only one.",
      replayed: "The card could not be verified. Please tap again.",
      unverified: "The card could not be verified. Please try another one.",
      "reader-fault": "The card cannot be read. Please call staff.",
    },
    ui: {
      hello: "Welcome",
      invitation: "Say your order or touch the screen",
      invitationTouch: "Touch the screen to order",
      start: "Start",
      steps: ["Say or touch your order", "Tap your card", "Take your receipt"],
      menu: "Menu",
      order: "Your order",
      empty: "Nothing here yet",
      total: "Total",
      review: "Check the order",
      pay: "Pay {amount}",
      cancel: "Cancel order",
      repeat: "Say again",
      staff: "Call staff",
      staffCalled: "Staff is on the way",
      change: "Change order",
      add: "Add for {amount}",
      close: "Close",
      quantity: "Quantity",
      or: " or ",
      yes: "Yes, that is right",
      no: "No",
      question: "{quantity} × {name}: is that right?",
      more: "One more {name}",
      fewer: "One {name} less",
      offline: "Offline payment",
      waiting: "{count} not settled",
      connecting: "Connecting. One moment, please.",
      refused: "The order has changed meanwhile. Please check it again.",
      printing: "Printing your receipt",
      takeReceipt: "Please take your receipt. Thank you!",
      noReceipt: "The receipt could not be printed. Please tell our staff.",
      paidOffline: "There is no network right now; your payment is completed when it is back.",
      doNotTapAgain: "Please do not tap again",
      next: "New order",
      number: "Order {number}",
      listening: "Listening",
      caption: "Captions",
      voiceIs: "Speech is understood in {language} only; the screen works in English.",
    },
  },
};
