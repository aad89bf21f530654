/**
 * The messages as FlatBuffers, built by hand with the flatbuffers package as flatc's output would:
 *
 *   table Up   { version:ubyte(0) terminal:string(1) position:ulong(2) sale:[ubyte](3) key:string(4) id:string(5)
 *                kind:ubyte(6) reason:ubyte(7) sequence:ulong(8) minor:long(9) currency:string(10) vat:long(11)
 *                token:string(12) masked:string(13) counter:ulong(14) mode:ubyte(15) time:ulong(16) lines:[Line](17) }
 *   table Line { item:string(0) name:string(1) quantity:ulong(2) minor:long(3) options:[string](4) }
 *   table Down { version:ubyte(0) terminal:string(1) sale:[ubyte](2) key:string(3) id:string(4) kind:ubyte(5)
 *                reason:ubyte(6) authorisation:string(7) gateway:string(8) minor:long(9) currency:string(10)
 *                signature:[ubyte](11) }
 */
import { Builder, ByteBuffer } from "flatbuffers";
import type { LedgerOutcome, LedgerRequest, SoldLine } from "../../daemon/core/clearing.ts";
import {
  type DownMessage,
  type Format,
  NUMBERS,
  type UpMessage,
  uuidBytes,
  uuidText,
  wordAt,
} from "./wire-formats.ts";

const { KINDS, MODES, REVERSALS, OUTCOMES, DECLINES, REFUSALS, REFUND_REFUSALS } = NUMBERS;

function byteVector(builder: Builder, bytes: Uint8Array): number {
  builder.startVector(1, bytes.length, 1);
  for (let at = bytes.length - 1; at >= 0; at -= 1) builder.addInt8(bytes[at] ?? 0);
  return builder.endVector();
}

function offsetVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

function writeLine(builder: Builder, line: SoldLine): number {
  const item = builder.createString(line.itemId);
  const name = builder.createString(line.name);
  const options = offsetVector(
    builder,
    Object.entries(line.options)
      .flat()
      .map((word) => builder.createString(word)),
  );
  builder.startObject(5);
  builder.addFieldOffset(0, item, 0);
  builder.addFieldOffset(1, name, 0);
  builder.addFieldInt64(2, BigInt(line.quantity), 0n);
  builder.addFieldInt64(3, line.amount.minor, 0n);
  builder.addFieldOffset(4, options, 0);
  return builder.endObject();
}

function encodeUp(message: UpMessage): Uint8Array {
  const { request } = message;
  const builder = new Builder(512);
  const terminal = builder.createString(message.terminal);
  const sale = byteVector(builder, uuidBytes(request.saleId));
  const key = builder.createString(request.key.slice(36));
  const id = builder.createString(message.requestId.slice(request.key.length));
  const refundCurrency = request.kind === "refund" ? builder.createString(request.amount.currency) : 0;
  let authorise: { currency: number; token: number; masked: number; lines: number } | undefined;
  if (request.kind === "authorise") {
    const lines = offsetVector(
      builder,
      request.lines.map((line) => writeLine(builder, line)),
    );
    authorise = {
      currency: builder.createString(request.amount.currency),
      token: builder.createString(request.card.token),
      masked: builder.createString(request.card.masked),
      lines,
    };
  }
  builder.startObject(18);
  builder.addFieldInt8(0, 1, 0);
  builder.addFieldOffset(1, terminal, 0);
  builder.addFieldInt64(2, BigInt(message.position), 0n);
  builder.addFieldOffset(3, sale, 0);
  builder.addFieldOffset(4, key, 0);
  builder.addFieldOffset(5, id, 0);
  builder.addFieldInt8(6, KINDS.indexOf(request.kind), 0);
  if (request.kind === "reverse") builder.addFieldInt8(7, REVERSALS.indexOf(request.reason), 0);
  if (request.kind === "refund") {
    builder.addFieldInt64(9, request.amount.minor, 0n);
    builder.addFieldOffset(10, refundCurrency, 0);
    builder.addFieldInt64(16, BigInt(request.timeMs), 0n);
  }
  if (request.kind === "authorise" && authorise !== undefined) {
    builder.addFieldInt64(8, BigInt(request.sequence), 0n);
    builder.addFieldInt64(9, request.amount.minor, 0n);
    builder.addFieldOffset(10, authorise.currency, 0);
    builder.addFieldInt64(11, request.vat.minor, 0n);
    builder.addFieldOffset(12, authorise.token, 0);
    builder.addFieldOffset(13, authorise.masked, 0);
    builder.addFieldInt64(14, BigInt(request.card.counter), 0n);
    builder.addFieldInt8(15, MODES.indexOf(request.mode), 0);
    builder.addFieldInt64(16, BigInt(request.timeMs), 0n);
    builder.addFieldOffset(17, authorise.lines, 0);
  }
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

/** A table in a buffer: fields by their numbers, absent ones as zero or empty. */
class Table {
  readonly #buffer: ByteBuffer;
  readonly #at: number;

  constructor(buffer: ByteBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  static root(bytes: Uint8Array): Table {
    const buffer = new ByteBuffer(bytes);
    return new Table(buffer, buffer.readInt32(buffer.position()) + buffer.position());
  }

  byte(field: number): number {
    const at = this.#field(field);
    return at === 0 ? 0 : this.#buffer.readUint8(at);
  }

  long(field: number): bigint {
    const at = this.#field(field);
    return at === 0 ? 0n : this.#buffer.readInt64(at);
  }

  text(field: number): string {
    const at = this.#field(field);
    return at === 0 ? "" : String(this.#buffer.__string(at));
  }

  bytes(field: number): Uint8Array {
    const at = this.#field(field);
    if (at === 0) return new Uint8Array();
    const start = this.#buffer.__vector(at);
    return this.#buffer.bytes().slice(start, start + this.#buffer.__vector_len(at));
  }

  texts(field: number): string[] {
    return this.#items(field).map((at) => String(this.#buffer.__string(at)));
  }

  tables(field: number): Table[] {
    return this.#items(field).map((at) => new Table(this.#buffer, this.#buffer.__indirect(at)));
  }

  #items(field: number): number[] {
    const at = this.#field(field);
    if (at === 0) return [];
    const start = this.#buffer.__vector(at);
    return Array.from({ length: this.#buffer.__vector_len(at) }, (_, index) => start + index * 4);
  }

  #field(field: number): number {
    const offset = this.#buffer.__offset(this.#at, 4 + field * 2);
    return offset === 0 ? 0 : this.#at + offset;
  }
}

function readLine(table: Table, currency: string): SoldLine {
  const options: Record<string, string> = {};
  const words = table.texts(4);
  for (let at = 0; at < words.length; at += 2) options[words[at] ?? ""] = words[at + 1] ?? "";
  const amount = { minor: table.long(3), currency };
  return { itemId: table.text(0), name: table.text(1), quantity: Number(table.long(2)), options, amount };
}

function readRequest(table: Table, saleId: string, key: string): LedgerRequest {
  const kind = wordAt(KINDS, table.byte(6));
  switch (kind) {
    case "query":
    case "honour":
      return { kind, key, saleId };
    case "refund": {
      const amount = { minor: table.long(9), currency: table.text(10) };
      return { kind, key, saleId, amount, timeMs: Number(table.long(16)) };
    }
    case "reverse":
      return { kind, key, saleId, reason: wordAt(REVERSALS, table.byte(7)) };
    case "authorise": {
      const currency = table.text(10);
      return {
        kind,
        key,
        saleId,
        sequence: Number(table.long(8)),
        amount: { minor: table.long(9), currency },
        vat: { minor: table.long(11), currency },
        card: { token: table.text(12), masked: table.text(13), counter: Number(table.long(14)) },
        mode: wordAt(MODES, table.byte(15)),
        lines: table.tables(17).map((line) => readLine(line, currency)),
        timeMs: Number(table.long(16)),
      };
    }
  }
}

function decodeUp(bytes: Uint8Array): UpMessage {
  const table = Table.root(bytes);
  const saleId = uuidText(table.bytes(3));
  const key = saleId + table.text(4);
  const request = readRequest(table, saleId, key);
  return {
    version: 1,
    terminal: table.text(1),
    requestId: key + table.text(5),
    position: Number(table.long(2)),
    request,
  };
}

function encodeDown({ terminal, answer, signature }: DownMessage): Uint8Array {
  const { outcome, key, requestId } = answer;
  const builder = new Builder(256);
  const terminalAt = builder.createString(terminal);
  const saleAt = byteVector(builder, uuidBytes(key));
  const keyAt = builder.createString(key.slice(36));
  const idAt = builder.createString(requestId.slice(key.length));
  const authorisation = outcome.kind === "approved" ? builder.createString(outcome.authorisation) : 0;
  const gateway = "gateway" in outcome ? builder.createString(outcome.gateway) : 0;
  const currency = "amount" in outcome ? builder.createString(outcome.amount.currency) : 0;
  const signatureAt = byteVector(builder, signature);
  builder.startObject(13);
  builder.addFieldInt8(0, 1, 0);
  builder.addFieldOffset(1, terminalAt, 0);
  builder.addFieldOffset(2, saleAt, 0);
  builder.addFieldOffset(3, keyAt, 0);
  builder.addFieldOffset(4, idAt, 0);
  builder.addFieldInt8(5, OUTCOMES.indexOf(outcome.kind), 0);
  if (outcome.kind === "declined") builder.addFieldInt8(6, DECLINES.indexOf(outcome.reason), 0);
  if (outcome.kind === "refused") builder.addFieldInt8(6, REFUSALS.indexOf(outcome.reason), 0);
  if (outcome.kind === "refund-refused") builder.addFieldInt8(6, REFUND_REFUSALS.indexOf(outcome.reason), 0);
  builder.addFieldOffset(7, authorisation, 0);
  builder.addFieldOffset(8, gateway, 0);
  if ("amount" in outcome) builder.addFieldInt64(9, outcome.amount.minor, 0n);
  if (outcome.kind === "refunded") builder.addFieldInt64(12, outcome.total.minor, 0n);
  builder.addFieldOffset(10, currency, 0);
  builder.addFieldOffset(11, signatureAt, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

function readOutcome(table: Table): LedgerOutcome {
  const kind = wordAt(OUTCOMES, table.byte(5));
  switch (kind) {
    case "approved": {
      const amount = { minor: table.long(9), currency: table.text(10) };
      return { kind, authorisation: table.text(7), gateway: table.text(8), amount };
    }
    case "declined":
      return { kind, reason: wordAt(DECLINES, table.byte(6)), gateway: table.text(8) };
    case "refused":
      return { kind, reason: wordAt(REFUSALS, table.byte(6)) };
    case "refunded": {
      const currency = table.text(10);
      const amount = { minor: table.long(9), currency };
      return { kind, amount, total: { minor: table.long(12), currency }, gateway: table.text(8) };
    }
    case "refund-refused":
      return { kind, reason: wordAt(REFUND_REFUSALS, table.byte(6)) };
    default:
      return { kind };
  }
}

function decodeDown(bytes: Uint8Array): DownMessage {
  const table = Table.root(bytes);
  const key = uuidText(table.bytes(2)) + table.text(3);
  const answer = { requestId: key + table.text(4), key, outcome: readOutcome(table) };
  return { version: 1, terminal: table.text(1), answer, signature: table.bytes(11) };
}

export const FLATBUFFERS: Format = {
  name: "FlatBuffers",
  checks: false,
  up: { encode: encodeUp, decode: decodeUp },
  down: { encode: encodeDown, decode: decodeDown },
};
