/**
 * The audit log on SQLite: every move of every charge and refund, each row's hash covering the row before it, so that a row that
 * is changed, removed or put in shows.
 *
 * Who can write the file can write the whole chain anew: whoever needs more notes the head that `verifyAudit` gives
 * down elsewhere and compares.
 */
import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { z } from "zod";
import { prepared } from "./prepared.ts";
import type { Row } from "./row.ts";
import { count, text } from "./row.ts";

type Db = Database.Database;

export type AuditEvent = {
  /** "received", "honoured", "entombed", the state that a charge moved to, or "refund-" and the state of a refund. */
  readonly event: string;
  readonly terminal: string;
  readonly key: string;
  /** State that a charge was received into. */
  readonly state?: string;
  readonly amountMinor?: string;
  readonly currency?: string;
};

export type AuditVerdict = {
  readonly rows: number;
  /** Number of the first row whose hash is wrong, null when all are right. */
  readonly firstBroken: number | null;
  /** Charges and refunds whose state is not the one that the log ends with. */
  readonly strayed: readonly string[];
  /** Hash of the newest row, in hex. */
  readonly head: string;
};

const EVENT = z.object({
  event: z.string(),
  terminal: z.string(),
  key: z.string(),
  state: z.string().optional(),
});
/** Before the states of refunds, whose keys are names of their own. */
const REFUND = "refund-";
const START = Buffer.alloc(32);

/** Appends one row, inside the caller's transaction. */
export function appendAudit(db: Db, nowMs: number, event: AuditEvent): void {
  const last = prepared(db, "SELECT hash FROM audit ORDER BY number DESC LIMIT 1").get();
  const line = JSON.stringify(event);
  const hash = hashOf(hashIn(last), nowMs, line);
  prepared(db, "INSERT INTO audit (time_ms, event, hash) VALUES (?, ?, ?)").run(nowMs, line, hash);
}

/** Reads the whole log and compares its end with the charges. */
export function verifyAudit(db: Db): AuditVerdict {
  let before: Buffer = START;
  let rows = 0;
  let firstBroken: number | null = null;
  const states = new Map<string, string>();
  for (const row of db.prepare<unknown[], Row>("SELECT * FROM audit ORDER BY number").iterate()) {
    rows += 1;
    const line = text(row, "event");
    const whole =
      count(row, "number") === rows && hashOf(before, count(row, "time_ms"), line).equals(hashIn(row));
    if (!whole && firstBroken === null) firstBroken = rows;
    before = hashIn(row);
    const { event, terminal, key, state } = EVENT.parse(JSON.parse(line));
    const refund = event.startsWith(REFUND) ? REFUND : "";
    states.set(`${refund}${terminal} ${key}`, state ?? event);
  }
  const strayed = [...strayedIn(db, "charges", "", states), ...strayedIn(db, "refunds", REFUND, states)];
  return { rows, firstBroken, strayed, head: before.toString("hex") };
}

function strayedIn(
  db: Db,
  table: "charges" | "refunds",
  prefix: string,
  states: ReadonlyMap<string, string>,
): string[] {
  const strayed: string[] = [];
  for (const row of db
    .prepare<unknown[], Row>(`SELECT terminal, key, state FROM ${table} ORDER BY id`)
    .iterate()) {
    const name = `${text(row, "terminal")} ${text(row, "key")}`;
    if (states.get(`${prefix}${name}`) !== `${prefix}${text(row, "state")}`) strayed.push(name);
  }
  return strayed;
}

function hashOf(before: Buffer, timeMs: number, line: string): Buffer {
  return createHash("sha256").update(before).update(`${timeMs}\n${line}`).digest();
}

function hashIn(row: Row | undefined): Buffer {
  const hash = row?.["hash"];
  return Buffer.isBuffer(hash) ? hash : START;
}
