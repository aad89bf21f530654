/**
 * One call to a gateway, made harmless: it ends within a time, an exception or an answer that is not understood
 * becomes `pending`, and a success whose amount, currency, order or merchant is not what was asked becomes `mismatch`.
 */
import { sameMoney } from "../../daemon/core/money.ts";
import type {
  AuthoriseResult,
  Charged,
  Order,
  Pending,
  QueryResult,
  ReverseResult,
} from "./gateways/gateway.ts";

/** Timers and clock as arguments, so that tests move time. */
export type Clock = {
  readonly now: () => number;
  /** Calls back once after `ms`; the returned function cancels. */
  readonly after: (ms: number, work: () => void) => () => void;
};

export type Mismatch = { readonly kind: "mismatch"; readonly note: string };

const NO_ANSWER: Pending = { kind: "pending", note: "no answer in time" };
const UNKNOWN_KIND: Pending = { kind: "pending", note: "an answer of an unknown kind" };

export async function callGateway<Result extends AuthoriseResult | QueryResult | ReverseResult>(
  clock: Clock,
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | Pending> {
  const patience = new AbortController();
  let cancel = (): void => undefined;
  const tooLate = new Promise<Pending>((resolve) => {
    cancel = clock.after(timeoutMs, () => {
      resolve(NO_ANSWER);
      patience.abort();
    });
  });
  const answered = (async () => (await call(patience.signal)) ?? UNKNOWN_KIND)().catch(
    (cause: unknown): Pending => ({
      kind: "pending",
      note: cause instanceof Error ? cause.name : "exception",
    }),
  );
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    cancel();
  }
}

/** Checks a result of a kind that is a promise of the type only: adapters translate what strangers send. */
export function understood(
  result: AuthoriseResult | QueryResult,
  order: Order,
): AuthoriseResult | QueryResult | Mismatch {
  switch (result.kind) {
    case "success": {
      const difference = differenceOf(result.charged, order);
      if (difference !== null) return { kind: "mismatch", note: difference };
      return result.authorisation === ""
        ? { kind: "pending", note: "success without an authorisation" }
        : result;
    }
    case "failure":
    case "pending":
    case "reversed":
    case "not-found":
      return result;
    default:
      return UNKNOWN_KIND;
  }
}

/** The same for the answer to a reversal or a refund. */
export function understoodReturn(result: ReverseResult): ReverseResult {
  switch (result.kind) {
    case "success":
    case "failure":
    case "pending":
      return result;
    default:
      return UNKNOWN_KIND;
  }
}

function differenceOf(charged: Charged, order: Order): string | null {
  if (!sameMoney(charged.amount, order.amount)) {
    return `charged ${charged.amount.minor} ${charged.amount.currency} instead of ${order.amount.minor} ${order.amount.currency}`;
  }
  if (charged.orderId !== order.orderId)
    return `charged order ${charged.orderId} instead of ${order.orderId}`;
  if (charged.merchant !== order.merchant)
    return `charged for ${charged.merchant} instead of ${order.merchant}`;
  return null;
}
