/** Amounts as staff types them: 4500, 4,500, 45.00, as many decimals as the currency has at most (ISO 4217). */
import { exponentOf, type Money } from "../core/money.ts";

/** More digits than any till has; keeps a slip of the finger out of arithmetic. */
const MAXIMUM_DIGITS = 12;

/** Null when it is not an amount of this currency, or not more than nothing. */
export function parseAmount(text: string, currency: string): Money | null {
  const match = /^(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?$/.exec(text.trim());
  const [, whole = "", fraction = ""] = match ?? [];
  const digits = exponentOf(currency);
  if (match === null || fraction.length > digits) return null;
  const all = `${whole.replaceAll(",", "")}${fraction.padEnd(digits, "0")}`;
  if (all.length > MAXIMUM_DIGITS || /^0*$/.test(all)) return null;
  return { minor: BigInt(all), currency };
}
