/**
 * The ledger's storage on SQLite: WAL, synchronous FULL (set and asserted, because the binding's default for WAL may
 * lose the newest commits with the power), foreign keys on, one writing connection, an exclusive lock against a
 * second ledger on the same folder.
 *
 * Assumes that one process owns the file. Other processes may read it while the ledger runs.
 */
import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import { raiseAlarm, readAlarms } from "./alarms-sqlite.ts";
import { type AuditVerdict, appendAudit, verifyAudit } from "./audit-sqlite.ts";
import { book } from "./books-sqlite.ts";
import type { Charge } from "./charge.ts";
import { judgeTap, moveOf, refusalOf, UNRESOLVED } from "./charge.ts";
import { cardFingerprint, gatewayKeyOf } from "./fingerprint.ts";
import { MIGRATIONS } from "./migrations.ts";
import { RESOLVE_HORIZON_MS } from "./patience.ts";
import type { Row } from "./row.ts";
import { chargeOf } from "./row.ts";
import { readStatement } from "./statement-sqlite.ts";
import {
  type Alarm,
  type DeadLetter,
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  type NewCharge,
  type Opened,
  type Operation,
  type PromptLedgerStorage,
  type Raise,
  type Settlement,
  type Statement,
  type StatementFilter,
} from "./storage.ts";

const CARD_SALT = "card-salt";

type Db = Database.Database;

export class SqliteLedgerStorage implements PromptLedgerStorage {
  readonly #path: string;
  #db: Db | undefined;
  #lock: Db | undefined;
  #salt: Buffer = Buffer.alloc(0);

  /** `path`: the database file, or ":memory:". */
  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    if (this.#path !== ":memory:") this.#lock = takeLock(`${this.#path}.lock`);
    const db = new Database(this.#path);
    this.#db = db;
    db.defaultSafeIntegers(true);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
    // A card token that is removed is overwritten, not only forgotten.
    db.pragma("secure_delete = ON");
    const synchronous = db.pragma("synchronous", { simple: true });
    if (Number(synchronous) !== 2)
      throw new Fault("journal.unwritable", `synchronous is ${String(synchronous)}, not FULL`);
    const mode = db.pragma("journal_mode", { simple: true });
    if (this.#path !== ":memory:" && mode !== "wal")
      throw new Fault("journal.unwritable", `journal mode is ${String(mode)}`);
    migrate(db, this.#path);
    this.#salt = cardSalt(db);
  }

  close(): void {
    this.#db?.close();
    this.#lock?.close();
    this.#db = undefined;
    this.#lock = undefined;
  }

  openCharge(fresh: NewCharge, nowMs: number): Opened {
    return this.#write((db) => {
      const known = this.#find(fresh.terminal, fresh.key);
      if (known !== undefined) {
        return { kind: known.bodyHash === fresh.bodyHash ? "known" : "conflict", charge: known };
      }
      const card = cardFingerprint(this.#salt, fresh.card.token);
      const entombed = this.#entombed(fresh.terminal, fresh.key);
      const verdict = entombed ? "fresh" : this.#judge(card, fresh);
      const refusal = entombed ? null : refusalOf(verdict, fresh.denied);
      const state = entombed ? "reversed" : refusal === null ? "attempting" : "declined";
      const charge = this.#insertCharge(db, fresh, card, state, refusal, nowMs);
      appendAudit(db, nowMs, {
        event: "received",
        terminal: fresh.terminal,
        key: fresh.key,
        state,
        ...amountOf(fresh),
      });
      if (verdict !== "fresh") {
        const kind = verdict === "late" ? "card-counter-late" : "card-replayed";
        raiseAlarm(
          db,
          { kind, subject: `${fresh.terminal} ${fresh.key}`, detail: `counter ${fresh.card.counter}` },
          nowMs,
        );
      }
      if (refusal === "card-blocked") {
        const subject = `${fresh.terminal} ${fresh.key}`;
        raiseAlarm(db, { kind: "card-denied", subject, detail: fresh.card.masked }, nowMs);
      }
      if (state !== "attempting") return { kind: "decided", charge };
      db.prepare("INSERT INTO card_taps (card, counter, terminal, key) VALUES (?, ?, ?, ?)").run(
        card,
        fresh.card.counter,
        fresh.terminal,
        fresh.key,
      );
      book(db, charge, ["hold"], nowMs);
      return { kind: "opened", charge, attempt: this.#attempt(charge, "authorise", nowMs) };
    });
  }

  find(terminal: string, key: string): Charge | undefined {
    return this.#find(terminal, key);
  }

  entomb(terminal: string, key: string, saleId: string, nowMs: number): boolean {
    return this.#write((db) => {
      if (this.#find(terminal, key) !== undefined) return false;
      const put =
        "INSERT INTO tombstones (terminal, key, sale_id, received_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
      const { changes } = db.prepare(put).run(terminal, key, saleId, nowMs);
      if (changes > 0) appendAudit(db, nowMs, { event: "entombed", terminal, key });
      return true;
    });
  }

  isEntombed(terminal: string, key: string): boolean {
    return this.#entombed(terminal, key);
  }

  beginAttempt(charge: Charge, operation: Operation, nowMs: number): number {
    return this.#write(() => this.#attempt(charge, operation, nowMs));
  }

  lastAuthoriseMs(charge: Charge): number | null {
    const select =
      "SELECT MAX(started_ms) AS ms FROM attempts WHERE charge_id = ? AND operation = 'authorise'";
    const row = this.#open().prepare<unknown[], Row>(select).get(charge.id);
    const ms = row?.["ms"];
    return ms === null || ms === undefined ? null : Number(ms);
  }

  settle(charge: Charge, settlement: Settlement): Charge {
    return this.#write((db) => {
      const { learnt, nowMs } = settlement;
      const move = moveOf(charge, learnt);
      const unresolved = UNRESOLVED.includes(move.state);
      const update = db.prepare(`
        UPDATE charges SET state = @state, authorisation = COALESCE(@authorisation, authorisation),
          decline_reason = COALESCE(@reason, decline_reason), card_token = iif(@unresolved, card_token, NULL),
          resolve_count = resolve_count + @asked, next_resolve_ms = @nextMs,
          settled_ms = iif(@unresolved, NULL, @nowMs)
        WHERE id = @id AND state = @from`);
      const { changes } = update.run({
        state: move.state,
        authorisation: learnt.kind === "approved" ? learnt.authorisation : null,
        reason: learnt.kind === "declined" ? learnt.reason : null,
        unresolved: unresolved ? 1 : 0,
        asked: settlement.attempt === null ? 0 : 1,
        nextMs: settlement.nextResolveMs,
        nowMs,
        id: charge.id,
        from: charge.state,
      });
      if (changes !== 1) throw new Error(`charge ${charge.id} is not ${charge.state} any more`);
      book(db, charge, move.steps, nowMs);
      if (settlement.attempt !== null) {
        db.prepare("UPDATE attempts SET finished_ms = ?, result = ? WHERE id = ?").run(
          nowMs,
          settlement.attempt.result,
          settlement.attempt.id,
        );
      }
      for (const alarm of settlement.alarms) raiseAlarm(db, alarm, nowMs);
      if (move.state !== charge.state) {
        appendAudit(db, nowMs, {
          event: move.state,
          terminal: charge.terminal,
          key: charge.key,
          ...amountOf(charge),
        });
      }
      const settled = this.#find(charge.terminal, charge.key);
      if (settled === undefined) throw new Error(`charge ${charge.id} is gone`);
      return settled;
    });
  }

  due(nowMs: number, limit: number): readonly Charge[] {
    const select = `SELECT * FROM charges WHERE state IN ('attempting', 'pending', 'reversing')
      AND (next_resolve_ms <= @nowMs OR next_resolve_ms > @horizonMs) ORDER BY next_resolve_ms LIMIT @limit`;
    const horizonMs = nowMs + RESOLVE_HORIZON_MS;
    return this.#open().prepare<unknown[], Row>(select).all({ nowMs, horizonMs, limit }).map(chargeOf);
  }

  makeAllDue(nowMs: number): number {
    return this.#write((db) => {
      const update = `UPDATE charges SET next_resolve_ms = ? WHERE state IN ('attempting', 'pending', 'reversing')`;
      return db.prepare(update).run(nowMs).changes;
    });
  }

  raise(alarm: Raise, nowMs: number): void {
    this.#write((db) => raiseAlarm(db, alarm, nowMs));
  }

  bury(letter: DeadLetter, nowMs: number): void {
    this.#write((db) => {
      const count = db.prepare<unknown[], Row>("SELECT COUNT(*) AS n FROM dead_letters").get();
      if (Number(count?.["n"]) < MAX_DEAD_LETTERS) {
        const kept = Buffer.from(letter.payload.subarray(0, MAX_DEAD_LETTER_BYTES));
        db.prepare(
          "INSERT INTO dead_letters (topic, payload, bytes, reason, received_ms) VALUES (?, ?, ?, ?, ?)",
        ).run(letter.topic, kept, letter.payload.byteLength, letter.reason, nowMs);
      }
      raiseAlarm(db, { kind: "dead-letter", subject: letter.topic, detail: letter.reason }, nowMs);
    });
  }

  alarms(limit: number): readonly Alarm[] {
    return readAlarms(this.#open(), limit);
  }

  /** Reads the whole audit log; not part of the interface, because it is for people. */
  verify(): AuditVerdict {
    return verifyAudit(this.#open());
  }

  statement(filter: StatementFilter): Statement {
    return readStatement(this.#open(), filter);
  }

  #open(): Db {
    if (this.#db === undefined) throw new Error("the ledger's storage is not open");
    return this.#db;
  }

  /** Runs the work in one immediate transaction; an exception leaves nothing behind. */
  #write<Result>(work: (db: Db) => Result): Result {
    const db = this.#open();
    return db.transaction(() => work(db)).immediate();
  }

  #find(terminal: string, key: string): Charge | undefined {
    const select = "SELECT * FROM charges WHERE terminal = ? AND key = ?";
    const row = this.#open().prepare<unknown[], Row>(select).get(terminal, key);
    return row === undefined ? undefined : chargeOf(row);
  }

  #entombed(terminal: string, key: string): boolean {
    return (
      this.#open().prepare("SELECT 1 FROM tombstones WHERE terminal = ? AND key = ?").get(terminal, key) !==
      undefined
    );
  }

  #judge(card: string, fresh: NewCharge): "fresh" | "late" | "replayed" {
    const db = this.#open();
    const row = db
      .prepare<unknown[], Row>("SELECT MAX(counter) AS last FROM card_taps WHERE card = ?")
      .get(card);
    const last = row?.["last"];
    const used = db
      .prepare("SELECT 1 FROM card_taps WHERE card = ? AND counter = ?")
      .get(card, fresh.card.counter);
    return judgeTap({
      counter: fresh.card.counter,
      mode: fresh.mode,
      last: last === null || last === undefined ? null : Number(last),
      used: used !== undefined,
    });
  }

  #insertCharge(
    db: Db,
    fresh: NewCharge,
    card: string,
    state: Charge["state"],
    refusal: DeclineReason | null,
    nowMs: number,
  ): Charge {
    db.prepare(
      `INSERT INTO terminals (id, merchant, first_seen_ms, last_seen_ms) VALUES (@id, @merchant, @nowMs, @nowMs)
       ON CONFLICT (id) DO UPDATE SET merchant = excluded.merchant, last_seen_ms = excluded.last_seen_ms`,
    ).run({ id: fresh.terminal, merchant: fresh.merchant, nowMs });
    const { lastInsertRowid } = db
      .prepare(
        `INSERT INTO charges (terminal, key, body_hash, sale_id, sequence, merchant, amount_minor, vat_minor, currency,
           mode, card, card_masked, card_token, lines, state, gateway, gateway_key, decline_reason, next_resolve_ms,
           time_ms, received_ms, settled_ms)
         VALUES (@terminal, @key, @bodyHash, @saleId, @sequence, @merchant, @amount, @vat, @currency,
           @mode, @card, @masked, @token, @lines, @state, @gateway, @gatewayKey, @reason, @nextMs,
           @timeMs, @nowMs, @settledMs)`,
      )
      .run({
        terminal: fresh.terminal,
        key: fresh.key,
        bodyHash: fresh.bodyHash,
        saleId: fresh.saleId,
        sequence: fresh.sequence,
        merchant: fresh.merchant,
        amount: fresh.amount.minor,
        vat: fresh.vat.minor,
        currency: fresh.amount.currency,
        mode: fresh.mode,
        card,
        masked: fresh.card.masked,
        token: state === "attempting" ? fresh.card.token : null,
        lines: linesText(fresh),
        state,
        gateway: fresh.gateway,
        gatewayKey: gatewayKeyOf(this.#salt, fresh.terminal, fresh.key),
        reason: refusal,
        nowMs,
        nextMs: fresh.nextResolveMs,
        timeMs: fresh.timeMs,
        settledMs: state === "attempting" ? null : nowMs,
      });
    const row = db.prepare<unknown[], Row>("SELECT * FROM charges WHERE id = ?").get(lastInsertRowid);
    if (row === undefined) throw new Error("a charge that was just stored is gone");
    return chargeOf(row);
  }

  #attempt(charge: Charge, operation: Operation, nowMs: number): number {
    const insert = "INSERT INTO attempts (charge_id, operation, gateway_key, started_ms) VALUES (?, ?, ?, ?)";
    return Number(
      this.#open().prepare(insert).run(charge.id, operation, charge.gatewayKey, nowMs).lastInsertRowid,
    );
  }
}

/** The lock dies with the process, however it ends, because the operating system holds it. */
function takeLock(path: string): Db {
  const lock = new Database(path, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock.close();
    throw new Fault(
      "journal.locked",
      `${path} is held by another ledger; stop it or use another data folder`,
      { cause },
    );
  }
}

function migrate(db: Db, path: string): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > MIGRATIONS.length) {
    throw new Fault(
      "journal.damaged",
      `${path} is of version ${version}, this program knows up to ${MIGRATIONS.length}`,
    );
  }
  for (let next = version; next < MIGRATIONS.length; next += 1) {
    const sql = MIGRATIONS[next];
    if (sql === undefined) break;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${next + 1}`);
    }).immediate();
  }
}

/** Card tokens are stored as a keyed hash: the books can tell cards apart and nobody can list them. */
function cardSalt(db: Db): Buffer {
  db.prepare("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING").run(
    CARD_SALT,
    randomBytes(32),
  );
  const row = db.prepare<unknown[], Row>("SELECT value FROM meta WHERE name = ?").get(CARD_SALT);
  const value = row?.["value"];
  if (!Buffer.isBuffer(value)) throw new Fault("journal.damaged", "the ledger's card salt is missing");
  return value;
}

function amountOf(of: Pick<NewCharge, "amount">): { amountMinor: string; currency: string } {
  return { amountMinor: of.amount.minor.toString(), currency: of.amount.currency };
}

function linesText(fresh: NewCharge): string {
  return JSON.stringify(fresh.lines, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
