/**
 * A lock that one process holds on a journal and that the kernel releases when the process dies, however it dies: an
 * SQLite exclusive transaction, left open, on an empty file beside the journal. The journal itself stays readable to
 * support tools. The lock file is never removed, because removing it would let two processes lock two files of one name.
 *
 * Assumes a local file system; POSIX locks on network file systems are not to be trusted with money.
 */
import Database from "better-sqlite3";
import { faultOf, locked } from "./sqlite-fault.ts";

export class FileLock {
  readonly #path: string;
  #connection: Database.Database | undefined;

  /** `path` is the journal's real path. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Throws Fault "journal.locked" when another holder is alive, "journal.unwritable" when the lock file cannot be made. */
  take(): void {
    const lockPath = `${this.#path}.lock`;
    let connection: Database.Database | undefined;
    try {
      connection = new Database(lockPath, { timeout: 0 });
      connection.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      connection?.close();
      if (error instanceof Database.SqliteError && error.code === "SQLITE_BUSY")
        throw locked(this.#path, error);
      throw faultOf(lockPath, error);
    }
    this.#connection = connection;
  }

  release(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
