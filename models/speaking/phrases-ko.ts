/**
 * Korean prompts in the polite, short manner of counter staff (합니다 for facts, 요 for requests). Every sentence ends
 * with what the customer can do next, where there is something to do.
 */
import type { Menu } from "../../daemon/core/menu.ts";
import type { Money } from "../../daemon/core/money.ts";
import type {
  CardProblem,
  DeclineReason,
  PrintProblem,
  Prompt,
  SpokenLine,
} from "../../daemon/core/prompt.ts";
import { koreanAmount, koreanCaption } from "./amounts.ts";
import { counted, nativeNumber, particle, withParticle } from "./korean-number.ts";
import { namedItem, namedLines } from "./order-line.ts";
import { joined, type Phrase, t } from "./wording.ts";

export function koreanPhrase(prompt: Prompt, menu: Menu): Phrase {
  switch (prompt.kind) {
    case "welcome":
      return t`어서 오세요. 무엇을 드릴까요?`;
    case "read-back":
      return t`${order(prompt.lines, menu)}, 모두 ${amount(prompt.total)}입니다. 결제할까요?`;
    case "ask-change":
      return t`어떻게 바꿔 드릴까요?`;
    case "basket-empty":
      return t`아직 주문하신 메뉴가 없습니다. 무엇을 드릴까요?`;
    case "item-unknown":
      return t`죄송합니다. 저희 메뉴에 없습니다. 다른 메뉴를 말씀해 주세요.`;
    case "not-in-basket":
      return t`그 메뉴는 주문하지 않으셨습니다. 다시 말씀해 주세요.`;
    case "quantity-question":
      return quantityQuestion(prompt.itemId, prompt.quantity, menu);
    case "quantity-refused":
      return t`한 번에 ${{ spoken: `${nativeNumber(prompt.limit)} 개`, caption: `${prompt.limit}개` }}까지만 주문하실 수 있습니다. 더 필요하시면 직원에게 말씀해 주세요.`;
    case "price":
      return t`${withParticle(namedItem(menu, prompt.itemId, "ko").name, "은/는")} ${amount(prompt.price)}입니다.`;
    case "tap-card":
      return t`${amount(prompt.total)}입니다. 카드를 대 주세요.`;
    case "tap-again":
      return tapAgain(prompt.reason);
    case "authorising":
      return t`결제 중입니다. 잠시만 기다려 주세요.`;
    case "approved":
      return t`${amount(prompt.total)} 결제되었습니다. 영수증을 받아 주세요. 감사합니다.`;
    case "approved-offline":
      return t`${amount(prompt.total)} 오프라인으로 승인되었습니다. 영수증을 받아 주세요. 감사합니다.`;
    case "declined":
      return declined(prompt.reason);
    case "checking":
      return t`결제 결과를 확인하고 있습니다. 카드를 다시 대지 마시고 잠시만 기다려 주세요.`;
    case "not-charged":
      return t`결제되지 않았습니다. 요금은 청구되지 않습니다.`;
    case "offline-refused":
      return offlineRefused(prompt.reason);
    case "cannot-cancel-now":
      return t`결제가 진행 중이라 지금은 취소할 수 없습니다. 잠시만 기다려 주세요.`;
    case "cancelled":
      return t`주문을 취소했습니다.`;
    case "timed-out":
      return t`주문을 마치지 못해 취소했습니다.`;
    case "no-input":
      return t`잘 안 들렸습니다. 다시 말씀해 주세요.`;
    case "no-match":
      return t`죄송합니다. 잘 못 알아들었습니다. 다시 말씀해 주세요.`;
    case "help":
      return help(menu);
    case "staff-called":
      return t`직원을 불렀습니다. 잠시만 기다려 주세요.`;
    case "receipt-problem":
      return receiptProblem(prompt.reason);
    case "out-of-order":
      return t`죄송합니다. 지금은 이용하실 수 없습니다. 직원에게 말씀해 주세요.`;
  }
}

function amount(value: Money): Phrase {
  return { spoken: koreanAmount(value), caption: koreanCaption(value) };
}

function quantity(value: number, counter: string): Phrase {
  return { spoken: counted(value, counter), caption: `${value}${counter}` };
}

/** "아이스 아메리카노 두 잔, 카페라떼 한 잔" */
function order(lines: readonly SpokenLine[], menu: Menu): Phrase {
  return joined(
    namedLines(lines, menu, "ko").map((line) => t`${line.name} ${quantity(line.quantity, line.counter)}`),
    ", ",
  );
}

function quantityQuestion(itemId: string, value: number, menu: Menu): Phrase {
  const { name, counter } = namedItem(menu, itemId, "ko");
  return t`${name} ${quantity(value, counter)}${particle(counter, "이/가")} 맞으신가요?`;
}

function tapAgain(reason: CardProblem): Phrase {
  switch (reason) {
    case "wrong-card":
      return t`사용할 수 없는 카드입니다. 다른 카드를 대 주세요.`;
    case "torn-away":
      return t`카드를 너무 빨리 떼셨습니다. 다시 대고 잠시 기다려 주세요.`;
    case "two-cards":
      return t`카드가 두 장 이상입니다. 한 장만 대 주세요.`;
    case "replayed":
      return t`카드가 확인되지 않았습니다. 카드를 다시 대 주세요.`;
    case "unverified":
      return t`확인되지 않는 카드입니다. 다른 카드를 대 주세요.`;
    case "reader-fault":
      return t`카드를 읽지 못했습니다. 잠시 후 다시 대 주세요.`;
  }
}

function declined(reason: DeclineReason): Phrase {
  switch (reason) {
    case "insufficient-funds":
      return t`잔액이 부족합니다. 다른 카드를 대 주세요.`;
    case "card-blocked":
      return t`사용이 정지된 카드입니다. 다른 카드를 대 주세요.`;
    case "limit-exceeded":
      return t`카드 한도를 넘었습니다. 다른 카드를 대 주세요.`;
    case "not-honoured":
      return t`카드사에서 승인하지 않았습니다. 다른 카드를 대 주세요.`;
    case "card-replayed":
      return t`카드 확인에 실패해서 결제하지 않았습니다. 다른 카드를 대 주세요.`;
  }
}

/**
 * The sale has ended, so what helps is another order. A card on a list and one that could not be checked sound alike:
 * whoever stands next in line learns nothing about its owner.
 */
function offlineRefused(reason: Extract<Prompt, { kind: "offline-refused" }>["reason"]): Phrase {
  switch (reason) {
    case "disabled":
    case "not-welcomed":
    case "ledger-silent":
      return t`죄송합니다. 통신이 원활하지 않아 지금은 카드로 결제하실 수 없습니다. 직원에게 말씀해 주세요.`;
    case "unverified":
    case "denied":
      return t`죄송합니다. 통신이 끊긴 동안에는 이 카드를 쓸 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.`;
    case "per-sale":
      return t`죄송합니다. 통신이 끊겨 지금은 이 금액을 결제할 수 없습니다. 금액을 줄여 다시 주문하시거나 직원에게 말씀해 주세요.`;
    case "total":
    case "count":
    case "age":
      return t`죄송합니다. 통신이 끊겨 지금은 결제를 더 받을 수 없습니다. 나중에 다시 주문하시거나 직원에게 말씀해 주세요.`;
    case "per-card":
    case "per-card-hour":
      return t`죄송합니다. 통신이 끊긴 동안에는 이 카드로 더 결제하실 수 없습니다. 다른 카드로 다시 주문하시거나 직원에게 말씀해 주세요.`;
  }
}

/** The example is the first item of the menu, so that repeating it word for word is an order. */
function help(menu: Menu): Phrase {
  const first = menu.items[0];
  const ending = t`다 고르시면, 결제라고 말씀해 주세요.`;
  if (first === undefined) return joined([t`메뉴와 수량을 말씀해 주세요.`, ending], " ");
  const { name, counter } = namedItem(menu, first.id, "ko");
  return joined(
    [t`메뉴와 수량을 말씀해 주세요. 예를 들면, ${name} ${quantity(2, counter)} 주세요.`, ending],
    " ",
  );
}

function receiptProblem(reason: PrintProblem): Phrase {
  switch (reason) {
    case "paper-out":
      return t`결제는 완료되었습니다. 영수증 용지가 떨어졌습니다. 직원에게 말씀해 주세요.`;
    case "cover-open":
      return t`결제는 완료되었습니다. 프린터 덮개가 열려 있어 영수증이 나오지 않습니다. 직원에게 말씀해 주세요.`;
    case "offline":
      return t`결제는 완료되었습니다. 프린터가 응답하지 않습니다. 직원에게 말씀해 주세요.`;
  }
}
