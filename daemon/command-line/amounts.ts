/** Amounts and times as staff reads them. */
import { formatAmount } from "../core/money.ts";

/** "KRW 4,500" of minor units as they travel. */
export function amountText({
  minor,
  currency,
}: {
  readonly minor: string;
  readonly currency: string;
}): string {
  return `${currency} ${formatAmount({ minor: BigInt(minor), currency })}`;
}

/** "45 s", "90 min", "30 h", "5 days" */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1_000)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
