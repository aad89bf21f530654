/**
 * The deny list: cards that must not be approved without the ledger, small enough to be sent to every terminal and to
 * be looked up without a network.
 *
 * A Golomb-coded set as in BIP 158: each card token is hashed to a number below N * 2^20, the numbers are sorted, and
 * their differences are Golomb-Rice coded with P = 20. A card on the list is always found; another card is taken for
 * one of them in one of 2^20 cases, and is then refused only while the ledger cannot be asked.
 */
export type DenyList = {
  /** Grows with every change; a terminal keeps the newest. */
  readonly version: number;
  /** Number of cards. */
  readonly count: number;
  /** The coded set. */
  readonly set: Uint8Array;
};
