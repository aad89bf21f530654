/**
 * The request and the answer of daemon/core/clearing.ts as CBOR arrays, field by field. The tables give every word its
 * number for good; the compiler refuses a word of the core that is missing here.
 */
import type {
  CardProof,
  LedgerAnswer,
  LedgerOutcome,
  LedgerRequest,
  RefundRefusal,
  SoldLine,
} from "../../daemon/core/clearing.ts";
import type { Options } from "../../daemon/core/intent.ts";
import type { Currency } from "../../daemon/core/money.ts";
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import { type CborReader, type CborWriter, malformed } from "./cbor.ts";
import { readId, readRelativeId, writeId, writeRelativeId } from "./ids.ts";
import { MAX_ID_BYTES, MAX_LINES, MAX_OPTIONS, MAX_TEXT_BYTES } from "./limits.ts";
import { readMoney, readMoneyIn, writeMoney, writeMoneyIn } from "./money.ts";
import { readWord, wordsOf } from "./words.ts";

type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;
type Refund = Extract<LedgerRequest, { kind: "refund" }>;
type Refusal = Extract<LedgerOutcome, { kind: "refused" }>["reason"];
type ReverseReason = Extract<LedgerRequest, { kind: "reverse" }>["reason"];

const REQUESTS = {
  authorise: 1,
  query: 2,
  reverse: 3,
  honour: 4,
  refund: 5,
} as const satisfies Record<LedgerRequest["kind"], number>;
const OUTCOMES = {
  approved: 1,
  declined: 2,
  pending: 3,
  reversed: 4,
  "not-found": 5,
  refused: 6,
  refunded: 7,
  "refund-refused": 8,
} as const satisfies Record<LedgerOutcome["kind"], number>;

const MODES = wordsOf<Authorise["mode"]>({ online: 1, offline: 2 });
const REVERSE_REASONS = wordsOf<ReverseReason>({ uncertain: 1, cancelled: 2, void: 3 });
const REFUSALS = wordsOf<Refusal>({ "key-conflict": 1, invalid: 2, "unknown-terminal": 3 });
const REFUND_REFUSALS = wordsOf<RefundRefusal>({
  exceeds: 1,
  "not-charged": 2,
  "partly-refunded": 3,
  gateway: 4,
});
const DECLINES = wordsOf<DeclineReason>({
  "insufficient-funds": 1,
  "card-blocked": 2,
  "limit-exceeded": 3,
  "not-honoured": 4,
  "card-replayed": 5,
});

export function writeRequest(writer: CborWriter, request: LedgerRequest): void {
  switch (request.kind) {
    case "authorise":
      writeAuthorise(writer, request);
      return;
    case "query":
    case "honour":
      writer.array(3, 3, request.kind);
      writer.uint(REQUESTS[request.kind], "kind");
      writeKey(writer, request);
      return;
    case "reverse":
      writer.array(4, 4, "reverse");
      writer.uint(REQUESTS.reverse, "kind");
      writeKey(writer, request);
      writer.uint(REVERSE_REASONS.numbers[request.reason], "reason");
      return;
    case "refund":
      writer.array(5, 5, "refund");
      writer.uint(REQUESTS.refund, "kind");
      writeRefunded(writer, request);
      writer.uint(request.timeMs, "time");
      return;
  }
}

export function readRequest(reader: CborReader): LedgerRequest {
  const fields = reader.array(23, "request");
  const kind = reader.uint("request kind");
  switch (kind) {
    case REQUESTS.authorise:
      expect(fields, 10, "authorise");
      return readAuthoriseFields(reader);
    case REQUESTS.query:
      expect(fields, 3, "query");
      return { kind: "query", ...readKey(reader) };
    case REQUESTS.reverse:
      expect(fields, 4, "reverse");
      return { kind: "reverse", ...readKey(reader), reason: readWord(reader, REVERSE_REASONS, "reason") };
    case REQUESTS.honour:
      expect(fields, 3, "honour");
      return { kind: "honour", ...readKey(reader) };
    case REQUESTS.refund: {
      expect(fields, 5, "refund");
      const { key, saleId } = readKey(reader);
      const amount = readMoney(reader);
      return { kind: "refund", key, saleId, amount, timeMs: reader.uint("time") };
    }
    default:
      throw malformed(`request kind ${kind} is not known`);
  }
}

export function writeAuthorise(writer: CborWriter, request: Authorise): void {
  const { currency } = request.amount;
  writer.array(10, 10, "authorise");
  writer.uint(REQUESTS.authorise, "kind");
  writeKey(writer, request);
  writer.uint(request.sequence, "sequence");
  writeMoney(writer, request.amount);
  writeMoneyIn(writer, request.vat, currency);
  writer.array(3, 3, "card");
  writer.text(request.card.token, MAX_TEXT_BYTES, "card token");
  writer.text(request.card.masked, MAX_ID_BYTES, "masked card");
  writer.uint(request.card.counter, "card counter");
  writer.uint(MODES.numbers[request.mode], "mode");
  writer.uint(request.timeMs, "time");
  writer.array(request.lines.length, MAX_LINES, "lines");
  for (const line of request.lines) writeLine(writer, line, currency);
}

/** What makes a refund this refund and no other: sale, key and amount. */
function writeRefunded(writer: CborWriter, refund: Pick<Refund, "saleId" | "key" | "amount">): void {
  writeKey(writer, refund);
  writeMoney(writer, refund.amount);
}

/** Reads an authorise request with its head. */
export function readAuthorise(reader: CborReader): Authorise {
  reader.tuple(10, "authorise");
  if (reader.uint("request kind") !== REQUESTS.authorise) throw malformed("not an authorise request");
  return readAuthoriseFields(reader);
}

function readAuthoriseFields(reader: CborReader): Authorise {
  const { key, saleId } = readKey(reader);
  const sequence = reader.uint("sequence");
  const amount = readMoney(reader);
  const vat = readMoneyIn(reader, amount.currency);
  const card = readCard(reader);
  const mode = readWord(reader, MODES, "mode");
  const timeMs = reader.uint("time");
  const count = reader.array(MAX_LINES, "lines");
  const lines: SoldLine[] = [];
  for (let index = 0; index < count; index += 1) lines.push(readLine(reader, amount.currency));
  return { kind: "authorise", key, saleId, sequence, amount, vat, card, mode, lines, timeMs };
}

function readCard(reader: CborReader): CardProof {
  reader.tuple(3, "card");
  const token = reader.text(MAX_TEXT_BYTES, "card token");
  const masked = reader.text(MAX_ID_BYTES, "masked card");
  return { token, masked, counter: reader.uint("card counter") };
}

/** [itemId, name, quantity, amount] or, with options, [itemId, name, quantity, amount, [group, value, group, value ...]]. */
function writeLine(writer: CborWriter, line: SoldLine, currency: Currency): void {
  // Sorted, so that the order in which a program happened to set the options does not change the bytes.
  const groups = Object.keys(line.options).sort();
  writer.array(groups.length === 0 ? 4 : 5, 5, "line");
  writer.text(line.itemId, MAX_ID_BYTES, "item id");
  writer.text(line.name, MAX_TEXT_BYTES, "item name");
  writer.uint(line.quantity, "quantity");
  writeMoneyIn(writer, line.amount, currency);
  if (groups.length === 0) return;
  writer.array(groups.length * 2, MAX_OPTIONS * 2, "options");
  for (const group of groups) {
    writer.text(group, MAX_ID_BYTES, "option group");
    writer.text(line.options[group] ?? "", MAX_ID_BYTES, "option value");
  }
}

function readLine(reader: CborReader, currency: Currency): SoldLine {
  const fields = reader.array(5, "line");
  if (fields < 4) throw malformed("line has fewer than 4 fields");
  const itemId = reader.text(MAX_ID_BYTES, "item id");
  const name = reader.text(MAX_TEXT_BYTES, "item name");
  const quantity = reader.uint("quantity");
  const amount = readMoneyIn(reader, currency);
  return { itemId, name, quantity, options: fields === 5 ? readOptions(reader) : {}, amount };
}

function readOptions(reader: CborReader): Options {
  const length = reader.array(MAX_OPTIONS * 2, "options");
  if (length === 0 || length % 2 === 1) throw malformed("options are not pairs");
  const pairs: [string, string][] = [];
  let previous: string | undefined;
  for (let index = 0; index < length; index += 2) {
    const group = reader.text(MAX_ID_BYTES, "option group");
    if (previous !== undefined && group <= previous) throw malformed("options are not in order");
    pairs.push([group, reader.text(MAX_ID_BYTES, "option value")]);
    previous = group;
  }
  // fromEntries defines own properties, so a group called "__proto__" is an option like any other.
  return Object.fromEntries(pairs);
}

export function writeAnswer(writer: CborWriter, answer: LedgerAnswer): void {
  writer.array(3, 3, "answer");
  writeId(writer, answer.key, "key");
  writeRelativeId(writer, answer.requestId, answer.key, "request id");
  writeOutcome(writer, answer.outcome);
}

export function readAnswer(reader: CborReader): LedgerAnswer {
  reader.tuple(3, "answer");
  const key = readId(reader, "key");
  const requestId = readRelativeId(reader, key, "request id");
  return { requestId, key, outcome: readOutcome(reader) };
}

function writeOutcome(writer: CborWriter, outcome: LedgerOutcome): void {
  const head = (fields: number): void => {
    writer.array(fields, fields, "outcome");
    writer.uint(OUTCOMES[outcome.kind], "outcome");
  };
  switch (outcome.kind) {
    case "approved":
      head(4);
      writer.text(outcome.authorisation, MAX_TEXT_BYTES, "authorisation");
      writer.text(outcome.gateway, MAX_ID_BYTES, "gateway");
      writeMoney(writer, outcome.amount);
      return;
    case "declined":
      head(3);
      writer.uint(DECLINES.numbers[outcome.reason], "reason");
      writer.text(outcome.gateway, MAX_ID_BYTES, "gateway");
      return;
    case "refused":
      head(2);
      writer.uint(REFUSALS.numbers[outcome.reason], "reason");
      return;
    case "refunded":
      head(4);
      writeMoney(writer, outcome.amount);
      writeMoneyIn(writer, outcome.total, outcome.amount.currency);
      writer.text(outcome.gateway, MAX_ID_BYTES, "gateway");
      return;
    case "refund-refused":
      head(2);
      writer.uint(REFUND_REFUSALS.numbers[outcome.reason], "reason");
      return;
    case "pending":
    case "reversed":
    case "not-found":
      head(1);
      return;
  }
}

function readOutcome(reader: CborReader): LedgerOutcome {
  const fields = reader.array(23, "outcome");
  const kind = reader.uint("outcome");
  switch (kind) {
    case OUTCOMES.approved: {
      expect(fields, 4, "approved");
      const authorisation = reader.text(MAX_TEXT_BYTES, "authorisation");
      const gateway = reader.text(MAX_ID_BYTES, "gateway");
      return { kind: "approved", authorisation, gateway, amount: readMoney(reader) };
    }
    case OUTCOMES.declined: {
      expect(fields, 3, "declined");
      const reason = readWord(reader, DECLINES, "decline reason");
      return { kind: "declined", reason, gateway: reader.text(MAX_ID_BYTES, "gateway") };
    }
    case OUTCOMES.refused:
      expect(fields, 2, "refused");
      return { kind: "refused", reason: readWord(reader, REFUSALS, "refusal") };
    case OUTCOMES.pending:
      expect(fields, 1, "pending");
      return { kind: "pending" };
    case OUTCOMES.reversed:
      expect(fields, 1, "reversed");
      return { kind: "reversed" };
    case OUTCOMES["not-found"]:
      expect(fields, 1, "not-found");
      return { kind: "not-found" };
    case OUTCOMES.refunded: {
      expect(fields, 4, "refunded");
      const amount = readMoney(reader);
      const total = readMoneyIn(reader, amount.currency);
      return { kind: "refunded", amount, total, gateway: reader.text(MAX_ID_BYTES, "gateway") };
    }
    case OUTCOMES["refund-refused"]:
      expect(fields, 2, "refund-refused");
      return { kind: "refund-refused", reason: readWord(reader, REFUND_REFUSALS, "refund refusal") };
    default:
      throw malformed(`outcome ${kind} is not known`);
  }
}

function writeKey(writer: CborWriter, request: { readonly key: string; readonly saleId: string }): void {
  writeId(writer, request.saleId, "sale id");
  writeRelativeId(writer, request.key, request.saleId, "key");
}

function readKey(reader: CborReader): { key: string; saleId: string } {
  const saleId = readId(reader, "sale id");
  return { key: readRelativeId(reader, saleId, "key"), saleId };
}

function expect(found: number, fields: number, what: string): void {
  if (found !== fields) throw malformed(`${what} has ${found} fields instead of ${fields}`);
}
