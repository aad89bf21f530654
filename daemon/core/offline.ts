/**
 * Selling without the ledger: named limits, evaluated over the charges that wait for it.
 *
 * The goods leave the shop before anyone has approved the charge, so the limits bound what can be lost. Ages compare
 * wall times and are a hint (a terminal may believe it is 1970): a negative age counts as zero.
 */
import type { Money } from "./money.ts";
import type { OpenCharge } from "./sale.ts";

export type OfflinePolicy = {
  readonly enabled: boolean;
  /** Largest single sale, minor units. */
  readonly perSaleMinor: bigint;
  /** Sum of all sales that wait, the new one included. */
  readonly totalMinor: bigint;
  /** Number of sales that wait, the new one included. */
  readonly count: number;
  /** Age of the oldest sale that waits. */
  readonly maxAgeMs: number;
  /** Sales that wait from one card, the new one included. */
  readonly perCard: number;
};

export type OfflineLimit = "disabled" | "per-sale" | "total" | "count" | "age" | "per-card";

/** The first limit that forbids the sale, or null when it may be approved offline. */
export function offlineLimit(
  policy: OfflinePolicy,
  open: readonly OpenCharge[],
  sale: { readonly amount: Money; readonly token: string; readonly nowMs: number },
): OfflineLimit | null {
  const waiting = open.filter((charge) => charge.purpose === "offline");
  const total = waiting.reduce((sum, charge) => sum + charge.amount.minor, sale.amount.minor);
  if (!policy.enabled) return "disabled";
  if (sale.amount.minor > policy.perSaleMinor) return "per-sale";
  if (waiting.length + 1 > policy.count) return "count";
  if (total > policy.totalMinor) return "total";
  if (waiting.some((charge) => sale.nowMs - charge.timeMs > policy.maxAgeMs)) return "age";
  if (waiting.filter((charge) => charge.token === sale.token).length + 1 > policy.perCard) return "per-card";
  return null;
}
