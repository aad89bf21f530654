/**
 * Contactless cards. Each has a number that must never leave the reader's process; what goes on is a token, four masked
 * digits and the card's own counter. The numbers here begin with digits that occur nowhere else in a world, so that a
 * search of all bytes finds one that got out.
 */
import type { CardProof } from "../../daemon/core/clearing.ts";
import type { Random } from "./random.ts";

/** No real issuer's range; the first digits of every card number in a world. */
export const PAN_PREFIX = "9989799899";

export class SimCard {
  /** Sixteen digits, in the reader's process only. */
  readonly pan: string;
  readonly token: string;
  readonly masked: string;
  #counter = 0;

  constructor(name: string, random: Random) {
    const digits = `${random.bits()}${random.bits()}`.padEnd(6, "0").slice(0, 6);
    this.pan = `${PAN_PREFIX}${digits}`;
    this.token = `ntag424:${name}`;
    this.masked = `****-${digits.slice(-4)}`;
  }

  /** The field powers the card up: it counts, whatever becomes of the reading. */
  read(): CardProof {
    this.#counter += 1;
    return this.proof(this.#counter);
  }

  /** What somebody recorded of an earlier tap. */
  copied(): CardProof {
    return this.proof(Math.max(1, this.#counter));
  }

  proof(counter: number): CardProof {
    return { token: this.token, masked: this.masked, counter };
  }
}
