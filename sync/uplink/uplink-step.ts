/**
 * What the uplink does next, as a pure function: no I/O, no clock, no randomness of its own (events bring random
 * numbers and fresh ids).
 *
 * The model: while it is connected to the broker and the ledger's presence is "online", the terminal greets, and with
 * the ledger's verdict the link is up (introduction.ts). Then a row goes out the moment it enters the window
 * (row-window.ts). When the link comes up, and when answers stay away, everything from the oldest unanswered row on is
 * sent again in order; the ledger recognises what it has seen. A broker's acknowledgement means nothing here.
 *
 * Any signed answer ends a row, "pending" too: the ledger has the request, and the core asks for its outcome by new
 * rows under the same key. What was answered but not journalled when the daemon died waits in the outbox still, and
 * is sent again after the restart.
 */
import { backOffMs } from "../../daemon/core/back-off.ts";
import { forget, greet, greetingAnswered, recallAnswered, recallFired } from "./introduction.ts";
import { answerArrived, deliver, readOutbox, resendFired, rowsRead, rowUnsendable } from "./row-window.ts";
import {
  type Chance,
  CONNECT_BACK_OFF,
  isLinkUp,
  refusedTopic,
  rejectedMessage,
  STABLE_MS,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkState,
  type UplinkStep,
  type UplinkTimer,
} from "./uplink-state.ts";

export * from "./uplink-state.ts";

export function uplinkStep(state: UplinkState, event: UplinkEvent): UplinkStep {
  switch (event.kind) {
    case "started":
      return { state, effects: [{ kind: "broker.connect" }, ...readOutbox(state)] };
    case "rows.announced":
      return { state: { ...state, drained: false }, effects: readOutbox(state) };
    case "rows.read":
      return rowsRead(state, event.rows, event.last, event.random);
    case "row.unsendable":
      return rowUnsendable(state, event.id, event.key, event.reason);
    case "broker.connected":
      return {
        state: { ...state, broker: "up" },
        effects: [{ kind: "timer.set", timer: "stable", afterMs: STABLE_MS }],
      };
    case "broker.lost":
      return brokerLost(state, event.random);
    case "ledger.presence":
      return ledgerPresence(state, event.online, event);
    case "answer.arrived":
      return answerArrived(state, event.answer);
    case "greeting.answered":
      return greetingAnswered(state, event.answer, event.recalling, event);
    case "recall.answered":
      return recallAnswered(state, event.answer, event);
    case "answer.rejected":
      return rejectedMessage(state, event.code);
    case "topic.refused":
      return refusedTopic(state, event.topic);
    case "timer.fired":
      return timerFired(state, event.timer, event);
  }
}

function brokerLost(state: UplinkState, random: number): UplinkStep {
  const failures = state.failures + 1;
  const gone = ledgerGone({ ...state, failures });
  const effects: UplinkEffect[] = [...gone.effects];
  if (state.broker === "up") effects.push({ kind: "timer.clear", timer: "stable" });
  effects.push({
    kind: "timer.set",
    timer: "connect",
    afterMs: backOffMs(CONNECT_BACK_OFF, failures, random),
  });
  return { state: { ...gone.state, broker: "down" }, effects };
}

function ledgerPresence(state: UplinkState, online: boolean, chance: Chance): UplinkStep {
  // A presence that was on its way when the connection ended says nothing about the next one.
  if (state.broker === "down" || online === (state.ledger === "online")) return { state, effects: [] };
  return online ? greet({ ...state, ledger: "online" }, chance) : ledgerGone(state);
}

function ledgerGone(state: UplinkState): UplinkStep {
  const { state: delivered, effects } = deliver(state);
  if (isLinkUp(state)) effects.push({ kind: "link.report", up: false });
  if (state.resendArmed) effects.push({ kind: "timer.clear", timer: "resend" });
  const forgotten = forget({ ...delivered, ledger: "offline", resendArmed: false });
  return { state: forgotten.state, effects: [...effects, ...forgotten.effects] };
}

function timerFired(state: UplinkState, timer: UplinkTimer, chance: Chance): UplinkStep {
  switch (timer) {
    case "connect":
      return { state, effects: [{ kind: "broker.connect" }] };
    case "stable":
      return { state: { ...state, failures: 0 }, effects: [] };
    case "resend":
      return resendFired(state, chance.random);
    case "greet":
      return greet(state, chance);
    case "recall":
      return recallFired(state, chance.random);
    case "gather":
      return deliver(state);
  }
}
