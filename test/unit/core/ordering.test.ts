import { describe, expect, it } from "vitest";
import type { BasketEdit, Intent } from "../../../daemon/core/intent.ts";
import { MENU, SETTINGS, TestTerminal } from "../../support/shop.ts";

const edit = (...edits: BasketEdit[]): Intent => ({ kind: "edit", edits });

describe("wake", () => {
  it("greets, and opens the ear when the greeting is over", () => {
    const terminal = new TestTerminal().happen({
      kind: "sale.woken",
      saleId: "s",
      language: "ko",
      source: "button",
    });
    expect(terminal.wants).toEqual(["ear.close", "say welcome"]);
    expect(terminal.finishSpeech().wants).toEqual(["ear.open order", "timer no-input"]);
  });

  it("does not disturb a sale that is under way", () => {
    const terminal = new TestTerminal().wake("first");
    terminal.happen({ kind: "sale.woken", saleId: "second", language: "ko", source: "button" });
    expect(terminal.saleId).toBe("first");
    expect(terminal.effects).toEqual([]);
  });

  it("numbers sales in a row", () => {
    const terminal = new TestTerminal().wake("a").intend({ kind: "cancel" }).wake("b");
    expect(terminal.state.sale?.sequence).toBe(2);
  });
});

describe("basket edits", () => {
  const options = {};
  const rows: [name: string, edits: BasketEdit[], basket: string[]][] = [
    ["add", [{ kind: "add", itemId: "americano", quantity: 2, options }], ["2 americano"]],
    [
      "add with option",
      [{ kind: "add", itemId: "latte", quantity: 1, options: { temperature: "iced" } }],
      ["1 latte iced"],
    ],
    [
      "same line grows and moves last",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "add", itemId: "cookie", quantity: 1, options },
        { kind: "add", itemId: "americano", quantity: 2, options },
      ],
      ["1 cookie", "3 americano"],
    ],
    [
      "other options are another line",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "add", itemId: "americano", quantity: 1, options: { temperature: "iced", size: "large" } },
      ],
      ["1 americano", "1 americano iced large"],
    ],
    [
      "remove one",
      [
        { kind: "add", itemId: "americano", quantity: 3, options },
        { kind: "remove", itemId: "americano", quantity: 1 },
      ],
      ["2 americano"],
    ],
    [
      "remove more than there are",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "add", itemId: "cookie", quantity: 1, options },
        { kind: "remove", itemId: "americano", quantity: 5 },
      ],
      ["1 cookie"],
    ],
    [
      "remove the last mentioned",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "add", itemId: "cookie", quantity: 1, options },
        { kind: "remove" },
      ],
      ["1 americano"],
    ],
    [
      "remove by option",
      [
        { kind: "add", itemId: "americano", quantity: 1, options: { temperature: "iced" } },
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "remove", itemId: "americano", options: { temperature: "iced" } },
      ],
      ["1 americano"],
    ],
    [
      "set quantity of the last",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "set-quantity", quantity: 4 },
      ],
      ["4 americano"],
    ],
    [
      "set quantity to none",
      [
        { kind: "add", itemId: "americano", quantity: 1, options },
        { kind: "add", itemId: "cookie", quantity: 1, options },
        { kind: "set-quantity", itemId: "cookie", quantity: 0 },
      ],
      ["1 americano"],
    ],
    [
      "make one of them iced",
      [
        { kind: "add", itemId: "americano", quantity: 3, options },
        { kind: "set-options", quantity: 1, options: { temperature: "iced" } },
      ],
      ["2 americano", "1 americano iced"],
    ],
    [
      "make all of them large",
      [
        { kind: "add", itemId: "americano", quantity: 3, options: { temperature: "iced" } },
        { kind: "set-options", itemId: "americano", options: { size: "large" } },
      ],
      ["3 americano iced large"],
    ],
    [
      "a latte instead keeps iced and the number",
      [
        { kind: "add", itemId: "americano", quantity: 2, options: { temperature: "iced" } },
        { kind: "replace", itemId: "americano", withItemId: "latte", options },
      ],
      ["2 latte iced"],
    ],
    [
      "a cookie instead drops what cookies do not have",
      [
        { kind: "add", itemId: "americano", quantity: 2, options: { temperature: "iced" } },
        { kind: "replace", withItemId: "cookie", quantity: 1, options },
      ],
      ["1 cookie"],
    ],
  ];

  it.each(rows)("%s", (_, edits, basket) => {
    const terminal = new TestTerminal().wake().intend(edit(...edits));
    expect(terminal.basket).toEqual(basket);
    expect(terminal.said).toEqual(["read-back"]);
    expect(terminal.phase).toBe("read-back");
  });

  const add: BasketEdit = { kind: "add", itemId: "americano", quantity: 1, options };
  const refused: [name: string, edits: BasketEdit[], prompt: string, basket: string[]][] = [
    ["unknown item", [{ kind: "add", itemId: "gold", quantity: 1, options }], "item-unknown", []],
    [
      "option the item does not have",
      [{ kind: "add", itemId: "cookie", quantity: 1, options: { size: "large" } }],
      "item-unknown",
      [],
    ],
    [
      "value that does not exist",
      [{ kind: "add", itemId: "latte", quantity: 1, options: { size: "huge" } }],
      "item-unknown",
      [],
    ],
    ["fraction", [{ kind: "add", itemId: "latte", quantity: 1.5, options }], "item-unknown", []],
    ["negative", [{ kind: "add", itemId: "latte", quantity: -1, options }], "item-unknown", []],
    ["remove what is not there", [{ kind: "remove", itemId: "latte" }], "not-in-basket", []],
    ["quantity of nothing", [{ kind: "set-quantity", quantity: 2 }], "not-in-basket", []],
    ["options of nothing", [{ kind: "set-options", options: { size: "large" } }], "not-in-basket", []],
    ["replace nothing", [{ kind: "replace", withItemId: "latte", options }], "not-in-basket", []],
    ["far too many", [{ kind: "add", itemId: "water", quantity: 18_000, options }], "quantity-refused", []],
  ];

  it.each(refused)("refuses: %s", (_, edits, prompt, basket) => {
    const terminal = new TestTerminal().wake().intend(edit(...edits));
    expect(terminal.said).toEqual([prompt]);
    expect(terminal.basket).toEqual(basket);
    expect(terminal.phase).toBe("listening");
  });

  const kept: [name: string, edit: BasketEdit, prompt: string][] = [
    ["bad option for a line", { kind: "set-options", options: { size: "huge" } }, "item-unknown"],
    ["options of no units", { kind: "set-options", quantity: 0, options: { size: "large" } }, "item-unknown"],
    ["replace by an unknown item", { kind: "replace", withItemId: "gold", options: {} }, "item-unknown"],
    [
      "replace with a bad option",
      { kind: "replace", withItemId: "cookie", options: { size: "large" } },
      "item-unknown",
    ],
    ["set far too many", { kind: "set-quantity", quantity: 500 }, "quantity-refused"],
  ];

  it.each(kept)("keeps the basket: %s", (_, bad, prompt) => {
    const terminal = new TestTerminal().wake().intend(edit(add)).finishSpeech().intend(edit(bad));
    expect(terminal.said).toEqual([prompt]);
    expect(terminal.basket).toEqual(["1 americano"]);
    expect(terminal.phase).toBe("basket");
  });

  it("refuses one line more than an order may have", () => {
    const lines = ["americano", "latte", "cookie", "water"].map(
      (itemId): BasketEdit => ({ kind: "add", itemId, quantity: 1, options }),
    );
    const terminal = new TestTerminal().wake().intend(edit(...lines));
    expect(terminal.basket).toHaveLength(SETTINGS.quantities.lines);
  });

  it("asks again after an edit that edits nothing", () => {
    expect(new TestTerminal().wake().intend(edit()).said).toEqual(["no-match"]);
  });

  it("reads an emptied basket as empty", () => {
    const terminal = new TestTerminal()
      .wake()
      .intend(edit(add))
      .finishSpeech()
      .intend(edit({ kind: "remove" }));
    expect(terminal.said).toEqual(["basket-empty"]);
    expect(terminal.phase).toBe("listening");
  });
});

describe("unusual quantities", () => {
  const asked = (): TestTerminal => new TestTerminal().wake().order("water", 18);

  it("are asked back before they enter the basket", () => {
    const terminal = asked();
    expect(terminal.said).toEqual(["quantity-question"]);
    expect(terminal.basket).toEqual([]);
    expect(terminal.finishSpeech().wants).toEqual(["ear.open confirmation", "timer no-input"]);
  });

  it("enter it on yes", () => {
    const terminal = asked().finishSpeech().intend({ kind: "confirm" });
    expect(terminal.basket).toEqual(["18 water"]);
    expect(terminal.said).toEqual(["read-back"]);
  });

  it("add to what is there on yes", () => {
    const terminal = new TestTerminal().wake().order("water", 9).finishSpeech().order("water", 9);
    expect(terminal.phase).toBe("quantity-question");
    expect(terminal.finishSpeech().intend({ kind: "confirm" }).basket).toEqual(["18 water"]);
  });

  it("replace what is there when they were set", () => {
    const terminal = new TestTerminal().wake().order("water", 3).finishSpeech();
    terminal.intend(edit({ kind: "set-quantity", itemId: "water", quantity: 15 }));
    expect(terminal.finishSpeech().intend({ kind: "confirm" }).basket).toEqual(["15 water"]);
  });

  const hotForTwelve = (): TestTerminal =>
    new TestTerminal()
      .wake()
      .order("americano", 12)
      .finishSpeech()
      .intend({ kind: "confirm" })
      .finishSpeech();

  it.each<[name: string, edit: BasketEdit, asked: string[], agreed: string[]]>([
    [
      "other options",
      { kind: "set-options", options: { temperature: "iced" } },
      ["12 americano"],
      ["12 americano iced"],
    ],
    [
      "other options for some",
      { kind: "set-options", quantity: 11, options: { temperature: "iced" } },
      ["12 americano"],
      ["1 americano", "11 americano iced"],
    ],
    [
      "the same options",
      { kind: "set-options", quantity: 11, options: { temperature: "hot" } },
      ["12 americano"],
      ["12 americano"],
    ],
    [
      "another item",
      { kind: "replace", withItemId: "latte", quantity: 15, options: {} },
      ["12 americano"],
      ["15 latte"],
    ],
  ])("take the place of what they were to replace: %s", (_, change, before, after) => {
    const terminal = hotForTwelve().intend(edit(change));
    expect(terminal.said).toEqual(["quantity-question"]);
    expect(terminal.basket).toEqual(before);
    expect(terminal.finishSpeech().intend({ kind: "confirm" }).basket).toEqual(after);
  });

  it("leave the other lines alone", () => {
    const terminal = new TestTerminal().wake().order("latte").finishSpeech().order("americano", 12);
    terminal.finishSpeech().intend({ kind: "confirm" }).finishSpeech();
    const iced = { temperature: "iced" };
    terminal.intend(edit({ kind: "set-options", quantity: 11, options: iced }));
    terminal.finishSpeech().intend({ kind: "confirm" });
    expect(terminal.basket).toEqual(["1 latte", "1 americano", "11 americano iced"]);
  });

  it("do not go round the limit of lines", () => {
    const terminal = new TestTerminal().wake().order("americano").order("latte").order("cookie");
    expect(terminal.order("water", 18).said).toEqual(["quantity-refused"]);
  });

  it.each<BasketEdit>([
    { kind: "remove", quantity: -5 },
    { kind: "remove", quantity: 0.5 },
    { kind: "set-quantity", quantity: -1 },
    { kind: "set-quantity", quantity: 1.5 },
    { kind: "set-quantity", quantity: Number.NaN },
    { kind: "set-options", quantity: 0.5, options: { temperature: "iced" } },
    { kind: "replace", withItemId: "latte", quantity: -2, options: {} },
    { kind: "add", itemId: "latte", quantity: 2 ** 60, options: {} },
  ])("that are no count change nothing: %o", (change) => {
    const terminal = new TestTerminal().wake().order("americano", 3).finishSpeech().intend(edit(change));
    expect(terminal.basket).toEqual(["3 americano"]);
    expect(terminal.said).toEqual(["item-unknown"]);
  });

  it("are dropped on no", () => {
    const terminal = asked().finishSpeech().intend({ kind: "deny" });
    expect(terminal.basket).toEqual([]);
    expect(terminal.said).toEqual(["ask-change"]);
  });

  it("are asked again on anything that is no answer", () => {
    expect(asked().finishSpeech().intend({ kind: "pay" }).said).toEqual(["quantity-question"]);
    expect(asked().finishSpeech().intend({ kind: "repeat" }).said).toEqual(["quantity-question"]);
  });
});

describe("the turns of a conversation", () => {
  const ordered = (): TestTerminal => new TestTerminal().wake().order("americano", 2).finishSpeech();
  const rows: [intent: Intent, said: string[], phase: string][] = [
    [{ kind: "confirm" }, ["tap-card"], "awaiting-card"],
    [{ kind: "pay" }, ["tap-card"], "awaiting-card"],
    [{ kind: "deny" }, ["ask-change"], "basket"],
    [{ kind: "cancel" }, ["cancelled"], "idle"],
    [{ kind: "repeat" }, ["read-back"], "read-back"],
    [{ kind: "help" }, ["help"], "read-back"],
    [{ kind: "staff" }, ["staff-called"], "read-back"],
    [{ kind: "ask-price", itemId: "latte" }, ["price"], "read-back"],
    [{ kind: "ask-price" }, ["price"], "read-back"],
    [{ kind: "ask-price", itemId: "gold" }, ["item-unknown"], "read-back"],
  ];

  it.each(rows)("after a read-back: %o", (intent, said, phase) => {
    const terminal = ordered().intend(intent);
    expect(terminal.said).toEqual(said);
    expect(terminal.phase).toBe(phase);
  });

  const empty: [intent: Intent, said: string[]][] = [
    [{ kind: "confirm" }, ["basket-empty"]],
    [{ kind: "pay" }, ["basket-empty"]],
    [{ kind: "deny" }, ["ask-change"]],
    [{ kind: "repeat" }, ["welcome"]],
    [{ kind: "ask-price" }, ["item-unknown"]],
  ];

  it.each(empty)("with nothing ordered: %o", (intent, said) => {
    const terminal = new TestTerminal().wake().intend(intent);
    expect(terminal.said).toEqual(said);
    expect(terminal.phase).toBe("listening");
  });

  it("tells the price of the default, with its surcharge", () => {
    const terminal = new TestTerminal().wake().intend({ kind: "ask-price", itemId: "latte" });
    expect(terminal.effects.find((effect) => effect.kind === "speech.say")).toMatchObject({
      prompt: { price: { minor: 4500n } },
    });
  });

  it("tells the price of what was just ordered with its options", () => {
    const terminal = new TestTerminal().wake().order("latte", 1, { size: "large" }).finishSpeech();
    expect(terminal.intend({ kind: "ask-price" }).effects).toContainEqual(
      expect.objectContaining({
        prompt: { kind: "price", itemId: "latte", price: { minor: 5500n, currency: "KRW" } },
      }),
    );
  });

  it("reads back again when the basket is confirmed after a change was asked for", () => {
    const terminal = ordered().intend({ kind: "deny" }).finishSpeech();
    expect(terminal.intend({ kind: "repeat" }).said).toEqual(["ask-change"]);
    expect(terminal.intend({ kind: "confirm" }).said).toEqual(["read-back"]);
  });

  it("never takes a yes for an amount that was not told", () => {
    const cutOff = new TestTerminal().wake().order("americano").finishSpeech("interrupted");
    expect(cutOff.intend({ kind: "confirm" }).said).toEqual(["read-back"]);
    const tooEarly = new TestTerminal().wake().order("americano");
    expect(tooEarly.intend({ kind: "confirm" }).said).toEqual(["read-back"]);
    const helped = new TestTerminal().wake().order("americano").intend({ kind: "help" }).finishSpeech();
    expect(helped.intend({ kind: "confirm" }).said).toEqual(["read-back"]);
  });

  it("takes a touch on the display that shows the amount, at any time", () => {
    const turn = { language: "ko", intent: { kind: "confirm" }, confidence: 1 } as const;
    const terminal = new TestTerminal().wake().order("americano");
    expect(terminal.happen({ kind: "turn.heard", turn, source: "touch" }).phase).toBe("awaiting-card");
  });

  it("counts words that could only be shown as told", () => {
    const terminal = new TestTerminal().wake().order("americano").finishSpeech("failed");
    expect(terminal.intend({ kind: "confirm" }).phase).toBe("awaiting-card");
  });

  it("ignores the end of a sentence that was replaced", () => {
    const terminal = new TestTerminal().wake().order("americano");
    terminal.happen({ kind: "speech.ended", effectId: "sale-1:1", outcome: "interrupted" });
    expect(terminal.effects).toEqual([]);
  });

  it("calls staff with an alarm", () => {
    expect(ordered().intend({ kind: "staff" }).alarms).toEqual(["staff-called"]);
  });
});

describe("misses", () => {
  it("tells no-input from no-match", () => {
    expect(new TestTerminal().wake().timeOut().said).toEqual(["no-input"]);
    expect(new TestTerminal().wake().happen({ kind: "turn.missed" }).said).toEqual(["no-match"]);
    expect(new TestTerminal().wake().intend({ kind: "confirm" }, 0.1).said).toEqual(["no-match"]);
  });

  it("hands over to staff after three in a row", () => {
    const terminal = new TestTerminal().wake();
    terminal.timeOut().finishSpeech().happen({ kind: "turn.missed" }).finishSpeech().timeOut();
    expect(terminal.said).toEqual(["timed-out"]);
    expect(terminal.alarms).toEqual(["staff-called"]);
    expect(terminal.ending).toBe("timed-out");
  });

  it("forgets earlier misses when something is understood", () => {
    const terminal = new TestTerminal().wake().timeOut().finishSpeech().timeOut().finishSpeech();
    terminal.order("americano").finishSpeech().timeOut();
    expect(terminal.said).toEqual(["no-input"]);
  });

  it("ignores a late timer", () => {
    const terminal = new TestTerminal().wake();
    terminal.happen({ kind: "timer.fired", timerId: "sale-1:0" });
    expect(terminal.effects).toEqual([]);
  });
});

describe("a menu that changes under a sale", () => {
  const without = (itemId: string) => ({
    ...SETTINGS,
    menu: { ...MENU, items: MENU.items.filter(({ id }) => id !== itemId) },
  });

  it("drops what is no longer sold and asks for a new confirmation", () => {
    const terminal = new TestTerminal()
      .wake()
      .order("cookie")
      .finishSpeech()
      .order("americano")
      .finishSpeech();
    terminal.happen({ kind: "settings.applied", settings: without("cookie") });
    expect(terminal.basket).toEqual(["1 americano"]);
    expect(terminal.phase).toBe("basket");
  });

  it("disarms the card reader", () => {
    const terminal = new TestTerminal().wake().confirmOrder("cookie", 1);
    terminal.happen({ kind: "settings.applied", settings: without("cookie") });
    expect(terminal.wants).toEqual(["card.disarm"]);
    expect(terminal.phase).toBe("listening");
  });

  it("does not touch a sale that has not begun or is charged already", () => {
    const idle = new TestTerminal().happen({ kind: "settings.applied", settings: without("cookie") });
    expect(idle.effects).toEqual([]);
    const waking = new TestTerminal()
      .wake()
      .happen({ kind: "settings.applied", settings: without("cookie") });
    expect(waking.phase).toBe("listening");
    const charged = new TestTerminal().linked().wake().confirmOrder("cookie", 1).tap();
    charged.happen({ kind: "settings.applied", settings: without("cookie") });
    expect(charged.phase).toBe("authorising");
  });
});
