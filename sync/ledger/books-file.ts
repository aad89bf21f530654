/**
 * Opening the ledger's SQLite file: the lock, what must survive the power, the tables brought up to date, the salt.
 */
import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Row } from "./row.ts";

const CARD_SALT = "card-salt";

type Db = Database.Database;

/** Sets and asserts what must survive the power, then brings the tables up to date. Faults "journal.*". */
export function openBooks(path: string): Db {
  const db = new Database(path);
  try {
    db.defaultSafeIntegers(true);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    // A card token that is removed is overwritten, not only forgotten.
    db.pragma("secure_delete = ON");
    const synchronous = db.pragma("synchronous", { simple: true });
    if (Number(synchronous) !== 2)
      throw new Fault("journal.unwritable", `synchronous is ${String(synchronous)}, not FULL`);
    const mode = db.pragma("journal_mode", { simple: true });
    if (path !== ":memory:" && mode !== "wal")
      throw new Fault("journal.unwritable", `journal mode is ${String(mode)}`);
    // A table that is written anew is not there for a moment; what refers to it is checked before each commit instead.
    db.pragma("foreign_keys = OFF");
    migrate(db, path);
    db.pragma("foreign_keys = ON");
    return db;
  } catch (fault) {
    db.close();
    throw fault;
  }
}

/** The lock dies with the process, however it ends, because the operating system holds it. Fault "journal.locked". */
export function takeLock(path: string): Db {
  const lock = new Database(path, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock.close();
    if (!isOf(cause, ["SQLITE_BUSY"])) throw cause;
    throw new Fault(
      "journal.locked",
      `${path} is held by another ledger; stop it or use another data folder`,
      { cause },
    );
  }
}

/** SQLite's result codes (sqlite.org/rescode.html) for a file that is not what was written. */
const DAMAGED = ["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ"];
const UNWRITABLE = ["SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"];

/** What is wrong with the file or its folder becomes a Fault with the way out; what is wrong with us does not. */
export function openingBooks<Result>(path: string, open: () => Result): Result {
  try {
    return open();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (isOf(cause, DAMAGED))
      throw new Fault("journal.damaged", `${path}: ${why}; keep the file and restore a backup`, { cause });
    // The binding's own word for a folder that is not there.
    if (isOf(cause, UNWRITABLE) || cause instanceof TypeError) {
      const then = "look at its folder's owner, rights and room, and whether another program has it open";
      throw new Fault("journal.unwritable", `${path}: ${why}; ${then}`, { cause });
    }
    throw cause;
  }
}

function isOf(cause: unknown, codes: readonly string[]): boolean {
  return cause instanceof Database.SqliteError && codes.some((code) => cause.code.startsWith(code));
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
      const broken = db.pragma("foreign_key_check");
      if (!Array.isArray(broken) || broken.length > 0)
        throw new Fault("journal.damaged", `${path} refers to rows that are not there; restore a backup`);
      db.pragma(`user_version = ${next + 1}`);
    }).immediate();
  }
}

/** Card tokens are stored as a keyed hash: the books can tell cards apart and nobody can list them. */
export function cardSalt(db: Db): Buffer {
  db.prepare("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING").run(
    CARD_SALT,
    randomBytes(32),
  );
  const row = db.prepare<unknown[], Row>("SELECT value FROM meta WHERE name = ?").get(CARD_SALT);
  const value = row?.["value"];
  if (!Buffer.isBuffer(value)) throw new Fault("journal.damaged", "the ledger's card salt is missing");
  return value;
}
