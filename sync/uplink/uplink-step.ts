/**
 * What the uplink does next, as a pure function: no I/O, no clock, no randomness of its own (each event brings a
 * random number).
 *
 * The model: outbox rows enter a window in the order of their positions and leave it with the ledger's signed answer.
 * While the link is up (connected to the broker and the ledger's presence is "online") a row goes out the moment it
 * enters. When the link comes up, and when answers stay away, everything from the oldest unanswered row on is sent
 * again in order; the ledger recognises what it has seen. A broker's acknowledgement means nothing here.
 *
 * Any signed answer ends a row, "pending" too: the ledger has the request, and the core asks for its outcome by new
 * rows under the same key. What was answered but not journalled when the daemon died waits in the outbox still, and
 * is sent again after the restart.
 */
import { type BackOff, backOffMs } from "../../daemon/core/back-off.ts";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import type { FaultCode } from "../../daemon/core/fault.ts";
import type { OutboxRow } from "../store/store.ts";

/** Rows that may be unanswered at once. */
export const WINDOW_ROWS = 32;

/** Sendings of one row without an answer after which staff should know. */
export const UNANSWERED_ALARM_SENDS = 6;

/** A connection that lasted this long makes the next loss count as the first. */
export const STABLE_MS = 10_000;

export const RESEND_BACK_OFF: BackOff = { firstMs: 3_000, factor: 2, maximumMs: 60_000, jitter: 0.25 };
/** Slow enough for a fleet that lost its broker at once, fast enough that a shop hardly waits when its line is back. */
export const CONNECT_BACK_OFF: BackOff = { firstMs: 500, factor: 2, maximumMs: 8_000, jitter: 0.5 };

export type Waiting = {
  readonly row: OutboxRow;
  /** Times handed to the broker since this uplink started. */
  readonly sends: number;
  /** The round at whose end it is overdue: the running one when its timer began with this sending, else the next. */
  readonly dueRound: number;
};

export type UplinkState = {
  readonly broker: "down" | "up";
  readonly ledger: "offline" | "online";
  /** Losses in a row. */
  readonly failures: number;
  readonly window: readonly Waiting[];
  /** Position of the last row that entered the window. */
  readonly readTo: number;
  /** A round lasts from one firing of the resend timer to the next. */
  readonly round: number;
  /** Rounds that ended in a resend since the last answer: how far the back-off has grown. */
  readonly silentRounds: number;
  readonly resendArmed: boolean;
  /** Answers that were no answers: bad signature, another terminal's, another key, unreadable. */
  readonly rejected: number;
  /** Answers to rows that wait no more. */
  readonly duplicates: number;
  /** Refusals by a ledger that does not know this terminal. */
  readonly unknown: number;
};

export type UplinkTimer = "connect" | "resend" | "stable";

export type UplinkEvent =
  | { readonly kind: "started" }
  /** New rows are in the outbox. */
  | { readonly kind: "rows.announced" }
  /** What the outbox gave for `outbox.read`, in order. */
  | { readonly kind: "rows.read"; readonly rows: readonly OutboxRow[]; readonly random: number }
  /** The row can never be sent, e.g. because it does not keep the limits of the wire. */
  | { readonly kind: "row.unsendable"; readonly id: string; readonly reason: string }
  | { readonly kind: "broker.connected" }
  | { readonly kind: "broker.lost"; readonly random: number }
  | { readonly kind: "ledger.presence"; readonly online: boolean; readonly random: number }
  /** Signed by the ledger for this terminal. */
  | { readonly kind: "answer.arrived"; readonly answer: LedgerAnswer }
  | { readonly kind: "answer.rejected"; readonly code: FaultCode }
  | { readonly kind: "timer.fired"; readonly timer: UplinkTimer; readonly random: number };

export type UplinkEffect =
  | { readonly kind: "broker.connect" }
  | { readonly kind: "outbox.read"; readonly afterPosition: number; readonly limit: number }
  | { readonly kind: "row.send"; readonly row: OutboxRow }
  /** To the dead letters. */
  | { readonly kind: "row.bury"; readonly id: string; readonly reason: string }
  | { readonly kind: "answer.deliver"; readonly answer: LedgerAnswer }
  | { readonly kind: "link.report"; readonly up: boolean }
  | { readonly kind: "alarm.raise"; readonly text: string }
  /** Replaces a timer of the same name. */
  | { readonly kind: "timer.set"; readonly timer: UplinkTimer; readonly afterMs: number }
  | { readonly kind: "timer.clear"; readonly timer: UplinkTimer };

export type UplinkStep = { readonly state: UplinkState; readonly effects: readonly UplinkEffect[] };

export const INITIAL_UPLINK: UplinkState = {
  broker: "down",
  ledger: "offline",
  failures: 0,
  window: [],
  readTo: 0,
  round: 0,
  silentRounds: 0,
  resendArmed: false,
  rejected: 0,
  duplicates: 0,
  unknown: 0,
};

export function isLinkUp(state: UplinkState): boolean {
  return state.broker === "up" && state.ledger === "online";
}

export function uplinkStep(state: UplinkState, event: UplinkEvent): UplinkStep {
  switch (event.kind) {
    case "started":
      return { state, effects: [{ kind: "broker.connect" }, ...refill(state)] };
    case "rows.announced":
      return { state, effects: refill(state) };
    case "rows.read":
      return rowsRead(state, event.rows, event.random);
    case "row.unsendable":
      return rowUnsendable(state, event.id, event.reason);
    case "broker.connected":
      return {
        state: { ...state, broker: "up" },
        effects: [{ kind: "timer.set", timer: "stable", afterMs: STABLE_MS }],
      };
    case "broker.lost":
      return brokerLost(state, event.random);
    case "ledger.presence":
      return ledgerPresence(state, event.online, event.random);
    case "answer.arrived":
      return answerArrived(state, event.answer);
    case "answer.rejected":
      return answerRejected(state, event.code);
    case "timer.fired":
      return timerFired(state, event.timer, event.random);
  }
}

/** Asks the outbox for as many rows as the window has room for. */
function refill(state: UplinkState): UplinkEffect[] {
  const limit = WINDOW_ROWS - state.window.length;
  return limit === 0 ? [] : [{ kind: "outbox.read", afterPosition: state.readTo, limit }];
}

function rowsRead(state: UplinkState, rows: readonly OutboxRow[], random: number): UplinkStep {
  // Two readings may have been asked for before the first came back: they overlap.
  const room = WINDOW_ROWS - state.window.length;
  const fresh = rows.filter((row) => row.position > state.readTo).slice(0, room);
  const last = fresh.at(-1);
  if (last === undefined) return { state, effects: [] };
  const first = state.window.length;
  const entered = fresh.map((row): Waiting => ({ row, sends: 0, dueRound: state.round }));
  const next = { ...state, window: [...state.window, ...entered], readTo: last.position };
  return isLinkUp(next) ? sendFrom(next, first, random) : { state: next, effects: [] };
}

/** Sends the window from an index on, in order, and sees to it that somebody looks again. */
function sendFrom(state: UplinkState, first: number, random: number): UplinkStep {
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

function rowUnsendable(state: UplinkState, id: string, reason: string): UplinkStep {
  const next = { ...state, window: state.window.filter((waiting) => waiting.row.id !== id) };
  const text = `request ${id} cannot be sent and is among the dead letters: ${reason}`;
  return {
    state: next,
    effects: [{ kind: "row.bury", id, reason }, { kind: "alarm.raise", text }, ...refill(next)],
  };
}

function brokerLost(state: UplinkState, random: number): UplinkStep {
  const failures = state.failures + 1;
  const effects: UplinkEffect[] = [];
  if (isLinkUp(state)) effects.push({ kind: "link.report", up: false });
  if (state.broker === "up") effects.push({ kind: "timer.clear", timer: "stable" });
  if (state.resendArmed) effects.push({ kind: "timer.clear", timer: "resend" });
  effects.push({
    kind: "timer.set",
    timer: "connect",
    afterMs: backOffMs(CONNECT_BACK_OFF, failures, random),
  });
  return { state: { ...state, broker: "down", ledger: "offline", failures, resendArmed: false }, effects };
}

function ledgerPresence(state: UplinkState, online: boolean, random: number): UplinkStep {
  // A presence that was on its way when the connection ended says nothing about the next one.
  if (state.broker === "down") return { state, effects: [] };
  const before = isLinkUp(state);
  const next: UplinkState = { ...state, ledger: online ? "online" : "offline" };
  const up = isLinkUp(next);
  if (before === up) return { state: next, effects: [] };
  const report: UplinkEffect = { kind: "link.report", up };
  if (up) {
    const sent = sendFrom({ ...next, silentRounds: 0 }, 0, random);
    return { state: sent.state, effects: [report, ...sent.effects] };
  }
  const clear: UplinkEffect[] = state.resendArmed ? [{ kind: "timer.clear", timer: "resend" }] : [];
  return { state: { ...next, resendArmed: false }, effects: [report, ...clear] };
}

function answerArrived(state: UplinkState, answer: LedgerAnswer): UplinkStep {
  const waiting = state.window.find((other) => other.row.id === answer.requestId);
  if (waiting === undefined) return { state: { ...state, duplicates: state.duplicates + 1 }, effects: [] };
  const { request } = waiting.row;
  if (request.key !== answer.key) return answerRejected(state, "wire.malformed");
  if (answer.outcome.kind === "refused" && answer.outcome.reason === "unknown-terminal")
    return notKnown(state);
  const window = state.window.filter((other) => other !== waiting);
  const next: UplinkState = {
    ...state,
    window,
    silentRounds: 0,
    resendArmed: state.resendArmed && window.length > 0,
  };
  const effects: UplinkEffect[] = [{ kind: "answer.deliver", answer }];
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

/**
 * A ledger that does not know this terminal has a mistake in its settings, and sales must not be lost by that: the rows
 * stay and are sent again, ever more slowly, until somebody has mended it.
 */
function notKnown(state: UplinkState): UplinkStep {
  const unknown = state.unknown + 1;
  const text = `the ledger does not know this terminal (${unknown} refusals so far); add it to the ledger's settings: nothing is lost`;
  const doubled = Number.isInteger(Math.log2(unknown));
  return { state: { ...state, unknown }, effects: doubled ? [{ kind: "alarm.raise", text }] : [] };
}

/** Alarms at the first and whenever the count has doubled, so that a flood of forgeries is not a flood of alarms. */
function answerRejected(state: UplinkState, code: FaultCode): UplinkStep {
  const rejected = state.rejected + 1;
  const doubled = Number.isInteger(Math.log2(rejected));
  const text = `${rejected} answers could not be accepted so far (the last: ${code}); check the pinned ledger key and who may write to the broker`;
  return { state: { ...state, rejected }, effects: doubled ? [{ kind: "alarm.raise", text }] : [] };
}

function timerFired(state: UplinkState, timer: UplinkTimer, random: number): UplinkStep {
  switch (timer) {
    case "connect":
      return { state, effects: [{ kind: "broker.connect" }] };
    case "stable":
      return { state: { ...state, failures: 0 }, effects: [] };
    case "resend":
      return resendFired(state, random);
  }
}

function resendFired(state: UplinkState, random: number): UplinkStep {
  const overdue = state.window.findIndex((waiting) => waiting.dueRound <= state.round);
  const next = { ...state, round: state.round + 1, resendArmed: false };
  // Nothing has waited for a whole round yet: look again after another.
  if (overdue === -1) return sendFrom(next, state.window.length, random);
  // In order from the oldest: the ledger must not see a reversal before the request that it reverses.
  return sendFrom({ ...next, silentRounds: state.silentRounds + 1 }, overdue, random);
}
