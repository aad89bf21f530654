/**
 * The rows that are on their way: they enter a window in the order of their positions and leave it with the ledger's
 * signed answer.
 *
 * A journal that the ledger has barred still says what it sold: rows that authorise, query or honour go out. Rows that
 * take back (reverse, refund) are held back, because a copy must not take back what the original sold. They stay in the
 * outbox; with the next welcome the window goes back to the first of them.
 */
import { backOffMs } from "../../daemon/core/back-off.ts";
import type { LedgerAnswer, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { OutboxRow } from "../store/store.ts";
import {
  GATHER_MS,
  GATHERED_ANSWERS,
  ignoredDuplicate,
  isLinkUp,
  notKnown,
  REFILL_ROWS,
  RESEND_BACK_OFF,
  rejectedMessage,
  UNANSWERED_ALARM_SENDS,
  type UplinkEffect,
  type UplinkState,
  type UplinkStep,
  type Waiting,
  WINDOW_ROWS,
} from "./uplink-state.ts";

/** Asks the outbox for as many rows as the window has room for. */
export function readOutbox(state: UplinkState): UplinkEffect[] {
  const limit = WINDOW_ROWS - state.window.length;
  return limit === 0 ? [] : [{ kind: "outbox.read", afterPosition: state.readTo, limit }];
}

/** The same, but only when it is worth asking: there may be rows, and there is room for a good many. */
function refill(state: UplinkState): UplinkEffect[] {
  return state.drained || state.window.length > REFILL_ROWS ? [] : readOutbox(state);
}

const TAKES_BACK: Readonly<Record<LedgerRequest["kind"], boolean>> = {
  authorise: false,
  query: false,
  honour: false,
  reverse: true,
  refund: true,
};

function isHeldBack(state: UplinkState, row: OutboxRow): boolean {
  return state.standing.kind === "barred" && TAKES_BACK[row.request.kind];
}

export function rowsRead(
  state: UplinkState,
  rows: readonly OutboxRow[],
  last: boolean,
  random: number,
): UplinkStep {
  const window = [...state.window];
  // Answered and not delivered yet: the outbox still has them, should the window have gone back.
  const answered = new Set(state.gathered.map(({ requestId }) => requestId));
  let { readTo, heldFrom } = state;
  let left = 0;
  for (const row of rows) {
    // Two readings may have been asked for before the first came back: they overlap.
    if (row.position <= readTo) continue;
    if (window.length === WINDOW_ROWS) {
      left += 1;
      continue;
    }
    readTo = row.position;
    if (isHeldBack(state, row)) heldFrom ??= row.position;
    else if (!answered.has(row.id)) window.push({ row, sends: 0, dueRound: state.round });
  }
  const first = state.window.length;
  const next = { ...state, window, readTo, heldFrom, drained: last && left === 0 };
  const sent = isLinkUp(next) && window.length > first ? sendFrom(next, first, random) : null;
  const { state: after, effects } = sent ?? { state: next, effects: [] };
  // What was held back left room for what comes after it.
  return { state: after, effects: [...effects, ...(readTo > state.readTo ? refill(after) : [])] };
}

/** Sends the window from an index on, in order, and sees to it that somebody looks again. */
export function sendFrom(state: UplinkState, first: number, random: number): UplinkStep {
  const effects: UplinkEffect[] = [];
  const dueRound = state.resendArmed ? state.round + 1 : state.round;
  const window = state.window.map((waiting, index): Waiting => {
    if (index < first) return waiting;
    const sends = waiting.sends + 1;
    effects.push({ kind: "row.send", row: waiting.row });
    if (sends === UNANSWERED_ALARM_SENDS)
      effects.push({ kind: "alarm.raise", text: unanswered(waiting.row, sends) });
    return { row: waiting.row, sends, dueRound };
  });
  if (state.resendArmed || window.length === 0) return { state: { ...state, window }, effects };
  effects.push(armResend(state, random));
  return { state: { ...state, window, resendArmed: true }, effects };
}

function armResend(state: UplinkState, random: number): UplinkEffect {
  return {
    kind: "timer.set",
    timer: "resend",
    afterMs: backOffMs(RESEND_BACK_OFF, state.silentRounds + 1, random),
  };
}

function unanswered(row: OutboxRow, sends: number): string {
  return `the ledger has not answered request ${row.id} after ${sends} sendings; it stays in the outbox and is sent again`;
}

export function resendFired(state: UplinkState, random: number): UplinkStep {
  const overdue = state.window.findIndex((waiting) => waiting.dueRound <= state.round);
  const next = { ...state, round: state.round + 1, resendArmed: false };
  // Nothing has waited for a whole round yet: look again after another.
  if (overdue === -1) return sendFrom(next, state.window.length, random);
  // In order from the oldest: the ledger must not see a reversal before the request that it reverses.
  return sendFrom({ ...next, silentRounds: state.silentRounds + 1 }, overdue, random);
}

/** The window as a barred journal may have it: what takes back waits in the outbox. */
export function holdBack(state: UplinkState): UplinkState {
  const window = state.window.filter(({ row }) => !isHeldBack(state, row));
  const held = state.window.find(({ row }) => isHeldBack(state, row));
  if (held === undefined) return state;
  const heldFrom = Math.min(held.row.position, state.heldFrom ?? held.row.position);
  return { ...state, window, heldFrom };
}

/**
 * Goes back to the first row that was held back. What was sent since and is not answered is read and sent again behind
 * it, so that the order holds; the ledger recognises what it has seen.
 */
export function takeUpHeld(state: UplinkState): UplinkState {
  const { heldFrom } = state;
  if (heldFrom === null) return state;
  const window = state.window.filter(({ row }) => row.position < heldFrom);
  return { ...state, window, readTo: heldFrom - 1, heldFrom: null, drained: false };
}

export function rowUnsendable(state: UplinkState, id: string, key: string, reason: string): UplinkStep {
  const next = { ...state, window: state.window.filter((waiting) => waiting.row.id !== id) };
  const text = `request ${id} cannot be sent and is among the dead letters: ${reason}`;
  return {
    state: next,
    effects: [{ kind: "row.bury", id, key, reason }, { kind: "alarm.raise", text }, ...refill(next)],
  };
}

export function answerArrived(state: UplinkState, answer: LedgerAnswer): UplinkStep {
  const waiting = state.window.find((other) => other.row.id === answer.requestId);
  if (waiting === undefined) return ignoredDuplicate(state);
  const { request } = waiting.row;
  if (request.key !== answer.key) return rejectedMessage(state, "wire.malformed");
  if (answer.outcome.kind === "refused" && answer.outcome.reason === "unknown-terminal")
    return notKnown(state);
  const window = state.window.filter((other) => other !== waiting);
  const { state: next, effects } = gather(
    { ...state, window, silentRounds: 0, resendArmed: state.resendArmed && window.length > 0 },
    answer,
  );
  if (answer.outcome.kind === "refused") {
    const { reason } = answer.outcome;
    effects.push({
      kind: "alarm.raise",
      text: `the ledger refused request ${answer.requestId} (${reason}); it is among the dead letters`,
    });
  }
  if (state.resendArmed && window.length === 0) effects.push({ kind: "timer.clear", timer: "resend" });
  return { state: next, effects: [...effects, ...refill(next)] };
}

/** Delivers an answer at once, or lays it to the others while many rows are still to be answered. */
function gather(state: UplinkState, answer: LedgerAnswer): { state: UplinkState; effects: UplinkEffect[] } {
  const gathered = [...state.gathered, answer];
  const isHurried = state.window.length < REFILL_ROWS || gathered.length === GATHERED_ANSWERS;
  if (isHurried && gathered.length === 1) return { state, effects: [{ kind: "answer.deliver", answer }] };
  const next = { ...state, gathered };
  if (isHurried) return deliver(next);
  if (gathered.length > 1) return { state: next, effects: [] };
  return { state: next, effects: [{ kind: "timer.set", timer: "gather", afterMs: GATHER_MS }] };
}

/** Delivers what was gathered, in the order in which it came. */
export function deliver(state: UplinkState): { state: UplinkState; effects: UplinkEffect[] } {
  const { gathered } = state;
  if (gathered.length === 0) return { state, effects: [] };
  const effects = gathered.map((answer): UplinkEffect => ({ kind: "answer.deliver", answer }));
  return {
    state: { ...state, gathered: [] },
    effects: [{ kind: "timer.clear", timer: "gather" }, ...effects],
  };
}
