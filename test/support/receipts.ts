/** Receipts, refund slips and day reports for printer tests. */
import type { Money } from "../../daemon/core/money.ts";
import type { DayReport, Paper, Receipt, RefundSlip } from "../../daemon/core/receipt.ts";

export const won = (minor: number): Money => ({ minor: BigInt(minor), currency: "KRW" });

export const CAFE_RECEIPT: Receipt = {
  saleId: "01JD4YQ8K3W6N7R2T5V9XBCDEF",
  number: 27,
  merchant: {
    name: "말하는 카페",
    registration: "123-45-67890",
    address: "서울특별시 마포구 월드컵북로 396, 1층 102호",
    phone: "02-1234-5678",
    representative: "김하늘",
  },
  terminal: "T-0001",
  language: "ko",
  timeMs: Date.UTC(2026, 10, 20, 5, 32, 7),
  lines: [
    {
      name: "아메리카노",
      options: ["아이스", "샷 추가"],
      quantity: 2,
      unitPrice: won(5_000),
      amount: won(10_000),
    },
    { name: "카페라떼", options: [], quantity: 1, unitPrice: won(5_000), amount: won(5_000) },
  ],
  total: won(15_000),
  vat: won(1_364),
  vatPercent: 10,
  payment: { kind: "approved", authorisation: "30012345", card: "****-4821" },
  copy: false,
};

export const CAFE_PAPER: Paper = { kind: "receipt", receipt: CAFE_RECEIPT };

const { merchant, terminal, saleId, number } = CAFE_RECEIPT;

export const CAFE_SLIP: RefundSlip = {
  saleId,
  number,
  merchant,
  terminal,
  language: "ko",
  timeMs: Date.UTC(2026, 10, 20, 6, 10, 0),
  amount: won(5_000),
  saleAmount: won(15_000),
  card: "****-4821",
  status: "done",
  purpose: "refund",
  copy: false,
};

const total = (count: number, minor: number): { count: number; minor: bigint } => ({
  count,
  minor: BigInt(minor),
});

export const CAFE_DAY: DayReport = {
  merchant,
  terminal,
  language: "ko",
  day: 12,
  firstNumber: 101,
  lastNumber: 163,
  openedMs: Date.UTC(2026, 10, 19, 23, 58, 0),
  closedMs: Date.UTC(2026, 10, 20, 12, 5, 30),
  currency: "KRW",
  totals: {
    card: total(60, 512_000),
    cardOffline: total(3, 21_500),
    refunds: total(2, 10_000),
    voids: total(1, 5_000),
    declinedAfter: total(1, 4_500),
    dismissed: total(0, 0),
  },
  netMinor: 514_000n,
  queued: total(2, 17_000),
  refundsQueued: total(1, 3_000),
  copy: false,
};
