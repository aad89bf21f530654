/**
 * Amounts of money in words and in digits. Speech has words ("만 사천 원", "fifteen dollars and fifty cents"), captions
 * have digits ("14,000원", "$15.50").
 */
import { exponentOf, formatAmount, type Money } from "../../daemon/core/money.ts";
import { englishNumber } from "./english-number.ts";
import { sinoNumber } from "./korean-number.ts";

type CurrencyNames = {
  readonly ko: string;
  /** Singular and plural; won, yen and yuan do not change. */
  readonly en: readonly [string, string];
  /** The minor unit, where it is said. */
  readonly minorKo?: string;
  readonly minorEn?: readonly [string, string];
};

const CURRENCIES: Readonly<Record<string, CurrencyNames>> = {
  KRW: { ko: "원", en: ["won", "won"] },
  USD: { ko: "달러", en: ["dollar", "dollars"], minorKo: "센트", minorEn: ["cent", "cents"] },
  EUR: { ko: "유로", en: ["euro", "euros"], minorKo: "센트", minorEn: ["cent", "cents"] },
  GBP: { ko: "파운드", en: ["pound", "pounds"], minorKo: "펜스", minorEn: ["penny", "pence"] },
  JPY: { ko: "엔", en: ["yen", "yen"] },
  CNY: { ko: "위안", en: ["yuan", "yuan"], minorKo: "펀", minorEn: ["fen", "fen"] },
};

/** Whole units and the rest in minor units. */
function split(amount: Money): { whole: bigint; minor: bigint } {
  const scale = 10n ** BigInt(exponentOf(amount.currency));
  return { whole: amount.minor / scale, minor: amount.minor % scale };
}

/** A currency without names here is read by its code, with its decimals said one by one. */
export function koreanAmount(amount: Money): string {
  if (amount.minor < 0n) return `마이너스 ${koreanAmount({ ...amount, minor: -amount.minor })}`;
  const names = CURRENCIES[amount.currency];
  const { whole, minor } = split(amount);
  const unit = names?.ko ?? amount.currency;
  if (minor === 0n) return `${sinoNumber(whole)} ${unit}`;
  if (names?.minorKo === undefined) {
    const digits = [...minor.toString().padStart(exponentOf(amount.currency), "0")];
    return `${sinoNumber(whole)} 점 ${digits.map((digit) => sinoNumber(BigInt(digit))).join("")} ${unit}`;
  }
  const cents = `${sinoNumber(minor)} ${names.minorKo}`;
  return whole === 0n ? cents : `${sinoNumber(whole)} ${unit} ${cents}`;
}

export function englishAmount(amount: Money): string {
  if (amount.minor < 0n) return `minus ${englishAmount({ ...amount, minor: -amount.minor })}`;
  const names = CURRENCIES[amount.currency];
  const { whole, minor } = split(amount);
  const unit = names === undefined ? amount.currency : whole === 1n ? names.en[0] : names.en[1];
  if (minor === 0n) return `${englishNumber(whole)} ${unit}`;
  if (names?.minorEn === undefined) {
    const digits = [...minor.toString().padStart(exponentOf(amount.currency), "0")];
    return `${englishNumber(whole)} point ${digits.map((digit) => englishNumber(BigInt(digit))).join(" ")} ${unit}`;
  }
  const cents = `${englishNumber(minor)} ${minor === 1n ? names.minorEn[0] : names.minorEn[1]}`;
  return whole === 0n ? cents : `${englishNumber(whole)} ${unit} and ${cents}`;
}

export function koreanCaption(amount: Money): string {
  const names = CURRENCIES[amount.currency];
  return names === undefined
    ? `${formatAmount(amount)} ${amount.currency}`
    : `${formatAmount(amount)}${names.ko}`;
}

const SIGNS: Readonly<Record<string, string>> = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" };

export function englishCaption(amount: Money): string {
  if (amount.minor < 0n) return `-${englishCaption({ ...amount, minor: -amount.minor })}`;
  const sign = SIGNS[amount.currency];
  if (sign !== undefined) return `${sign}${formatAmount(amount)}`;
  return `${formatAmount(amount)} ${amount.currency === "KRW" ? "won" : amount.currency}`;
}
