import { describe, expect, it } from "vitest";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import { type DeviceEffect, Interpreter, type InterpreterPorts } from "../../daemon/shell/interpreter.ts";
import { checkCurrency, forgottenSales, recover, unheardBurials } from "../../daemon/shell/recovery.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { DeadLetter } from "../../sync/store/store.ts";
import { ask, refund, sold } from "../support/money-back.ts";
import { CARD, SETTINGS, TestTerminal } from "../support/shop.ts";

/** An interpreter on a journal in memory, with everything that it does written down in order. */
function bench(ports: Partial<InterpreterPorts> = {}) {
  const store = new MemoryStore<SaleEvent, TerminalState>({ terminal: "t-1", medium: new MemoryMedium() });
  store.open();
  const done: string[] = [];
  const effects: DeviceEffect[] = [];
  const deferred: (() => void)[] = [];
  const interpreter = new Interpreter(SETTINGS, EMPTY_TERMINAL, {
    journal: {
      append: (commit) => {
        done.push(`append ${commit.events.map((event) => event.kind).join(" ")}`);
        return store.append(commit);
      },
      lastCounter: (token) => store.lastCounter(token),
    },
    now: () => 1_000,
    defer: (work) => deferred.push(work),
    perform: (effect) => {
      done.push(effect.kind);
      effects.push(effect);
    },
    outboxGrew: () => done.push("outbox grew"),
    committed: () => done.push("committed"),
    failed: () => done.push("failed"),
    ...ports,
  });
  const settle = (): void => {
    for (let work = deferred.shift(); work !== undefined; work = deferred.shift()) work();
  };
  const saying = (): string => interpreter.state.sale?.saying ?? "";
  return { interpreter, store, done, effects, settle, saying };
}

const wake = { kind: "sale.woken", saleId: "s", language: "ko", source: "button" } as const;
const order = {
  kind: "turn.heard",
  source: "touch",
  turn: {
    language: "ko",
    confidence: 1,
    intent: { kind: "edit", edits: [{ kind: "add", itemId: "latte", quantity: 1, options: {} }] },
  },
} as const;
const yes = {
  kind: "turn.heard",
  source: "touch",
  turn: { language: "ko", confidence: 1, intent: { kind: "confirm" } },
} as const;

describe("the interpreter", () => {
  it("persists, then acts", () => {
    const { interpreter, done, settle } = bench();
    interpreter.deliver(wake);
    expect(done).toEqual([]);
    settle();
    expect(done).toEqual(["append sale.woken", "ear.close", "speech.say", "committed"]);
  });

  it("takes everything that waits in one transaction", () => {
    const { interpreter, done, settle } = bench();
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    settle();
    expect(done.filter((what) => what.startsWith("append"))).toEqual([
      "append sale.woken turn.heard turn.heard",
    ]);
  });

  it("puts a request in the outbox before anyone is told of it", () => {
    const { interpreter, store, done, settle } = bench({
      outboxGrew: () => done.push(`outbox ${store.depth()}`),
    });
    interpreter.deliver({ kind: "link.changed", up: true });
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    settle();
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    expect(store.pending(0, 9).map((row) => row.id)).toEqual(["s/1:authorise"]);
    expect(done.indexOf("outbox 1")).toBeGreaterThan(done.lastIndexOf("append card.presented"));
  });

  it("remembers a card's counter and hands it to the core", () => {
    const { interpreter, store, settle, done } = bench();
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    settle();
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    expect(store.lastCounter(CARD.token)).toBe(CARD.counter);
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    expect(done.filter((what) => what === "append card.presented")).toHaveLength(2);
  });

  it("looks up what an event brings along when everything before it is in the journal", () => {
    const { interpreter, store, settle } = bench();
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    // The same card twice in one moment: the second reading sees the counter of the first.
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    interpreter.presentCard(CARD, { verified: true, denied: () => true });
    settle();
    const taps = [...store.events()].flatMap(({ event }) => (event.kind === "card.presented" ? [event] : []));
    expect(taps).toMatchObject([
      { lastCounter: null, denied: false },
      { lastCounter: CARD.counter, denied: true },
    ]);
  });

  it("ends an outbox row with the ledger's answer", () => {
    const { interpreter, store, settle } = bench();
    interpreter.deliver({ kind: "journal.welcomed" });
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    settle();
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    expect(store.depth()).toBe(1);
    const amount = { minor: 4_500n, currency: "KRW" };
    const outcome = { kind: "approved", authorisation: "A", gateway: "g", amount } as const;
    interpreter.deliver({
      kind: "ledger.answered",
      answer: { requestId: "s/1:authorise", key: "s/1", outcome },
    });
    settle();
    expect(store.depth()).toBe(0);
    expect(interpreter.state.openCharges).toEqual([]);
  });

  it("writes nothing for what changes nothing", () => {
    const { interpreter, done, settle } = bench();
    interpreter.deliver({ kind: "turn.missed" });
    settle();
    expect(done).toEqual(["committed"]);
  });

  it("does nothing at all when the journal cannot be written, and nothing ever after", () => {
    const failing = {
      append: () => {
        throw new Fault("journal.unwritable", "disk full");
      },
      lastCounter: () => null,
    };
    const { interpreter, done, settle } = bench({ journal: failing });
    interpreter.deliver(wake);
    settle();
    expect(done).toEqual(["failed"]);
    expect(interpreter.state.sale).toBeNull();
    interpreter.deliver(order);
    settle();
    expect(done).toEqual(["failed"]);
  });

  it("carries out what was delivered before a stop, and takes nothing after", () => {
    const { interpreter, done, settle } = bench();
    interpreter.deliver(wake);
    interpreter.stop();
    interpreter.deliver(order);
    settle();
    expect(done).toEqual(["append sale.woken", "ear.close", "speech.say", "committed"]);
  });

  it("refuses a flood of events as the programmer error it is", () => {
    const { interpreter } = bench();
    expect(() => {
      for (let n = 0; n <= 10_000; n++) interpreter.deliver({ kind: "turn.missed" });
    }).toThrow("queue is full");
  });
});

describe("recovery", () => {
  it("of a new journal is an empty terminal without settings", () => {
    const recovered = recover(new MemoryStore({ terminal: "t-1", medium: new MemoryMedium() }));
    expect(recovered.state).toEqual(EMPTY_TERMINAL);
    expect(recovered.appliedSettings(SETTINGS)).toBe(false);
  });

  it("folds the whole journal to the state that was left", () => {
    const { interpreter, store, settle } = bench();
    interpreter.deliver({ kind: "settings.applied", settings: SETTINGS });
    for (const event of [wake, order, yes]) interpreter.deliver(event);
    settle();
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    const left = interpreter.state;
    const events = [...store.events()];
    const folded = recover({
      open: () => ({ state: null, statePosition: 0, tail: events }),
      lastOfKind: () => null,
    });
    expect(folded.state).toEqual(left);
    expect(folded.position).toBe(events.length);
    expect(folded.appliedSettings(structuredClone(SETTINGS))).toBe(true);
    expect(folded.appliedSettings({ ...SETTINGS, terminal: "t-2" })).toBe(false);
  });

  it("takes the snapshot and the settings that were applied before it", () => {
    const state = { ...EMPTY_TERMINAL, lastSequence: 9 };
    const applied = { kind: "settings.applied", settings: SETTINGS, atMs: 1 } as const;
    const recovered = recover({
      open: () => ({ state, statePosition: 40, tail: [] }),
      lastOfKind: () => applied,
    });
    expect(recovered).toMatchObject({ state, position: 40 });
    expect(recovered.appliedSettings(SETTINGS)).toBe(true);
  });

  it("refuses a journal whose events no settings explain", () => {
    const tail = [{ position: 1, event: { ...wake, atMs: 1 }, hash: new Uint8Array(32) }];
    expect(() =>
      recover({ open: () => ({ state: null, statePosition: 0, tail }), lastOfKind: () => null }),
    ).toThrow("without settings");
  });
});

describe("a request that was buried while the daemon died", () => {
  const letter = (terminal: TestTerminal, id: string): DeadLetter => {
    const row = terminal.all.find((effect) => effect.kind === "ledger.send" && effect.id === id);
    if (row?.kind !== "ledger.send") throw new Error(`${id} was never sent`);
    return { id, request: row.request, reason: "too long", atMs: 1 };
  };
  /** Takes up the state as a start does. */
  const restart = (terminal: TestTerminal, id: string): TestTerminal => {
    const { state } = terminal;
    terminal.happen({ kind: "daemon.started" });
    for (const burial of unheardBurials([letter(terminal, id)], state)) terminal.happen(burial);
    return terminal;
  };

  it("is told to whoever waits for its answer: counter, offline sale, refund", () => {
    const atTheCounter = new TestTerminal().linked().wake().confirmOrder().tap();
    expect(restart(atTheCounter, "sale-1/1:authorise").ending).toBe("declined");
    const offline = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    expect(restart(offline, "sale-1/1:authorise").state.openCharges).toEqual([]);
    const { terminal, sale } = sold();
    ask(terminal, refund(sale));
    expect(restart(terminal, "sale-1/refund-r1:refund").state.openRefunds).toEqual([]);
  });

  it("is no news when nothing waits for it, or it is asked for again already", () => {
    const { terminal } = sold();
    expect(unheardBurials([letter(terminal, "sale-1/1:authorise")], terminal.state)).toEqual([]);
    const offline = new TestTerminal().unlinked().wake().confirmOrder().tap().printed();
    offline.answer({ kind: "pending" });
    expect(unheardBurials([letter(offline, "sale-1/1:authorise")], offline.state)).toEqual([]);
    expect(unheardBurials([letter(offline, "sale-1/1:authorise")], EMPTY_TERMINAL)).toEqual([]);
    const ordering = new TestTerminal().linked().wake().order("latte");
    expect(unheardBurials([letter(offline, "sale-1/1:authorise")], ordering.state)).toEqual([]);
  });
});

describe("the menu's currency", () => {
  const dollars = (terminal: TestTerminal): void =>
    checkCurrency({ settings: SETTINGS, state: terminal.state }, "USD");
  const closed = ({ terminal }: { terminal: TestTerminal }) =>
    ask(terminal, { kind: "close-day", language: "en" }, "close");

  it.each<[name: string, terminal: () => TestTerminal]>([
    ["a sale is at the counter", () => new TestTerminal().wake()],
    ["the day is open", () => sold().terminal],
    ["an offline sale waits", () => closed(sold(new TestTerminal().unlinked()))],
    [
      "a refund waits",
      () => {
        const { terminal, sale } = sold();
        return ask(closed({ terminal }), refund(sale));
      },
    ],
  ])("cannot be changed while %s", (_, terminal) => {
    expect(() => dollars(terminal())).toThrow(/was KRW and is USD now.*saypay close-day/);
    checkCurrency({ settings: SETTINGS, state: terminal().state }, "KRW");
  });

  it("can be changed when nothing is open, and in a new journal", () => {
    dollars(closed(sold()));
    checkCurrency({ settings: null, state: EMPTY_TERMINAL }, "USD");
  });
});

describe("charges that the ledger remembers", () => {
  const charged = (key: string) => ({
    saleId: "sale-1",
    sequence: 1,
    key,
    amount: { minor: 8_000n, currency: "KRW" },
    state: "approved" as const,
    refundedMinor: 0n,
    timeMs: 0,
  });
  const forgotten = ({ state }: TestTerminal, sold: string | null): string[] =>
    forgottenSales([charged("sale-1/1"), charged("sale-1/2")], state, () =>
      sold === null ? null : { key: sold },
    ).map(({ key }) => key);
  const tapped = () => new TestTerminal().linked().wake().confirmOrder().tap();

  it.each<[name: string, terminal: () => TestTerminal, sold: string | null, expected: string[]]>([
    ["in a journal that knows nothing", () => new TestTerminal(), null, ["sale-1/1", "sale-1/2"]],
    ["by a card of which the journal was lost", () => new TestTerminal(), "sale-1/1", ["sale-1/2"]],
    ["at the counter", tapped, null, ["sale-1/2"]],
    ["while the customer orders", () => new TestTerminal().linked().wake(), null, ["sale-1/1", "sale-1/2"]],
    ["under reversal", () => tapped().timeOut().timeOut().timeOut(), null, ["sale-1/2"]],
    ["under a void", () => ask(sold().terminal, { kind: "void", sale: sold().sale }), null, ["sale-1/2"]],
  ])("%s", (_, terminal, sale, expected) => {
    expect(forgotten(terminal(), sale)).toEqual(expected);
  });
});

describe("a sync of the disk", () => {
  it("is made for money and paper, and not for talk", () => {
    const syncs: string[] = [];
    const { interpreter, settle, saying, effects } = bench({
      journal: {
        append: ({ events, synced }) => {
          syncs.push(`${events.map(({ kind }) => kind).join(" ")} ${synced}`);
          return 1;
        },
        lastCounter: () => null,
      },
    });
    const happen = (happening: Parameters<typeof interpreter.deliver>[0]): void => {
      interpreter.deliver(happening);
      settle();
    };
    happen({ kind: "journal.welcomed" });
    happen({ kind: "link.changed", up: true });
    for (const event of [wake, order, yes]) happen(event);
    happen({ kind: "speech.ended", effectId: saying(), outcome: "played" });
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    const amount = { minor: 4_500n, currency: "KRW" };
    const outcome = { kind: "approved", authorisation: "A", gateway: "g", amount } as const;
    happen({ kind: "ledger.answered", answer: { requestId: "s/1:authorise", key: "s/1", outcome } });
    const print = effects.find((effect) => effect.kind === "printer.print");
    happen({ kind: "receipt.printed", effectId: print?.id ?? "" });
    expect(syncs).toEqual([
      "journal.welcomed true",
      "link.changed false",
      "sale.woken false",
      "turn.heard false",
      "turn.heard false",
      "speech.ended false",
      "card.presented true",
      "ledger.answered true",
      "receipt.printed true",
    ]);
  });

  it("is made for a timer that prints: without it the paper would come out twice and not say COPY", () => {
    const syncs: string[] = [];
    const { interpreter, settle } = bench({
      journal: {
        append: ({ events, synced }) => {
          syncs.push(`${events.map(({ kind }) => kind).join(" ")} ${synced}`);
          return 1;
        },
        lastCounter: () => null,
      },
    });
    const happen = (happening: Parameters<typeof interpreter.deliver>[0]): void => {
      interpreter.deliver(happening);
      settle();
    };
    happen({ kind: "staff.asked", requestId: "r", request: { kind: "close-day", language: "ko" } });
    const effectId = interpreter.state.papers[0]?.printing ?? "";
    happen({ kind: "receipt.failed", effectId, reason: "paper-out", paperMoved: false });
    happen({ kind: "timer.fired", timerId: interpreter.state.papers[0]?.waiting ?? "" });
    expect(syncs).toEqual(["staff.asked true", "receipt.failed false", "timer.fired true"]);
  });

  it("is made for a timer that sends something", () => {
    const syncs: boolean[] = [];
    const { interpreter, settle } = bench({
      journal: {
        append: ({ synced }) => {
          syncs.push(synced ?? true);
          return 1;
        },
        lastCounter: () => null,
      },
    });
    for (const event of [{ kind: "link.changed", up: true } as const, wake, order, yes])
      interpreter.deliver(event);
    interpreter.presentCard(CARD, { verified: true, denied: () => false });
    settle();
    interpreter.deliver({ kind: "timer.fired", timerId: interpreter.state.sale?.timer ?? "" });
    settle();
    expect(syncs).toEqual([false, true, true]);
  });
});
