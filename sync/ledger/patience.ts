/** Limits of the ledger, and how long it waits for a gateway and between two questions, pure. */

export type Patience = {
  /** How long a call to the gateway may take. */
  readonly gatewayTimeoutMs: number;
  /** First wait before an unresolved charge or refund is asked for again; doubles every time. */
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
};

/** Largest single charge, in minor units: keeps every sum far inside 64 bits. */
export const MAX_CHARGE_MINOR = 1_000_000_000_000n;
/** A charge or refund that stays unresolved longer than this raises an alarm. */
export const PENDING_ALARM_AFTER_MS = 3_600_000;
/** Charges, and as many refunds, asked for side by side in one round of the resolver. */
export const RESOLVER_BATCH = 16;
/** Nothing is ever due later than this from now: what is, was stored before the clock was set back, and is due. */
export const RESOLVE_HORIZON_MS = 2 * 86_400_000;
/** Doublings after which the wait is at its greatest in any case. */
const MAX_DOUBLINGS = 30;

/** The wait before the next question after `asked` questions without an outcome. */
export function retryWaitMs(asked: number, patience: Patience): number {
  return Math.min(patience.firstRetryMs * 2 ** Math.min(asked, MAX_DOUBLINGS), patience.maxRetryMs);
}

/** Whether the time to ask again has not come yet. */
export function isEarly(nextMs: number, nowMs: number): boolean {
  return nextMs > nowMs && nextMs <= nowMs + RESOLVE_HORIZON_MS;
}
