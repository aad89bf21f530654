/** What a display shows besides the order, from what was observed. */
import { describe, expect, it } from "vitest";
import { EMPTY_TERMINAL } from "../../daemon/core/sale.ts";
import { viewOf } from "../../daemon/core/view.ts";
import { menuCard, screenOf, toJson } from "../../daemon/display/screen.ts";
import { after, NOTHING_YET, type Situation } from "../../daemon/display/situation.ts";
import type { Observation } from "../../daemon/shell/observation.ts";
import { MENU, SETTINGS, TestTerminal } from "../support/shop.ts";

type Seen = Observation extends infer T ? (T extends unknown ? Omit<T, "atMs"> : never) : never;

const ENDED_AT_MS = 5_000;
const seeing = (...seen: readonly Seen[]): Situation =>
  seen.reduce((now, next) => after(now, { ...next, atMs: ENDED_AT_MS }), NOTHING_YET);
const fault = (unit: string, code: string): Seen => ({ kind: "fault", unit, code, detail: "" });
const caption: Seen = { kind: "caption", text: "어서 오세요.", prompt: "welcome" };
const idle: Seen = { kind: "view", view: viewOf(SETTINGS, EMPTY_TERMINAL) };
const ordering = (saleId: string): Seen => {
  const terminal = new TestTerminal().wake(saleId).order("latte", 2);
  return { kind: "view", view: viewOf(terminal.settings, terminal.state) };
};
const closed: Seen = { kind: "closed", saleId: "a", ending: "approved", latency: null };

describe("troubles", () => {
  const rows: [unit: string, code: string, trouble: string][] = [
    ["microphone", "audio.no-device", "cannot-hear"],
    ["hearing", "model.missing", "cannot-hear"],
    ["ear", "audio.no-frames", "cannot-hear"],
    ["speaker", "audio.no-device", "cannot-speak"],
    ["speaking", "process.exited", "cannot-speak"],
    ["card-reader", "card.service-down", "no-reader"],
    ["printer", "printer.paper-out", "paper-out"],
    ["printer", "printer.cover-open", "cover-open"],
    ["printer", "printer.offline", "no-printer"],
    ["printer", "process.hung", "no-printer"],
    ["keypad", "process.hung", "something"],
  ];
  it.each(rows)("of %s with %s: %s", (unit, code, trouble) => {
    expect(Object.values(seeing(fault(unit, code)).troubles)).toEqual([trouble]);
  });

  const mended: [what: string, seen: readonly Seen[]][] = [
    ["the unit recovers", [fault("printer", "printer.paper-out"), { kind: "recovered", unit: "printer" }]],
    ["the microphone recovers", [fault("ear", "audio.no-frames"), { kind: "recovered", unit: "microphone" }]],
    ["something is heard", [fault("ear", "model.failed"), { kind: "partial", text: "아메" }]],
    ["a receipt came out", [{ kind: "print-failed", reason: "paper-out" }, { kind: "printed" }]],
  ];
  it.each(mended)("are over when %s", (_, seen) => {
    expect(seeing(...seen).troubles).toEqual({});
  });

  it("of one kind do not end with the first that is mended", () => {
    const both = [fault("hearing", "model.missing"), fault("microphone", "audio.no-device")];
    const one = seeing(...both, { kind: "recovered", unit: "microphone" });
    expect(Object.values(one.troubles)).toEqual(["cannot-hear"]);
    expect(screenOf(viewOf(SETTINGS, EMPTY_TERMINAL), seeing(...both), "", 0).troubles).toEqual([
      "cannot-hear",
    ]);
  });
});

describe("the last caption", () => {
  it("stays while the sale lasts", () => {
    expect(seeing(ordering("a"), caption, ordering("a")).caption?.text).toBe("어서 오세요.");
  });

  it("is not shown to the next customer, nor what was heard", () => {
    const next = seeing(
      ordering("a"),
      caption,
      { kind: "partial", text: "라떼" },
      closed,
      idle,
      ordering("b"),
    );
    expect(next).toMatchObject({ caption: null, heard: null, ended: null, staffCalled: false });
  });
});

describe("the end of a sale", () => {
  const alarm: Seen = { kind: "alarm", alarm: { kind: "receipt-not-printed", saleId: "a" } };
  const rows: [what: string, seen: readonly Seen[], receiptMissing: boolean][] = [
    ["with a receipt", [ordering("a"), closed, idle], false],
    ["without, known before", [ordering("a"), alarm, closed, idle], true],
    ["without, known after", [ordering("a"), closed, alarm, idle], true],
  ];
  it.each(rows)("%s is told with its number and amount", (_, seen, receiptMissing) => {
    const screen = screenOf(viewOf(SETTINGS, EMPTY_TERMINAL), seeing(...seen), "", ENDED_AT_MS + 700);
    expect(screen.ended).toEqual({
      saleId: "a",
      ending: "approved",
      number: 1,
      total: { minor: 9_000n, currency: "KRW" },
      receiptMissing,
      agoMs: 700,
    });
  });
});

describe("the card's problem", () => {
  const rejected: Seen = { kind: "card-rejected", reason: "torn-away" };
  it("is told until a card is tapped or no card is awaited", () => {
    expect(seeing(rejected).cardProblem).toBe("torn-away");
    expect(seeing(rejected, { kind: "tapped", masked: "**** 1" }).cardProblem).toBeNull();
    expect(seeing(rejected, ordering("a")).cardProblem).toBeNull();
  });
});

describe("the menu card", () => {
  const digits: [currency: string, digits: number][] = [
    ["KRW", 0],
    ["USD", 2],
    ["KWD", 3],
  ];
  it.each(digits)("knows the digits of %s: %d", (currency, expected) => {
    expect(menuCard({ name: "", language: "ko", menu: { ...MENU, currency } }).digits).toBe(expected);
  });

  it("names items and their options in each language, with amounts as decimal strings", () => {
    const card: unknown = JSON.parse(toJson(menuCard({ name: "가게", language: "ko", menu: MENU })));
    expect(card).toMatchObject({
      shop: "가게",
      items: expect.arrayContaining([
        expect.objectContaining({
          id: "americano",
          name: { ko: "아메리카노", en: "americano" },
          price: "4000",
          options: expect.arrayContaining([expect.objectContaining({ id: "temperature", default: "hot" })]),
        }),
      ]),
    });
  });
});
