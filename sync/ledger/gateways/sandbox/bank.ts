/**
 * The sandbox's memory, standing for the bank: a database file of its own, so that it remembers what it charged
 * whatever happens to the ledger, and tests can count real charges independently of the ledger's books.
 *
 * Every function is one durable transaction (WAL, synchronous FULL).
 */
import Database from "better-sqlite3";
import { z } from "zod";
import { prepared } from "../../prepared.ts";
import { BEHAVIOURS } from "./behaviour.ts";

export const BANK_STATUSES = ["charged", "declined", "pending", "lost", "blocked", "reversed"] as const;
export type BankStatus = (typeof BANK_STATUSES)[number];

export const BANK_REFUND_STATUSES = ["refunded", "refused", "pending", "lost"] as const;
export type BankRefundStatus = (typeof BANK_REFUND_STATUSES)[number];

export const PLANNED_OPERATIONS = ["charge", "refund"] as const;
export type PlannedOperation = (typeof PLANNED_OPERATIONS)[number];

/** What was told for the next charges or refunds. */
export const PLAN = z.strictObject({
  operation: z.enum(PLANNED_OPERATIONS).default("charge"),
  behaviour: z.enum(BEHAVIOURS).optional(),
  /** Charges or refunds that it applies to. */
  count: z.int().min(1).max(100_000).default(1),
  /** Wait before the charge or refund takes effect. */
  transitMs: z.int().min(0).max(600_000).optional(),
  /** Wait between the effect and the answer. */
  latencyMs: z.int().min(0).max(600_000).optional(),
});
export type Plan = z.output<typeof PLAN>;

const CHARGE_ROW = z.object({
  gatewayKey: z.string(),
  orderId: z.string(),
  merchant: z.string(),
  minor: z.bigint(),
  currency: z.string(),
  mode: z.string(),
  status: z.enum(BANK_STATUSES),
  behaviour: z.enum(BEHAVIOURS),
  authorisation: z.string(),
  refundedMinor: z.bigint(),
  calls: z.bigint().transform(Number),
  decideMs: z.bigint().transform(Number).nullable(),
  createdMs: z.bigint().transform(Number),
});
export type BankCharge = z.output<typeof CHARGE_ROW>;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS charges (
    number INTEGER PRIMARY KEY, gateway_key TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL, merchant TEXT NOT NULL,
    minor INTEGER NOT NULL, currency TEXT NOT NULL, mode TEXT NOT NULL, status TEXT NOT NULL,
    behaviour TEXT NOT NULL, authorisation TEXT NOT NULL, refunded_minor INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL, decide_ms INTEGER, created_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS refunds (
    refund_key TEXT PRIMARY KEY, gateway_key TEXT NOT NULL, minor INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'refunded', behaviour TEXT NOT NULL DEFAULT 'approve', calls INTEGER NOT NULL DEFAULT 1,
    decide_ms INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS plans (number INTEGER PRIMARY KEY, plan TEXT NOT NULL, remaining INTEGER NOT NULL) STRICT;
`;

/** Columns that the first sandboxes did not have. */
const LATER_COLUMNS = [
  ["status", "TEXT NOT NULL DEFAULT 'refunded'"],
  ["behaviour", "TEXT NOT NULL DEFAULT 'approve'"],
  ["calls", "INTEGER NOT NULL DEFAULT 1"],
  ["decide_ms", "INTEGER"],
] as const;

const REFUND_ROW = z.object({
  refundKey: z.string(),
  gatewayKey: z.string(),
  minor: z.bigint(),
  status: z.enum(BANK_REFUND_STATUSES),
  behaviour: z.enum(BEHAVIOURS),
  calls: z.bigint().transform(Number),
  decideMs: z.bigint().transform(Number).nullable(),
});
export type BankRefund = z.output<typeof REFUND_ROW>;

const REFUND_COLUMNS = `refund_key AS refundKey, gateway_key AS gatewayKey, minor, status, behaviour, calls,
  decide_ms AS decideMs`;

const COLUMNS = `gateway_key AS gatewayKey, order_id AS orderId, merchant, minor, currency, mode, status, behaviour,
  authorisation, refunded_minor AS refundedMinor, calls, decide_ms AS decideMs, created_ms AS createdMs`;

export type NewBankCharge = Pick<
  BankCharge,
  | "gatewayKey"
  | "orderId"
  | "merchant"
  | "minor"
  | "currency"
  | "mode"
  | "status"
  | "behaviour"
  | "decideMs"
  | "createdMs"
>;

export class SandboxBank {
  readonly #path: string;
  #db: Database.Database | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    const db = new Database(this.#path);
    db.defaultSafeIntegers(true);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec(SCHEMA);
    const columns = z.array(z.object({ name: z.string() })).parse(db.pragma("table_info(refunds)"));
    for (const [name, type] of LATER_COLUMNS) {
      if (!columns.some((column) => column.name === name)) {
        db.exec(`ALTER TABLE refunds ADD COLUMN ${name} ${type}`);
      }
    }
    this.#db = db;
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  find(gatewayKey: string): BankCharge | undefined {
    const row = prepared(this.#open(), `SELECT ${COLUMNS} FROM charges WHERE gateway_key = ?`).get(
      gatewayKey,
    );
    return row === undefined ? undefined : CHARGE_ROW.parse(row);
  }

  /** Stores a charge once; a second one under the key throws. */
  record(charge: NewBankCharge): BankCharge {
    const db = this.#open();
    const insert = prepared(
      db,
      `INSERT INTO charges (gateway_key, order_id, merchant, minor, currency, mode, status, behaviour, authorisation,
         calls, decide_ms, created_ms)
       VALUES (@gatewayKey, @orderId, @merchant, @minor, @currency, @mode, @status, @behaviour, '', 1, @decideMs, @createdMs)`,
    );
    return db.transaction(() => {
      const number = insert.run(charge).lastInsertRowid;
      const authorisation = `S${number.toString().padStart(7, "0")}`;
      prepared(db, "UPDATE charges SET authorisation = ? WHERE number = ?").run(authorisation, number);
      return this.#found(charge.gatewayKey);
    })();
  }

  move(gatewayKey: string, status: BankStatus): BankCharge {
    prepared(this.#open(), "UPDATE charges SET status = ? WHERE gateway_key = ?").run(status, gatewayKey);
    return this.#found(gatewayKey);
  }

  countCall(gatewayKey: string): void {
    prepared(this.#open(), "UPDATE charges SET calls = calls + 1 WHERE gateway_key = ?").run(gatewayKey);
  }

  findRefund(refundKey: string): BankRefund | undefined {
    const select = `SELECT ${REFUND_COLUMNS} FROM refunds WHERE refund_key = ?`;
    const row = prepared(this.#open(), select).get(refundKey);
    return row === undefined ? undefined : REFUND_ROW.parse(row);
  }

  countRefundCall(refundKey: string): void {
    prepared(this.#open(), "UPDATE refunds SET calls = calls + 1 WHERE refund_key = ?").run(refundKey);
  }

  /**
   * Stores a refund once; what exceeds the charge, given back or still undecided, is stored as refused. A second one
   * under the key throws.
   */
  recordRefund(refund: Omit<BankRefund, "calls">): BankRefund {
    const db = this.#open();
    return db.transaction(() => {
      const status = this.#fits(refund) ? refund.status : "refused";
      prepared(
        db,
        `INSERT INTO refunds (refund_key, gateway_key, minor, status, behaviour, calls, decide_ms)
         VALUES (@refundKey, @gatewayKey, @minor, @status, @behaviour, 1, @decideMs)`,
      ).run({ ...refund, status });
      if (status === "refunded") this.#giveBack(refund);
      return this.#foundRefund(refund.refundKey);
    })();
  }

  /** Decides a refund that was lost or pending. What does not fit any more is refused. */
  decideRefund(refundKey: string, wanted: "refunded" | "refused"): BankRefund {
    const db = this.#open();
    return db.transaction(() => {
      const refund = this.#foundRefund(refundKey);
      if (refund.status !== "lost" && refund.status !== "pending") return refund;
      const status = this.#fits(refund) ? wanted : "refused";
      prepared(db, "UPDATE refunds SET status = ? WHERE refund_key = ?").run(status, refundKey);
      if (status === "refunded") this.#giveBack(refund);
      return this.#foundRefund(refundKey);
    })();
  }

  /** Whether something of the charge was given back or may yet be. */
  hasRefunds(gatewayKey: string): boolean {
    const select = "SELECT 1 FROM refunds WHERE gateway_key = ? AND status IN ('refunded', 'pending')";
    return prepared(this.#open(), select).get(gatewayKey) !== undefined;
  }

  refunds(): BankRefund[] {
    return prepared(this.#open(), `SELECT ${REFUND_COLUMNS} FROM refunds ORDER BY rowid`)
      .all()
      .map((row) => REFUND_ROW.parse(row));
  }

  /** Together with all other refunds that are given back or pending, no more than was charged. */
  #fits({ gatewayKey, refundKey, minor }: Pick<BankRefund, "gatewayKey" | "refundKey" | "minor">): boolean {
    const charge = this.find(gatewayKey);
    if (charge?.status !== "charged" || minor <= 0n) return false;
    const others = prepared(
      this.#open(),
      `SELECT COALESCE(SUM(minor), 0) AS minor FROM refunds
         WHERE gateway_key = ? AND refund_key <> ? AND status IN ('refunded', 'pending')`,
    ).get(gatewayKey, refundKey);
    return z.object({ minor: z.bigint() }).parse(others).minor + minor <= charge.minor;
  }

  #giveBack({ gatewayKey, minor }: Pick<BankRefund, "gatewayKey" | "minor">): void {
    const update = "UPDATE charges SET refunded_minor = refunded_minor + ? WHERE gateway_key = ?";
    prepared(this.#open(), update).run(minor, gatewayKey);
  }

  charges(): BankCharge[] {
    return prepared(this.#open(), `SELECT ${COLUMNS} FROM charges ORDER BY number`)
      .all()
      .map((row) => CHARGE_ROW.parse(row));
  }

  plan(plan: Plan): void {
    const insert = "INSERT INTO plans (plan, remaining) VALUES (?, ?)";
    prepared(this.#open(), insert).run(JSON.stringify(plan), plan.count);
  }

  clearPlans(): void {
    this.#open().exec("DELETE FROM plans");
  }

  plans(): { plan: Plan; remaining: number }[] {
    const row = z.object({ plan: z.string(), remaining: z.bigint() });
    return prepared(this.#open(), "SELECT plan, remaining FROM plans ORDER BY number")
      .all()
      .map((found) => row.parse(found))
      .map(({ plan, remaining }) => ({ plan: PLAN.parse(JSON.parse(plan)), remaining: Number(remaining) }));
  }

  /** Takes one charge or refund off the oldest plan for its kind. */
  takePlan(operation: PlannedOperation): Plan | undefined {
    const db = this.#open();
    const row = z.object({ number: z.bigint(), plan: z.string() });
    return db.transaction(() => {
      const plans = prepared(db, "SELECT number, plan FROM plans ORDER BY number")
        .all()
        .map((found) => row.parse(found))
        .map(({ number, plan }) => ({ number, plan: PLAN.parse(JSON.parse(plan)) }));
      const next = plans.find(({ plan }) => plan.operation === operation);
      if (next === undefined) return undefined;
      prepared(db, "UPDATE plans SET remaining = remaining - 1 WHERE number = ?").run(next.number);
      prepared(db, "DELETE FROM plans WHERE remaining <= 0").run();
      return next.plan;
    })();
  }

  #found(gatewayKey: string): BankCharge {
    const charge = this.find(gatewayKey);
    if (charge === undefined) throw new Error(`the sandbox lost ${gatewayKey}`);
    return charge;
  }

  #foundRefund(refundKey: string): BankRefund {
    const refund = this.findRefund(refundKey);
    if (refund === undefined) throw new Error(`the sandbox lost ${refundKey}`);
    return refund;
  }

  #open(): Database.Database {
    if (this.#db === undefined) throw new Error("the sandbox is not open");
    return this.#db;
  }
}
