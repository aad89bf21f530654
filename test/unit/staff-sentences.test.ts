/** What the command line of staff says, and what it tells a script. */
import { describe, expect, it } from "vitest";
import { ageText, amountText } from "../../daemon/command-line/amounts.ts";
import type { Received, Sent } from "../../daemon/command-line/client.ts";
import { EXIT, EXIT_HELP } from "../../daemon/command-line/exit-status.ts";
import { sentenceOf } from "../../daemon/command-line/sentences.ts";
import type { StaffAnswer, StaffRefusal } from "../../daemon/core/staff.ts";
import type { DeskSale } from "../../daemon/shell/staff-desk.ts";
import { CAFE_DAY } from "../support/receipts.ts";

const ID = "3f2a9c1e-0000-4000-8000-000000000001";
const SALE: Sent<DeskSale> = {
  saleId: ID,
  number: 27,
  day: 12,
  today: true,
  timeMs: new Date(2026, 10, 20, 14, 32).getTime(),
  amount: { minor: "15000", currency: "KRW" },
  refundedMinor: "5000",
  waitingMinor: "0",
  voided: false,
  offline: false,
  card: "****-4821",
};
const OLD = { ...SALE, number: 5, today: false, day: 11 };
const staff = (answer: Sent<StaffAnswer>, sale: Sent<DeskSale> | null = SALE): Received => ({
  kind: "staff",
  sale,
  answer,
});
const refused = (reason: StaffRefusal, sale: Sent<DeskSale> | null = SALE): Received =>
  staff({ kind: "refused", reason }, sale);
const won = (minor: string) => ({ minor, currency: "KRW" });
/** As the report travels. */
const report = JSON.parse(
  JSON.stringify(CAFE_DAY, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
) as Extract<Sent<StaffAnswer>, { kind: "day-closed" }>["report"];

describe("an answer is one line, and a status for scripts", () => {
  const rows: [received: Received, status: keyof typeof EXIT, line: string][] = [
    [
      staff({ kind: "refunded", amount: won("4500") }),
      "done",
      "done: KRW 4,500 of sale 27 went back to the card",
    ],
    [staff({ kind: "refunded", amount: won("4500") }, null), "done", "done: KRW 4,500 went back to the card"],
    [
      staff({ kind: "queued", key: "k", linkUp: true }),
      "queued",
      "queued: k waits for the ledger's answer; it goes on by itself, do not ask again (see: saypay open)",
    ],
    [
      staff({ kind: "queued", key: "k", linkUp: false }),
      "queued",
      "queued: k goes out when the ledger can be reached; it goes on by itself, do not ask again (see: saypay open)",
    ],
    [staff({ kind: "printing" }), "done", "printing a COPY of sale 27"],
    [
      staff({ kind: "dismissed" }, null),
      "done",
      "dismissed: the terminal no longer waits for the ledger's word on it",
    ],
    [
      staff({ kind: "day-closed", report }, null),
      "done",
      "day 12 closed: 63 sales, net KRW 514,000; not settled yet: 2 sales (KRW 17,000) and 1 refunds (KRW 3,000); the report is printing",
    ],
    [
      staff({ kind: "not-refunded", reason: "exceeds" }),
      "refused",
      "refused by the ledger: all refunds of the sale together would be more than it",
    ],
    [
      staff({ kind: "not-refunded", reason: "not-charged" }),
      "refused",
      "refused by the ledger: no money was taken for that sale",
    ],
    [
      staff({ kind: "not-refunded", reason: "partly-refunded" }),
      "refused",
      "refused by the ledger: part of the sale was given back already; refund the rest instead",
    ],
    [
      staff({ kind: "not-refunded", reason: "gateway" }),
      "refused",
      "refused by the ledger: the card's bank does not give it back; pay the customer another way",
    ],
    [staff({ kind: "not-refunded", reason: "news" }), "refused", "refused by the ledger: news"],
    [refused("exceeds"), "refused", "refused: that is more than is left of it (KRW 10,000)"],
    [
      refused("exceeds", { ...SALE, waitingMinor: "4000" }),
      "refused",
      "refused: that is more than is left of it (KRW 6,000)",
    ],
    [refused("exceeds", null), "refused", "refused: that is more than was paid"],
    [
      refused("nothing-left"),
      "refused",
      "refused: nothing is left of it to give back (see: saypay sales, saypay open)",
    ],
    [refused("amount-needed"), "refused", "refused: say how much: --amount N, more than nothing"],
    [refused("wrong-currency"), "refused", "refused: the sale was in another currency"],
    [refused("already-voided"), "refused", "refused: the sale was voided already"],
    [
      refused("not-charged"),
      "refused",
      "refused: the ledger declined it after the goods were gone: no money was taken, so there is none to give back",
    ],
    [
      refused("partly-refunded"),
      "refused",
      "refused: part of it was given back already; refund the rest instead: saypay refund 27",
    ],
    [
      refused("another-day", OLD),
      "refused",
      `refused: its day is closed; refund it instead: saypay refund ${ID}`,
    ],
    [
      refused("another-day", null),
      "refused",
      "refused: its day is closed; refund it instead: saypay refund SALE",
    ],
    [
      refused("refund-under-way"),
      "refused",
      "refused: a refund or void of it still waits for the ledger (see: saypay open)",
    ],
    [refused("unknown-charge", null), "refused", "refused: nothing waits under that key (see: saypay open)"],
    [refused("sale-at-the-counter"), "refused", "refused: a customer is paying; try again in a moment"],
    [
      refused("too-many-waiting"),
      "refused",
      "refused: too many papers or refunds wait already; look at the printer and at: saypay open",
    ],
    [
      refused("journal-barred"),
      "refused",
      "refused: the ledger does not accept this terminal's journal; saypay status says why",
    ],
    [
      { kind: "sale-unclear", why: "unknown", candidates: [] },
      "unclear",
      "no sale goes by that number or id; saypay sales lists them",
    ],
    [
      { kind: "sale-unclear", why: "elsewhere", candidates: [] },
      "unclear",
      "this terminal knows no such sale: another sold it, or it was long ago, or its record was lost; a refund works with --amount, the rest on the terminal that sold it",
    ],
    [
      { kind: "sale-unclear", why: "earlier-day", candidates: [OLD] },
      "unclear",
      `that number is of an earlier day; name the sale by its id: ${ID} (number 5, KRW 15,000)`,
    ],
    [
      { kind: "sale-unclear", why: "ambiguous", candidates: [SALE, OLD] },
      "unclear",
      `several sales begin like that; write more of the id: ${ID} (number 27, KRW 15,000), ${ID} (number 5, KRW 15,000)`,
    ],
    [{ kind: "amount-unclear", currency: "KRW" }, "usage", "that is no amount in KRW; write it like 4,500"],
    [{ kind: "amount-unclear", currency: "USD" }, "usage", "that is no amount in USD; write it like 45.00"],
    [{ kind: "amount-unclear", currency: "KWD" }, "usage", "that is no amount in KWD; write it like 4.500"],
    [
      { kind: "silent" },
      "unavailable",
      "the terminal gave no answer in time; look at `saypay open` before asking again",
    ],
    [{ kind: "busy" }, "unavailable", "too many requests are under way; try again in a moment"],
    [
      { kind: "invalid", detail: "sale: too long" },
      "usage",
      "the terminal did not understand the request (sale: too long); is it of the same version as this command?",
    ],
    [{ kind: "sales", day: 12, sales: [] }, "done", "no sales yet"],
    [{ kind: "open", charges: [], refunds: [], deadLetters: [] }, "done", "nothing waits for the ledger"],
  ];
  it.each(rows)("%o", (received, status, line) => {
    expect(sentenceOf(received)).toEqual({ text: line, status: EXIT[status] });
    expect(line).not.toContain("\n");
  });
});

describe("lists", () => {
  it("of sales stand in columns, amounts to the right", () => {
    const sales = [
      { ...SALE, refundedMinor: "0", offline: true },
      SALE,
      { ...SALE, voided: true, amount: won("1500000") },
      { ...OLD, refundedMinor: "0", waitingMinor: "500" },
    ];
    expect(sentenceOf({ kind: "sales", day: 12, sales }).text.split("\n")).toEqual([
      "No.  Time                     Amount  Card       State                            Id",
      ` 27  14:32                KRW 15,000  ****-4821  offline                          ${ID}`,
      ` 27  14:32                KRW 15,000  ****-4821  refunded KRW 5,000               ${ID}`,
      ` 27  14:32             KRW 1,500,000  ****-4821  voided                           ${ID}`,
      `  5  2026-11-20 14:32     KRW 15,000  ****-4821  KRW 500 on its way back, day 11  ${ID}`,
    ]);
  });

  it("of what waits name the key last, to be copied", () => {
    const open = { saleId: ID, amount: won("4500") };
    const received: Received = {
      kind: "open",
      charges: [
        { ...open, key: `${ID}/1`, purpose: "offline", ageMs: 45_000 },
        { ...open, key: `${ID}/2`, purpose: "reversal", ageMs: 60_000 * 90 },
      ],
      refunds: [{ ...open, key: `${ID}/refund-1`, purpose: "refund", ageMs: 3_600_000 * 30 }],
      deadLetters: [{ id: "x", reason: "too-large", key: `${ID}/3`, request: "authorise", ageMs: 0 }],
    };
    expect(sentenceOf(received).text.split("\n")).toEqual([
      "Waits for the ledger                  Amount     For  Key",
      `sold offline                       KRW 4,500    45 s  ${ID}/1`,
      `taking back                        KRW 4,500  90 min  ${ID}/2`,
      `refund                             KRW 4,500    30 h  ${ID}/refund-1`,
      `dead letter: authorise, too-large                0 s  ${ID}/3`,
    ]);
  });

  const total = (count: number, minor: string) => ({ count, minor });
  const NONE = total(0, "0");
  const STATUS: Extract<Received, { kind: "status" }> = {
    kind: "status",
    terminal: "counter-1",
    standing: { kind: "welcome" },
    linkUp: true,
    currency: "KRW",
    phase: "idle",
    day: {
      number: 12,
      openedMs: 0,
      firstNumber: 1,
      lastNumber: 3,
      totals: {
        card: total(2, "10000"),
        cardOffline: total(1, "4500"),
        refunds: NONE,
        voids: NONE,
        declinedAfter: NONE,
        dismissed: NONE,
      },
    },
    openCharges: 1,
    openRefunds: 2,
    outboxDepth: 3,
    deadLetters: 0,
    papers: 4,
    journalId: "j",
    devices: [
      { name: "speaker", state: "running" },
      { name: "printer", state: "restarting", fault: "paper out" },
    ],
  };
  it("of the terminal's state name what waits and what does not work", () => {
    expect(sentenceOf(STATUS).text.split("\n")).toEqual([
      "counter-1: may sell",
      "counter: nobody is ordering",
      "ledger: connected; 3 requests wait to be answered",
      "day 12: 3 sales, KRW 14,500",
      "waits: 1 charges, 2 refunds, 4 papers, 0 dead letters",
      "journal: j",
      "printer: restarting, paper out",
    ]);
  });

  it.each([
    [{ kind: "new" }, /not been asked yet/],
    [{ kind: "recalling" }, /sells nothing until/],
    [{ kind: "barred", reason: "copied" }, /another machine.*backup.*saypay journal adopt/],
    [{ kind: "barred", reason: "restored" }, /old backup.*saypay journal adopt/],
    [{ kind: "barred", reason: "replaced" }, /another journal.*saypay journal adopt/],
  ] as const)("a terminal that is %o says what to do", (standing, expected) => {
    const { text } = sentenceOf({ ...STATUS, standing, phase: "receipt", linkUp: false });
    expect(text).toMatch(expected);
    expect(text).toMatch(/counter: receipt\nledger: not connected/);
  });
});

it.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [119 * 60_000, "119 min"],
  [120 * 60_000, "2 h"],
  [47 * 3_600_000, "47 h"],
  [48 * 3_600_000, "2 days"],
])("an age of %d ms is %s", (ms, text) => {
  expect(ageText(ms)).toBe(text);
});

it("amounts have their currency's decimals", () => {
  expect(["KRW", "USD"].map((currency) => amountText({ minor: "-4500", currency }))).toEqual([
    "KRW -4,500",
    "USD -45.00",
  ]);
});

it("every exit status is documented", () => {
  const documented = [...EXIT_HELP.matchAll(/^ +(\d+) {2}/gm)].map(([, number]) => Number(number));
  expect(documented).toEqual(Object.values(EXIT).sort((a, b) => a - b));
});
