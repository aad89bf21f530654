/**
 * The same messages in the formats that were considered for the wire. Every format carries the same values and gives
 * them back equal. Ids go in the short form of sync/wire/ids.ts wherever the format has bytes, so that the figures
 * compare formats and not that idea.
 */
import { Encoder } from "cbor-x";
import { z } from "zod";
import type { LedgerAnswer, LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { decodeDown, decodeUp, encodeSigned, encodeUp, type RequestMessage } from "../../sync/wire.ts";

/** The two messages that make up nearly all of the traffic. */
export type UpMessage = Omit<RequestMessage, "kind">;
export type DownMessage = {
  readonly version: 1;
  readonly terminal: string;
  readonly answer: LedgerAnswer;
  readonly signature: Uint8Array;
};

export type Format = {
  readonly name: string;
  /** Whether reading checks every field, as a receiver of money must. */
  readonly checks: boolean;
  readonly up: Codec<UpMessage>;
  readonly down: Codec<DownMessage>;
};

export type Codec<Message> = {
  readonly encode: (message: Message) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Message;
};

export const SAYPAY: Format = {
  name: "deterministic CBOR (sync/wire)",
  checks: true,
  up: {
    encode: encodeUp,
    decode: (bytes) => {
      const message = decodeUp(bytes);
      if (message.kind !== "request") throw new Error("not a request");
      return message;
    },
  },
  down: {
    encode: ({ terminal, answer, signature }) =>
      encodeSigned({ terminal, content: { kind: "answer", answer }, signature }),
    decode: (bytes) => {
      const { version, terminal, content, signature } = decodeDown(bytes);
      if (content.kind !== "answer") throw new Error("not an answer");
      return { version, terminal, answer: content.answer, signature };
    },
  },
};

/** Amounts as text and bytes as base64, as JSON has neither. */
function jsonCodec<Message>(check: (value: unknown) => Message): Codec<Message> {
  return {
    encode: (message) =>
      Buffer.from(
        JSON.stringify(message, (_key, value: unknown) => {
          if (typeof value === "bigint") return value.toString();
          return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
        }),
      ),
    decode: (bytes) => {
      const read: unknown = JSON.parse(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
        (key, value: unknown) => {
          if (key === "minor" && typeof value === "string") return BigInt(value);
          return key === "signature" && typeof value === "string"
            ? new Uint8Array(Buffer.from(value, "base64"))
            : value;
        },
      );
      return check(read);
    },
  };
}

// Unchecked formats trust their bytes; the benchmark compares what comes back with what went in.
const trustUp = (value: unknown): UpMessage => value as UpMessage;
const trustDown = (value: unknown): DownMessage => value as DownMessage;

export const JSON_TEXT: Format = {
  name: "JSON",
  checks: false,
  up: jsonCodec(trustUp),
  down: jsonCodec(trustDown),
};

const id = z.string().max(192);
const text = z.string().max(512);
const count = z.int().min(0);
const money = z.strictObject({ minor: z.bigint(), currency: z.string().regex(/^[A-Z]{3}$/) });
const line = z.strictObject({
  itemId: id,
  name: text,
  quantity: count,
  options: z.record(id, id),
  amount: money,
});
const request = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("authorise"),
    key: id,
    saleId: id,
    sequence: count,
    amount: money,
    vat: money,
    card: z.strictObject({ token: text, masked: id, counter: count }),
    mode: z.enum(["online", "offline"]),
    lines: z.array(line).max(200),
    timeMs: count,
  }),
  z.strictObject({ kind: z.literal("query"), key: id, saleId: id }),
  z.strictObject({
    kind: z.literal("reverse"),
    key: id,
    saleId: id,
    reason: z.enum(["uncertain", "cancelled", "void"]),
  }),
  z.strictObject({ kind: z.literal("honour"), key: id, saleId: id }),
  z.strictObject({ kind: z.literal("refund"), key: id, saleId: id, amount: money, timeMs: count }),
]);
const outcome = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("approved"), authorisation: text, gateway: id, amount: money }),
  z.strictObject({
    kind: z.literal("declined"),
    reason: z.enum(["insufficient-funds", "card-blocked", "limit-exceeded", "not-honoured", "card-replayed"]),
    gateway: id,
  }),
  z.strictObject({ kind: z.enum(["pending", "reversed", "not-found"]) }),
  z.strictObject({
    kind: z.literal("refused"),
    reason: z.enum(["key-conflict", "invalid", "unknown-terminal"]),
  }),
  z.strictObject({ kind: z.literal("refunded"), amount: money, total: money, gateway: id }),
  z.strictObject({
    kind: z.literal("refund-refused"),
    reason: z.enum(["exceeds", "not-charged", "partly-refunded", "gateway"]),
  }),
]);
const upSchema = z.strictObject({
  version: z.literal(1),
  terminal: id,
  requestId: id,
  position: count,
  request,
});
const downSchema = z.strictObject({
  version: z.literal(1),
  terminal: id,
  answer: z.strictObject({ requestId: id, key: id, outcome }),
  signature: z.instanceof(Uint8Array),
});

export const CHECKED_JSON: Format = {
  name: "JSON, checked by zod",
  checks: true,
  up: jsonCodec((value) => trustUp(upSchema.parse(value))),
  down: jsonCodec((value) => trustDown(downSchema.parse(value))),
};

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false });

export const CBOR_OBJECTS: Format = {
  name: "cbor-x, objects as they are",
  checks: false,
  up: {
    encode: (message) => cbor.encode(message),
    decode: (bytes) => trustUp(amountsAsBigint(cbor.decode(bytes))),
  },
  down: {
    encode: (message) => cbor.encode(message),
    decode: (bytes) => trustDown(amountsAsBigint(cbor.decode(bytes))),
  },
};

/** cbor-x reads a 64-bit integer as a number where it is exact. */
function amountsAsBigint(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value;
  for (const [key, member] of Object.entries(value)) {
    if (key === "minor" && typeof member === "number") Object.assign(value, { minor: BigInt(member) });
    else amountsAsBigint(member);
  }
  return value;
}

const KINDS = ["authorise", "query", "reverse", "honour", "refund"] as const;
const MODES = ["online", "offline"] as const;
const REVERSALS = ["uncertain", "cancelled", "void"] as const;
const OUTCOMES = [
  "approved",
  "declined",
  "pending",
  "reversed",
  "not-found",
  "refused",
  "refunded",
  "refund-refused",
] as const;
const DECLINES = [
  "insufficient-funds",
  "card-blocked",
  "limit-exceeded",
  "not-honoured",
  "card-replayed",
] as const;
const REFUSALS = ["key-conflict", "invalid", "unknown-terminal"] as const;
const REFUND_REFUSALS = ["exceeds", "not-charged", "partly-refunded", "gateway"] as const;

export const NUMBERS = { KINDS, MODES, REVERSALS, OUTCOMES, DECLINES, REFUSALS, REFUND_REFUSALS };

/** The word of a number, which a trusted writer wrote. */
export function wordAt<Word extends string>(words: readonly Word[], number: number): Word {
  const word = words[number];
  if (word === undefined) throw new Error(`no word ${number}`);
  return word;
}

export function uuidBytes(value: string): Buffer {
  return Buffer.from(value.slice(0, 36).replaceAll("-", ""), "hex");
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

type Row = readonly unknown[];

/** cbor-x writes every bigint in nine bytes; a number takes what it needs. */
const small = (minor: bigint): number | bigint =>
  minor <= 0xffff_ffffn && minor >= 0n ? Number(minor) : minor;

function requestRow(value: LedgerRequest, requestId: string): Row {
  const ids = [uuidBytes(value.saleId), value.key.slice(36), requestId.slice(value.key.length)];
  switch (value.kind) {
    case "query":
      return [1, ...ids];
    case "reverse":
      return [2, ...ids, REVERSALS.indexOf(value.reason)];
    case "honour":
      return [3, ...ids];
    case "refund":
      return [4, ...ids, small(value.amount.minor), value.amount.currency, value.timeMs];
    case "authorise": {
      const { amount, vat, card, mode, timeMs, sequence, lines } = value;
      const lineRows = lines.map((each) => [
        each.itemId,
        each.name,
        each.quantity,
        small(each.amount.minor),
        Object.entries(each.options).flat(),
      ]);
      const head = [
        sequence,
        small(amount.minor),
        amount.currency,
        small(vat.minor),
        card.token,
        card.masked,
        card.counter,
      ];
      return [0, ...ids, ...head, MODES.indexOf(mode), timeMs, lineRows];
    }
  }
}

function requestOf(row: Row): { request: LedgerRequest; requestId: string } {
  const [kind, uuid, keySuffix, idSuffix, ...rest] = row as [
    number,
    Uint8Array,
    string,
    string,
    ...unknown[],
  ];
  const saleId = uuidText(uuid);
  const key = saleId + keySuffix;
  const requestId = key + idSuffix;
  switch (wordAt(KINDS, kind)) {
    case "query":
      return { request: { kind: "query", key, saleId }, requestId };
    case "reverse":
      return {
        request: { kind: "reverse", key, saleId, reason: wordAt(REVERSALS, Number(rest[0])) },
        requestId,
      };
    case "honour":
      return { request: { kind: "honour", key, saleId }, requestId };
    case "refund": {
      const [minor, currency, timeMs] = rest as [number, string, number];
      const amount = { minor: BigInt(minor), currency };
      return { request: { kind: "refund", key, saleId, amount, timeMs }, requestId };
    }
    case "authorise": {
      const [sequence, minor, currency, vat, token, masked, counter, mode, timeMs, lineRows] = rest as [
        number,
        number,
        string,
        number,
        string,
        string,
        number,
        number,
        number,
        [string, string, number, number, string[]][],
      ];
      const lines = lineRows.map(([itemId, name, quantity, amount, pairs]) => {
        const options: Record<string, string> = {};
        for (let at = 0; at < pairs.length; at += 2) options[pairs[at] ?? ""] = pairs[at + 1] ?? "";
        return { itemId, name, quantity, options, amount: { minor: BigInt(amount), currency } };
      });
      const card = { token, masked, counter };
      const amounts = { amount: { minor: BigInt(minor), currency }, vat: { minor: BigInt(vat), currency } };
      return {
        request: {
          kind: "authorise",
          key,
          saleId,
          sequence,
          ...amounts,
          card,
          mode: wordAt(MODES, mode),
          lines,
          timeMs,
        },
        requestId,
      };
    }
  }
}

function outcomeRow(value: LedgerOutcome): Row {
  const kind = OUTCOMES.indexOf(value.kind);
  switch (value.kind) {
    case "approved":
      return [kind, value.authorisation, value.gateway, small(value.amount.minor), value.amount.currency];
    case "declined":
      return [kind, DECLINES.indexOf(value.reason), value.gateway];
    case "refused":
      return [kind, REFUSALS.indexOf(value.reason)];
    case "refunded": {
      const { amount, total, gateway } = value;
      return [kind, small(amount.minor), amount.currency, small(total.minor), gateway];
    }
    case "refund-refused":
      return [kind, REFUND_REFUSALS.indexOf(value.reason)];
    default:
      return [kind];
  }
}

function outcomeOf([number, ...rest]: Row): LedgerOutcome {
  const kind = wordAt(OUTCOMES, Number(number));
  switch (kind) {
    case "approved": {
      const [authorisation, gateway, minor, currency] = rest as [string, string, number, string];
      return { kind, authorisation, gateway, amount: { minor: BigInt(minor), currency } };
    }
    case "declined":
      return { kind, reason: wordAt(DECLINES, Number(rest[0])), gateway: String(rest[1]) };
    case "refused":
      return { kind, reason: wordAt(REFUSALS, Number(rest[0])) };
    case "refunded": {
      const [minor, currency, total, gateway] = rest as [number, string, number, string];
      const amount = { minor: BigInt(minor), currency };
      return { kind, amount, total: { minor: BigInt(total), currency }, gateway };
    }
    case "refund-refused":
      return { kind, reason: wordAt(REFUND_REFUSALS, Number(rest[0])) };
    default:
      return { kind };
  }
}

export const CBOR_ARRAYS: Format = {
  name: "cbor-x, arrays and numbers",
  checks: false,
  up: {
    encode: ({ terminal, position, request: asked, requestId }) =>
      cbor.encode([1, terminal, position, requestRow(asked, requestId)]),
    decode: (bytes) => {
      const [, terminal, position, row] = cbor.decode(bytes) as [number, string, number, Row];
      return { version: 1, terminal, position, ...requestOf(row) };
    },
  },
  down: {
    encode: ({ terminal, answer, signature }) => {
      const ids = [uuidBytes(answer.key), answer.key.slice(36), answer.requestId.slice(answer.key.length)];
      return cbor.encode([1, terminal, ...ids, outcomeRow(answer.outcome), signature]);
    },
    decode: (bytes) => {
      const [, terminal, uuid, keySuffix, idSuffix, row, signature] = cbor.decode(bytes) as [
        number,
        string,
        Uint8Array,
        string,
        string,
        Row,
        Uint8Array,
      ];
      const key = uuidText(uuid) + keySuffix;
      const answer: LedgerAnswer = { key, requestId: key + idSuffix, outcome: outcomeOf(row) };
      return { version: 1, terminal, answer, signature };
    },
  },
};
