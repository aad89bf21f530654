/** Refund slips and day reports as lines, at every paper width. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAmount } from "../../daemon/core/money.ts";
import type { DayReport, Paper, RefundSlip } from "../../daemon/core/receipt.ts";
import type { PaperColumns } from "../../drivers/printer/composition.ts";
import { printerBytes, textColumns } from "../../drivers/printer/ks-x-1001.ts";
import { isCopy, languageOf, layOut } from "../../drivers/printer/layout.ts";
import { DAY_WORDS, SLIP_WORDS } from "../../drivers/printer/staff-words.ts";
import { shown } from "../support/paper-text.ts";
import { CAFE_DAY, CAFE_PAPER, CAFE_SLIP, won } from "../support/receipts.ts";

const WIDTHS = [32, 42, 48] as const;
const options = (columns: PaperColumns) => ({ columns, timeZone: "Asia/Seoul" });
const slip = (given: Partial<RefundSlip> = {}): Paper => ({
  kind: "refund",
  slip: { ...CAFE_SLIP, ...given },
});
const day = (given: Partial<DayReport> = {}): Paper => ({ kind: "day", report: { ...CAFE_DAY, ...given } });
const lay = (paper: Paper, columns: PaperColumns = 42): string[] => shown(layOut(paper, options(columns)));

const SHOP = [
  "c2x2|말하는 카페",
  "",
  "사업자등록번호: 123-45-67890",
  "대표: 김하늘",
  "전화: 02-1234-5678",
  "주소: 서울특별시 마포구 월드컵북로 396,",
  "      1층 102호",
  "==========================================",
];

describe("a refund slip", () => {
  test("of a refund that waits says that no money has moved", () => {
    expect(lay(slip({ status: "requested" }))).toEqual([
      "c|환 불 접 수 증",
      ...SHOP,
      "c2x2|[ 환불 대기 중 ]",
      "아직 환불되지 않았습니다. 확인되는 대로",
      "결제하신 카드로 환불됩니다.",
      "==========================================",
      "주문번호: 27",
      "일시: 2026-11-20 15:10:00",
      "단말기: T-0001",
      "------------------------------------------",
      "판매 금액                         15,000원",
      "1x2|환불 요청 금액                     5,000원",
      "카드번호                         ****-4821",
      "------------------------------------------",
      "c|문의하실 때 이 전표를 보여 주세요",
      "",
      "<01JD4YQ8K3W6N7R2T5V9XBCDEF>",
      "c|거래번호 01JD4YQ8K3W6N7R2T5V9XBCDEF",
    ]);
  });

  const states = [
    ["ko", "refund", "requested", "환 불 접 수 증", "[ 환불 대기 중 ]", "환불 요청 금액"],
    ["ko", "refund", "done", "환 불 영 수 증", "[ 환불 완료 ]", "환불 금액"],
    ["ko", "void", "requested", "결 제 취 소 접 수 증", "[ 취소 대기 중 ]", "취소 요청 금액"],
    ["ko", "void", "done", "결 제 취 소 영 수 증", "[ 취소 완료 ]", "취소 금액"],
    ["en", "refund", "requested", "REFUND REQUEST", "[ NOT REFUNDED YET ]", "Requested"],
    ["en", "refund", "done", "REFUND RECEIPT", "[ REFUNDED ]", "Refunded"],
    ["en", "void", "requested", "VOID REQUEST", "[ NOT VOIDED YET ]", "Requested"],
    ["en", "void", "done", "VOID RECEIPT", "[ VOIDED ]", "Voided"],
    ["zh", "refund", "requested", "退 款 受 理 单", "[ 等待退款 ]", "申请退款金额"],
    ["zh", "void", "done", "撤 销 收 据", "[ 撤销完成 ]", "撤销金额"],
  ] as const;
  describe.each(WIDTHS)("of %i columns", (columns) => {
    test.each(states)("in %s, %s %s: %s", (language, purpose, status, title, mark, amount) => {
      const lines = lay(slip({ language, purpose, status }), columns);
      expect(lines[0]).toBe(`c|${title}`);
      const large = lines.filter((line) => /^c.*\dx2\|/.test(line));
      expect(large.map((line) => line.replace(/^c\dx2\|/, ""))).toContain(mark);
      expect(lines.some((line) => line.includes(`|${amount} `) && line.includes("5,000"))).toBe(true);
    });
  });

  test("of a sale of another terminal names no number, card or sale amount", () => {
    const lines = lay(slip({ number: null, card: null, saleAmount: null }));
    expect(lines).toContain("주문번호: 다른 단말기에서 판매");
    expect(lines.join("\n")).not.toMatch(/판매 금액|카드번호/);
  });

  test("printed while the clock was never set says so", () => {
    expect(lay(slip({ timeMs: 0 }))).toContain("일시: 단말기 시각 미설정");
  });
});

describe("a day report", () => {
  test("has the totals by method, what was given back, the net, and apart from them what is not settled yet", () => {
    expect(lay(day())).toEqual([
      "c|일 일 마 감",
      ...SHOP,
      "영업일: 12",
      "단말기: T-0001",
      "개시: 2026-11-20 08:58:00",
      "마감: 2026-11-20 21:05:30",
      "주문번호: 101 - 163",
      "------------------------------------------",
      "구분                         건수     금액",
      "카드                           60  512,000",
      "카드(오프라인 승인)             3   21,500",
      "매출 합계                      63  533,500",
      "환불                            2  -10,000",
      "결제 취소                       1   -5,000",
      "사후 승인 거절                  1   -4,500",
      "직원 종결                       0        0",
      "------------------------------------------",
      "2x2|순매출      514,000원",
      "==========================================",
      "c2x2|[ 아직 미정산 ]",
      "정산 대기 판매                   2  17,000",
      "환불/취소 대기                   1   3,000",
      "아직 정산되지 않은 금액입니다. 정산 대기",
      "판매는 위 매출에 들어 있고, 환불/취소",
      "대기는 들어 있지 않습니다.",
      "==========================================",
      "",
      "확인: _____________________",
    ]);
  });

  test("of 32 columns in English", () => {
    const lines = lay(day({ language: "en" }), 32);
    expect(lines.slice(lines.indexOf("Orders: 101 - 163"))).toEqual([
      "Orders: 101 - 163",
      "--------------------------------",
      "Method             Count  Amount",
      "Card                  60 512,000",
      "Card, offline          3  21,500",
      "Sales                 63 533,500",
      "Refunds                2 -10,000",
      "Voids                  1  -5,000",
      "Declined later         1  -4,500",
      "Closed by staff        0       0",
      "--------------------------------",
      "2x2|NET  KRW 514,000",
      "================================",
      "c1x2|[ NOT SETTLED YET ]",
      "Sales waiting           2 17,000",
      "Refunds waiting         1  3,000",
      "Sales waiting are part of the",
      "sales above. Refunds and voids",
      "waiting are not.",
      "================================",
      "",
      "Signed: ________________",
    ]);
  });

  test.each([
    ["ko", "주문번호: 판매 없음"],
    ["en", "Orders: nothing sold"],
  ] as const)("of a day without a sale, in %s: %s", (language, expected) => {
    expect(lay(day({ language, firstNumber: null, lastNumber: null }))).toContain(expected);
  });

  test("of a day on which more was given back than sold has a negative net", () => {
    expect(lay(day({ netMinor: -4_500n }))).toContain("2x2|순매출       -4,500원");
  });
});

describe.each(WIDTHS)("a copy of %i columns", (columns) => {
  test.each([
    ["slip", slip({ copy: true }), slip()],
    ["report", day({ copy: true }), day()],
  ])("of a %s is marked at the top and at the bottom", (_, copy, original) => {
    const lines = lay(copy, columns);
    const marks = lines.flatMap((line, index) => (line.includes("재발행 / COPY") ? [index] : []));
    expect(marks[0]).toBeLessThan(2);
    expect(marks.at(-1)).toBeGreaterThan(lines.length - 4);
    expect(lay(original, columns).join("")).not.toContain("COPY");
  });
});

test.each([
  ["receipt", CAFE_PAPER, "ko", false],
  ["slip", slip({ copy: true, language: "en" }), "en", true],
  ["report", day({ copy: true, language: "zh" }), "zh", true],
] as const)("a %s knows its language and whether it is a copy", (_, paper, language, copy) => {
  expect([languageOf(paper), isCopy(paper)]).toEqual([language, copy]);
});

test("every Korean and English word is in the printer's own characters", () => {
  const words = JSON.stringify([SLIP_WORDS.ko, SLIP_WORDS.en, DAY_WORDS.ko, DAY_WORDS.en]);
  expect([...words].filter((character) => printerBytes(character) === undefined)).toEqual([]);
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc
    .array(fc.constantFrom("가", "똠", "A", " ", "×", "é", "珍", "☕", "₩", "\n"), { maxLength: 60 })
    .map((c) => c.join("")),
);
const anyMinor = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 18n });
const anyCurrency = fc.constantFrom("KRW", "USD", "KWD");
const anyMoney = fc.record({ minor: anyMinor, currency: anyCurrency });
const anyTotal = fc.record({ count: fc.nat(), minor: anyMinor });
const anyLanguage = fc.constantFrom("ko" as const, "en" as const, "zh" as const);
const anyTime = fc.integer({ min: 0, max: 4_102_444_800_000 });
const anySlip: fc.Arbitrary<RefundSlip> = fc.record({
  saleId: anyText,
  number: fc.option(fc.nat()),
  merchant: fc.constant({ ...CAFE_SLIP.merchant, name: "똠얌 카페 ".repeat(6) }),
  terminal: anyText,
  language: anyLanguage,
  timeMs: anyTime,
  amount: anyMoney,
  saleAmount: fc.option(anyMoney),
  card: fc.option(anyText),
  status: fc.constantFrom("requested", "done"),
  purpose: fc.constantFrom("refund", "void"),
  copy: fc.boolean(),
});
const anyReport: fc.Arbitrary<DayReport> = fc.record({
  merchant: fc.constant(CAFE_DAY.merchant),
  terminal: anyText,
  language: anyLanguage,
  day: fc.nat(),
  firstNumber: fc.option(fc.nat()),
  lastNumber: fc.option(fc.nat()),
  openedMs: anyTime,
  closedMs: anyTime,
  currency: anyCurrency,
  totals: fc.record({
    card: anyTotal,
    cardOffline: anyTotal,
    refunds: anyTotal,
    voids: anyTotal,
    declinedAfter: anyTotal,
    dismissed: anyTotal,
  }),
  netMinor: anyMinor,
  queued: anyTotal,
  refundsQueued: anyTotal,
  copy: fc.boolean(),
});

describe("any slip or report at any width", () => {
  test("never exceeds the paper", () => {
    const anyPaper = fc.oneof(
      anySlip.map((made): Paper => ({ kind: "refund", slip: made })),
      anyReport.map((report): Paper => ({ kind: "day", report })),
    );
    fc.assert(
      fc.property(anyPaper, fc.constantFrom(...WIDTHS), (paper, columns) => {
        for (const line of layOut(paper, options(columns))) {
          if (line.kind === "text") expect(textColumns(line.text) * line.width).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  const figuresOf = (paper: Paper, columns: PaperColumns): ReadonlySet<string> =>
    new Set(
      layOut(paper, options(columns)).flatMap((line) =>
        line.kind === "text" ? (line.text.match(/-?\d[\d,.]*/g) ?? []) : [],
      ),
    );

  test("has every amount whole on one line", () => {
    fc.assert(
      fc.property(anySlip, anyReport, fc.constantFrom(...WIDTHS), (made, report, columns) => {
        const { totals, currency, netMinor, queued, refundsQueued } = report;
        const inDay = figuresOf({ kind: "day", report }, columns);
        const minors = [
          totals.card.minor,
          totals.cardOffline.minor,
          netMinor,
          queued.minor,
          refundsQueued.minor,
        ];
        for (const minor of [
          ...minors,
          -totals.refunds.minor,
          -totals.voids.minor,
          -totals.declinedAfter.minor,
        ])
          expect(inDay).toContain(formatAmount({ minor, currency }));
        expect(figuresOf({ kind: "refund", slip: made }, columns)).toContain(formatAmount(made.amount));
      }),
    );
  });

  test("an amount of a sale is never taken for the amount given back", () => {
    const lines = lay(slip({ amount: won(1), saleAmount: won(2) }));
    expect(lines.filter((line) => /\|.*\s1원$/.test(line))).toHaveLength(1);
    expect(lines).toContain("판매 금액                              2원");
  });
});
