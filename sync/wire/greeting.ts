/**
 * What a terminal and the ledger say to each other before any request: which journal the terminal sells with, and
 * whether the ledger accepts it.
 *
 * A terminal greets each time its link comes up, before it sends a row, and names the openings of its journal since the
 * last one that it knows to have been welcomed. The ledger remembers of every terminal the journal, the random number of
 * the opening that it welcomed last and the highest outbox position that it has seen a charge or refund at. A second
 * machine with the same journal, a backup that was put back and a journal that came from nowhere do not fit, and are told
 * so by name.
 */
import type { BarReason } from "../../daemon/core/sale.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import { type CborReader, type CborWriter, malformed } from "./cbor.ts";
import { readId, readRelativeId, writeId, writeRelativeId } from "./ids.ts";
import { MAX_OPENINGS } from "./limits.ts";
import { readMoney, writeMoney } from "./money.ts";
import { readWord, wordsOf } from "./words.ts";

/** Terminal to ledger. */
export type Greeting = {
  readonly kind: "greeting";
  /** Random: the answer names it, so that an old answer cannot be played again. */
  readonly nonce: string;
  readonly journalId: string;
  readonly predecessor: string | null;
  /** How often the journal was opened: for people, the verdict does not hang on it. */
  readonly boots: number;
  /** The last of `openings`. */
  readonly bootNonce: string;
  /** The random numbers of the journal's openings, oldest first: one at least, MAX_OPENINGS at most. */
  readonly openings: readonly string[];
  /** The highest position that a row of this journal's outbox ever had. */
  readonly lastOutboxPosition: number;
};

/** Terminal to ledger: what do you remember of me? One page of sales with a sequence above `afterSequence`. */
export type RecallQuestion = {
  readonly kind: "recall";
  readonly nonce: string;
  readonly afterSequence: number;
};

/** Ledger to terminal, signed. */
export type GreetingAnswer = {
  readonly kind: "greeted";
  readonly nonce: string;
  readonly verdict: "welcome" | BarReason | "unknown-terminal";
};

/**
 * Ledger to terminal, signed. At most RECALL_PAGE sales, in the order of their sequences. A page never ends between two
 * charges of one sequence, for the next page begins after it: `recallPage` sees to that.
 */
export type RecallAnswer = {
  readonly kind: "recalled";
  readonly nonce: string;
  /** The highest sequence that the ledger has seen of this terminal, 0 when none. */
  readonly lastSequence: number;
  /** None has a sequence above `lastSequence`. */
  readonly sales: readonly RecalledSale[];
  /** More sales follow after the last one's sequence; never with a page that is empty. */
  readonly more: boolean;
};

export const RECALL_PAGE = 40;

/**
 * How far back a recall goes: sales that the ledger received longer ago than this need no terminal to know them.
 */
export const RECALL_DAYS = 30;

/**
 * The page that answers a question. `found` are the ledger's charges after the sequence that was asked for, in order,
 * as many as there are or RECALL_PAGE + 1 of them. A sale has a handful of charges; should one ever fill a page alone,
 * the page tells of the first RECALL_PAGE of them.
 */
export function recallPage(
  nonce: string,
  lastSequence: number,
  found: readonly RecalledSale[],
): RecallAnswer {
  const beyond = found[RECALL_PAGE];
  if (beyond === undefined) return { kind: "recalled", nonce, lastSequence, sales: found, more: false };
  const whole = found.filter(({ sequence }) => sequence < beyond.sequence);
  const sales = (whole.length === 0 ? found : whole).slice(0, RECALL_PAGE);
  return { kind: "recalled", nonce, lastSequence, sales, more: true };
}

const VERDICTS = wordsOf<GreetingAnswer["verdict"]>({
  welcome: 1,
  copied: 2,
  restored: 3,
  replaced: 4,
  "unknown-terminal": 5,
});
const STATES = wordsOf<RecalledSale["state"]>({ approved: 1, declined: 2, reversed: 3, pending: 4 });

/** Numbers of a terminal's other words than a request. */
const GREETING = 1;
const RECALL = 2;

/** [1, nonce, journalId, boots, [opening, ...], lastOutboxPosition, predecessor?] or [2, nonce, afterSequence]. */
export function writeTerminalWord(writer: CborWriter, word: Greeting | RecallQuestion): void {
  if (word.kind === "recall") {
    writer.array(3, 3, "recall");
    writer.uint(RECALL, "kind");
    writeId(writer, word.nonce, "nonce");
    writer.uint(word.afterSequence, "sequence");
    return;
  }
  const fields = word.predecessor === null ? 6 : 7;
  writer.array(fields, 7, "greeting");
  writer.uint(GREETING, "kind");
  writeId(writer, word.nonce, "nonce");
  writeId(writer, word.journalId, "journal id");
  writer.uint(word.boots, "boots");
  writeOpenings(writer, word);
  writer.uint(word.lastOutboxPosition, "position");
  if (word.predecessor !== null) writeId(writer, word.predecessor, "predecessor");
}

export function readTerminalWord(reader: CborReader): Greeting | RecallQuestion {
  const fields = reader.array(7, "greeting");
  const number = reader.uint("kind");
  if (number === RECALL && fields === 3) {
    const nonce = readId(reader, "nonce");
    return { kind: "recall", nonce, afterSequence: reader.uint("sequence") };
  }
  if (number !== GREETING || fields < 6) throw malformed(`kind ${number} of ${fields} fields is not known`);
  const nonce = readId(reader, "nonce");
  const journalId = readId(reader, "journal id");
  const boots = reader.uint("boots");
  const openings = readOpenings(reader);
  const lastOutboxPosition = reader.uint("position");
  const predecessor = fields === 7 ? readId(reader, "predecessor") : null;
  return { kind: "greeting", nonce, journalId, predecessor, boots, ...openings, lastOutboxPosition };
}

type Openings = Pick<Greeting, "bootNonce" | "openings">;

function writeOpenings(writer: CborWriter, { bootNonce, openings }: Openings): void {
  if (openings.at(-1) !== bootNonce) throw malformed("the present opening is not the last one");
  writer.array(openings.length, MAX_OPENINGS, "openings");
  for (const opening of openings) writeId(writer, opening, "opening");
}

function readOpenings(reader: CborReader): Openings {
  const count = reader.array(MAX_OPENINGS, "openings");
  const openings: string[] = [];
  for (let index = 0; index < count; index += 1) openings.push(readId(reader, "opening"));
  const bootNonce = openings.at(-1);
  if (bootNonce === undefined) throw malformed("a journal that was never opened greets");
  return { bootNonce, openings };
}

/** [nonce, verdict] or [nonce, lastSequence, more, sales]. */
export function writeLedgerWord(writer: CborWriter, word: GreetingAnswer | RecallAnswer): void {
  if (word.kind === "greeted") {
    writer.array(2, 2, "greeted");
    writeId(writer, word.nonce, "nonce");
    writer.uint(VERDICTS.numbers[word.verdict], "verdict");
    return;
  }
  checkPage(word);
  writer.array(4, 4, "recalled");
  writeId(writer, word.nonce, "nonce");
  writer.uint(word.lastSequence, "last sequence");
  writer.uint(word.more ? 1 : 0, "more");
  writer.array(word.sales.length, RECALL_PAGE, "sales");
  for (const sale of word.sales) writeSale(writer, sale);
}

export function readLedgerWord(
  reader: CborReader,
  kind: "greeted" | "recalled",
): GreetingAnswer | RecallAnswer {
  if (kind === "greeted") {
    reader.tuple(2, "greeted");
    const nonce = readId(reader, "nonce");
    return { kind, nonce, verdict: readWord(reader, VERDICTS, "verdict") };
  }
  reader.tuple(4, "recalled");
  const nonce = readId(reader, "nonce");
  const lastSequence = reader.uint("last sequence");
  const more = reader.uint("more");
  if (more > 1) throw malformed("more is neither yes nor no");
  const count = reader.array(RECALL_PAGE, "sales");
  const sales: RecalledSale[] = [];
  for (let index = 0; index < count; index += 1) sales.push(readSale(reader));
  const page: RecallAnswer = { kind, nonce, lastSequence, sales, more: more === 1 };
  checkPage(page);
  return page;
}

/** What lets a terminal go on from page to page without ever coming to the same place twice. */
function checkPage({ sales, more, lastSequence }: RecallAnswer): void {
  if (more && sales.length === 0) throw malformed("an empty page says that more follow");
  let previous = 0;
  for (const { sequence } of sales) {
    if (sequence < previous) throw malformed("the sales are not in order");
    previous = sequence;
  }
  if (previous > lastSequence) throw malformed("a sale comes after the last sequence");
}

function writeSale(writer: CborWriter, sale: RecalledSale): void {
  writer.array(7, 7, "sale");
  writeId(writer, sale.saleId, "sale id");
  writeRelativeId(writer, sale.key, sale.saleId, "key");
  writer.uint(sale.sequence, "sequence");
  writeMoney(writer, sale.amount);
  writer.uint(STATES.numbers[sale.state], "state");
  writer.int64(sale.refundedMinor, "refunded");
  writer.uint(sale.timeMs, "time");
}

function readSale(reader: CborReader): RecalledSale {
  reader.tuple(7, "sale");
  const saleId = readId(reader, "sale id");
  const key = readRelativeId(reader, saleId, "key");
  const sequence = reader.uint("sequence");
  const amount = readMoney(reader);
  const state = readWord(reader, STATES, "state");
  const refundedMinor = reader.int64("refunded");
  return { saleId, sequence, key, amount, state, refundedMinor, timeMs: reader.uint("time") };
}
