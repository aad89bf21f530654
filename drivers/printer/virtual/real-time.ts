/**
 * The commands that a printer obeys the moment they arrive, before and apart from its receive buffer: DLE EOT n,
 * DLE ENQ n and DLE DC4 8 (Epson ESC/POS Command Reference, "Real-time commands").
 */
export type RealTimeCommand =
  | { readonly kind: "status"; readonly n: 1 | 2 | 3 | 4 }
  | { readonly kind: "recover" }
  | { readonly kind: "clear" };

export type Received =
  | { readonly kind: "data"; readonly byte: number }
  | { readonly kind: "command"; readonly command: RealTimeCommand };

const CLEAR = [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];

/** Separates them from the data; remembers the start of a command between calls. */
export class RealTimeFilter {
  #held: number[] = [];

  *take(bytes: Iterable<number>): Generator<Received> {
    for (const byte of bytes) {
      this.#held.push(byte);
      while (this.#held.length > 0) {
        const found = recognise(this.#held);
        if (found === "more") break;
        if (found === "none") {
          const [first, ...rest] = this.#held;
          this.#held = rest;
          if (first !== undefined) yield { kind: "data", byte: first };
          continue;
        }
        this.#held = [];
        yield { kind: "command", command: found };
      }
    }
  }
}

function recognise(bytes: readonly number[]): RealTimeCommand | "more" | "none" {
  const [lead, operation, n] = bytes;
  if (lead !== 0x10) return "none";
  if (operation === undefined) return "more";
  if (operation === 0x14) {
    if (bytes.some((byte, index) => byte !== CLEAR[index])) return "none";
    return bytes.length === CLEAR.length ? { kind: "clear" } : "more";
  }
  if (operation !== 0x04 && operation !== 0x05) return "none";
  if (n === undefined) return "more";
  if (operation === 0x05) return n === 1 || n === 2 ? { kind: "recover" } : "none";
  return n === 1 || n === 2 || n === 3 || n === 4 ? { kind: "status", n } : "none";
}
