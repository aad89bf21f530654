/**
 * Size and time of the formats that were considered for the wire, on real messages, all in one run. The formats take
 * turns in short rounds and the lower quartile of the rounds counts, so that a busy machine disturbs all of them alike.
 */
import { deepStrictEqual } from "node:assert";
import { APPROVED, AUTHORISE, answerOf, DECLINED, QUERY, REFUND, REVERSE, won } from "../support/messages.ts";
import { FLATBUFFERS } from "./wire-flatbuffers.ts";
import {
  CBOR_ARRAYS,
  CBOR_OBJECTS,
  CHECKED_JSON,
  type Codec,
  type DownMessage,
  type Format,
  JSON_TEXT,
  SAYPAY,
  type UpMessage,
} from "./wire-formats.ts";

export const summary = "bytes and microseconds of a message in CBOR, FlatBuffers and JSON";

const FORMATS: readonly Format[] = [SAYPAY, CBOR_ARRAYS, CBOR_OBJECTS, FLATBUFFERS, JSON_TEXT, CHECKED_JSON];

const ROUNDS = 51;
/** While the compiler learns the code; not counted. */
const WARM_UP_ROUNDS = 20;
const OPERATIONS_PER_ROUND = 400;

function up(suffix: string, request: UpMessage["request"]): UpMessage {
  return { version: 1, terminal: "counter-1", requestId: `${request.key}:${suffix}`, position: 913, request };
}

function down(answer: DownMessage["answer"]): DownMessage {
  return {
    version: 1,
    terminal: "counter-1",
    answer,
    signature: Uint8Array.from({ length: 64 }, (_, index) => index * 3),
  };
}

const LARGE = { ...AUTHORISE, lines: Array.from({ length: 7 }, () => AUTHORISE.lines).flat() };

const REFUNDED = answerOf({
  kind: "refunded",
  amount: won(5_000),
  total: won(9_500),
  gateway: "sandbox",
});

type Sample =
  | { readonly name: string; readonly direction: "up"; readonly message: UpMessage }
  | { readonly name: string; readonly direction: "down"; readonly message: DownMessage };

const SAMPLES: readonly Sample[] = [
  { name: "authorise, 3 lines", direction: "up", message: up("authorise", AUTHORISE) },
  { name: "authorise, 21 lines", direction: "up", message: up("authorise", LARGE) },
  { name: "query", direction: "up", message: up("query-0", QUERY) },
  { name: "reverse", direction: "up", message: up("reverse", REVERSE) },
  { name: "refund", direction: "up", message: up("refund", REFUND) },
  { name: "approved", direction: "down", message: down(APPROVED) },
  { name: "declined", direction: "down", message: down(DECLINED) },
  { name: "refunded", direction: "down", message: down(REFUNDED) },
];

type Figures = { readonly bytes: number; readonly encodeUs: number; readonly decodeUs: number };
type Result = { readonly message: string; readonly format: string; readonly checks: boolean } & Figures;

/** One format with one message, ready to run. */
type Candidate = {
  readonly format: Format;
  readonly encode: () => Uint8Array;
  readonly decode: () => unknown;
  readonly bytes: number;
};

function candidate(format: Format, sample: Sample): Candidate {
  return sample.direction === "up"
    ? prepared(format, format.up, sample.message)
    : prepared(format, format.down, sample.message);
}

function prepared<Message extends object>(
  format: Format,
  codec: Codec<Message>,
  message: Message,
): Candidate {
  const bytes = Uint8Array.from(codec.encode(message));
  const back = codec.decode(bytes);
  deepStrictEqual(comparable(back), comparable(message), `${format.name} does not give the message back`);
  return {
    format,
    encode: () => codec.encode(message),
    decode: () => codec.decode(bytes),
    bytes: bytes.length,
  };
}

/** A signature may come back as Buffer or Uint8Array: the bytes count. Ours also says what kind of message it was. */
function comparable(message: object): unknown {
  const { signature, kind: _, ...rest } = { signature: null, kind: null, ...message };
  return { ...rest, signature: signature === null ? null : [...(signature as Uint8Array)] };
}

function roundUs(operation: () => unknown): number {
  const start = process.hrtime.bigint();
  for (let turn = 0; turn < OPERATIONS_PER_ROUND; turn += 1) operation();
  return Number(process.hrtime.bigint() - start) / 1_000 / OPERATIONS_PER_ROUND;
}

/** The round that a quarter of the rounds beat: what the code takes when the machine lets it. */
function quartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN;
}

function measure(sample: Sample): Result[] {
  const runs = FORMATS.map((format) => ({
    each: candidate(format, sample),
    encode: [] as number[],
    decode: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { each, encode, decode } of runs) {
      encode.push(roundUs(each.encode));
      decode.push(roundUs(each.decode));
    }
  }
  return runs.map(({ each, encode, decode }) => ({
    message: sample.name,
    format: each.format.name,
    checks: each.format.checks,
    bytes: each.bytes,
    encodeUs: quartile(encode.slice(WARM_UP_ROUNDS)),
    decodeUs: quartile(decode.slice(WARM_UP_ROUNDS)),
  }));
}

function printTable(results: readonly Result[]): void {
  for (const { name } of SAMPLES) {
    const rows = results.filter((result) => result.message === name);
    const base = rows.find((row) => row.format === JSON_TEXT.name);
    if (base === undefined) continue;
    console.log(
      `\n${name.padEnd(34)}${"bytes".padStart(6)}${"of JSON".padStart(9)}${"encode us".padStart(12)}${"of JSON".padStart(9)}${"decode us".padStart(12)}${"of JSON".padStart(9)}  checked`,
    );
    for (const row of rows) {
      const ratio = (value: number, of: number): string => (value / of).toFixed(2).padStart(9);
      console.log(
        `  ${row.format.padEnd(32)}${String(row.bytes).padStart(6)}${ratio(row.bytes, base.bytes)}` +
          `${row.encodeUs.toFixed(2).padStart(12)}${ratio(row.encodeUs, base.encodeUs)}` +
          `${row.decodeUs.toFixed(2).padStart(12)}${ratio(row.decodeUs, base.decodeUs)}  ${row.checks ? "yes" : "no"}`,
      );
    }
  }
}

export async function wire(options: { readonly json: boolean }): Promise<void> {
  const results = SAMPLES.flatMap(measure);
  if (options.json)
    console.log(JSON.stringify({ rounds: ROUNDS, operationsPerRound: OPERATIONS_PER_ROUND, results }));
  else printTable(results);
}
