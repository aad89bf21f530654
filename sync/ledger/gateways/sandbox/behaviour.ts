/**
 * What the sandbox does with a charge or a refund: told for the next ones by a control call, else by the amount's last three
 * digits. The last two of those follow the response codes of ISO 8583 where one fits; a 9 stands before them, so
 * that prices of a real menu (whole tens of won, 4.50 dollars) do not meet them by chance.
 */
import type { DeclineReason } from "../../../../daemon/core/prompt.ts";

export const BEHAVIOURS = [
  /** Charged and answered. */
  "approve",
  /** The four declines. A refund is refused, whichever it is. */
  "insufficient-funds",
  "card-blocked",
  "limit-exceeded",
  "not-honoured",
  /** Undecided at first; charged once `pendingMs` have passed. */
  "pending",
  /** Undecided at first; declined as not-honoured once `pendingMs` have passed. */
  "pending-declined",
  /** The call is lost before it has an effect, and nothing answers. The next call under the key is approved. */
  "time-out",
  /** Charged at once, answered only after `lateMs`, when nobody waits any more. */
  "late-answer",
  /** Charged, but the answer names one minor unit more. The answer to a refund names no amount: as approve. */
  "wrong-amount",
] as const;

export type Behaviour = (typeof BEHAVIOURS)[number];

const BY_LAST_DIGITS: Readonly<Record<string, Behaviour>> = {
  // 51 not sufficient funds, 62 restricted card, 61 exceeds amount limit, 05 do not honour
  "951": "insufficient-funds",
  "962": "card-blocked",
  "961": "limit-exceeded",
  "905": "not-honoured",
  // 09 request in progress
  "909": "pending",
  "910": "pending-declined",
  // 91 issuer or switch inoperative, 68 response received too late, 13 invalid amount
  "991": "time-out",
  "968": "late-answer",
  "913": "wrong-amount",
};

export function behaviourOfAmount(minor: bigint): Behaviour {
  return BY_LAST_DIGITS[(minor % 1_000n).toString()] ?? "approve";
}

const DECLINES: readonly DeclineReason[] = [
  "insufficient-funds",
  "card-blocked",
  "limit-exceeded",
  "not-honoured",
];

/** The reason that a behaviour declines with, null when it does not decline at once. */
export function declineOf(behaviour: Behaviour): DeclineReason | null {
  return DECLINES.find((reason) => reason === behaviour) ?? null;
}
