/**
 * What a customer display has to show besides the order: the last caption, what was heard, what does not work, how the
 * last sale ended. Derived from observations alone, so that a display that connects late shows the same as one that
 * was there all the time. After a restart of the daemon it begins empty; the order itself comes from the journal.
 */
import type { CardProblem } from "../core/prompt.ts";
import type { Ending } from "../core/sale.ts";
import type { View } from "../core/view.ts";
import type { Observation } from "../shell/observation.ts";
import type { Trouble } from "./words.ts";

export type Ended = {
  readonly saleId: string;
  readonly ending: Ending;
  readonly number: number | null;
  readonly total: View["total"] | null;
  readonly receiptMissing: boolean;
  readonly atMs: number;
};

export type Situation = {
  /** The last thing the terminal said in this sale, also after the sound has ended. */
  readonly caption: { readonly text: string; readonly prompt: string } | null;
  /** What was recognised, while and after the customer speaks. */
  readonly heard: string | null;
  readonly voice: "quiet" | "speaking" | "listening";
  /** By the unit that has it, so that two faults of one kind do not end with the first that is mended. */
  readonly troubles: { readonly [unit: string]: Trouble };
  readonly cardProblem: CardProblem | null;
  readonly paid: "online" | "offline" | null;
  readonly staffCalled: boolean;
  /** Sale whose receipt was given up. */
  readonly receiptMissing: string | null;
  readonly ended: Ended | null;
  /** The last view that had a sale. */
  readonly sold: Pick<View, "saleId" | "number" | "total"> | null;
};

export const NOTHING_YET: Situation = {
  caption: null,
  heard: null,
  voice: "quiet",
  troubles: {},
  cardProblem: null,
  paid: null,
  staffCalled: false,
  receiptMissing: null,
  ended: null,
  sold: null,
};

/** The situation after an observation; the same object when nothing changed for a display. */
export function after(now: Situation, seen: Observation): Situation {
  switch (seen.kind) {
    case "view":
      return viewed(now, seen.view);
    case "caption":
      return { ...now, caption: { text: seen.text, prompt: seen.prompt }, voice: "speaking", heard: null };
    case "spoke":
      return { ...now, voice: "speaking" };
    case "fell-silent":
      return { ...now, voice: "quiet" };
    case "listening":
      return { ...now, voice: "listening" };
    case "partial":
      return { ...now, heard: seen.text, troubles: without(now.troubles, EAR) };
    case "heard":
      return { ...now, heard: seen.transcript, troubles: without(now.troubles, EAR) };
    case "awaiting-card":
      return { ...now, voice: "quiet" };
    case "tapped":
      return { ...now, cardProblem: null };
    case "card-rejected":
      return { ...now, cardProblem: seen.reason };
    case "paid":
      return { ...now, paid: seen.mode };
    case "printed":
      return { ...now, troubles: without(now.troubles, "printer") };
    case "print-failed":
      return { ...now, troubles: { ...now.troubles, printer: printTrouble(seen.reason) } };
    case "closed":
      return closed(now, seen);
    case "alarm":
      return alarmed(now, seen.alarm);
    case "fault":
      return { ...now, troubles: { ...now.troubles, [seen.unit]: troubleOf(seen.unit, seen.code) } };
    case "recovered": {
      const mended = without(now.troubles, seen.unit);
      const hears = seen.unit === "microphone" || seen.unit === "hearing";
      return { ...now, troubles: hears ? without(mended, EAR) : mended };
    }
    case "link":
      return now;
  }
}

/** Faults of hearing that the ear reports, whichever of its processes has them. */
const EAR = "ear";

function viewed(now: Situation, view: View): Situation {
  const { saleId, number, total, phase } = view;
  // A display that nobody uses shows nothing of the last customer but how the sale ended.
  if (phase === "idle") return { ...now, heard: null, voice: "quiet", cardProblem: null };
  const cardProblem = phase === "awaiting-card" ? now.cardProblem : null;
  const next = { ...now, sold: { saleId, number, total }, ended: null, cardProblem };
  if (now.sold?.saleId === saleId) return next;
  return { ...next, caption: null, heard: null, paid: null, staffCalled: false, receiptMissing: null };
}

function closed(now: Situation, seen: Observation & { readonly kind: "closed" }): Situation {
  const sold = now.sold?.saleId === seen.saleId ? now.sold : null;
  const ended: Ended = {
    saleId: seen.saleId,
    ending: seen.ending,
    number: sold?.number ?? null,
    total: sold?.total ?? null,
    receiptMissing: now.receiptMissing === seen.saleId,
    atMs: seen.atMs,
  };
  return { ...now, ended, voice: "quiet", heard: null };
}

function alarmed(now: Situation, alarm: (Observation & { readonly kind: "alarm" })["alarm"]): Situation {
  if (alarm.kind === "staff-called") return { ...now, staffCalled: true };
  if (alarm.kind !== "receipt-not-printed") return now;
  const ended = now.ended?.saleId === alarm.saleId ? { ...now.ended, receiptMissing: true } : now.ended;
  return { ...now, receiptMissing: alarm.saleId, ended };
}

function troubleOf(unit: string, code: string): Trouble {
  switch (unit) {
    case EAR:
    case "microphone":
    case "hearing":
      return "cannot-hear";
    case "speaker":
    case "speaking":
      return "cannot-speak";
    case "card-reader":
      return "no-reader";
    case "printer":
      return printTrouble(code.replace("printer.", ""));
    default:
      return "something";
  }
}

function printTrouble(reason: string): Trouble {
  return reason === "paper-out" || reason === "cover-open" ? reason : "no-printer";
}

function without(troubles: Situation["troubles"], unit: string): Situation["troubles"] {
  if (!(unit in troubles)) return troubles;
  return Object.fromEntries(Object.entries(troubles).filter(([other]) => other !== unit));
}
