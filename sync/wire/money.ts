/**
 * Amounts: [minor, currency], or the bare integer where the currency is known from the amount before. The shortest form
 * that applies is the only one that is read.
 */
import type { Currency, Money } from "../../daemon/core/money.ts";
import { type CborReader, type CborWriter, malformed } from "./cbor.ts";

/** ISO 4217 alphabetic code. */
const CURRENCY = /^[A-Z]{3}$/;

export function writeMoney(writer: CborWriter, amount: Money): void {
  if (!CURRENCY.test(amount.currency)) throw malformed("the currency is not an ISO 4217 code");
  writer.array(2, 2, "amount");
  writer.int64(amount.minor, "amount");
  writer.text(amount.currency, 3, "currency");
}

export function readMoney(reader: CborReader): Money {
  reader.tuple(2, "amount");
  const minor = reader.int64("amount");
  const currency = reader.text(3, "currency");
  if (!CURRENCY.test(currency)) throw malformed("the currency is not an ISO 4217 code");
  return { minor, currency };
}

export function writeMoneyIn(writer: CborWriter, amount: Money, currency: Currency): void {
  if (amount.currency === currency) writer.int64(amount.minor, "amount");
  else writeMoney(writer, amount);
}

export function readMoneyIn(reader: CborReader, currency: Currency): Money {
  if (!reader.isArray("amount")) return { minor: reader.int64("amount"), currency };
  const amount = readMoney(reader);
  if (amount.currency === currency) throw malformed("the amount is not in its shortest form");
  return amount;
}
