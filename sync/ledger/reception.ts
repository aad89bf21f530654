/**
 * What a terminal says before it sells: which journal it sells with, and what it wants to be reminded of. Procedures
 * (procedure.ts), like the clearing of charges.
 *
 * Remembers for each terminal the journal that greeted last, while the ledger runs: the outbox positions that come
 * afterwards are that journal's. A terminal of an older program never greets and is served all the same; a journal that
 * was not welcome is served too, because its sales are real, but what it sends says nothing about the known journal.
 * Assumes that greetings and requests of one terminal are handled in the order in which they were sent; a broker may
 * deliver one twice. A greeting that was answered is not judged again: what was true when it was sent may be long past.
 */
import type { Greeting, GreetingAnswer, RecallAnswer, RecallQuestion } from "../wire.ts";
import { RECALL_DAYS, RECALL_PAGE, recallPage } from "../wire.ts";
import { type Procedure, stored } from "./procedure.ts";
import type { OutboxPlace } from "./registry.ts";

const DAY_MS = 86_400_000;
/** Answers that are kept for each terminal. */
export const REMEMBERED_GREETINGS = 8;

export type ReceptionParts = {
  readonly now: () => number;
  /** The merchant that a terminal sells for, undefined for a terminal that is not known. */
  readonly merchantOf: (terminal: string) => string | undefined;
};

export class Reception {
  readonly #parts: ReceptionParts;
  /** The journal that a terminal greeted with last, when it was welcome. */
  readonly #welcome = new Map<string, string>();
  /** The last answers of each terminal, by nonce. */
  readonly #answered = new Map<string, Map<string, GreetingAnswer>>();

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
  }

  /** Answers a greeting. What happens between two of its steps leaves the registry as it was or as it will be. */
  *greet(terminal: string, greeting: Greeting): Procedure<GreetingAnswer> {
    const { kind: _, nonce, ...claim } = greeting;
    if (!(yield* this.#isKnown(terminal, "greet")))
      return { kind: "greeted", nonce, verdict: "unknown-terminal" };
    const answered = this.#answered.get(terminal)?.get(nonce);
    if (answered !== undefined) return answered;
    this.#welcome.delete(terminal);
    const verdict = yield* stored("greet", terminal, claim, this.#parts.now());
    if (verdict.kind === "welcome") this.#welcome.set(terminal, claim.journalId);
    const answer: GreetingAnswer = { kind: "greeted", nonce, verdict: verdict.kind };
    this.#remember(terminal, answer);
    return answer;
  }

  /** One page of what the ledger remembers; undefined for a terminal that is not known, which is told nothing. */
  *recall(terminal: string, question: RecallQuestion): Procedure<RecallAnswer | undefined> {
    if (!(yield* this.#isKnown(terminal, "recall"))) return undefined;
    const { nonce, afterSequence } = question;
    const { lastSequence, sales } = yield* stored("recall", terminal, {
      afterSequence,
      sinceMs: this.#parts.now() - RECALL_DAYS * DAY_MS,
      limit: RECALL_PAGE + 1,
    });
    return recallPage(nonce, lastSequence, sales);
  }

  /** Where a row lay in the journal that the terminal is known to sell with; null when that is not known. */
  placeOf(terminal: string, position: number): OutboxPlace | null {
    const journalId = this.#welcome.get(terminal);
    return journalId === undefined ? null : { journalId, position };
  }

  #remember(terminal: string, answer: GreetingAnswer): void {
    const answers = this.#answered.get(terminal) ?? new Map<string, GreetingAnswer>();
    this.#answered.set(terminal, answers.set(answer.nonce, answer));
    const [oldest] = answers.keys();
    if (answers.size > REMEMBERED_GREETINGS && oldest !== undefined) answers.delete(oldest);
  }

  *#isKnown(terminal: string, what: string): Procedure<boolean> {
    if (this.#parts.merchantOf(terminal) !== undefined) return true;
    const alarm = { kind: "unknown-terminal", subject: terminal, detail: `asked to ${what}` } as const;
    yield* stored("raise", alarm, this.#parts.now());
    return false;
  }
}
