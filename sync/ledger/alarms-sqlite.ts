/** The alarms on SQLite: one row a kind and subject, bounded for each kind. */
import type Database from "better-sqlite3";
import { prepared } from "./prepared.ts";
import type { Row } from "./row.ts";
import { count, text } from "./row.ts";
import type { Alarm, AlarmKind, Raise } from "./storage.ts";
import { MAX_ALARMS_PER_KIND, OVERFLOW_SUBJECT } from "./storage.ts";

type Db = Database.Database;

const ALARM_KINDS = {
  "key-conflict": true,
  "unknown-terminal": true,
  "invalid-request": true,
  "card-replayed": true,
  "card-counter-late": true,
  "card-denied": true,
  "gateway-mismatch": true,
  "gateway-refused-reversal": true,
  "offline-declined": true,
  "pending-too-long": true,
  "dead-letter": true,
  "queue-full": true,
  "journal-copied": true,
  "journal-restored": true,
  "journal-replaced": true,
} as const satisfies Record<AlarmKind, true>;

/** Counts the alarm up, or adds it, inside the caller's transaction. */
export function raiseAlarm(db: Db, alarm: Raise, nowMs: number): void {
  const known = prepared(db, "SELECT 1 FROM alarms WHERE kind = ? AND subject = ?").get(
    alarm.kind,
    alarm.subject,
  );
  const rows = prepared(db, "SELECT COUNT(*) AS n FROM alarms WHERE kind = ?").get(alarm.kind);
  const full = known === undefined && Number(rows?.["n"]) >= MAX_ALARMS_PER_KIND;
  prepared(
    db,
    `INSERT INTO alarms (kind, subject, detail, count, first_ms, last_ms) VALUES (@kind, @subject, @detail, 1, @nowMs, @nowMs)
     ON CONFLICT (kind, subject) DO UPDATE SET count = count + 1, detail = excluded.detail, last_ms = excluded.last_ms`,
  ).run({
    kind: alarm.kind,
    subject: full ? OVERFLOW_SUBJECT : alarm.subject,
    detail: alarm.detail,
    nowMs,
  });
}

/** Newest first. */
export function readAlarms(db: Db, limit: number): Alarm[] {
  return prepared(db, "SELECT * FROM alarms ORDER BY last_ms DESC, kind, subject LIMIT ?")
    .all(limit)
    .map((row) => ({
      kind: alarmKindOf(row),
      subject: text(row, "subject"),
      detail: text(row, "detail"),
      count: count(row, "count"),
      firstMs: count(row, "first_ms"),
      lastMs: count(row, "last_ms"),
    }));
}

function alarmKindOf(row: Row): AlarmKind {
  const value = text(row, "kind");
  if (!isAlarmKind(value)) throw new Error(`alarm kind ${value} is not known`);
  return value;
}

function isAlarmKind(value: string): value is AlarmKind {
  return Object.hasOwn(ALARM_KINDS, value);
}
