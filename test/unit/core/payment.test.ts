import { describe, expect, it } from "vitest";
import { MAXIMUM_REVERSALS } from "../../../daemon/core/payment.ts";
import { MENU, SETTINGS, TestTerminal } from "../../support/shop.ts";

const atTheCard = (): TestTerminal => new TestTerminal().linked().wake().confirmOrder();
const authorising = (): TestTerminal => atTheCard().tap();

describe("awaiting the card", () => {
  it("arms the reader and says the amount", () => {
    expect(atTheCard().wants).toEqual(["card.arm", "ear.close", "say tap-card", "timer card"]);
  });

  it("sends one authorisation under the sale's first key when a card is tapped", () => {
    const terminal = authorising();
    expect(terminal.sent).toEqual(["sale-1/1:authorise"]);
    expect(terminal.effects.find((effect) => effect.kind === "ledger.send")).toMatchObject({
      request: {
        key: "sale-1/1",
        saleId: "sale-1",
        sequence: 1,
        amount: { minor: 8_000n, currency: "KRW" },
        vat: { minor: 727n },
        mode: "online",
        lines: [{ itemId: "americano", quantity: 2 }],
      },
    });
    expect(terminal.phase).toBe("authorising");
  });

  it("says nothing of approval before the ledger does", () => {
    expect(authorising().said).toEqual([]);
  });

  it.each([
    [7, 7],
    [6, 7],
  ])("refuses a card counter %i after %i as a copy", (counter, last) => {
    const terminal = atTheCard().tap({ counter }, last);
    expect(terminal.said).toEqual(["tap-again"]);
    expect(terminal.sent).toEqual([]);
    expect(terminal.phase).toBe("awaiting-card");
  });

  it("takes a counter that grew", () => {
    expect(atTheCard().tap({ counter: 8 }, 7).phase).toBe("authorising");
  });

  it("asks again after a card that cannot be used", () => {
    const terminal = atTheCard().happen({ kind: "card.rejected", reason: "torn-away" });
    expect(terminal.wants).toEqual(["card.arm", "ear.close", "say tap-again"]);
  });

  it("ignores cards that nobody asked for", () => {
    const terminal = new TestTerminal().linked().wake();
    expect(terminal.tap().effects).toEqual([]);
    expect(terminal.happen({ kind: "card.rejected", reason: "wrong-card" }).effects).toEqual([]);
    expect(new TestTerminal().tap().effects).toEqual([]);
  });

  const turns = [
    ["confirm", "tap-card", "awaiting-card"],
    ["repeat", "tap-card", "awaiting-card"],
    ["staff", "staff-called", "awaiting-card"],
    ["deny", "ask-change", "basket"],
    ["cancel", "cancelled", "idle"],
  ] as const;

  it.each(turns)("hears %s", (kind, said, phase) => {
    const terminal = atTheCard().intend({ kind });
    expect(terminal.said).toEqual([said]);
    expect(terminal.phase).toBe(phase);
  });

  it("lets the order be changed, disarmed and read back again", () => {
    const terminal = atTheCard().order("cookie");
    expect(terminal.wants[0]).toBe("card.disarm");
    expect(terminal.phase).toBe("read-back");
  });

  it("gives up after a while", () => {
    const terminal = atTheCard().timeOut();
    expect(terminal.said).toEqual(["timed-out"]);
    expect(terminal.ending).toBe("timed-out");
  });
});

describe("the ledger's answer", () => {
  it("approves: receipt and words", () => {
    const terminal = authorising().approve();
    expect(terminal.wants).toContain("printer.print");
    expect(terminal.said).toEqual(["approved"]);
    expect(terminal.printed().ending).toBe("approved");
    expect(terminal.phase).toBe("idle");
  });

  it("prints what was charged", () => {
    const terminal = authorising().approve();
    expect(terminal.effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: {
        receipt: {
          number: 1,
          total: { minor: 8_000n },
          vat: { minor: 727n },
          lines: [
            { name: "아메리카노", quantity: 2, unitPrice: { minor: 4_000n }, amount: { minor: 8_000n } },
          ],
          payment: { kind: "approved", authorisation: "A1", card: "****-AAAA" },
          copy: false,
        },
      },
    });
  });

  it("declined: another card under a new key, and then no more", () => {
    const terminal = authorising().answer({ kind: "declined", reason: "insufficient-funds", gateway: "g" });
    expect(terminal.said).toEqual(["declined"]);
    expect(terminal.phase).toBe("awaiting-card");
    expect(terminal.tap({ counter: 8 }).sent).toEqual(["sale-1/2:authorise"]);
    terminal.answer({ kind: "declined", reason: "card-blocked", gateway: "g" }, "sale-1/2");
    expect(terminal.ending).toBe("declined");
  });

  it("declined after prices changed: the new amount is told before another card is asked for", () => {
    const items = MENU.items.map((item) => ({ ...item, price: item.price + 100n }));
    const terminal = authorising().happen({
      kind: "settings.applied",
      settings: { ...SETTINGS, menu: { ...MENU, items } },
    });
    terminal.answer({ kind: "declined", reason: "card-blocked", gateway: "g" });
    expect(terminal.said).toEqual(["declined"]);
    expect(terminal.wants).not.toContain("card.arm");
    expect(terminal.finishSpeech().intend({ kind: "pay" }).said).toEqual(["read-back"]);
    expect(terminal.finishSpeech().intend({ kind: "confirm" }).tap({ counter: 8 }).effects).toContainEqual(
      expect.objectContaining({
        request: expect.objectContaining({ key: "sale-1/2", amount: { minor: 8_200n, currency: "KRW" } }),
      }),
    );
  });

  it("declined when nothing of the order is sold any more: a new order", () => {
    const terminal = authorising().happen({
      kind: "settings.applied",
      settings: { ...SETTINGS, menu: { ...MENU, items: [] } },
    });
    terminal.answer({ kind: "declined", reason: "card-blocked", gateway: "g" });
    expect(terminal.phase).toBe("listening");
    expect(terminal.basket).toEqual([]);
  });

  it("refused: no charge, an alarm", () => {
    const terminal = authorising().answer({ kind: "refused", reason: "key-conflict" });
    expect(terminal.alarms).toEqual(["request-refused"]);
    expect(terminal.ending).toBe("declined");
  });

  it("reversed by the ledger: no charge", () => {
    expect(authorising().answer({ kind: "reversed" }).ending).toBe("reversed");
  });

  it("for another amount is no approval: alarm and reversal under the same key", () => {
    const amount = { minor: 80_000n, currency: "KRW" };
    const terminal = authorising().answer({ kind: "approved", authorisation: "A", gateway: "g", amount });
    expect(terminal.alarms).toEqual(["amount-mismatch"]);
    expect(terminal.sent).toEqual(["sale-1/1:reverse"]);
    expect(terminal.said).toEqual(["not-charged"]);
  });

  it("under a key that is not at the counter changes nothing", () => {
    expect(authorising().approve("sale-0/1").effects).toEqual([]);
    expect(new TestTerminal().answer({ kind: "pending" }, "x/1").effects).toEqual([]);
    expect(new TestTerminal().wake().answer({ kind: "pending" }, "x/1").effects).toEqual([]);
  });

  it("cannot be escaped by cancelling", () => {
    expect(authorising().intend({ kind: "cancel" }).said).toEqual(["cannot-cancel-now"]);
    expect(authorising().intend({ kind: "deny" }).effects).toEqual([]);
    expect(authorising().approve().intend({ kind: "cancel" }).effects).toEqual([]);
  });

  it("ignores a tap while another charge is under way", () => {
    expect(authorising().tap().effects).toEqual([]);
  });
});

describe("no answer", () => {
  const uncertain = (): TestTerminal => authorising().timeOut();

  it("is asked for under the same key", () => {
    const terminal = uncertain();
    expect(terminal.phase).toBe("uncertain");
    expect(terminal.sent).toEqual(["sale-1/1:query-1"]);
    expect(terminal.said).toEqual(["checking"]);
    expect(terminal.timeOut().sent).toEqual(["sale-1/1:query-2"]);
  });

  it.each(["pending", "not-found"] as const)("%s is no answer either", (kind) => {
    const terminal = authorising().answer({ kind });
    expect(terminal.phase).toBe("uncertain");
    expect(terminal.answer({ kind }).effects).toEqual([]);
    expect(terminal.timeOut().sent).toEqual(["sale-1/1:query-1"]);
  });

  it("honours an approval that comes late", () => {
    expect(uncertain().approve().said).toEqual(["approved"]);
  });

  it("takes a decline that comes late", () => {
    const terminal = uncertain().answer({ kind: "declined", reason: "not-honoured", gateway: "g" });
    expect(terminal.phase).toBe("awaiting-card");
  });

  it("is reversed under the same key when the ledger is there but does not know", () => {
    const terminal = uncertain().timeOut().timeOut();
    expect(terminal.sent).toEqual(["sale-1/1:reverse"]);
    expect(terminal.alarms).toEqual(["charge-unresolved"]);
    expect(terminal.ending).toBe("reversed");
    expect(terminal.state.openCharges).toMatchObject([{ key: "sale-1/1", purpose: "reversal" }]);
  });

  it("becomes an offline sale under the same key when the link is gone, and the ledger is told that it was honoured", () => {
    const terminal = uncertain().timeOut().unlinked().timeOut();
    expect(terminal.said).toEqual(["approved-offline"]);
    expect(terminal.effects.flatMap((effect) => (effect.kind === "ledger.send" ? [effect] : []))).toEqual([
      {
        kind: "ledger.send",
        id: "sale-1/1:honour",
        request: { kind: "honour", key: "sale-1/1", saleId: "sale-1" },
      },
    ]);
    expect(terminal.state.openCharges).toMatchObject([{ key: "sale-1/1", purpose: "offline" }]);
  });

  it("is reversed when the link is gone and the limits say no", () => {
    const offline = { ...SETTINGS.offline, enabled: false };
    const terminal = new TestTerminal({ offline }).linked().wake().confirmOrder().tap().timeOut();
    expect(terminal.unlinked().timeOut().timeOut().ending).toBe("reversed");
  });

  it("is reversed and not forgotten when the ledger refuses to be asked", () => {
    const terminal = uncertain().answer(
      { kind: "refused", reason: "unknown-terminal" },
      "sale-1/1",
      "query-1",
    );
    expect(terminal.alarms).toEqual(["request-refused"]);
    expect(terminal.sent).toEqual(["sale-1/1:reverse"]);
    expect(terminal.ending).toBe("reversed");
    expect(terminal.state.openCharges).toMatchObject([{ key: "sale-1/1", purpose: "reversal" }]);
  });

  it("takes no more cards when too many reversals wait for a ledger that is there and silent", () => {
    const terminal = new TestTerminal().linked();
    for (let sale = 1; sale <= MAXIMUM_REVERSALS; sale++)
      terminal.wake(`sale-${sale}`).confirmOrder().tap().timeOut().timeOut().timeOut();
    expect(terminal.state.openCharges).toHaveLength(MAXIMUM_REVERSALS);
    terminal.wake("one-more").confirmOrder().tap();
    expect(terminal.sent).toEqual([]);
    expect(terminal.said).toEqual(["offline-refused"]);
    expect(terminal.ending).toBe("declined");
    terminal.answer({ kind: "reversed" }, "sale-1/1", "reverse").wake("next").confirmOrder().tap();
    expect(terminal.phase).toBe("authorising");
  });

  it("cannot be cancelled", () => {
    expect(uncertain().intend({ kind: "cancel" }).said).toEqual(["cannot-cancel-now"]);
  });
});

describe("without the ledger", () => {
  const offline = (): TestTerminal => new TestTerminal().unlinked().wake().confirmOrder().tap();

  it("approves within the limits and puts the charge in the outbox", () => {
    const terminal = offline();
    expect(terminal.said).toEqual(["approved-offline"]);
    expect(terminal.effects.find((effect) => effect.kind === "ledger.send")).toMatchObject({
      request: { kind: "authorise", mode: "offline", key: "sale-1/1" },
    });
    expect(terminal.printed().ending).toBe("approved-offline");
    expect(terminal.state.openCharges).toHaveLength(1);
  });

  it("prints that the ledger has not approved yet", () => {
    expect(offline().effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { payment: { kind: "approved-offline", card: "****-AAAA" } } },
    });
  });

  it("refuses beyond the limits", () => {
    const terminal = new TestTerminal().unlinked().wake().confirmOrder("americano", 9).tap();
    terminal.printed().wake("sale-2").confirmOrder("latte", 9).tap();
    expect(terminal.said).toEqual(["offline-refused"]);
    expect(terminal.ending).toBe("declined");
    expect(terminal.sent).toEqual([]);
  });

  it("is settled by the ledger's approval, also before the receipt is out", () => {
    const terminal = offline().approve();
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.phase).toBe("receipt");
  });

  it("declined after the fact is an alarm, never hidden", () => {
    const terminal = offline().printed();
    terminal.answer({ kind: "declined", reason: "insufficient-funds", gateway: "g" });
    expect(terminal.alarms).toEqual(["offline-declined"]);
    expect(terminal.state.openCharges).toEqual([]);
  });

  it("approved for another amount is an alarm", () => {
    const terminal = offline().printed();
    const amount = { minor: 1n, currency: "KRW" };
    terminal.answer({ kind: "approved", authorisation: "A", gateway: "g", amount });
    expect(terminal.alarms).toEqual(["amount-mismatch"]);
  });

  it("refused is an alarm", () => {
    expect(offline().printed().answer({ kind: "refused", reason: "invalid" }).alarms).toEqual([
      "request-refused",
    ]);
  });

  it("reversed at the ledger is settled, and an alarm: the goods are gone", () => {
    const terminal = offline().printed().answer({ kind: "reversed" });
    expect(terminal.state.openCharges).toEqual([]);
    expect(terminal.alarms).toEqual(["offline-declined"]);
  });

  it("pending is asked for again, one request an answer, ever more slowly", () => {
    const terminal = offline().printed().answer({ kind: "pending" });
    const waits: number[] = [];
    for (let round = 1; round <= 12; round++) {
      const [timer] = terminal.effects;
      if (timer?.kind !== "timer.start") throw new Error("no timer");
      waits.push(timer.afterMs);
      terminal.happen({ kind: "timer.fired", timerId: timer.id });
      expect(terminal.sent).toEqual([`sale-1/1:settle-query-${round}`]);
      terminal.answer({ kind: "not-found" }, "sale-1/1", `settle-query-${round}`);
    }
    expect(waits.slice(0, 3)).toEqual([5_000, 10_000, 20_000]);
    expect(waits.at(-1)).toBe(3_600_000);
  });

  it("about which a question is refused stays open, with an alarm", () => {
    const terminal = offline().printed().answer({ kind: "pending" });
    const [timer] = terminal.effects;
    terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" });
    terminal.answer({ kind: "refused", reason: "invalid" }, "sale-1/1", "settle-query-1");
    expect(terminal.alarms).toEqual(["request-refused"]);
    expect(terminal.state.openCharges).toMatchObject([{ pending: true }]);
    expect(terminal.state.day.totals.declinedAfter.count).toBe(0);
  });

  it("is asked for one after the other after a restart, however many wait", () => {
    const [first] = offline().printed().answer({ kind: "pending" }).state.openCharges;
    if (first === undefined) throw new Error("nothing waits");
    const openCharges = Array.from({ length: 10_000 }, (_, n) => ({ ...first, key: `s-${n}/1` }));
    const terminal = new TestTerminal();
    terminal.state = { ...terminal.state, openCharges };
    const waits = terminal
      .happen({ kind: "daemon.started" })
      .effects.flatMap((effect) => (effect.kind === "timer.start" ? [effect.afterMs] : []));
    expect(new Set(waits).size).toBe(10_000);
    expect([waits[0], waits.at(-1)]).toEqual([5_000, 204_980]);
  });

  it("of which the ledger knows nothing any more is an alarm, and is asked for again", () => {
    const terminal = offline().printed().answer({ kind: "pending" });
    const [timer] = terminal.effects;
    terminal.happen({ kind: "timer.fired", timerId: timer?.id ?? "" });
    terminal.answer({ kind: "not-found" }, "sale-1/1", "settle-query-1");
    expect(terminal.alarms).toEqual(["charge-unresolved"]);
    expect(terminal.state.openCharges).toMatchObject([{ pending: true, queries: 1 }]);
    // A request that overtook the claim says nothing.
    expect(terminal.answer({ kind: "not-found" }, "sale-1/1", "honour").alarms).toEqual([]);
  });

  it("a settle timer also fires while the next customer orders", () => {
    const terminal = offline().printed().answer({ kind: "pending" });
    const timerId = terminal.effects[0]?.id ?? "";
    terminal.wake("sale-2").happen({ kind: "timer.fired", timerId });
    expect(terminal.sent).toEqual(["sale-1/1:settle-query-1"]);
  });
});

describe("a charge under reversal", () => {
  const reversing = (): TestTerminal => authorising().timeOut().timeOut().timeOut();

  it("is settled by the answer to the reversal, not by late news of the charge", () => {
    const terminal = reversing();
    expect(terminal.answer({ kind: "pending" }).effects).toEqual([]);
    const amount = { minor: 8_000n, currency: "KRW" };
    expect(terminal.answer({ kind: "approved", authorisation: "A", gateway: "g", amount }).effects).toEqual(
      [],
    );
    expect(terminal.state.openCharges).toHaveLength(1);
    terminal.answer({ kind: "reversed" }, "sale-1/1", "reverse");
    expect(terminal.state.openCharges).toEqual([]);
  });

  it("that never was a charge is settled without an alarm", () => {
    const terminal = reversing().answer(
      { kind: "declined", reason: "not-honoured", gateway: "g" },
      "sale-1/1",
      "reverse",
    );
    expect(terminal.alarms).toEqual([]);
    expect(terminal.state.openCharges).toEqual([]);
  });

  it("of which something was given back elsewhere is an alarm, and is reversed again", () => {
    const terminal = reversing();
    terminal.answer({ kind: "refund-refused", reason: "partly-refunded" }, "sale-1/1", "reverse");
    expect(terminal.alarms).toEqual(["charge-unresolved"]);
    const timerId = terminal.effects[0]?.id ?? "";
    expect(terminal.happen({ kind: "timer.fired", timerId }).sent).toEqual(["sale-1/1:reverse-1"]);
  });

  it.each(["pending", "approved"] as const)("answered %s is reversed again", (kind) => {
    const amount = { minor: 8_000n, currency: "KRW" };
    const outcome =
      kind === "pending" ? ({ kind } as const) : { kind, authorisation: "A", gateway: "g", amount };
    const terminal = reversing().answer(outcome, "sale-1/1", "reverse");
    const timerId = terminal.effects[0]?.id ?? "";
    expect(terminal.happen({ kind: "timer.fired", timerId }).sent).toEqual(["sale-1/1:reverse-1"]);
    expect(terminal.answer({ kind: "reversed" }, "sale-1/1", "reverse-1").state.openCharges).toEqual([]);
  });
});

describe("the receipt", () => {
  const paid = (): TestTerminal => authorising().approve();

  it("that did not start is printed again without a mark", () => {
    const terminal = paid().printFailed("paper-out", false);
    expect(terminal.said).toEqual(["receipt-problem"]);
    expect(terminal.timeOut().effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { copy: false } },
    });
  });

  it("that is printed again says what was sold, whatever menu and language it is by now", () => {
    const printedBy = ({ effects }: TestTerminal) =>
      effects.flatMap((effect) => (effect.kind === "printer.print" ? [effect.paper] : []));
    const terminal = paid();
    const first = printedBy(terminal);
    const menu = { ...MENU, items: [], vatPercent: 20 };
    terminal.printFailed("paper-out", false);
    terminal.happen({ kind: "settings.applied", settings: { ...SETTINGS, menu } });
    const turn = { language: "en", confidence: 1, intent: { kind: "help" } } as const;
    terminal.happen({ kind: "turn.heard", source: "touch", turn });
    expect(first).toHaveLength(1);
    expect(printedBy(terminal.timeOut())).toEqual(first);
  });

  it("of a sale that version 1 was printing is made anew", () => {
    const terminal = paid();
    const { sale } = terminal.state;
    if (sale?.phase.kind !== "receipt") throw new Error("nothing is printed");
    const { receipt, ...phase } = sale.phase;
    terminal.state = { ...terminal.state, sale: { ...sale, phase } };
    terminal.happen({ kind: "daemon.started" });
    expect(terminal.effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { ...receipt, copy: true } },
    });
  });

  it("that may be on paper is printed again as a copy, and stays one", () => {
    const terminal = paid().printFailed("paper-out", true).timeOut().printFailed("cover-open", false);
    expect(terminal.said).toEqual([]);
    expect(terminal.timeOut().effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { copy: true } },
    });
  });

  it("never charges again", () => {
    const terminal = paid().printFailed("paper-out", true).timeOut().printed();
    expect(terminal.all.filter((effect) => effect.kind === "ledger.send")).toHaveLength(1);
    expect(terminal.ending).toBe("approved");
  });

  it("without any word from the printer counts as perhaps printed", () => {
    const terminal = paid().timeOut().timeOut();
    expect(terminal.effects.find((effect) => effect.kind === "printer.print")).toMatchObject({
      paper: { receipt: { copy: true } },
    });
  });

  it("that will not come out is left to staff with an alarm", () => {
    const terminal = paid().printFailed("offline", false).timeOut().printFailed("offline", false).timeOut();
    expect(terminal.printFailed("offline", false).alarms).toEqual(["receipt-not-printed"]);
    expect(terminal.ending).toBe("approved");
  });

  it("ignores news of an earlier attempt", () => {
    const terminal = paid();
    const first = terminal.printing;
    terminal.printFailed("paper-out", true);
    expect(terminal.happen({ kind: "receipt.printed", effectId: first }).phase).toBe("receipt");
    terminal.timeOut();
    terminal.happen({ kind: "receipt.failed", effectId: first, reason: "offline", paperMoved: true });
    expect(terminal.effects).toEqual([]);
  });

  it.each(["receipt.printed", "receipt.failed"] as const)("ignores %s when nothing is printed", (kind) => {
    const happening =
      kind === "receipt.printed"
        ? ({ kind, effectId: "x" } as const)
        : ({ kind, effectId: "x", reason: "offline", paperMoved: false } as const);
    expect(new TestTerminal().happen(happening).effects).toEqual([]);
    expect(new TestTerminal().wake().happen(happening).effects).toEqual([]);
  });
});

describe("after a restart", () => {
  const restart = (terminal: TestTerminal): TestTerminal => terminal.happen({ kind: "daemon.started" });
  const rows: [name: string, before: () => TestTerminal, wants: string[]][] = [
    ["nobody there", () => new TestTerminal(), []],
    ["listening", () => new TestTerminal().wake(), ["ear.close", "say welcome"]],
    [
      "basket",
      () => new TestTerminal().wake().order("latte").intend({ kind: "deny" }),
      ["ear.close", "say ask-change"],
    ],
    ["question", () => new TestTerminal().wake().order("water", 18), ["ear.close", "say quantity-question"]],
    ["read-back", () => new TestTerminal().wake().order("latte"), ["ear.close", "say read-back"]],
    ["awaiting card", atTheCard, ["card.disarm", "ear.close", "say read-back"]],
    ["authorising", authorising, ["timer answer"]],
    ["uncertain", () => authorising().timeOut(), ["timer query"]],
    ["receipt", () => authorising().approve(), ["printer.print", "timer print"]],
  ];

  it.each(rows)("%s", (_, before, wants) => {
    expect(restart(before()).wants).toEqual(wants);
  });

  it("the paper is a copy, because nobody knows what came out", () => {
    const terminal = restart(authorising().approve());
    expect(terminal.effects[0]).toMatchObject({ paper: { receipt: { copy: true } } });
  });

  it("an amount has to be told again before a yes counts", () => {
    const terminal = restart(new TestTerminal().wake().order("latte").finishSpeech());
    expect(terminal.intend({ kind: "confirm" }).said).toEqual(["read-back"]);
  });

  it("the link counts as down until it is seen, and open charges are watched", () => {
    const waiting = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    // The outbox holds the claim and is answered by itself; only what the ledger put off is asked for again.
    expect(restart(waiting).wants).toEqual([]);
    const putOff = restart(waiting.answer({ kind: "pending" }));
    expect(putOff.state.linkUp).toBe(false);
    expect(putOff.wants).toEqual(["timer settle"]);
  });
});

describe("what the counter does not wait for", () => {
  it("mumbling while a card is awaited or charged changes nothing", () => {
    expect(atTheCard().intend({ kind: "cancel" }, 0.1).wants).toEqual([]);
    expect(atTheCard().finishSpeech().intend({ kind: "cancel" }, 0.1).wants).toEqual([
      "ear.open confirmation",
    ]);
    expect(authorising().happen({ kind: "turn.missed" }).effects).toEqual([]);
  });

  it("the end of a sentence that was begun before the tap opens no ear", () => {
    const terminal = authorising();
    expect(terminal.finishSpeech().wants).toEqual([]);
  });

  it("two open charges are settled each by its own answer", () => {
    const terminal = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    terminal.wake("sale-2").confirmOrder("cookie", 1).tap({ token: "ntag424:bb" }).printed();
    terminal.answer({ kind: "pending" }, "sale-2/1");
    const timerId = terminal.effects[0]?.id ?? "";
    expect(terminal.happen({ kind: "timer.fired", timerId }).sent).toEqual(["sale-2/1:settle-query-1"]);
    expect(terminal.state.openCharges.map(({ key, queries }) => [key, queries])).toEqual([
      ["sale-1/1", 0],
      ["sale-2/1", 1],
    ]);
  });
});

describe("speaking at the card", () => {
  it("is heard once the amount was said, without a second time limit", () => {
    expect(atTheCard().finishSpeech().wants).toEqual(["ear.open confirmation"]);
  });

  it("cancels", () => {
    expect(atTheCard().finishSpeech().intend({ kind: "cancel" }).ending).toBe("cancelled");
  });

  it("ends with the tap", () => {
    expect(atTheCard().finishSpeech().tap().wants).toContain("ear.close");
  });

  it("is heard again after a card that was refused or declined", () => {
    const refused = atTheCard().happen({ kind: "card.rejected", reason: "wrong-card" });
    expect(refused.finishSpeech().wants).toEqual(["ear.open confirmation"]);
    const declined = authorising().answer({ kind: "declined", reason: "card-blocked", gateway: "g" });
    expect(declined.finishSpeech().wants).toEqual(["ear.open confirmation"]);
  });
});

describe("a restart after a long time", () => {
  const awayFor = (terminal: TestTerminal, ms: number): TestTerminal => {
    terminal.atMs += ms;
    return terminal.happen({ kind: "daemon.started" });
  };

  it.each([
    ["authorising", () => authorising()],
    ["uncertain", () => authorising().timeOut()],
  ] as const)("takes back a charge that was %s: its customer is gone", (_, before) => {
    const terminal = awayFor(before(), 3_600_000);
    expect(terminal.sent).toEqual(["sale-1/1:reverse"]);
    expect(terminal.alarms).toEqual(["charge-unresolved"]);
    expect(terminal.ending).toBe("reversed");
  });

  it("takes it back as well when the clock went back to 1970: nobody knows how long it was", () => {
    const terminal = authorising();
    terminal.atMs = 5_000;
    expect(terminal.happen({ kind: "daemon.started" }).sent).toEqual(["sale-1/1:reverse"]);
  });
});
