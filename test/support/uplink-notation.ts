/** Events and effects of the uplink in a word or two, so that what a step does reads as a line of a table. */
import type { LedgerAnswer, LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { OutboxRow } from "../../sync/store/store.ts";
import {
  INITIAL_UPLINK,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkState,
  type UplinkTimer,
  uplinkStep,
} from "../../sync/uplink/uplink-step.ts";
import type { GreetingAnswer } from "../../sync/wire.ts";
import { QUERY } from "./messages.ts";

export const HALF = 0.5;

export function row(position: number, request: LedgerRequest = QUERY): OutboxRow {
  return { position, id: `r${position}`, request, createdMs: 0, sentCount: 0 };
}

export function rows(from: number, to: number): OutboxRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => row(from + index));
}

export function answer(position: number, outcome: LedgerOutcome = { kind: "pending" }): LedgerAnswer {
  return { requestId: `r${position}`, key: QUERY.key, outcome };
}

export const started: UplinkEvent = { kind: "started" };
export const announced: UplinkEvent = { kind: "rows.announced" };
export const connected: UplinkEvent = { kind: "broker.connected" };
export const lost: UplinkEvent = { kind: "broker.lost", random: HALF };
/** The ledger is there; the greeting that follows has this nonce. */
export const onlineAs = (id: string): UplinkEvent => ({
  kind: "ledger.presence",
  online: true,
  random: HALF,
  id,
});
export const online = onlineAs("n1");
export const offline: UplinkEvent = { kind: "ledger.presence", online: false, random: HALF, id: "unused" };
/** The outbox gives these and holds no more. */
export const read = (...list: OutboxRow[]): UplinkEvent => ({
  kind: "rows.read",
  rows: list,
  last: true,
  random: HALF,
});
/** The outbox gives these and may hold more. */
export const readSome = (...list: OutboxRow[]): UplinkEvent => ({
  kind: "rows.read",
  rows: list,
  last: false,
  random: HALF,
});
export const fired = (timer: UplinkTimer, id = "unused"): UplinkEvent => ({
  kind: "timer.fired",
  timer,
  random: HALF,
  id,
});
export const verdict = (
  word: GreetingAnswer["verdict"],
  { nonce = "n1", recalling = false, id = "q1" } = {},
): UplinkEvent => ({
  kind: "greeting.answered",
  answer: { kind: "greeted", nonce, verdict: word },
  recalling,
  random: HALF,
  id,
});
export const welcome = verdict("welcome");
export const arrived = (position: number, outcome?: LedgerOutcome): UplinkEvent => ({
  kind: "answer.arrived",
  answer: answer(position, outcome),
});

/** An effect in one word or two, so that expectations read as a line. */
export function short(effect: UplinkEffect): string {
  switch (effect.kind) {
    case "outbox.read":
      return `read ${effect.limit} after ${effect.afterPosition}`;
    case "row.send":
      return `send ${effect.row.id}`;
    case "row.bury":
      return `bury ${effect.id} of ${effect.key}`;
    case "greeting.send":
      return `greet ${effect.nonce}`;
    case "recall.send":
      return `recall ${effect.nonce} after ${effect.afterSequence}`;
    case "welcome.report":
      return "welcome";
    case "barred.report":
      return `barred ${effect.reason}`;
    case "recalled.report":
      return `recalled ${effect.sales.map(({ sequence }) => sequence).join(",")} of ${effect.lastSequence}`;
    case "answer.deliver":
      return `deliver ${effect.answer.requestId}`;
    case "link.report":
      return effect.up ? "up" : "down";
    case "alarm.raise":
      return "alarm";
    case "timer.set":
      return `${effect.timer} in ${effect.afterMs}`;
    case "timer.clear":
      return `clear ${effect.timer}`;
    case "broker.connect":
      return "connect";
  }
}

export function run(
  events: readonly UplinkEvent[],
  from: UplinkState = INITIAL_UPLINK,
): { state: UplinkState; last: string[] } {
  let state = from;
  let effects: readonly UplinkEffect[] = [];
  for (const event of events) ({ state, effects } = uplinkStep(state, event));
  return { state, last: effects.map(short) };
}

export const UP = [connected, online, welcome];

/** The answer to a row, under the row's own key. */
export function arrivedAs(each: OutboxRow | undefined): UplinkEvent {
  if (each === undefined) throw new Error("no such row");
  const outcome = { kind: "pending" } as const;
  return { kind: "answer.arrived", answer: { requestId: each.id, key: each.request.key, outcome } };
}
