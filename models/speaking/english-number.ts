/** English numbers and plurals as a cashier says them. */

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"] as const;
const THOUSANDS = ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"] as const;

function group(value: number): string {
  const hundreds = Math.floor(value / 100);
  const rest = value % 100;
  const words: string[] = [];
  if (hundreds > 0) words.push(`${ONES[hundreds] ?? ""} hundred`);
  if (rest > 0 && rest < 20) words.push(ONES[rest] ?? "");
  else if (rest > 0)
    words.push(`${TENS[Math.floor(rest / 10)] ?? ""}${rest % 10 === 0 ? "" : `-${ONES[rest % 10] ?? ""}`}`);
  return words.join(" ");
}

/** "fifteen thousand", "one hundred twenty-three thousand four hundred fifty". */
export function englishNumber(value: bigint): string {
  if (value < 0n) return `minus ${englishNumber(-value)}`;
  if (value === 0n) return "zero";
  const parts: string[] = [];
  let rest = value;
  for (let power = 0; rest > 0n; power++) {
    const part = Number(rest % 1_000n);
    rest /= 1_000n;
    if (part === 0) continue;
    const name = THOUSANDS[power];
    if (name === undefined) return [...value.toString()].map((digit) => ONES[Number(digit)] ?? "").join(" ");
    parts.unshift(name === "" ? group(part) : `${group(part)} ${name}`);
  }
  return parts.join(" ");
}

/** "lattes", "cheesecakes", "peaches", "pastries". */
export function plural(noun: string): string {
  if (/(s|x|z|ch|sh)$/i.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/i.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}
