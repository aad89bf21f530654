/**
 * Opens the journal's SQLite file the only way that protects money: WAL with synchronous=FULL, read back and asserted
 * (the binding's default is NORMAL, which can roll back committed sales when the power goes), foreign keys on, and the
 * schema brought up to date by migrations that are data. What is deleted is overwritten with zeros (secure_delete), so
 * that neither a reader of the raw file nor the salvage of a damaged one finds what was forgotten.
 */
import { closeSync, openSync, realpathSync } from "node:fs";
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { damaged } from "./chain.ts";
import { PAGE_BYTES } from "./raw-records.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { counterHash } from "./sealed-rows.ts";
import { translated, unwritable } from "./sqlite-fault.ts";

/** A support tool that holds the file for longer than this makes the write fail. The event loop waits meanwhile. */
export const BUSY_TIMEOUT_MS = 2_000;

/** The journal names cards by their tokens: for the daemon's user only. */
export const FILE_MODE = 0o600;

/**
 * The log is moved into the file by tidy(), when nobody is at the counter. SQLite does it by itself, in the middle of a
 * commit, only for a log that has grown to 32 MiB because nobody ever called.
 */
const LOG_PAGES = 8_192;

/** The settings that must be in force, as SQLite reports them (sqlite.org/pragma.html). */
const REQUIRED: readonly (readonly [pragma: string, value: unknown])[] = [
  ["journal_mode", "wal"],
  ["synchronous", 2],
  ["foreign_keys", 1],
  ["secure_delete", 1],
  ["page_size", PAGE_BYTES],
  ["busy_timeout", BUSY_TIMEOUT_MS],
];

/**
 * The real path of a journal file, which is created empty when it is absent. Its folder is not created: a data
 * partition that was not mounted must not look like a new shop. Throws Fault "journal.unwritable".
 */
export function realPathOf(path: string): string {
  try {
    closeSync(openSync(path, "a", FILE_MODE));
    return realpathSync(path);
  } catch (error) {
    throw unwritable(path, String(error), error);
  }
}

/** Throws Fault "journal.damaged", "journal.newer" or "journal.unwritable". */
export function openFile(path: string, migrations: readonly string[] = MIGRATIONS): Database.Database {
  return translated(path, () => {
    const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.pragma("synchronous = FULL");
      database.pragma("journal_mode = WAL");
      database.pragma("foreign_keys = ON");
      database.pragma("secure_delete = ON");
      database.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
      for (const [pragma, value] of REQUIRED) {
        const found = database.pragma(pragma, { simple: true });
        if (found !== value)
          throw unwritable(path, `${pragma} is ${String(found)}, not ${String(value)}`, undefined);
      }
      migrate(database, path, migrations);
      return database;
    } catch (error) {
      closeUnsettled(database);
      throw error;
    }
  });
}

/**
 * Closes without a trace: SQLite's last connection would write the -wal into the file and remove it, also when the file
 * is damaged or the disk is full. A connection that may only read outlives it and leaves everything as it is.
 */
export function closeUnsettled(database: Database.Database): void {
  const reader = readerOf(database.name);
  database.close();
  reader?.close();
}

function readerOf(path: string): Database.Database | undefined {
  let reader: Database.Database | undefined;
  try {
    reader = new Database(path, { readonly: true });
    // Only a connection that has read holds the -wal.
    reader.pragma("user_version");
    return reader;
  } catch {
    // SQLite can make nothing of the file, so it has no -wal of it to remove either.
    reader?.close();
    return undefined;
  }
}

function migrate(database: Database.Database, path: string, migrations: readonly string[]): void {
  const version = Number(database.pragma("user_version", { simple: true }));
  const owner = database.pragma("application_id", { simple: true });
  const isNew = version === 0 && database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (!isNew && owner !== APPLICATION_ID)
    throw damaged(path, "this is an SQLite file, but not a Saypay journal");
  if (version > migrations.length) {
    throw new Fault(
      "journal.newer",
      `${path} has version ${version}, this program knows ${migrations.length}. Install the newer program again; nothing was changed`,
      { retry: "unsafe" },
    );
  }
  const missing = firstMissing(database, schemaOf(migrations.slice(0, version)));
  if (missing !== undefined) throw damaged(path, `its ${missing} is not as this program made it`);
  runMigrations(database, migrations, version);
}

function runMigrations(database: Database.Database, migrations: readonly string[], version: number): void {
  database.function("counter_hash", { deterministic: true }, (token, counter) =>
    counterHash(String(token), Number(counter)),
  );
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database
      .transaction(() => {
        database.exec(sql);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${index + 1}`);
      })
      .exclusive();
  }
}

/** "table outbox" and its text, of everything that these migrations make. */
type SchemaText = ReadonlyMap<string, string | null>;

const SCHEMA_SQL = "SELECT type || ' ' || name AS what, sql FROM sqlite_schema";

/** The schema is compared as a whole: a flipped bit in it could loosen a rule or hide a table. */
function schemaOf(migrations: readonly string[]): SchemaText {
  const database = new Database(":memory:");
  try {
    runMigrations(database, migrations, 0);
    return readSchema(database);
  } finally {
    database.close();
  }
}

function readSchema(database: Database.Database): SchemaText {
  const rows = database.prepare<[], { what: string; sql: string | null }>(SCHEMA_SQL).all();
  return new Map(rows.map(({ what, sql }) => [what, sql]));
}

/** Support may add an index; what this program made must be there. */
function firstMissing(database: Database.Database, expected: SchemaText): string | undefined {
  const found = readSchema(database);
  return [...expected].find(([what, sql]) => found.get(what) !== sql)?.[0];
}
