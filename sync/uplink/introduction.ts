/**
 * Who this terminal is, before it sends anything: the greeting, the ledger's verdict, and the recall of a journal that
 * has lost part of its past.
 *
 * One greeting has one nonce however often it is sent, so that an answer which comes late on a slow line still counts;
 * a verdict that was no welcome is asked for again under a new one, ever more slowly, because a person may have mended
 * what was wrong. Answers to other nonces change nothing.
 */
import { backOffMs } from "../../daemon/core/back-off.ts";
import type { BarReason } from "../../daemon/core/sale.ts";
import type { GreetingAnswer, RecallAnswer } from "../wire.ts";
import { holdBack, readOutbox, sendFrom, takeUpHeld } from "./row-window.ts";
import {
  type Chance,
  ignoredDuplicate,
  isLinkUp,
  MAX_RECALL_PAGES,
  notKnown,
  REGREET_BACK_OFF,
  RESEND_BACK_OFF,
  type Recalling,
  rejectedMessage,
  UNANSWERED_ALARM_SENDS,
  type UplinkEffect,
  type UplinkState,
  type UplinkStep,
} from "./uplink-state.ts";

/** Sends a first greeting, or the one that waits for its answer again. */
export function greet(state: UplinkState, { random, id }: Chance): UplinkStep {
  const { nonce, sends } = state.greeting ?? { nonce: id, sends: 0 };
  const greeting = { nonce, sends: sends + 1 };
  const effects: UplinkEffect[] = [
    { kind: "greeting.send", nonce },
    { kind: "timer.set", timer: "greet", afterMs: backOffMs(RESEND_BACK_OFF, greeting.sends, random) },
  ];
  if (greeting.sends === UNANSWERED_ALARM_SENDS) {
    const text = `the ledger has not answered this terminal's greeting after ${greeting.sends} sendings; nothing is sent before it does. A ledger from before greetings must be upgraded first`;
    effects.push({ kind: "alarm.raise", text });
  }
  return { state: { ...state, greeting }, effects };
}

/** Forgets what the ledger said: the link is gone, and the next one begins with a greeting. */
export function forget(state: UplinkState): UplinkStep {
  const { greeting, standing, recall } = state;
  const effects: UplinkEffect[] = [];
  const waitsToGreet = standing.kind === "barred" || standing.kind === "unknown";
  if (greeting !== null || waitsToGreet) effects.push({ kind: "timer.clear", timer: "greet" });
  if (recall !== null) effects.push({ kind: "timer.clear", timer: "recall" });
  return { state: { ...state, greeting: null, standing: { kind: "none" }, recall: null }, effects };
}

export function greetingAnswered(
  state: UplinkState,
  { nonce, verdict }: GreetingAnswer,
  recalling: boolean,
  chance: Chance,
): UplinkStep {
  if (state.greeting?.nonce !== nonce) return ignoredDuplicate(state);
  const answered = { ...state, greeting: null };
  if (verdict === "welcome") return welcomed(answered, recalling, chance);
  const turnedAway = state.turnedAway + 1;
  const again: UplinkEffect = {
    kind: "timer.set",
    timer: "greet",
    afterMs: backOffMs(REGREET_BACK_OFF, turnedAway, chance.random),
  };
  const away = { ...answered, turnedAway };
  const { state: next, effects } =
    verdict === "unknown-terminal" ? unknown(away) : barred(away, verdict, chance.random);
  return { state: next, effects: [...effects, again] };
}

function welcomed(state: UplinkState, recalling: boolean, chance: Chance): UplinkStep {
  const wasUp = isLinkUp(state);
  const next = takeUpHeld({ ...state, standing: { kind: "welcome" }, turnedAway: 0 });
  const effects: UplinkEffect[] = [{ kind: "timer.clear", timer: "greet" }, { kind: "welcome.report" }];
  const sent = wasUp ? { state: next, effects: [] } : comeUp(next, chance.random);
  effects.push(...sent.effects);
  if (next.window !== state.window) effects.push(...readOutbox(next));
  if (!recalling) return { state: sent.state, effects };
  const asked = askPage(sent.state, { afterSequence: 0, pages: 0, sales: [] }, chance);
  return { state: asked.state, effects: [...effects, ...asked.effects] };
}

function barred(state: UplinkState, reason: BarReason, random: number): UplinkStep {
  const { standing } = state;
  if (standing.kind === "barred" && standing.reason === reason) return { state, effects: [] };
  const wasUp = isLinkUp(state);
  const next = holdBack({ ...state, standing: { kind: "barred", reason } });
  // The reason first: nothing may be sold over a link that is up for a journal that is barred.
  const report: UplinkEffect = { kind: "barred.report", reason };
  const sent = wasUp ? { state: next, effects: [] } : comeUp(next, random);
  const more = next.window === state.window ? [] : readOutbox(next);
  return { state: sent.state, effects: [report, ...sent.effects, ...more] };
}

function unknown(state: UplinkState): UplinkStep {
  const { state: next, effects } = notKnown({ ...state, standing: { kind: "unknown" } });
  if (!isLinkUp(state)) return { state: next, effects };
  const down: UplinkEffect[] = [{ kind: "link.report", up: false }];
  if (state.resendArmed) down.push({ kind: "timer.clear", timer: "resend" });
  return { state: { ...next, resendArmed: false }, effects: [...down, ...effects] };
}

function comeUp(state: UplinkState, random: number): UplinkStep {
  const sent = sendFrom({ ...state, silentRounds: 0 }, 0, random);
  return { state: sent.state, effects: [{ kind: "link.report", up: true }, ...sent.effects] };
}

type Page = Pick<Recalling, "afterSequence" | "pages" | "sales">;

function askPage(state: UplinkState, page: Page, { id, random }: Chance): UplinkStep {
  return sendRecall(state, { ...page, nonce: id, sends: 0 }, random);
}

function sendRecall(state: UplinkState, recalling: Recalling, random: number): UplinkStep {
  const { nonce, afterSequence } = recalling;
  const recall = { ...recalling, sends: recalling.sends + 1 };
  const effects: UplinkEffect[] = [
    { kind: "recall.send", nonce, afterSequence },
    { kind: "timer.set", timer: "recall", afterMs: backOffMs(RESEND_BACK_OFF, recall.sends, random) },
  ];
  if (recall.sends === UNANSWERED_ALARM_SENDS) {
    const text = `the ledger has not said what it remembers of this terminal after ${recall.sends} questions; nothing is sold before it does`;
    effects.push({ kind: "alarm.raise", text });
  }
  return { state: { ...state, recall }, effects };
}

export function recallFired(state: UplinkState, random: number): UplinkStep {
  return state.recall === null ? { state, effects: [] } : sendRecall(state, state.recall, random);
}

export function recallAnswered(state: UplinkState, answer: RecallAnswer, chance: Chance): UplinkStep {
  const { recall } = state;
  if (recall === null || recall.nonce !== answer.nonce) return ignoredDuplicate(state);
  const { lastSequence, more } = answer;
  const [first] = answer.sales;
  // Pages that do not go on from where the last one ended would never come to an end.
  if (first !== undefined && first.sequence <= recall.afterSequence)
    return rejectedMessage(state, "wire.malformed");
  const sales = [...recall.sales, ...answer.sales];
  const pages = recall.pages + 1;
  const afterSequence = sales.at(-1)?.sequence ?? 0;
  if (more && pages < MAX_RECALL_PAGES) return askPage(state, { afterSequence, pages, sales }, chance);
  const effects: UplinkEffect[] = [
    { kind: "timer.clear", timer: "recall" },
    { kind: "recalled.report", lastSequence, sales },
  ];
  if (more) {
    const text = `the ledger remembers more than the ${sales.length} sales that were recalled; see its statement for those after number ${afterSequence}`;
    effects.push({ kind: "alarm.raise", text });
  }
  return { state: { ...state, recall: null }, effects };
}
