/** The desk of staff: which sale is meant, what is delivered, who hears the answers. */
import { describe, expect, it } from "vitest";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import type { FoundSale } from "../../daemon/core/staff.ts";
import { parseAmount } from "../../daemon/shell/amount-text.ts";
import type { Happening } from "../../daemon/shell/interpreter.ts";
import { findSale } from "../../daemon/shell/sale-search.ts";
import { type DeskAnswer, type DeskRequest, StaffDesk } from "../../daemon/shell/staff-desk.ts";
import type { DeadLetter } from "../../sync/store/store.ts";
import { CAFE_RECEIPT, CAFE_SLIP, won } from "../support/receipts.ts";

const TODAY = 12;
const sold = (saleId: string, sequence: number, day = TODAY): FoundSale => ({
  saleId,
  sequence,
  day,
  key: `${saleId}/1`,
  amount: won(15_000),
  result: { kind: "approved", authorisation: "30012345" },
  receipt: { ...CAFE_RECEIPT, saleId, number: sequence },
  refundedMinor: 0n,
  voided: false,
  unpaid: false,
});
const A = sold("3f2a9c1e-0000-4000-8000-000000000001", 27);
const B = sold("3f2a9d00-0000-4000-8000-000000000002", 28);
const OLD = sold("77777777-0000-4000-8000-000000000003", 26, TODAY - 1);
const DIGITS = sold("12345678-0000-4000-8000-000000000004", 29);
const ELSEWHERE = "99999999-0000-4000-8000-000000000009";
const SALES = [DIGITS, B, A, OLD];

const shop = (sales: readonly FoundSale[] = SALES) => ({
  soldSale: (saleId: string) => sales.find((sale) => sale.saleId === saleId) ?? null,
  soldSales: (limit: number) => sales.slice(0, limit),
});

describe("a sale is found", () => {
  const rows: [name: string, found: string][] = [
    ["27", `found ${A.saleId}`],
    [" 28 ", `found ${B.saleId}`],
    [A.saleId, `found ${A.saleId}`],
    [A.saleId.toUpperCase(), `found ${A.saleId}`],
    ["3f2a9c", `found ${A.saleId}`],
    ["3f2a", `ambiguous ${B.saleId} ${A.saleId}`],
    // Number of yesterday, which is also the beginning of nothing.
    ["26", `earlier-day ${OLD.saleId}`],
    ["7777", `found ${OLD.saleId}`],
    ["1234567", `found ${DIGITS.saleId}`],
    ["12345678", `found ${DIGITS.saleId}`],
    ["999", "unknown"],
    ["3f2", "unknown"],
    ["beef", "unknown"],
    ["", "unknown"],
    ["no such sale", "unknown"],
    ["%_", "unknown"],
    [ELSEWHERE, `elsewhere ${ELSEWHERE}`],
  ];
  it.each(rows)("%j: %s", (name, expected) => {
    const found = findSale(shop(), name, TODAY);
    const ids = [
      ...("sale" in found ? [found.sale.saleId] : []),
      ...("saleId" in found ? [found.saleId] : []),
      ...("candidates" in found ? found.candidates.map(({ saleId }) => saleId) : []),
    ];
    expect([found.kind, ...ids].join(" ")).toBe(expected);
  });

  it("also when many were sold since, and not beyond two thousand by less than its id", () => {
    const many = Array.from({ length: 2_500 }, (_, index) =>
      sold(`${String(index).padStart(8, "0")}-0`, 5_000 - index),
    );
    expect(findSale(shop(many), "3400", TODAY).kind).toBe("found");
    expect(findSale(shop(many), "2600", TODAY).kind).toBe("unknown");
  });

  it("and no more than five are offered when the name fits several", () => {
    const many = Array.from({ length: 9 }, (_, index) => sold(`abcd000${index}-0`, index));
    const found = findSale(shop(many), "abcd", TODAY);
    expect(found.kind === "ambiguous" && found.candidates.length).toBe(5);
  });
});

describe("an amount as typed", () => {
  const rows: [text: string, currency: string, minor: bigint | null][] = [
    ["4500", "KRW", 4_500n],
    ["4,500", "KRW", 4_500n],
    ["1,234,567", "KRW", 1_234_567n],
    [" 4500 ", "KRW", 4_500n],
    ["45.00", "USD", 4_500n],
    ["45.5", "USD", 4_550n],
    ["45", "USD", 4_500n],
    ["1.234", "KWD", 1_234n],
    ["0.01", "USD", 1n],
    ["4500.00", "KRW", null],
    ["45.000", "USD", null],
    ["4,50", "KRW", null],
    ["45,00", "USD", null],
    ["0", "KRW", null],
    ["0.00", "USD", null],
    ["-5", "KRW", null],
    ["1e3", "KRW", null],
    ["", "KRW", null],
    [".5", "USD", null],
    ["9999999999999", "KRW", null],
  ];
  it.each(rows)("%j in %s is %s", (text, currency, minor) => {
    expect(parseAmount(text, currency)).toEqual(minor === null ? null : { minor, currency });
  });
});

class Bench {
  readonly lookups: (() => Happening)[] = [];
  readonly told: { answer: DeskAnswer; last: boolean }[] = [];
  readonly timers: { ms: number; work: () => void; live: boolean }[] = [];
  sales = [...SALES];
  state: TerminalState = { ...EMPTY_TERMINAL, day: { ...EMPTY_TERMINAL.day, number: TODAY } };
  dead: DeadLetter[] = [];
  #ids = 0;
  readonly desk = new StaffDesk({
    terminal: "counter-1",
    language: "ko",
    currency: "KRW",
    store: {
      soldSale: (saleId) => shop(this.sales).soldSale(saleId),
      soldSales: (limit) => shop(this.sales).soldSales(limit),
      deadLetters: () => this.dead,
      depth: () => 3,
      identity: () => ({
        journalId: "j",
        predecessor: null,
        boots: 1,
        bootNonce: "n",
        openings: ["n"],
        lastOutboxPosition: 0,
      }),
    },
    state: () => this.state,
    devices: () => [{ name: "printer", state: "restarting", fault: "paper out" }],
    ask: (lookup) => this.lookups.push(lookup),
    newId: () => {
      this.#ids += 1;
      return `request-${this.#ids}`;
    },
    now: () => 100_000,
    after: (ms, work) => {
      const timer = { ms, work, live: true };
      this.timers.push(timer);
      return () => {
        timer.live = false;
      };
    },
  });

  ask(request: DeskRequest): () => void {
    return this.desk.handle(request, (answer, last) => this.told.push({ answer, last }));
  }

  get delivered(): Happening {
    const [lookup] = this.lookups;
    if (lookup === undefined) throw new Error("nothing was delivered");
    return lookup();
  }
}

describe("what is delivered", () => {
  const rows: [request: DeskRequest, delivered: object][] = [
    [
      { kind: "void", sale: "27" },
      { kind: "void", sale: A },
    ],
    [
      { kind: "reprint", sale: "3f2a9c" },
      { kind: "reprint", sale: A },
    ],
    [
      { kind: "refund", sale: "27", amount: "4,500" },
      { kind: "refund", saleId: A.saleId, sale: A, amount: won(4_500) },
    ],
    [
      { kind: "refund", sale: "27", amount: null },
      { kind: "refund", saleId: A.saleId, sale: A, amount: null },
    ],
    [
      { kind: "refund", sale: ELSEWHERE, amount: "4500" },
      { kind: "refund", saleId: ELSEWHERE, sale: null, amount: won(4_500) },
    ],
    [
      { kind: "close-day", language: null },
      { kind: "close-day", language: "ko" },
    ],
    [
      { kind: "close-day", language: "en" },
      { kind: "close-day", language: "en" },
    ],
    [
      { kind: "dismiss", key: "k" },
      { kind: "dismiss", key: "k" },
    ],
  ];
  it.each(rows)("for %o", (request, expected) => {
    const bench = new Bench();
    bench.ask(request);
    expect(bench.told).toEqual([]);
    expect(bench.delivered).toEqual({ kind: "staff.asked", requestId: "request-1", request: expected });
  });

  it("is looked up again when the event is made", () => {
    const bench = new Bench();
    bench.ask({ kind: "void", sale: "27" });
    bench.sales = [{ ...A, refundedMinor: 5_000n }];
    expect(bench.delivered).toMatchObject({ request: { sale: { refundedMinor: 5_000n } } });
    bench.sales = [];
    expect(bench.delivered).toMatchObject({ request: { sale: { refundedMinor: 0n } } });
  });
});

describe("what is answered without asking the core", () => {
  const rows: [request: DeskRequest, answer: object][] = [
    [
      { kind: "void", sale: "999" },
      { kind: "sale-unclear", why: "unknown", candidates: [] },
    ],
    [
      { kind: "void", sale: ELSEWHERE },
      { kind: "sale-unclear", why: "elsewhere", candidates: [] },
    ],
    [
      { kind: "reprint", sale: "26" },
      { kind: "sale-unclear", why: "earlier-day" },
    ],
    [
      { kind: "refund", sale: "3f2a", amount: null },
      { kind: "sale-unclear", why: "ambiguous" },
    ],
    [
      { kind: "refund", sale: ELSEWHERE, amount: null },
      { kind: "sale-unclear", why: "elsewhere" },
    ],
    [
      { kind: "refund", sale: "27", amount: "45.00" },
      { kind: "amount-unclear", currency: "KRW" },
    ],
    [
      { kind: "sales", limit: 1 },
      { kind: "sales", day: TODAY, sales: [{ number: 29, today: true }] },
    ],
    [{ kind: "open" }, { kind: "open", charges: [], refunds: [], deadLetters: [] }],
    [
      { kind: "status" },
      {
        kind: "status",
        terminal: "counter-1",
        phase: "idle",
        outboxDepth: 3,
        journalId: "j",
        deadLetters: 0,
      },
    ],
  ];
  it.each(rows)("%o", (request, answer) => {
    const bench = new Bench();
    bench.ask(request)();
    expect(bench.told).toMatchObject([{ answer, last: true }]);
    expect(bench.lookups).toEqual([]);
  });

  it("what waits comes with its age, which is never negative", () => {
    const bench = new Bench();
    const waiting = { saleId: A.saleId, key: A.key, amount: A.amount, timeMs: 40_000 };
    bench.state = {
      ...bench.state,
      openCharges: [{ ...waiting, token: "t", purpose: "offline", queries: 0, pending: false }],
      openRefunds: [
        {
          ...waiting,
          timeMs: 999_999,
          requestId: "r",
          purpose: "refund",
          repeats: 0,
          pending: false,
          charge: null,
          slip: CAFE_SLIP,
        },
      ],
    };
    bench.dead = [
      { id: "x", reason: "too-large", atMs: 0, request: { kind: "query", key: "k", saleId: A.saleId } },
    ];
    bench.ask({ kind: "sales", limit: 3 });
    const listed = bench.told.shift()?.answer;
    expect(listed?.kind === "sales" && listed.sales.map(({ waitingMinor }) => waitingMinor)).toEqual([
      0n,
      0n,
      15_000n,
    ]);
    bench.ask({ kind: "open" });
    expect(bench.told[0]?.answer).toEqual({
      kind: "open",
      charges: [{ key: A.key, saleId: A.saleId, amount: A.amount, purpose: "offline", ageMs: 60_000 }],
      refunds: [{ key: A.key, saleId: A.saleId, amount: A.amount, purpose: "refund", ageMs: 0 }],
      deadLetters: [{ id: "x", reason: "too-large", key: "k", request: "query", ageMs: 100_000 }],
    });
  });
});

describe("who hears the answers", () => {
  const asked = (): Bench => {
    const bench = new Bench();
    bench.ask({ kind: "refund", sale: "27", amount: null });
    return bench;
  };

  it("whoever asked: first what is queued, then what the ledger said, with the sale as it is by then", () => {
    const bench = asked();
    bench.desk.answered("request-1", { kind: "queued", key: "k", linkUp: true });
    bench.sales = [{ ...A, refundedMinor: 15_000n }];
    bench.desk.answered("request-1", { kind: "refunded", amount: won(15_000) });
    bench.desk.answered("request-1", { kind: "refunded", amount: won(15_000) });
    expect(bench.told).toMatchObject([
      { answer: { kind: "staff", answer: { kind: "queued" }, sale: { refundedMinor: 0n } }, last: false },
      {
        answer: { kind: "staff", answer: { kind: "refunded" }, sale: { refundedMinor: 15_000n } },
        last: true,
      },
    ]);
  });

  it("nobody, when whoever asked has left, or for a request of another time", () => {
    const bench = new Bench();
    const leave = bench.ask({ kind: "close-day", language: null });
    leave();
    bench.desk.answered("request-1", { kind: "printing" });
    bench.desk.answered("request-0", { kind: "printing" });
    expect(bench.told).toEqual([]);
    expect(bench.timers.map(({ live }) => live)).toEqual([false]);
  });

  it("a core that says nothing in time is told so once, and one that says queued may take its time", () => {
    const bench = asked();
    bench.timers[0]?.work();
    bench.desk.answered("request-1", { kind: "printing" });
    expect(bench.told).toEqual([{ answer: { kind: "silent" }, last: true }]);
    const patient = asked();
    patient.desk.answered("request-1", { kind: "queued", key: "k", linkUp: false });
    expect(patient.timers.map(({ live }) => live)).toEqual([false]);
  });

  it("more than may wait are told to come again", () => {
    const bench = new Bench();
    for (let asked = 0; asked < 33; asked += 1) bench.ask({ kind: "dismiss", key: "k" });
    expect(bench.told).toEqual([{ answer: { kind: "busy" }, last: true }]);
    bench.desk.answered("request-1", { kind: "dismissed" });
    bench.ask({ kind: "dismiss", key: "k" });
    expect(bench.lookups).toHaveLength(33);
  });
});
