/**
 * Statements by their text, prepared once for each open database: preparing anew for every call took more of the
 * ledger's time than everything else together.
 *
 * Assumes that texts are constant or have few variants; a value never becomes part of a text.
 */
import type Database from "better-sqlite3";
import type { Row } from "./row.ts";

type Statement = Database.Statement<unknown[], Row>;

const STATEMENTS = new WeakMap<Database.Database, Map<string, Statement>>();

/** The statement of this text. It must not be used again while one of its own iterators is open. */
export function prepared(db: Database.Database, text: string): Statement {
  const known = STATEMENTS.get(db) ?? new Map<string, Statement>();
  const statement = known.get(text) ?? db.prepare<unknown[], Row>(text);
  STATEMENTS.set(db, known.set(text, statement));
  return statement;
}
