/**
 * Names that the ledger makes from a secret salt of its own: they tell two cards or two charges apart and lead nobody
 * back to what they stand for.
 */
import { createHmac } from "node:crypto";

/** A card in the books: a keyed hash of its token, so that the books can tell cards apart and nobody can list them. */
export function cardFingerprint(salt: Uint8Array, token: string): string {
  return createHmac("sha256", salt).update(token).digest("hex").slice(0, 24);
}

/**
 * One key for the whole life of a charge at its gateway, within the shortest limit of the gateways we know
 * (64 characters). The salt keeps two ledgers that share one gateway account from colliding.
 */
export function gatewayKeyOf(salt: Uint8Array, terminal: string, key: string): string {
  return `sp-${createHmac("sha256", salt).update(`${terminal}\n${key}`).digest("hex").slice(0, 40)}`;
}

/** The key of one refund at the gateway, never that of a charge. */
export function refundKeyOf(salt: Uint8Array, terminal: string, key: string): string {
  return `sr-${createHmac("sha256", salt).update(`${terminal}\n${key}`).digest("hex").slice(0, 40)}`;
}
