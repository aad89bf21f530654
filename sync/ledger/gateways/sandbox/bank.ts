/**
 * The sandbox's memory, standing for the bank: a database file of its own, so that it remembers what it charged
 * whatever happens to the ledger, and tests can count real charges independently of the ledger's books.
 *
 * Every function is one durable transaction (WAL, synchronous FULL).
 */
import Database from "better-sqlite3";
import { z } from "zod";
import { BEHAVIOURS } from "./behaviour.ts";

export const BANK_STATUSES = ["charged", "declined", "pending", "lost", "blocked", "reversed"] as const;
export type BankStatus = (typeof BANK_STATUSES)[number];

/** What was told for the next charges. */
export const PLAN = z.strictObject({
  behaviour: z.enum(BEHAVIOURS).optional(),
  /** Charges that it applies to. */
  count: z.int().min(1).max(100_000).default(1),
  /** Wait before the charge takes effect. */
  transitMs: z.int().min(0).max(600_000).optional(),
  /** Wait between the charge and the answer. */
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
  CREATE TABLE IF NOT EXISTS refunds (refund_key TEXT PRIMARY KEY, gateway_key TEXT NOT NULL, minor INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS plans (number INTEGER PRIMARY KEY, plan TEXT NOT NULL, remaining INTEGER NOT NULL) STRICT;
`;

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
    this.#db = db;
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  find(gatewayKey: string): BankCharge | undefined {
    const row = this.#open().prepare(`SELECT ${COLUMNS} FROM charges WHERE gateway_key = ?`).get(gatewayKey);
    return row === undefined ? undefined : CHARGE_ROW.parse(row);
  }

  /** Stores a charge once; a second one under the key throws. */
  record(charge: NewBankCharge): BankCharge {
    const db = this.#open();
    const insert = db.prepare(
      `INSERT INTO charges (gateway_key, order_id, merchant, minor, currency, mode, status, behaviour, authorisation,
         calls, decide_ms, created_ms)
       VALUES (@gatewayKey, @orderId, @merchant, @minor, @currency, @mode, @status, @behaviour, '', 1, @decideMs, @createdMs)`,
    );
    return db.transaction(() => {
      const number = insert.run(charge).lastInsertRowid;
      const authorisation = `S${number.toString().padStart(7, "0")}`;
      db.prepare("UPDATE charges SET authorisation = ? WHERE number = ?").run(authorisation, number);
      return this.#found(charge.gatewayKey);
    })();
  }

  move(gatewayKey: string, status: BankStatus): BankCharge {
    this.#open().prepare("UPDATE charges SET status = ? WHERE gateway_key = ?").run(status, gatewayKey);
    return this.#found(gatewayKey);
  }

  countCall(gatewayKey: string): void {
    this.#open().prepare("UPDATE charges SET calls = calls + 1 WHERE gateway_key = ?").run(gatewayKey);
  }

  /** Refunds once per refund key, never more than was charged. Returns whether the money is given back. */
  refund(refundKey: string, gatewayKey: string, minor: bigint): boolean {
    const db = this.#open();
    return db.transaction(() => {
      if (db.prepare("SELECT 1 FROM refunds WHERE refund_key = ?").get(refundKey) !== undefined) return true;
      const charge = this.find(gatewayKey);
      if (charge?.status !== "charged" || minor <= 0n || charge.refundedMinor + minor > charge.minor)
        return false;
      db.prepare("INSERT INTO refunds (refund_key, gateway_key, minor) VALUES (?, ?, ?)").run(
        refundKey,
        gatewayKey,
        minor,
      );
      db.prepare("UPDATE charges SET refunded_minor = refunded_minor + ? WHERE gateway_key = ?").run(
        minor,
        gatewayKey,
      );
      return true;
    })();
  }

  charges(): BankCharge[] {
    return this.#open()
      .prepare(`SELECT ${COLUMNS} FROM charges ORDER BY number`)
      .all()
      .map((row) => CHARGE_ROW.parse(row));
  }

  plan(plan: Plan): void {
    const insert = "INSERT INTO plans (plan, remaining) VALUES (?, ?)";
    this.#open().prepare(insert).run(JSON.stringify(plan), plan.count);
  }

  clearPlans(): void {
    this.#open().exec("DELETE FROM plans");
  }

  plans(): { plan: Plan; remaining: number }[] {
    const row = z.object({ plan: z.string(), remaining: z.bigint() });
    return this.#open()
      .prepare("SELECT plan, remaining FROM plans ORDER BY number")
      .all()
      .map((found) => row.parse(found))
      .map(({ plan, remaining }) => ({ plan: PLAN.parse(JSON.parse(plan)), remaining: Number(remaining) }));
  }

  /** Takes one charge off the oldest plan. */
  takePlan(): Plan | undefined {
    const db = this.#open();
    const row = z.object({ number: z.bigint(), plan: z.string() });
    return db.transaction(() => {
      const found = db.prepare("SELECT number, plan FROM plans ORDER BY number LIMIT 1").get();
      if (found === undefined) return undefined;
      const { number, plan } = row.parse(found);
      db.prepare("UPDATE plans SET remaining = remaining - 1 WHERE number = ?").run(number);
      db.prepare("DELETE FROM plans WHERE remaining <= 0").run();
      return PLAN.parse(JSON.parse(plan));
    })();
  }

  #found(gatewayKey: string): BankCharge {
    const charge = this.find(gatewayKey);
    if (charge === undefined) throw new Error(`the sandbox lost ${gatewayKey}`);
    return charge;
  }

  #open(): Database.Database {
    if (this.#db === undefined) throw new Error("the sandbox is not open");
    return this.#db;
  }
}
