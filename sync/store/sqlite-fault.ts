/** SQLite's result codes (sqlite.org/rescode.html) as Faults of the journal, each with the way out. */
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { damaged } from "./chain.ts";

/** A short read is a file that was cut off. */
const DAMAGED = [
  "SQLITE_CORRUPT",
  "SQLITE_NOTADB",
  "SQLITE_IOERR_SHORT_READ",
  "SQLITE_IOERR_CORRUPTFS",
  "SQLITE_IOERR_DATA",
];
const LOCKED = ["SQLITE_BUSY", "SQLITE_LOCKED"];
const UNWRITABLE = [
  "SQLITE_READONLY",
  "SQLITE_CANTOPEN",
  "SQLITE_FULL",
  "SQLITE_IOERR",
  "SQLITE_PERM",
  "SQLITE_NOLFS",
];

/**
 * Opens or reads the file at `path`. The SQL is the store's own and right, so whatever SQLite finds wrong with it lies in
 * the file; a programmer error passes through.
 */
export function translated<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const fault = faultOf(path, error);
    if (!(fault instanceof Database.SqliteError)) throw fault;
    throw damaged(path, `${fault.message} (${fault.code})`, fault);
  }
}

/** The same of a write, where a broken rule of a table is the caller's. */

export function faultOf(path: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code, message } = error;
  const isOf = (codes: readonly string[]): boolean => codes.some((prefix) => code.startsWith(prefix));
  if (isOf(DAMAGED)) return damaged(path, `${message} (${code})`, error);
  if (isOf(LOCKED)) return locked(path, error);
  if (isOf(UNWRITABLE)) return unwritable(path, `${message} (${code})`, error);
  return error;
}

export function locked(path: string, cause: unknown): Fault {
  return new Fault(
    "journal.locked",
    `${path}. Stop the other one (systemctl stop saypayd; fuser ${path}.lock names its process) or give this one a journal of its own`,
    { cause },
  );
}

/** A write that failed may be on disk or not: whoever wrote must open again and replay. */
export function unwritable(path: string, reason: string, cause: unknown): Fault {
  return new Fault(
    "journal.unwritable",
    `${path}: ${reason}. Check that its folder exists, belongs to the daemon's user, is not read-only and has room (df, ls -l)`,
    { retry: "unknown", cause },
  );
}
