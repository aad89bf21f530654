/**
 * What happened in a world, in order: a hash of it always, the lines only when somebody wants to read them. Two runs of
 * one seed must have one hash, so nothing random that a seed does not decide may get in here.
 */
export type TraceLine = {
  readonly atMs: number;
  readonly place: string;
  readonly what: string;
  readonly detail: string;
};

export class Trace {
  readonly lines: TraceLine[] = [];
  readonly #keep: boolean;
  #a = 0x811c_9dc5;
  #b = 0x9e37_79b9;
  #length = 0;

  constructor(keepLines: boolean) {
    this.#keep = keepLines;
  }

  add(atMs: number, place: string, what: string, detail = ""): void {
    this.#length += 1;
    this.#mix(atMs);
    this.#text(place);
    this.#text(what);
    this.#text(detail);
    if (this.#keep) this.lines.push({ atMs, place, what, detail });
  }

  /** 64 bits and the number of entries. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
    return `${hex(this.#a)}${hex(this.#b)}-${this.#length}`;
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.#mix(text.charCodeAt(index));
    this.#mix(0x1_0000);
  }

  #mix(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x0100_0193);
    this.#b = (Math.imul(this.#b, 0x85eb_ca6b) + this.#a) | 0;
  }
}

export function printLine({ atMs, place, what, detail }: TraceLine): string {
  const seconds = (atMs / 1_000).toFixed(3).padStart(10);
  return `${seconds}  ${place.padEnd(8)}  ${what}${detail === "" ? "" : `  ${detail}`}`;
}
