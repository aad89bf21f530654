/**
 * Selling without the ledger: named limits, evaluated over the charges that wait for it and the approvals of the last
 * hour.
 *
 * The goods leave the shop before anyone has approved the charge, so the limits bound what can be lost. Ages compare
 * wall times and are a hint: a clock that was set back makes an age negative, which counts as zero.
 */
import type { CardStanding } from "./clearing.ts";
import type { Money } from "./money.ts";
import type { OfflineLimit } from "./prompt.ts";
import type { OfflineTap, OpenCharge, Standing } from "./sale.ts";

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
  /** Offline approvals for one card within an hour, settled or not, the new one included. */
  readonly perCardPerHour: number;
};

export type OfflineSale = {
  readonly amount: Money;
  readonly token: string;
  readonly card: CardStanding;
  readonly nowMs: number;
};

export type OfflineSituation = {
  readonly standing: Standing;
  readonly openCharges: readonly OpenCharge[];
  readonly offlineTaps: readonly OfflineTap[];
};

const HOUR_MS = 3_600_000;
/** 1 January 2024, before this program existed: a clock that says an earlier time was not set. */
const CLOCK_UNSET_BEFORE_MS = 1_704_067_200_000;
/** Approvals of the last hour that are remembered, oldest forgotten first; far above any count limit in use. */
const MAXIMUM_TAPS = 500;

/** The first limit that forbids the sale, or null when it may be approved offline. */
export function offlineLimit(
  policy: OfflinePolicy,
  situation: OfflineSituation,
  sale: OfflineSale,
): OfflineLimit | null {
  if (!policy.enabled) return "disabled";
  if (situation.standing.kind !== "welcome") return "not-welcomed";
  if (!sale.card.verified) return "unverified";
  if (sale.card.denied) return "denied";
  return amountLimit(policy, situation, sale) ?? cardLimit(policy, situation, sale);
}

function amountLimit(
  policy: OfflinePolicy,
  situation: OfflineSituation,
  sale: OfflineSale,
): OfflineLimit | null {
  const waiting = waitingOf(situation);
  const total = waiting.reduce((sum, charge) => sum + charge.amount.minor, sale.amount.minor);
  if (sale.amount.minor > policy.perSaleMinor) return "per-sale";
  if (waiting.length + 1 > policy.count) return "count";
  if (total > policy.totalMinor) return "total";
  return waiting.some((charge) => ageMs(charge, sale.nowMs) > policy.maxAgeMs) ? "age" : null;
}

/** A sale from before the clock was set is of unknown age: setting the clock must not stop a shop from selling. */
function ageMs({ timeMs }: OpenCharge, nowMs: number): number {
  return timeMs < CLOCK_UNSET_BEFORE_MS ? 0 : nowMs - timeMs;
}

function cardLimit(
  policy: OfflinePolicy,
  situation: OfflineSituation,
  sale: OfflineSale,
): OfflineLimit | null {
  const waiting = waitingOf(situation).filter(({ token }) => token === sale.token).length;
  if (waiting + 1 > policy.perCard) return "per-card";
  const lately = tapsOfTheHour(situation.offlineTaps, sale.nowMs).filter(({ token }) => token === sale.token);
  return lately.length + 1 > policy.perCardPerHour ? "per-card-hour" : null;
}

function waitingOf(situation: OfflineSituation): readonly OpenCharge[] {
  return situation.openCharges.filter((charge) => charge.purpose === "offline");
}

/** With one more approval, without those that no limit asks for any more. */
export function rememberTap(
  taps: readonly OfflineTap[],
  token: string,
  nowMs: number,
): readonly OfflineTap[] {
  return [...tapsOfTheHour(taps, nowMs), { token, timeMs: nowMs }].slice(-MAXIMUM_TAPS);
}

/** A tap from a time that this clock has not reached counts: nobody knows how long ago it was. */
function tapsOfTheHour(taps: readonly OfflineTap[], nowMs: number): readonly OfflineTap[] {
  return taps.filter(({ timeMs }) => nowMs - timeMs < HOUR_MS);
}
