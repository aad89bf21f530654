/**
 * Opens the journal's SQLite file the only way that protects money: WAL with synchronous=FULL, read back and asserted
 * (the binding's default is NORMAL, which can roll back committed sales when the power goes), foreign keys on, and the
 * schema brought up to date by migrations that are data.
 */
import { closeSync, openSync, realpathSync } from "node:fs";
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { damaged } from "./chain.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { translated, unwritable } from "./sqlite-fault.ts";

/** A support tool that holds the file for longer than this makes the write fail. The event loop waits meanwhile. */
export const BUSY_TIMEOUT_MS = 2_000;

/** The journal names cards by their tokens: for the daemon's user only. */
const FILE_MODE = 0o600;

/** The settings that must be in force, as SQLite reports them (sqlite.org/pragma.html). */
const REQUIRED: readonly (readonly [pragma: string, value: unknown])[] = [
  ["journal_mode", "wal"],
  ["synchronous", 2],
  ["foreign_keys", 1],
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
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = FULL");
      database.pragma("foreign_keys = ON");
      for (const [pragma, value] of REQUIRED) {
        const found = database.pragma(pragma, { simple: true });
        if (found !== value)
          throw unwritable(path, `${pragma} is ${String(found)}, not ${String(value)}`, undefined);
      }
      migrate(database, path, migrations);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
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
