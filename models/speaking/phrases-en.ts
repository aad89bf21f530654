/** English prompts: short, friendly, plain words that a visitor whose first language is another one understands. */
import type { Menu } from "../../daemon/core/menu.ts";
import type { Money } from "../../daemon/core/money.ts";
import type {
  CardProblem,
  DeclineReason,
  PrintProblem,
  Prompt,
  SpokenLine,
} from "../../daemon/core/prompt.ts";
import { englishAmount, englishCaption } from "./amounts.ts";
import { englishNumber, plural } from "./english-number.ts";
import { type NamedLine, namedItem, namedLines } from "./order-line.ts";
import { joined, type Phrase, t } from "./wording.ts";

export function englishPhrase(prompt: Prompt, menu: Menu): Phrase {
  switch (prompt.kind) {
    case "welcome":
      return t`Welcome. What can I get you?`;
    case "read-back":
      return t`${order(prompt.lines, menu)}. That's ${amount(prompt.total)}. Shall I take the payment?`;
    case "ask-change":
      return t`What would you like to change?`;
    case "basket-empty":
      return t`You have not ordered anything yet. What can I get you?`;
    case "item-unknown":
      return t`Sorry, that is not on our menu. What else can I get you?`;
    case "not-in-basket":
      return t`That is not in your order. Please say it again.`;
    case "quantity-question":
      return t`${capital(counted({ ...namedItem(menu, prompt.itemId, "en"), quantity: prompt.quantity }))}, is that right?`;
    case "quantity-refused":
      return t`I can take up to ${number(prompt.limit)} at once. Please ask our staff for more.`;
    case "price":
      return t`The ${namedItem(menu, prompt.itemId, "en").name} is ${amount(prompt.price)}.`;
    case "tap-card":
      return t`${capital(amount(prompt.total))}. Please tap your card.`;
    case "tap-again":
      return tapAgain(prompt.reason);
    case "authorising":
      return t`One moment, please.`;
    case "approved":
      return t`${capital(amount(prompt.total))} paid. Please take your receipt. Thank you.`;
    case "approved-offline":
      return t`${capital(amount(prompt.total))} approved offline. Please take your receipt. Thank you.`;
    case "declined":
      return declined(prompt.reason);
    case "checking":
      return t`I am checking the payment. Please do not tap again, and wait a moment.`;
    case "not-charged":
      return t`The payment did not go through. You have not been charged.`;
    case "offline-refused":
      return offlineRefused(prompt.reason);
    case "cannot-cancel-now":
      return t`The payment is in progress, so I cannot cancel it now. Please wait a moment.`;
    case "cancelled":
      return t`Your order is cancelled.`;
    case "timed-out":
      return t`We could not finish your order, so I cancelled it.`;
    case "no-input":
      return t`I did not hear you. Please say it again.`;
    case "no-match":
      return t`Sorry, I did not understand. Please say it again.`;
    case "help":
      return help(menu);
    case "staff-called":
      return t`I called our staff. Please wait a moment.`;
    case "receipt-problem":
      return receiptProblem(prompt.reason);
    case "out-of-order":
      return t`Sorry, I am out of order right now. Please ask our staff.`;
  }
}

function amount(value: Money): Phrase {
  return { spoken: englishAmount(value), caption: englishCaption(value) };
}

function number(value: number): Phrase {
  return { spoken: englishNumber(BigInt(value)), caption: String(value) };
}

function capital(value: Phrase): Phrase {
  const raise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return { spoken: raise(value.spoken), caption: raise(value.caption) };
}

/** English words for Korean counters that are not simply the plural. */
const CONTAINERS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  병: ["bottle of", "bottles of"],
  조각: ["slice of", "slices of"],
  인분: ["serving of", "servings of"],
  그릇: ["bowl of", "bowls of"],
};

/** "two iced americanos", "one slice of cheesecake" */
function counted(line: NamedLine): Phrase {
  const container = line.name.toLowerCase().includes("bottle") ? undefined : CONTAINERS[line.counter];
  if (container !== undefined)
    return t`${number(line.quantity)} ${line.quantity === 1 ? container[0] : container[1]} ${line.name}`;
  return t`${number(line.quantity)} ${line.quantity === 1 ? line.name : plural(line.name)}`;
}

/** "Two iced americanos and one latte" */
function order(lines: readonly SpokenLine[], menu: Menu): Phrase {
  const parts = namedLines(lines, menu, "en").map(counted);
  const last = parts.at(-1);
  if (last === undefined || parts.length === 1) return capital(last ?? t``);
  return capital(joined([joined(parts.slice(0, -1), ", "), last], " and "));
}

function tapAgain(reason: CardProblem): Phrase {
  switch (reason) {
    case "wrong-card":
      return t`I cannot use that card. Please tap another card.`;
    case "torn-away":
      return t`The card moved away too soon. Please tap again and hold it.`;
    case "two-cards":
      return t`I see more than one card. Please tap only one.`;
    case "replayed":
      return t`I could not check the card. Please tap it again.`;
    case "unverified":
      return t`I do not know that card. Please tap another card.`;
    case "reader-fault":
      return t`I could not read the card. Please tap again in a moment.`;
  }
}

function declined(reason: DeclineReason): Phrase {
  switch (reason) {
    case "insufficient-funds":
      return t`There is not enough money on the card. Please tap another card.`;
    case "card-blocked":
      return t`This card is blocked. Please tap another card.`;
    case "limit-exceeded":
      return t`This is over the card's limit. Please tap another card.`;
    case "not-honoured":
      return t`The card was declined. Please tap another card.`;
    case "card-replayed":
      return t`The card check failed and nothing was charged. Please tap another card.`;
  }
}

/** What helps is another order, see the Korean ones. */
function offlineRefused(reason: Extract<Prompt, { kind: "offline-refused" }>["reason"]): Phrase {
  switch (reason) {
    case "disabled":
    case "not-welcomed":
    case "ledger-silent":
      return t`Sorry, our connection is not working and I cannot take cards right now. Please ask our staff.`;
    case "unverified":
    case "denied":
      return t`Sorry, this card cannot be used while our connection is down. Please order again with another card, or ask our staff.`;
    case "per-sale":
      return t`Sorry, our connection is down and I cannot take this much right now. Please order for a smaller amount, or ask our staff.`;
    case "total":
    case "count":
    case "age":
      return t`Sorry, our connection is down and I cannot take more payments right now. Please come back later, or ask our staff.`;
    case "per-card":
    case "per-card-hour":
      return t`Sorry, this card cannot be used again while our connection is down. Please order again with another card, or ask our staff.`;
  }
}

/** The example is the first item of the menu, so that repeating it word for word is an order. */
function help(menu: Menu): Phrase {
  const first = menu.items[0];
  const ending = t`When you are done, say pay.`;
  if (first === undefined) return joined([t`Say what you would like, and how many.`, ending], " ");
  const example = counted({ ...namedItem(menu, first.id, "en"), quantity: 2 });
  return joined([t`Say what you would like, and how many. For example: ${example}, please.`, ending], " ");
}

function receiptProblem(reason: PrintProblem): Phrase {
  switch (reason) {
    case "paper-out":
      return t`Your payment went through. The printer is out of paper. Please ask our staff.`;
    case "cover-open":
      return t`Your payment went through. The printer is open, so there is no receipt. Please ask our staff.`;
    case "offline":
      return t`Your payment went through. The printer does not answer. Please ask our staff.`;
  }
}
