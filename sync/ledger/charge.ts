/**
 * The life of one charge, pure: from the state it is in and what was learnt, the next state and the steps to post.
 *
 *   attempting ──> approved ──> reversing ──> reversed
 *       │  └─────> declined        ▲
 *       └──> pending ──────────────┘   (pending also becomes approved or declined)
 *
 * Unknown is a state: `attempting` and `pending` are left only by an explicit answer of the gateway. `reversing` is
 * left only when the gateway says that nothing is charged under the key and nothing will be.
 */
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import type { Booked, Step } from "./posting.ts";

export const CHARGE_STATES = [
  "attempting",
  "pending",
  "approved",
  "declined",
  "reversing",
  "reversed",
] as const;
export type ChargeState = (typeof CHARGE_STATES)[number];

/** States in which the gateway still owes an answer. */
export const UNRESOLVED: readonly ChargeState[] = ["attempting", "pending", "reversing"];

export type Charge = Booked & {
  readonly terminal: string;
  readonly key: string;
  readonly saleId: string;
  readonly sequence: number;
  readonly amount: Money;
  readonly vat: Money;
  readonly mode: "online" | "offline";
  readonly bodyHash: string;
  readonly state: ChargeState;
  /** The gateway's idempotency key, one for the whole life of the charge. */
  readonly gatewayKey: string;
  /** Kept while the gateway may have to be asked again, removed as soon as the outcome is final. */
  readonly cardToken: string | null;
  readonly cardMasked: string;
  readonly authorisation: string | null;
  readonly declineReason: DeclineReason | null;
  /** How often the outcome was asked for after the first call. */
  readonly resolveCount: number;
  readonly nextResolveMs: number;
  /** The terminal's clock, a hint. */
  readonly timeMs: number;
  readonly receivedMs: number;
  readonly settledMs: number | null;
};

export type Learnt =
  | { readonly kind: "approved"; readonly authorisation: string }
  | { readonly kind: "declined"; readonly reason: DeclineReason }
  | { readonly kind: "unknown" }
  | { readonly kind: "reversal-asked" }
  | { readonly kind: "reversed" };

export type Move = { readonly state: ChargeState; readonly steps: readonly Step[] };

/** Throws on a combination that cannot happen: a programmer error, not an outcome. */
export function moveOf(charge: Pick<Charge, "state" | "mode" | "authorisation">, learnt: Learnt): Move {
  const { state } = charge;
  const undecided = state === "attempting" || state === "pending";
  // The goods are gone when an offline sale is not paid: the shop's claim stays visible in the books.
  const unpaid: readonly Step[] = charge.mode === "offline" ? ["release", "claim"] : ["release"];
  switch (learnt.kind) {
    case "approved":
      if (undecided) return { state: "approved", steps: ["capture"] };
      // Learnt only while it is taken back: the money did move, and its way back is posted against it.
      if (state === "reversing" && charge.authorisation === null) return { state, steps: ["capture"] };
      break;
    case "declined":
      if (undecided) return { state: "declined", steps: unpaid };
      break;
    case "unknown":
      if (undecided) return { state: "pending", steps: [] };
      if (state === "reversing") return { state, steps: [] };
      break;
    case "reversal-asked":
      if (undecided || state === "approved" || state === "reversing")
        return { state: "reversing", steps: [] };
      break;
    case "reversed":
      // Nobody asked for it: at the gateway something else took the charge back.
      if (undecided) return { state: "reversed", steps: unpaid };
      if (state === "reversing") {
        return { state: "reversed", steps: [charge.authorisation === null ? "release" : "reversal"] };
      }
      break;
  }
  throw new Error(`a charge that is ${state} cannot learn ${learnt.kind}`);
}

/** What the terminal is told of a charge. Throws for a final state without its proof, which cannot be stored. */
export function outcomeOf(charge: Charge): LedgerOutcome {
  switch (charge.state) {
    case "approved": {
      const { authorisation, gateway, amount } = charge;
      if (authorisation === null) throw new Error(`charge ${charge.id} is approved without an authorisation`);
      return { kind: "approved", authorisation, gateway, amount };
    }
    case "declined": {
      const { declineReason, gateway } = charge;
      if (declineReason === null) throw new Error(`charge ${charge.id} is declined without a reason`);
      return { kind: "declined", reason: declineReason, gateway };
    }
    case "attempting":
    case "pending":
    case "reversing":
      return { kind: "pending" };
    case "reversed":
      return { kind: "reversed" };
  }
}

export type Tap = {
  readonly counter: number;
  readonly mode: "online" | "offline";
  /** The greatest counter seen of this card, null for a card never seen. */
  readonly last: number | null;
  /** Whether this very counter of this card has paid under another key. */
  readonly used: boolean;
};

/**
 * Whether a tap is a replay. A counter may be used once, and online it must be greater than every one before. An
 * offline sale arrives late by nature, perhaps after the same card has been used elsewhere: its counter may lie below
 * the greatest one, as long as it was never used.
 */
export function judgeTap(tap: Tap): "fresh" | "late" | "replayed" {
  if (tap.used) return "replayed";
  if (tap.last === null || tap.counter > tap.last) return "fresh";
  return tap.mode === "offline" ? "late" : "replayed";
}

export type OpeningAlarm = {
  readonly kind: "card-counter-late" | "card-replayed" | "card-denied" | "offline-declined";
  readonly detail: string;
};

export type Opening = {
  readonly state: "attempting" | "declined" | "reversed";
  readonly declineReason: DeclineReason | null;
  readonly mode: "online" | "offline";
  readonly steps: readonly Step[];
  readonly alarms: readonly OpeningAlarm[];
};

/**
 * How a new charge begins. `entombed`: its key was reversed before it arrived. `honoured`: the goods were handed over
 * before it arrived. What is declined at once needs no hold, and leaves the shop's claim when the goods are gone.
 */
export function openingOf(
  fresh: {
    readonly mode: "online" | "offline";
    readonly denied: boolean;
    readonly card: { readonly counter: number; readonly masked: string };
  },
  known: {
    readonly entombed: boolean;
    readonly honoured: boolean;
    readonly tap: ReturnType<typeof judgeTap>;
  },
): Opening {
  const mode = known.honoured ? "offline" : fresh.mode;
  if (known.entombed) return { state: "reversed", declineReason: null, mode, steps: [], alarms: [] };
  const { counter, masked } = fresh.card;
  const alarms: OpeningAlarm[] = [];
  if (known.tap === "late") alarms.push({ kind: "card-counter-late", detail: `counter ${counter}` });
  if (known.tap === "replayed") alarms.push({ kind: "card-replayed", detail: `counter ${counter}` });
  else if (fresh.denied) alarms.push({ kind: "card-denied", detail: masked });
  else return { state: "attempting", declineReason: null, mode, steps: ["hold"], alarms };
  const declineReason = known.tap === "replayed" ? "card-replayed" : "card-blocked";
  if (mode === "offline") alarms.push({ kind: "offline-declined", detail: declineReason });
  return { state: "declined", declineReason, mode, steps: mode === "offline" ? ["claim"] : [], alarms };
}

/** What follows when the goods of a charge turn out to be gone: the claim on one that was declined already. */
export function honouringOf(
  charge: Pick<Charge, "state" | "mode" | "declineReason">,
): Pick<Opening, "steps" | "alarms"> {
  if (charge.state !== "declined" || charge.mode === "offline") return { steps: [], alarms: [] };
  return {
    steps: ["claim"],
    alarms: [{ kind: "offline-declined", detail: charge.declineReason ?? "declined" }],
  };
}
