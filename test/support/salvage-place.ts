/** A folder with a journal that is damaged and salvaged, for the tests of it. One for each test file. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { salvageJournal } from "../../sync/store/salvage.ts";
import type { SalvageReport, SalvageRules } from "../../sync/store/salvage-report.ts";
import type { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { contentsOf, type Event, newStore, RULES, type State, sell, TERMINAL } from "./journal-damage.ts";
import { quickFolder } from "./power-loss/recorder.ts";

export const NOW = Date.UTC(2026, 10, 20, 14, 20, 19);
export const SOLD = { sales: 30, waitingEvery: 3, eventsEach: 4 };

// What a test destructures; the return type would say the same again.
export function salvagePlace() {
  const folder = quickFolder("salvage");
  const path = join(folder, "journal.sqlite");
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });

  function faultFrom(run: () => unknown): Fault {
    try {
      run();
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
    throw new Error("no Fault was thrown");
  }

  /** A journal that was closed in order, with what it holds. */
  function written(sold = SOLD) {
    const store = newStore(path);
    store.open();
    sell(store, sold);
    const contents = contentsOf(store);
    const { journalId } = store.identity();
    store.close();
    return { contents, journalId, bytes: readFileSync(path) };
  }

  /** As a process leaves it that was killed: the last sales are in the -wal. */
  function leftOpen(sold = SOLD) {
    const store = newStore(path);
    store.open();
    sell(store, sold);
    const contents = contentsOf(store);
    const { journalId } = store.identity();
    const image = { file: readFileSync(path), wal: readFileSync(`${path}-wal`) };
    store.close();
    clear();
    return { contents, journalId, ...image };
  }

  function clear(): void {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  }

  function put(file: Buffer, wal?: Buffer): void {
    clear();
    writeFileSync(path, file);
    if (wal !== undefined) writeFileSync(`${path}-wal`, wal);
  }

  function edit(sql: string): void {
    const database = new Database(path);
    database.pragma("foreign_keys = OFF");
    database.exec(sql);
    database.close();
  }

  function salvage(reason = "test", rules: SalvageRules<Event, State> = RULES): SalvageReport {
    return salvageJournal({ path, terminal: TERMINAL }, reason, NOW, rules);
  }

  function reopened<Result>(look: (store: SqliteStore<Event, State>, state: State | null) => Result): Result {
    const store = newStore(path);
    const { state } = store.open();
    try {
      return look(store, state);
    } finally {
      store.close();
    }
  }

  return { folder, path, dispose, faultFrom, written, leftOpen, clear, put, edit, salvage, reopened };
}
