/**
 * Korean numbers and particles as a cashier says them: Sino-Korean for money, native Korean before most counters, and
 * the particle that fits the last sound of a name, also when the name ends in a digit or a Latin letter.
 */

const DIGITS = ["", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"] as const;
const UNITS = ["", "십", "백", "천"] as const;
/** Names of the powers of ten thousand. */
const MYRIADS = ["", "만", "억", "조", "경"] as const;
/** Sixteen digits and more are not an amount that is read out in words. */
export const LARGEST_READ = 99_999_999_999_999_999_999n;

/** One to 9,999: the 일 before 십, 백 and 천 is not said. */
function group(value: number): string {
  const digits = [...String(value)].map(Number);
  return digits
    .map((digit, index) => {
      const unit = UNITS[digits.length - 1 - index] ?? "";
      if (digit === 0) return "";
      return digit === 1 && unit !== "" ? unit : `${DIGITS[digit] ?? ""}${unit}`;
    })
    .join("");
}

/**
 * Sino-Korean reading, spaced by ten thousand (Hangul orthography, clause 44): 15000 is "만 오천", 123450 is
 * "십이만 삼천사백오십". The 일 of 일만 is dropped at the beginning only. Zero is "영".
 */
export function sinoNumber(value: bigint): string {
  if (value < 0n) return `마이너스 ${sinoNumber(-value)}`;
  if (value === 0n) return "영";
  if (value > LARGEST_READ)
    return [...value.toString()].map((digit) => DIGITS[Number(digit)] || "영").join("");
  const parts: string[] = [];
  let rest = value;
  for (let power = 0; rest > 0n; power++) {
    const part = Number(rest % 10_000n);
    rest /= 10_000n;
    if (part === 0) continue;
    const name = MYRIADS[power] ?? "";
    const leadsWithMan = power === 1 && part === 1 && rest === 0n;
    parts.unshift(leadsWithMan ? name : `${group(part)}${name}`);
  }
  return parts.join(" ");
}

const NATIVE_ONES = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"] as const;
const NATIVE_ALONE = ["", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"] as const;
const NATIVE_TENS = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"] as const;

/** Native Korean before a counter: 한, 열두, 스무, 스물한. From a hundred on people change to Sino-Korean: 백이십. */
export function nativeNumber(value: number): string {
  if (!Number.isInteger(value) || value < 1 || value > 99) return sinoNumber(BigInt(Math.trunc(value)));
  if (value === 20) return "스무";
  return `${NATIVE_TENS[Math.floor(value / 10)] ?? ""}${NATIVE_ONES[value % 10] ?? ""}`;
}

/** Native Korean on its own: 하나, 둘, 열하나, 스물. */
export function nativeNumberAlone(value: number): string {
  if (!Number.isInteger(value) || value < 1 || value > 99) return sinoNumber(BigInt(Math.trunc(value)));
  return `${NATIVE_TENS[Math.floor(value / 10)] ?? ""}${NATIVE_ALONE[value % 10] ?? ""}`;
}

/** Counters that take Sino-Korean numbers; all others take native ones. */
const SINO_COUNTERS: ReadonlySet<string> = new Set([
  "인분",
  "원",
  "그램",
  "킬로",
  "킬로그램",
  "리터",
  "밀리리터",
  "퍼센트",
  "인용",
  "층",
  "번",
  "호",
  "분",
]);

/** "두 잔", "이 인분", "스물한 개": number and counter. */
export function counted(value: number, counter: string): string {
  const number = SINO_COUNTERS.has(counter) ? sinoNumber(BigInt(value)) : nativeNumber(value);
  return `${number} ${counter}`;
}

type Ending = "vowel" | "rieul" | "consonant";

const RIEUL_CODA = 8;
/** Last sound of the digits' Sino-Korean names; of ten, hundred, thousand and ten thousand for trailing zeros. */
const DIGIT_ENDINGS: readonly Ending[] = [
  "consonant",
  "rieul",
  "vowel",
  "consonant",
  "vowel",
  "vowel",
  "consonant",
  "rieul",
  "rieul",
  "vowel",
];

/** The sound that a name ends in when a Korean reads it. Brackets and stops behind it do not count. */
export function endingOf(name: string): Ending {
  const text = name.replace(/[^\p{L}\p{N}%]+$/u, "");
  const last = text.at(-1) ?? "";
  const code = last.charCodeAt(0) - 0xac00;
  if (code >= 0 && code < 11_172) {
    const coda = code % 28;
    return coda === 0 ? "vowel" : coda === RIEUL_CODA ? "rieul" : "consonant";
  }
  // 영, and the names of 10, 100, 1,000, 10,000: all end in a consonant other than ㄹ.
  if (/[0-9]/.test(last)) return DIGIT_ENDINGS[Number(last)] ?? "vowel";
  return /[a-z]/i.test(last) ? latinEnding(/[a-z]+$/i.exec(text)?.[0] ?? last) : "vowel";
}

/** Capitals and single letters are spelt (엘, 엠, 엔, 알); other words are read as they sound in Korean. */
function latinEnding(word: string): Ending {
  const last = word.at(-1)?.toLowerCase() ?? "";
  const spelt = word.length === 1 || word === word.toUpperCase();
  if (last === "l" || (spelt && last === "r")) return "rieul";
  if (
    last === "m" ||
    last === "n" ||
    (!spelt && (word.toLowerCase().endsWith("ng") || last === "p" || last === "k" || last === "c"))
  )
    return "consonant";
  return /l+e$/i.test(word) && !spelt ? "rieul" : "vowel";
}

export type ParticlePair = "을/를" | "이/가" | "은/는" | "으로/로" | "과/와" | "이랑/랑" | "이에요/예요";

/** The particle that follows a name: `particle("라떼", "을/를")` is "를". */
export function particle(name: string, pair: ParticlePair): string {
  const [afterConsonant = "", afterVowel = ""] = pair.split("/");
  const ending = endingOf(name);
  if (pair === "으로/로") return ending === "consonant" ? afterConsonant : afterVowel;
  return ending === "vowel" ? afterVowel : afterConsonant;
}

/** The name with its particle: "라떼를", "소금빵을", "1로". */
export function withParticle(name: string, pair: ParticlePair): string {
  return `${name}${particle(name, pair)}`;
}
