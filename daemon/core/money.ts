/**
 * Money: an exact count of minor units of one ISO 4217 currency.
 *
 * Assumes nothing about decimals: 15000n KRW is fifteen thousand won (no minor digits), 1500n USD is
 * fifteen dollars. Formatting and speaking know the digits; arithmetic does not need them.
 */
export type Money = { readonly minor: bigint; readonly currency: Currency };

/** ISO 4217 alphabetic code, three upper-case letters. */
export type Currency = string;

export function money(minor: bigint, currency: Currency): Money {
  return { minor, currency };
}

/** Adds amounts of one currency. Mixing currencies is a programmer error and throws. */
export function add(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new Error(`cannot add ${b.currency} to ${a.currency}`);
  return { minor: a.minor + b.minor, currency: a.currency };
}

export function times(a: Money, quantity: number): Money {
  return { minor: a.minor * BigInt(quantity), currency: a.currency };
}

export function sameMoney(a: Money, b: Money): boolean {
  return a.currency === b.currency && a.minor === b.minor;
}

/** Decimal digits of the minor unit (ISO 4217 "exponent"); currencies not listed have two. */
const EXPONENTS: Readonly<Record<Currency, number>> = {
  BHD: 3,
  CLP: 0,
  IDR: 2,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  OMR: 3,
  PYG: 0,
  TND: 3,
  UGX: 0,
  VND: 0,
  XAF: 0,
  XOF: 0,
};

export function exponentOf(currency: Currency): number {
  return EXPONENTS[currency] ?? 2;
}

/** "15,000" for KRW, "15.00" for USD: digits grouped by three, without the currency's name. */
export function formatAmount(amount: Money): string {
  const digits = exponentOf(amount.currency);
  const negative = amount.minor < 0n;
  const text = (negative ? -amount.minor : amount.minor).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = digits === 0 ? "" : `.${text.slice(text.length - digits)}`;
  return `${negative ? "-" : ""}${whole}${fraction}`;
}
