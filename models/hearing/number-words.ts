/** Numbers as they are said inside names ("7 grain bread", "제주 3 블렌드"): the decoder needs sounds, not digits. */
const DIGITS = ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"];
const POWERS = [
  [1_000, "천"],
  [100, "백"],
  [10, "십"],
  [1, ""],
] as const;

/** 0 to 99,999,999 in Sino-Korean: 12500 is 만이천오백. */
export function sinoKorean(value: number): string {
  if (value === 0) return "영";
  const high = Math.floor(value / 10_000);
  let out = high === 0 ? "" : `${high === 1 ? "" : sinoKorean(high)}만`;
  for (const [power, name] of POWERS) {
    const digit = Math.floor((value % 10_000) / power) % 10;
    if (digit > 0) out += `${digit === 1 && power > 1 ? "" : DIGITS[digit]}${name}`;
  }
  return out;
}

const ENGLISH_ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** 0 to 999,999 in English words. */
export function englishNumber(value: number): string {
  if (value < 20) return ENGLISH_ONES[value] ?? "";
  if (value < 100) return joined(ENGLISH_TENS[Math.floor(value / 10) - 2] ?? "", value % 10);
  if (value < 1_000) return joined(`${englishNumber(Math.floor(value / 100))} hundred`, value % 100);
  return joined(`${englishNumber(Math.floor(value / 1_000))} thousand`, value % 1_000);
}

function joined(head: string, rest: number): string {
  return rest === 0 ? head : `${head} ${englishNumber(rest)}`;
}
