import { describe, expect, it } from "vitest";
import { optionNames, priceLines, unitPrice } from "../../../daemon/core/basket.ts";
import { Fault } from "../../../daemon/core/fault.ts";
import { nameOf } from "../../../daemon/core/menu.ts";
import { add, exponentOf, formatAmount, money } from "../../../daemon/core/money.ts";
import { vatIn } from "../../../daemon/core/receipt.ts";
import { EMPTY_TERMINAL, RECENT_SALES } from "../../../daemon/core/sale.ts";
import { viewOf } from "../../../daemon/core/view.ts";
import { MENU, SETTINGS, TestTerminal } from "../../support/shop.ts";

describe("money", () => {
  it.each([
    [0n, "KRW", "0"],
    [15_000n, "KRW", "15,000"],
    [1_234_567n, "KRW", "1,234,567"],
    [-4_500n, "KRW", "-4,500"],
    [1_500n, "USD", "15.00"],
    [5n, "USD", "0.05"],
    [1_234n, "KWD", "1.234"],
    [123_456_789n, "USD", "1,234,567.89"],
  ])("%s %s reads %s", (minor, currency, text) => {
    expect(formatAmount(money(minor, currency))).toBe(text);
  });

  it("does not mix currencies", () => {
    expect(() => add(money(1n, "KRW"), money(1n, "USD"))).toThrow("cannot add USD to KRW");
  });

  it("knows the digits of the minor unit", () => {
    expect([exponentOf("KRW"), exponentOf("USD"), exponentOf("KWD")]).toEqual([0, 2, 3]);
  });

  it.each([
    [11_000n, 10, 1_000n],
    [8_000n, 10, 727n],
    [1n, 10, 0n],
    [6n, 10, 1n],
    [5_000n, 0, 0n],
  ])("of %s at %i %% the VAT is %s", (total, percent, vat) => {
    expect(vatIn(money(total, "KRW"), percent)).toEqual(money(vat, "KRW"));
  });
});

describe("menu", () => {
  it("falls back to a name in any language, then to the id", () => {
    expect(nameOf({ id: "x", names: { en: ["tea"] } }, "ko")).toBe("tea");
    expect(nameOf({ id: "x", names: { zh: ["茶"] } }, "ko")).toBe("茶");
    expect(nameOf({ id: "x", names: {} }, "ko")).toBe("x");
  });

  it("prices options", () => {
    expect(unitPrice(MENU, { itemId: "latte", options: { temperature: "iced", size: "large" } })?.minor).toBe(
      6_000n,
    );
    expect(unitPrice(MENU, { itemId: "latte", options: { temperature: "gone" } })?.minor).toBe(4_500n);
    expect(unitPrice(MENU, { itemId: "gone", options: {} })).toBeNull();
  });

  it("leaves lines out that it does not have", () => {
    expect(priceLines(MENU, [{ itemId: "gone", quantity: 1, options: {} }], "ko")).toEqual([]);
    expect(optionNames(MENU, { itemId: "gone", options: {} }, "ko")).toEqual([]);
    expect(optionNames(MENU, { itemId: "latte", options: { temperature: "gone" } }, "ko")).toEqual([]);
  });

  it("names options that differ from the default", () => {
    expect(
      optionNames(MENU, { itemId: "latte", options: { temperature: "iced", size: "regular" } }, "ko"),
    ).toEqual(["아이스"]);
  });
});

describe("view", () => {
  it("of an idle terminal is empty", () => {
    expect(viewOf(SETTINGS, EMPTY_TERMINAL)).toMatchObject({
      phase: "idle",
      lines: [],
      total: { minor: 0n },
    });
  });

  it("asks about the quantity that there would be", () => {
    const terminal = new TestTerminal().wake().order("water", 9).order("water", 9);
    expect(viewOf(terminal.settings, terminal.state).question).toEqual({ name: "생수", quantity: 18 });
  });

  it("shows the basket, then what is charged", () => {
    const terminal = new TestTerminal().linked().wake().order("latte", 2, { temperature: "iced" });
    expect(viewOf(terminal.settings, terminal.state)).toMatchObject({
      phase: "read-back",
      lines: [{ name: "카페라떼", options: ["아이스"], quantity: 2, amount: { minor: 10_000n } }],
      total: { minor: 10_000n },
    });
    terminal.finishSpeech().intend({ kind: "confirm" }).tap();
    const withoutLatte = { ...MENU, items: MENU.items.filter((item) => item.id !== "latte") };
    expect(viewOf({ ...SETTINGS, menu: withoutLatte }, terminal.state)).toMatchObject({
      lines: [{ name: "카페라떼" }],
      total: { minor: 10_000n },
    });
  });
});

describe("recent sales", () => {
  it("are bounded", () => {
    const terminal = new TestTerminal();
    for (let n = 0; n < RECENT_SALES + 5; n++) terminal.wake(`s${n}`).intend({ kind: "cancel" });
    expect(terminal.state.recent).toHaveLength(RECENT_SALES);
  });
});

describe("faults", () => {
  it("carry a code and what may be done again", () => {
    const cause = new Error("low");
    const fault = new Fault("ledger.unreachable", "no route", { retry: "unknown", cause });
    expect(fault).toMatchObject({ code: "ledger.unreachable", retry: "unknown", cause });
    expect(fault.message).toBe("the ledger does not answer: no route");
    expect(new Fault("time-out", "x").retry).toBe("safe");
  });
});
