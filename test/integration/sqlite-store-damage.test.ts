/** Damaged journal files: everything is found, named and left as it is. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import { faultOf } from "../../sync/store/sqlite-fault.ts";
import { PAGE_ROWS, VERIFIED_EVERY } from "../../sync/store/sqlite-session.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Commit } from "../../sync/store/store.ts";
import { AUTHORISE } from "../support/messages.ts";

type Event = { readonly kind: string; readonly atMs: number };
type State = { readonly position: number };

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-damage-"));
  path = join(folder, "journal.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function newStore(): SqliteStore<Event, State> {
  return new SqliteStore({ path, terminal: "t1" });
}

function commit(...kinds: string[]): Commit<Event, State> {
  const events = kinds.map((kind) => ({ kind, atMs: 1 }));
  return { events, state: { position: kinds.length }, outbox: [], acknowledged: [], cardCounters: [] };
}

function faultFrom(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no Fault was thrown");
}

function edit(sql: string): void {
  const database = new Database(path);
  database.pragma("foreign_keys = OFF");
  database.exec(sql);
  database.close();
}

describe("damage", () => {
  function filled(events: number): void {
    const store = newStore();
    store.open();
    for (let left = events; left > 0; left -= PAGE_ROWS) {
      store.append({
        ...commit(...Array<string>(Math.min(left, PAGE_ROWS)).fill("tick")),
        outbox: [{ id: `r${left}`, request: AUTHORISE }],
      });
    }
    store.close();
  }

  test("of pages is found while reading", () => {
    filled(2_000);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 8_192, bytes.length);
    writeFileSync(path, bytes);
    const fault = faultFrom(() => {
      const store = newStore();
      try {
        store.open();
        store.verify();
      } finally {
        store.close();
      }
    });
    expect([fault.code, fault.retry]).toEqual(["journal.damaged", "unsafe"]);
    expect(fault.message).toMatch(/Nothing was deleted/);
  });

  test("of the file's length is found by verify", () => {
    filled(2_000);
    truncateSync(path, Math.floor(statSync(path).size / 8_192) * 4_096);
    expect(
      faultFrom(() => {
        const store = newStore();
        try {
          store.open();
          store.verify();
        } finally {
          store.close();
        }
      }).code,
    ).toBe("journal.damaged");
  });

  test("before the checkpoint is found by verify, not by opening", () => {
    filled(VERIFIED_EVERY + 10);
    edit(`UPDATE journal SET body = '{"kind":"x"}' WHERE position = 5`);
    const store = newStore();
    store.open();
    const fault = faultFrom(() => store.verify());
    expect([fault.code, fault.message]).toEqual([
      "journal.damaged",
      expect.stringContaining("event 5 was changed"),
    ]);
    store.close();
  });

  test.each<[string, string, RegExp]>([
    ["the checkpoint's event is gone", "DELETE FROM journal WHERE position = 3", /event 3 is missing/],
    [
      "the checkpoint's event has another hash",
      "UPDATE journal SET hash = zeroblob(32) WHERE position = 3",
      /event 3 was changed/,
    ],
    ["the state's event is gone", "UPDATE snapshot SET position = 9", /event 9 is missing/],
    [
      "a body is not JSON",
      `UPDATE verified SET position = 0; UPDATE journal SET body = '{"n":{"$bigint":"x"}}' WHERE position = 1`,
      /event 1 was changed/,
    ],
    [
      "the journal's identity was exchanged",
      "UPDATE verified SET position = 0; UPDATE identity SET journal_id = 'x'",
      /identity was changed/,
    ],
    [
      "a row breaks its table's rules",
      "PRAGMA ignore_check_constraints = ON; UPDATE outbox SET status = 'odd'",
      /of 1 requests that wait, 0 are found/,
    ],
  ])("%s", (_what, sql, message) => {
    filled(3);
    edit(sql);
    const store = newStore();
    const fault = faultFrom(() => {
      store.open();
      store.verify();
    });
    store.close();
    expect([fault.code, fault.message]).toEqual(["journal.damaged", expect.stringMatching(message)]);
  });

  test("an outbox row that was changed is not sent, whether it is found at opening or after", () => {
    filled(1);
    const store = newStore();
    store.open();
    edit(`UPDATE outbox SET request = replace(request, '19000', '1')`);
    expect(faultFrom(() => store.pending(0, 1)).message).toMatch(/outbox row r1 was changed/);
    store.close();
    expect(faultFrom(() => newStore().open()).message).toMatch(/outbox row r1 was changed/);
  });

  test("an event written by somebody else is no JSON of ours", () => {
    filled(1);
    const store = newStore();
    store.open();
    edit(`UPDATE journal SET body = '{"n":{"$bigint":"x"}}'`);
    expect(faultFrom(() => [...store.events()]).message).toMatch(/not JSON/);
    store.close();
  });
});

test.each<[string, string]>([
  ["SQLITE_CORRUPT_INDEX", "journal.damaged"],
  ["SQLITE_NOTADB", "journal.damaged"],
  ["SQLITE_BUSY_SNAPSHOT", "journal.locked"],
  ["SQLITE_IOERR_FSYNC", "journal.unwritable"],
  ["SQLITE_READONLY_DBMOVED", "journal.unwritable"],
])("%s is %s", (code, fault) => {
  expect(faultOf("f", new Database.SqliteError("x", code))).toMatchObject({ code: fault });
});

test("a broken constraint is a programmer error and passes through", () => {
  const error = new Database.SqliteError("x", "SQLITE_CONSTRAINT");
  expect(faultOf("f", error)).toBe(error);
});
