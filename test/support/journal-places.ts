/**
 * Places to keep a journal, for the contract suite of the store: ways to open it, to damage it and to lose its snapshot.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type MemoryContent, MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Store } from "../../sync/store/store.ts";

export type Event = {
  readonly kind: string;
  readonly atMs: number;
  readonly note?: string;
  readonly minor?: bigint;
};
export type State = { readonly count: number; readonly total: bigint; readonly note?: string };

export type Damage = "event changed" | "event missing" | "last event missing" | "state changed";

export type Place = {
  store(terminal?: string): Store<Event, State>;
  /** The process that has it open is gone. */
  crash(): void;
  damage(how: Damage): void;
  forgetState(): void;
  dispose(): void;
};

export function memoryPlace(): Place {
  const medium = new MemoryMedium();
  const edit = (change: (content: MemoryContent) => Partial<MemoryContent>): void => {
    const { content } = medium;
    if (content === null) throw new Error("nothing to damage");
    medium.content = Object.assign(content, change(content));
  };
  return {
    store: (terminal = "t1") => new MemoryStore({ terminal, medium }),
    crash: () => {
      medium.holder = null;
    },
    forgetState: () => edit(() => ({ state: null })),
    dispose: () => undefined,
    damage: (how) =>
      edit(({ records, state }) => {
        switch (how) {
          case "event changed":
            return {
              records: records.map((record) =>
                record.position === 2 ? { ...record, body: '{"kind":"x"}' } : record,
              ),
            };
          case "event missing":
            return { records: records.filter((record) => record.position !== 2) };
          case "last event missing":
            return { records: records.slice(0, -1) };
          case "state changed":
            return { state: state && { ...state, body: '{"count":9}' } };
        }
      }),
  };
}

export function sqlitePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "saypay-store-"));
  const at = { path: join(folder, "journal.db") };
  const edit = (sql: string): void => {
    const database = new Database(at.path);
    database.pragma("foreign_keys = OFF");
    // The checkpoint is what an unclean stop would have left: nothing verified yet.
    database.exec(`UPDATE verified SET position = 0; ${sql}`);
    database.close();
  };
  return {
    store: (terminal = "t1") => new SqliteStore({ path: at.path, terminal }),
    // What a killed process leaves is what lies in the folder; the living one keeps its own.
    crash: () => {
      const left = join(folder, `after-${at.path.length}`);
      mkdirSync(left);
      for (const end of ["", "-wal"]) copyFileSync(at.path + end, join(left, `journal.db${end}`));
      at.path = join(left, "journal.db");
    },
    forgetState: () => edit("DELETE FROM snapshot"),
    dispose: () => rmSync(folder, { recursive: true }),
    damage: (how) => {
      switch (how) {
        case "event changed":
          return edit(`UPDATE journal SET body = '{"kind":"x"}' WHERE position = 2`);
        case "event missing":
          return edit("DELETE FROM journal WHERE position = 2");
        case "last event missing":
          return edit("DELETE FROM journal WHERE position = (SELECT max(position) FROM journal)");
        case "state changed":
          return edit(`UPDATE snapshot SET body = '{"count":9}'`);
      }
    },
  };
}
