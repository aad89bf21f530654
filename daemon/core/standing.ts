/**
 * Whether the ledger accepts the journal that this terminal sells with. A copied SD card, a backup that was put back and
 * a journal that came from nowhere sell nothing; what they sold before still goes to the ledger.
 */
import type { LedgerRequest } from "./clearing.ts";
import { close, type Draft, remark } from "./draft.ts";
import type { SaleEvent } from "./event.ts";
import { type BarReason, isOrdering, type OpenCharge, type OpenRefund, type TerminalState } from "./sale.ts";
import type { SoldSale } from "./staff.ts";

/** A customer can be served. A journal that the ledger has not seen yet may sell as long as the ledger answers. */
export function maySell(state: TerminalState): boolean {
  return state.standing.kind === "new" || state.standing.kind === "welcome";
}

/** The ledger is to be asked what it remembers, with the next welcome. */
export function isRecalling({ standing }: TerminalState): boolean {
  return standing.kind === "recalling" || standing.kind === "barred";
}

/** Somebody wants to buy from a terminal that must not sell. */
export function turnAway(draft: Draft, event: Extract<SaleEvent, { kind: "sale.woken" }>): void {
  draft.effects.push({
    kind: "speech.say",
    id: `${event.saleId}:turned-away`,
    prompt: { kind: "out-of-order" },
    language: event.language,
  });
}

/** What was saved of a damaged journal beside its state. */
export type SavedBeside = {
  /** Requests that wait for the ledger. */
  readonly waiting: readonly LedgerRequest[];
  /** Sales that were paid, as far as their records are saved. */
  readonly sold: readonly Pick<SoldSale, "key" | "result" | "day">[];
  /** The highest sale number that any record names. */
  readonly lastSequence: number;
};

/** The keys of later cards may be taken by rows that are saved while the events about them are lost. */
const NO_MORE_CARDS = Number.MAX_SAFE_INTEGER;

/**
 * The state of a journal that was damaged or adopted. An order that is not paid yet is dropped, because nobody knows
 * any more what was told; a charge that is under way is kept and finished, and takes no other card. Of what was lost
 * while its request was saved, a sale that was handed over is watched again, and a charge that nobody was told the end
 * of is taken back. What waits for the answer to a request that is lost is asked for anew. What else is lost the ledger
 * tells.
 */
export function afterLoss(state: TerminalState, saved: SavedBeside): TerminalState {
  const phase = state.sale?.phase;
  const unpaid = phase !== undefined && (isOrdering(phase) || phase.kind === "awaiting-card");
  const known = new Set(state.openCharges.map(({ key }) => key));
  if (phase !== undefined && "charge" in phase) known.add(phase.charge.key);
  for (const { key, charge } of state.openRefunds) if (charge !== null) known.add(key);
  const askedFor = whoAsks(saved.waiting);
  const forgotten = saved.waiting.filter(({ key }) => !known.has(key)).flatMap(forgottenBy(saved));
  return {
    ...state,
    sale: unpaid || state.sale === null ? null : { ...state.sale, attempts: NO_MORE_CARDS },
    lastSequence: Math.max(state.lastSequence, saved.lastSequence),
    standing: { kind: "recalling" },
    openCharges: [...state.openCharges, ...forgotten].map(askedFor),
    openRefunds: state.openRefunds.map(askedFor),
    day: { ...state.day, number: lastDay(state, saved) },
  };
}

/** Days are not numbered anew, or a sale of long ago would be one of today and could be voided. */
function lastDay({ day }: TerminalState, { sold }: SavedBeside): number {
  return sold.reduce((last, sale) => Math.max(last, sale.day), day.number);
}

/** With its request waiting in the outbox, or waiting to be asked for. */
function whoAsks(
  waiting: readonly LedgerRequest[],
): <Open extends OpenCharge | OpenRefund>(open: Open) => Open {
  const takenBack = new Set(waiting.filter(isTakingBack).map(({ key }) => key));
  const askedAbout = new Set(waiting.filter((request) => !isTakingBack(request)).map(({ key }) => key));
  return (open) => {
    const keys = open.purpose === "offline" ? askedAbout : takenBack;
    return keys.has(open.key) ? open : { ...open, pending: true };
  };
}

function isTakingBack({ kind }: LedgerRequest): boolean {
  return kind === "reverse" || kind === "refund";
}

/** What has to be watched because of a request, when the state knows nothing of it. */
function forgottenBy({ waiting, sold }: SavedBeside): (request: LedgerRequest) => readonly OpenCharge[] {
  const honoured = new Set(waiting.filter(({ kind }) => kind === "honour").map(({ key }) => key));
  const paid = new Map(sold.map(({ key, result }) => [key, result.kind]));
  return (request) => {
    // A sale that the ledger has approved is paid, whatever another request of it is still to be answered.
    if (request.kind !== "authorise" || paid.get(request.key) === "approved") return [];
    const { saleId, key, amount, card, timeMs, mode } = request;
    const isHandedOver = mode === "offline" || honoured.has(key) || paid.has(key);
    const purpose = isHandedOver ? "offline" : "reversal";
    return [{ saleId, key, amount, token: card.token, timeMs, purpose, queries: 0, pending: false }];
  };
}

/** A journal that has lost part of its past, or was barred, is accepted and waits for what the ledger remembers. */
export function welcomed(draft: Draft): void {
  const { kind } = draft.state.standing;
  if (kind === "new") draft.state = { ...draft.state, standing: { kind: "welcome" } };
  if (kind === "barred") draft.state = { ...draft.state, standing: { kind: "recalling" } };
}

export function barred(draft: Draft, reason: BarReason): void {
  const { standing } = draft.state;
  if (standing.kind === "barred" && standing.reason === reason) return;
  draft.state = { ...draft.state, standing: { kind: "barred", reason } };
  draft.effects.push({
    kind: "alarm.raise",
    id: `barred:${reason}`,
    alarm: { kind: "journal-barred", reason },
  });
  const { phase } = draft.state.sale ?? {};
  if (phase === undefined) return;
  // A charge that is under way is finished; an order that is not paid yet ends here.
  if (!isOrdering(phase) && phase.kind !== "awaiting-card") return;
  remark(draft, { kind: "out-of-order" });
  close(draft, "cancelled", null);
}

/** `sales` are those that the journal does not know; whoever delivers the event has looked. */
export function recalled(draft: Draft, event: Extract<SaleEvent, { kind: "journal.recalled" }>): void {
  const { state } = draft;
  if (state.standing.kind !== "recalling") return;
  const lastSequence = Math.max(state.lastSequence, event.lastSequence);
  draft.state = { ...state, lastSequence, standing: { kind: "welcome" } };
  for (const { saleId, key, state: charged } of event.sales) {
    if (charged !== "approved" && charged !== "pending") continue;
    const alarm = { kind: "sale-forgotten", saleId, key } as const;
    draft.effects.push({ kind: "alarm.raise", id: `${key}:forgotten`, alarm });
  }
}
