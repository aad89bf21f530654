/**
 * What the uplink knows, what can happen to it and what it wants done, as values. uplink-step.ts folds one into the
 * other; uplink.ts carries the effects out.
 */
import type { BackOff } from "../../daemon/core/back-off.ts";
import type { LedgerAnswer } from "../../daemon/core/clearing.ts";
import type { FaultCode } from "../../daemon/core/fault.ts";
import type { BarReason } from "../../daemon/core/sale.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import type { OutboxRow } from "../store/store.ts";
import type { GreetingAnswer, RecallAnswer } from "../wire.ts";

/** Rows that may be unanswered at once. The ledger lets 64 of one terminal wait. */
export const WINDOW_ROWS = 48;

/**
 * Answers ask the outbox for more when no more rows than this are unanswered, so that a long queue is read in pieces and
 * the ledger is kept busy while the journal writes.
 *
 * With as many unanswered rows the terminal is catching up, and nobody stands at the counter for the answer that has just
 * come. Answers are then gathered, so that the journal takes many in one transaction: with each it writes the whole
 * state, which holds every charge that still waits.
 */
export const REFILL_ROWS = 32;

/** How long an answer is kept to be delivered with others. */
export const GATHER_MS = 2_000;
/** How many are delivered together at most. */
export const GATHERED_ANSWERS = 256;

/** Sendings of one row or greeting without an answer after which staff should know. */
export const UNANSWERED_ALARM_SENDS = 6;

/** A connection that lasted this long makes the next loss count as the first. */
export const STABLE_MS = 10_000;

/** Pages of one recall: 40,000 sales, which is more than a terminal makes in the 30 days that a recall goes back. */
export const MAX_RECALL_PAGES = 1_000;

/** For rows, greetings and recalls alike. */
export const RESEND_BACK_OFF: BackOff = { firstMs: 3_000, factor: 2, maximumMs: 60_000, jitter: 0.25 };
/** Slow enough for a fleet that lost its broker at once, fast enough that a shop hardly waits when its line is back. */
export const CONNECT_BACK_OFF: BackOff = { firstMs: 500, factor: 2, maximumMs: 8_000, jitter: 0.5 };
/** A verdict changes when a person has mended something. */
export const REGREET_BACK_OFF: BackOff = { firstMs: 60_000, factor: 2, maximumMs: 900_000, jitter: 0.25 };

export type Waiting = {
  readonly row: OutboxRow;
  /** Times handed to the broker since this uplink started. */
  readonly sends: number;
  /** The round at whose end it is overdue: the running one when its timer began with this sending, else the next. */
  readonly dueRound: number;
};

/** What the ledger thinks of this terminal, as of this connection. */
export type Standing =
  /** It has not said. */
  | { readonly kind: "none" }
  | { readonly kind: "welcome" }
  | { readonly kind: "barred"; readonly reason: BarReason }
  /** The terminal is not in the ledger's settings. */
  | { readonly kind: "unknown" };

/** A question that waits for its answer. */
export type Asked = {
  readonly nonce: string;
  readonly sends: number;
};

/** What came of a recall so far, and the question for the next page. */
export type Recalling = Asked & {
  readonly afterSequence: number;
  readonly pages: number;
  readonly sales: readonly RecalledSale[];
};

export type UplinkState = {
  readonly broker: "down" | "up";
  readonly ledger: "offline" | "online";
  readonly standing: Standing;
  /** The greeting that waits for its verdict. */
  readonly greeting: Asked | null;
  /** Verdicts in a row that were no welcome: how far the back-off has grown. */
  readonly turnedAway: number;
  readonly recall: Recalling | null;
  /** Losses in a row. */
  readonly failures: number;
  readonly window: readonly Waiting[];
  /** Position of the last row that entered the window or was held back. */
  readonly readTo: number;
  /** The outbox held nothing after `readTo` when it was last read, and nothing was announced since. */
  readonly drained: boolean;
  /** Position of the first row that is held back until the ledger welcomes this journal again. */
  readonly heldFrom: number | null;
  /** A round lasts from one firing of the resend timer to the next. */
  readonly round: number;
  /** Rounds that ended in a resend since the last answer: how far the back-off has grown. */
  readonly silentRounds: number;
  readonly resendArmed: boolean;
  /** Answers that have come and are not delivered yet. */
  readonly gathered: readonly LedgerAnswer[];
  /** Messages that were not acceptable: bad signature, another terminal's, another key, unreadable. */
  readonly rejected: number;
  /** Answers to rows and questions that wait no more. */
  readonly duplicates: number;
  /** Times that the ledger said that it does not know this terminal. */
  readonly unknown: number;
  /** Times that the broker refused a topic. */
  readonly refused: number;
};

export type UplinkTimer = "connect" | "resend" | "stable" | "greet" | "recall" | "gather";

/** `random` is in [0, 1); `id` is a fresh UUID, for the question that the event may bring forth. */
export type Chance = { readonly random: number; readonly id: string };

export type UplinkEvent =
  | { readonly kind: "started" }
  /** New rows are in the outbox. */
  | { readonly kind: "rows.announced" }
  /** What the outbox gave for `outbox.read`, in order. `last`: it holds no more after them. */
  | {
      readonly kind: "rows.read";
      readonly rows: readonly OutboxRow[];
      readonly last: boolean;
      readonly random: number;
    }
  /** The row can never be sent, e.g. because it does not keep the limits of the wire. */
  | { readonly kind: "row.unsendable"; readonly id: string; readonly key: string; readonly reason: string }
  | { readonly kind: "broker.connected" }
  | { readonly kind: "broker.lost"; readonly random: number }
  | ({ readonly kind: "ledger.presence"; readonly online: boolean } & Chance)
  /** Signed by the ledger for this terminal, as are the next two. */
  | { readonly kind: "answer.arrived"; readonly answer: LedgerAnswer }
  /** `recalling`: the journal has lost part of its past and wants to know what the ledger remembers. */
  | ({
      readonly kind: "greeting.answered";
      readonly answer: GreetingAnswer;
      readonly recalling: boolean;
    } & Chance)
  | ({ readonly kind: "recall.answered"; readonly answer: RecallAnswer } & Chance)
  | { readonly kind: "answer.rejected"; readonly code: FaultCode }
  /** The broker does not let the terminal read the topic, and the connection goes on without it. */
  | { readonly kind: "topic.refused"; readonly topic: string }
  | ({ readonly kind: "timer.fired"; readonly timer: UplinkTimer } & Chance);

export type UplinkEffect =
  | { readonly kind: "broker.connect" }
  | { readonly kind: "greeting.send"; readonly nonce: string }
  | { readonly kind: "recall.send"; readonly nonce: string; readonly afterSequence: number }
  | { readonly kind: "outbox.read"; readonly afterPosition: number; readonly limit: number }
  | { readonly kind: "row.send"; readonly row: OutboxRow }
  /** To the dead letters. */
  | { readonly kind: "row.bury"; readonly id: string; readonly key: string; readonly reason: string }
  | { readonly kind: "answer.deliver"; readonly answer: LedgerAnswer }
  | { readonly kind: "welcome.report" }
  | { readonly kind: "barred.report"; readonly reason: BarReason }
  | {
      readonly kind: "recalled.report";
      readonly lastSequence: number;
      readonly sales: readonly RecalledSale[];
    }
  | { readonly kind: "link.report"; readonly up: boolean }
  | { readonly kind: "alarm.raise"; readonly text: string }
  /** Replaces a timer of the same name. */
  | { readonly kind: "timer.set"; readonly timer: UplinkTimer; readonly afterMs: number }
  | { readonly kind: "timer.clear"; readonly timer: UplinkTimer };

export type UplinkStep = { readonly state: UplinkState; readonly effects: readonly UplinkEffect[] };

export const INITIAL_UPLINK: UplinkState = {
  broker: "down",
  ledger: "offline",
  standing: { kind: "none" },
  greeting: null,
  turnedAway: 0,
  recall: null,
  failures: 0,
  window: [],
  readTo: 0,
  drained: false,
  heldFrom: null,
  round: 0,
  silentRounds: 0,
  resendArmed: false,
  gathered: [],
  rejected: 0,
  duplicates: 0,
  unknown: 0,
  refused: 0,
};

/** Connected, the ledger is there, and it has said what it thinks of this journal. */
export function isLinkUp({ broker, ledger, standing }: UplinkState): boolean {
  const heard = standing.kind === "welcome" || standing.kind === "barred";
  return broker === "up" && ledger === "online" && heard;
}

/** Alarms at the first and whenever the count has doubled, so that a flood is not a flood of alarms. */
export function alarmAtDoubling(count: number, text: string): UplinkEffect[] {
  return Number.isInteger(Math.log2(count)) ? [{ kind: "alarm.raise", text }] : [];
}

/** Anyone who reaches the broker may send what is none; it ends nothing. */
export function rejectedMessage(state: UplinkState, code: FaultCode): UplinkStep {
  const rejected = state.rejected + 1;
  const text = `${rejected} messages could not be accepted so far (the last: ${code}); check the pinned ledger key and who may write to the broker`;
  return { state: { ...state, rejected }, effects: alarmAtDoubling(rejected, text) };
}

/** Lists of denied cards do not arrive; sales with the ledger go on, where it declines such cards itself. */
export function refusedTopic(state: UplinkState, topic: string): UplinkStep {
  const refused = state.refused + 1;
  const text = `the broker refuses ${topic}: check its access list; until then denied cards are found out only by the ledger`;
  return { state: { ...state, refused }, effects: alarmAtDoubling(refused, text) };
}

export function ignoredDuplicate(state: UplinkState): UplinkStep {
  return { state: { ...state, duplicates: state.duplicates + 1 }, effects: [] };
}

/**
 * A ledger that does not know this terminal has a mistake in its settings, and sales must not be lost by that: the rows
 * stay and are sent again, ever more slowly, until somebody has mended it.
 */
export function notKnown(state: UplinkState): UplinkStep {
  const unknown = state.unknown + 1;
  const text = `the ledger does not know this terminal (${unknown} refusals so far); add it to the ledger's settings: nothing is lost`;
  return { state: { ...state, unknown }, effects: alarmAtDoubling(unknown, text) };
}
