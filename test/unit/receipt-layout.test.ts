/** The receipt as lines: what a shop's customer reads, at every paper width. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAmount, type Money } from "../../daemon/core/money.ts";
import type { Receipt } from "../../daemon/core/receipt.ts";
import { type PaperColumns, wrap } from "../../drivers/printer/composition.ts";
import { printable, textColumns } from "../../drivers/printer/ks-x-1001.ts";
import { layOut } from "../../drivers/printer/layout.ts";
import { shown } from "../support/paper-text.ts";
import { CAFE_RECEIPT, won } from "../support/receipts.ts";

const WIDTHS = [32, 42, 48] as const;

function lay(receipt: Receipt, columns: PaperColumns): string[] {
  return shown(layOut({ kind: "receipt", receipt }, { columns, timeZone: "Asia/Seoul" }));
}

describe("a Korean receipt", () => {
  test("of 42 columns", () => {
    expect(lay(CAFE_RECEIPT, 42)).toEqual([
      "c|영 수 증",
      "c2x2|말하는 카페",
      "",
      "사업자등록번호: 123-45-67890",
      "대표: 김하늘",
      "전화: 02-1234-5678",
      "주소: 서울특별시 마포구 월드컵북로 396,",
      "      1층 102호",
      "==========================================",
      "c|주문번호",
      "c3x3|27",
      "==========================================",
      "판매일시: 2026-11-20 14:32:07",
      "단말기: T-0001",
      "------------------------------------------",
      "상품명                  단가  수량    금액",
      "------------------------------------------",
      "아메리카노             5,000     2  10,000",
      "  - 아이스, 샷 추가",
      "카페라떼               5,000     1   5,000",
      "------------------------------------------",
      "2x2|합계         15,000원",
      "  공급가액                          13,636",
      "  부가세(10%)                        1,364",
      "  ※ 부가세 포함 금액입니다",
      "------------------------------------------",
      "결제수단                              카드",
      "카드번호                         ****-4821",
      "결제금액                          15,000원",
      "승인번호                          30012345",
      "------------------------------------------",
      "c|이용해 주셔서 감사합니다",
      "c|교환/환불 시 영수증을 지참하세요",
      "",
      "<01JD4YQ8K3W6N7R2T5V9XBCDEF>",
      "c|거래번호 01JD4YQ8K3W6N7R2T5V9XBCDEF",
    ]);
  });

  test("a copy of a sale of which money went back says how much", () => {
    const lines = lay({ ...CAFE_RECEIPT, copy: true, givenBack: { minor: 5_000n, currency: "KRW" } }, 42);
    expect(lines).toContain("c1x2|[ 환불된 금액 5,000원 ]");
    expect(lay({ ...CAFE_RECEIPT, copy: true }, 42).join("\n")).not.toContain("환불된");
  });

  test("approved offline says so and gives no approval number", () => {
    const lines = lay({ ...CAFE_RECEIPT, payment: { kind: "approved-offline", card: "****-4821" } }, 42);
    expect(lines).toContain("c2x2|[ 오프라인 승인 ]");
    expect(lines.join(" ")).toContain("추후 정산");
    expect(lines.some((line) => line.startsWith("승인번호"))).toBe(false);
  });

  test.each(WIDTHS)("that is a copy is marked at the top and at the bottom (%i columns)", (columns) => {
    const lines = lay({ ...CAFE_RECEIPT, copy: true }, columns);
    const marks = lines.flatMap((line, index) => (line.includes("재발행 / COPY") ? [index] : []));
    expect(marks[0]).toBeLessThan(2);
    expect(marks.at(-1)).toBeGreaterThan(lines.length - 4);
    expect(lay(CAFE_RECEIPT, columns).join("")).not.toContain("COPY");
  });

  test.each(WIDTHS)(
    "with a long name has it whole, and its figures on its last line (%i columns)",
    (columns) => {
      const name = "수제 무화과 크림치즈 깜빠뉴 샌드위치 반쪽 포장";
      const line = { name, options: [], quantity: 1, unitPrice: won(12_900), amount: won(12_900) };
      const lines = lay({ ...CAFE_RECEIPT, lines: [line] }, columns);
      const from = lines.findIndex((text) => text.startsWith("수제"));
      const to = lines.findIndex((text, index) => index >= from && text.endsWith("12,900"));
      const words = lines
        .slice(from, to + 1)
        .join(" ")
        .split(/\s+/);
      expect(words).toEqual([...name.split(" "), "12,900", "1", "12,900"]);
    },
  );

  test.each([
    [0, "판매일시: 단말기 시각 미설정"],
    [Date.UTC(2026, 11, 31, 15, 0, 0), "판매일시: 2027-01-01 00:00:00"],
  ])("at %i ms shows %s", (timeMs, expected) => {
    expect(lay({ ...CAFE_RECEIPT, timeMs }, 42)).toContain(expected);
  });

  test("without VAT names the whole amount as exempt", () => {
    const lines = lay({ ...CAFE_RECEIPT, vat: won(0), vatPercent: 0 }, 42);
    expect(lines).toContain("  면세금액                          15,000");
    expect(lines.some((line) => line.includes("공급가액"))).toBe(false);
  });
});

describe("a receipt in another language or currency", () => {
  test.each([
    ["en", "KRW", 15_000n, "2x2|TOTAL         KRW 15,000"],
    ["en", "USD", 15_00n, "2x2|TOTAL          USD 15.00"],
    ["en", "KWD", 1_500n, "2x2|TOTAL          KWD 1.500"],
    ["ko", "JPY", 1_500n, "2x2|합계           JPY 1,500"],
    ["zh", "KRW", 15_000n, "2x2|合计          KRW 15,000"],
  ] as const)("%s %s", (language, currency, minor, expected) => {
    const total: Money = { minor, currency };
    const lines = lay({ ...CAFE_RECEIPT, language, total, vat: { minor: 0n, currency } }, 48);
    expect(lines.find((line) => line.startsWith("2x2|") && /\d/.test(line))).toBe(expected);
  });

  test("an English receipt has no Korean words of its own", () => {
    const merchant = { ...CAFE_RECEIPT.merchant, name: "Cafe", address: "Seoul", representative: "H. Kim" };
    const offline = { kind: "approved-offline", card: "****-4821" } as const;
    const receipt: Receipt = {
      ...CAFE_RECEIPT,
      language: "en",
      merchant,
      lines: [],
      payment: offline,
      copy: true,
    };
    expect(lay(receipt, 42).join("\n")).not.toMatch(/\p{Script=Hangul}/u);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc
    .array(fc.constantFrom("가", "똠", "각", "A", " ", "×", "é", "珍", "☕", "₩", "\\", "\u0300", "\n"), {
      maxLength: 60,
    })
    .map((c) => c.join("")),
);
const anyMoney = fc.record({
  minor: fc.bigInt({ min: -(10n ** 17n), max: 10n ** 18n }),
  currency: fc.constantFrom("KRW", "USD", "KWD"),
});
const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  saleId: anyText,
  number: fc.nat(),
  merchant: fc.record({
    name: anyText,
    registration: anyText,
    address: anyText,
    phone: anyText,
    representative: anyText,
  }),
  terminal: anyText,
  language: fc.constantFrom("ko", "en", "zh"),
  timeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  lines: fc.array(
    fc.record({
      name: anyText,
      options: fc.array(anyText, { maxLength: 4 }),
      quantity: fc.nat({ max: 100_000 }),
      unitPrice: anyMoney,
      amount: anyMoney,
    }),
    { maxLength: 5 },
  ),
  total: anyMoney,
  vat: anyMoney,
  vatPercent: fc.nat({ max: 30 }),
  payment: fc.oneof(
    fc.record({ kind: fc.constant("approved" as const), authorisation: anyText, card: anyText }),
    fc.record({ kind: fc.constant("approved-offline" as const), card: anyText }),
  ),
  copy: fc.boolean(),
});

describe("any receipt at any width", () => {
  test("never exceeds the paper", () => {
    fc.assert(
      fc.property(anyReceipt, fc.constantFrom(...WIDTHS), (receipt, columns) => {
        for (const line of layOut({ kind: "receipt", receipt }, { columns, timeZone: "Asia/Seoul" })) {
          if (line.kind === "text") expect(textColumns(line.text) * line.width).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });

  test("has every amount whole on one line, and every character of every name", () => {
    fc.assert(
      fc.property(anyReceipt, fc.constantFrom(...WIDTHS), (receipt, columns) => {
        const lines = layOut({ kind: "receipt", receipt }, { columns, timeZone: "Asia/Seoul" }).flatMap(
          (line) => (line.kind === "text" ? [line.text] : []),
        );
        const figures = new Set(lines.flatMap((line) => line.match(/-?\d[\d,.]*/g) ?? []));
        for (const { amount, unitPrice } of receipt.lines) {
          expect(figures).toContain(formatAmount(amount));
          expect(figures).toContain(formatAmount(unitPrice));
        }
        expect(figures).toContain(formatAmount(receipt.total));
        const all = lines.join("").replace(/\s/g, "");
        for (const { name } of receipt.lines) {
          for (const word of wrap(printable(name), columns)) expect(all).toContain(word.replace(/\s/g, ""));
        }
      }),
    );
  });
});

test.each([
  ["가나 다라", 4, ["가나", "다라"]],
  ["가나다라마", 4, ["가나", "다라", "마"]],
  ["a가나", 4, ["a가", "나"]],
  ["one two", 7, ["one two"]],
  ["one two", 6, ["one", "two"]],
  ["", 6, []],
])("wraps %j in %i columns", (content, columns, expected) => {
  expect(wrap(content, columns)).toEqual(expected);
});
