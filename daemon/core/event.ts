/**
 * Everything that can happen to a terminal. Events carry their time and their ids, because the core asks nobody for
 * them. Spoken text, audio and card numbers are not in here: the journal keeps every event.
 */
import type { CardProof, LedgerAnswer } from "./clearing.ts";
import type { Turn } from "./intent.ts";
import type { Language } from "./menu.ts";
import type { CardProblem, PrintProblem } from "./prompt.ts";
import type { BarReason } from "./sale.ts";
import type { SaleSettings } from "./settings.ts";
import type { RecalledSale, StaffRequest } from "./staff.ts";

export type SaleEvent = { readonly atMs: number } & (
  | { readonly kind: "settings.applied"; readonly settings: SaleSettings }
  /** First event after every start: whatever was under way is taken up again. */
  | { readonly kind: "daemon.started" }
  | { readonly kind: "link.changed"; readonly up: boolean }
  /** `saleId` is a fresh random UUID; the idempotency keys of the sale's charges begin with it. */
  | {
      readonly kind: "sale.woken";
      readonly saleId: string;
      readonly language: Language;
      readonly source: WakeSource;
    }
  | { readonly kind: "turn.heard"; readonly turn: Turn; readonly source: TurnSource }
  /** The customer spoke, but nothing in it could be read. */
  | { readonly kind: "turn.missed" }
  | {
      readonly kind: "speech.ended";
      readonly effectId: string;
      readonly outcome: "played" | "interrupted" | "failed";
    }
  /**
   * `lastCounter`: the highest counter this terminal has journalled for the card, null when it never saw it.
   * `verified`: the terminal itself checked the card's cryptogram. `denied`: the card is on the ledger's deny list.
   */
  | {
      readonly kind: "card.presented";
      readonly card: CardProof;
      readonly lastCounter: number | null;
      readonly verified: boolean;
      readonly denied: boolean;
    }
  | { readonly kind: "card.rejected"; readonly reason: CardProblem }
  | { readonly kind: "ledger.answered"; readonly answer: LedgerAnswer }
  /** A request can never be sent (it breaks the limits of the wire) and was put among the dead letters. */
  | {
      readonly kind: "request.buried";
      readonly requestId: string;
      readonly key: string;
      readonly reason: string;
    }
  /** The ledger knows this journal as the one that this terminal sells with. */
  | { readonly kind: "journal.welcomed" }
  | { readonly kind: "journal.barred"; readonly reason: BarReason }
  /** What the ledger remembers of this terminal, asked for by a journal that lost part of its past. */
  | {
      readonly kind: "journal.recalled";
      readonly lastSequence: number;
      readonly sales: readonly RecalledSale[];
    }
  /** `requestId` is a fresh UUID: the answer names it, and keys are made from it. */
  | { readonly kind: "staff.asked"; readonly requestId: string; readonly request: StaffRequest }
  | { readonly kind: "timer.fired"; readonly timerId: string }
  | { readonly kind: "receipt.printed"; readonly effectId: string }
  | {
      readonly kind: "receipt.failed";
      readonly effectId: string;
      readonly reason: PrintProblem;
      readonly paperMoved: boolean;
    }
);

export type WakeSource = "button" | "keyboard" | "wake-word" | "staff";

export type TurnSource = "voice" | "touch";
