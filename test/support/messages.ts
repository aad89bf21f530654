/**
 * Real-looking requests and answers, and fast-check generators of every shape that daemon/core/clearing.ts allows.
 * The wire tests, the store's contract suite and the benchmark share them.
 */
import fc from "fast-check";
import type { LedgerAnswer, LedgerOutcome, LedgerRequest, SoldLine } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";

export const won = (minor: number): Money => ({ minor: BigInt(minor), currency: "KRW" });

function soldLine(itemId: string, name: string, quantity: number, unit: number, options = {}): SoldLine {
  return { itemId, name, quantity, options, amount: won(quantity * unit) };
}

/** A sale id is a random UUID (daemon/core/event.ts). */
const SALE = "5e0c3f7a-91d4-4c1e-b6a8-2f0d7c8e4b19";

/** An ordinary order: three lines, options, Korean names. */
export const AUTHORISE: Extract<LedgerRequest, { kind: "authorise" }> = {
  kind: "authorise",
  key: `${SALE}/1`,
  saleId: SALE,
  sequence: 482,
  amount: won(19_000),
  vat: won(1_727),
  card: { token: "ntag424:04DE5F1EACC040", masked: "****-C040", counter: 61 },
  mode: "online",
  lines: [
    soldLine("americano", "아메리카노", 2, 4_500, { size: "large", temperature: "iced" }),
    soldLine("latte", "카페라떼", 1, 5_000, { temperature: "hot" }),
    soldLine("cheesecake", "치즈 케이크", 1, 5_000),
  ],
  timeMs: 1_795_174_200_123,
};

export const QUERY: LedgerRequest = { kind: "query", key: AUTHORISE.key, saleId: SALE };
export const REVERSE: LedgerRequest = {
  kind: "reverse",
  key: AUTHORISE.key,
  saleId: SALE,
  reason: "uncertain",
};

/** A part of the sale, given back; a refund has a key of its own that continues the sale's id. */
export const REFUND: Extract<LedgerRequest, { kind: "refund" }> = {
  kind: "refund",
  key: `${SALE}/refund-0b8d1c52-7c1f-4a7e-9d55-6a0f3e2b9c44`,
  saleId: SALE,
  amount: won(5_000),
  timeMs: 1_795_181_400_456,
};
export const HONOUR: LedgerRequest = { kind: "honour", key: AUTHORISE.key, saleId: SALE };

export function answerOf(outcome: LedgerOutcome, requestId = `${AUTHORISE.key}:authorise`): LedgerAnswer {
  return { requestId, key: AUTHORISE.key, outcome };
}

export const APPROVED = answerOf({
  kind: "approved",
  authorisation: "SBX-20261120-004821",
  gateway: "sandbox",
  amount: AUTHORISE.amount,
});
export const DECLINED = answerOf({ kind: "declined", reason: "insufficient-funds", gateway: "sandbox" });

/** Ids and names of every width of UTF-8, short and long, and the UUIDs that have a form of their own. */
export const anyId = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 45 }).filter((text) => !/\p{Surrogate}/u.test(text)),
  fc.uuid(),
  fc.tuple(fc.uuid(), fc.string({ maxLength: 12 })).map(([uuid, suffix]) => uuid + suffix),
);
const count = fc.nat(Number.MAX_SAFE_INTEGER);
const currency = fc.constantFrom("KRW", "USD", "JPY");
const amount: fc.Arbitrary<Money> = fc.record({
  minor: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  currency,
});

const line: fc.Arbitrary<SoldLine> = fc.record({
  itemId: anyId,
  name: anyId,
  quantity: count,
  options: fc.dictionary(anyId, anyId, { maxKeys: 5, noNullPrototype: true }),
  amount,
});

export const anyRequest: fc.Arbitrary<LedgerRequest> = fc.oneof(
  fc.record({
    kind: fc.constant("authorise" as const),
    key: anyId,
    saleId: anyId,
    sequence: count,
    amount,
    vat: amount,
    card: fc.record({ token: anyId, masked: anyId, counter: count }),
    mode: fc.constantFrom("online" as const, "offline" as const),
    lines: fc.array(line, { maxLength: 5 }),
    timeMs: count,
  }),
  fc.record({ kind: fc.constant("query" as const), key: anyId, saleId: anyId }),
  fc.record({
    kind: fc.constant("reverse" as const),
    key: anyId,
    saleId: anyId,
    reason: fc.constantFrom("uncertain" as const, "cancelled" as const, "void" as const),
  }),
  fc.record({ kind: fc.constant("honour" as const), key: anyId, saleId: anyId }),
  fc.record({ kind: fc.constant("refund" as const), key: anyId, saleId: anyId, amount, timeMs: count }),
);

const outcome: fc.Arbitrary<LedgerOutcome> = fc.oneof(
  fc.record({ kind: fc.constant("approved" as const), authorisation: anyId, gateway: anyId, amount }),
  fc.record({
    kind: fc.constant("declined" as const),
    reason: fc.constantFrom(
      "insufficient-funds" as const,
      "card-blocked" as const,
      "limit-exceeded" as const,
      "not-honoured" as const,
      "card-replayed" as const,
    ),
    gateway: anyId,
  }),
  fc.constantFrom(
    { kind: "pending" as const },
    { kind: "reversed" as const },
    { kind: "not-found" as const },
  ),
  fc.record({
    kind: fc.constant("refused" as const),
    reason: fc.constantFrom("key-conflict" as const, "invalid" as const, "unknown-terminal" as const),
  }),
  fc.record({ kind: fc.constant("refunded" as const), amount, total: amount, gateway: anyId }),
  fc.record({
    kind: fc.constant("refund-refused" as const),
    reason: fc.constantFrom(
      "exceeds" as const,
      "not-charged" as const,
      "partly-refunded" as const,
      "gateway" as const,
    ),
  }),
);

export const anyAnswer: fc.Arbitrary<LedgerAnswer> = fc.record({ requestId: anyId, key: anyId, outcome });
