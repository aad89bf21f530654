/**
 * Randomness that a seed and a name decide, and nothing else: a stream of its own for every place and purpose, so that
 * leaving out one terminal, one sale or one kind of fault does not change what all the others draw.
 *
 * sfc32 (Chris Doty-Humphrey, PractRand), 32-bit arithmetic only.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, name: string) {
    const hash = hashOf(name, seed);
    this.#a = seed | 0;
    this.#b = hash;
    this.#c = Math.imul(hash ^ 0x9e37_79b9, 0x85eb_ca6b);
    for (let round = 0; round < 12; round += 1) this.bits();
  }

  /** 32 random bits as an unsigned number. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.bits() / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  /** A whole number in between that is as often small as large, for times and rates: log-uniform. */
  spread(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.unit());
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.whole(0, values.length - 1)];
    if (value === undefined) throw new Error("nothing to pick from");
    return value;
  }

  /** In the form of a random UUID (RFC 9562 section 5.4). */
  uuid(): string {
    const hex = (): string => this.bits().toString(16).padStart(8, "0");
    const digits = hex() + hex() + hex() + hex();
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
  }
}

/** FNV-1a over UTF-16 code units. */
export function hashOf(text: string, start = 0): number {
  let hash = 0x811c_9dc5 ^ start;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  return hash;
}
