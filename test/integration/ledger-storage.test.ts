/**
 * The ledger's file: what it refuses, what it shows when somebody has touched it, and how it is opened. What every
 * storage promises is in test/contract/ledger-storage.test.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MIGRATIONS } from "../../sync/ledger/migrations.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { authorise, DeskWorld, reverse } from "../support/ledger-desk.ts";

let world: DeskWorld;
beforeEach(async () => {
  world = await new DeskWorld().open();
});
afterEach(async () => {
  await world.close();
});

/** Runs SQL on the file behind the ledger's back. */
function behind(sql: string): void {
  const db = new Database(world.books);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

describe("the books", () => {
  test.each([
    ["UPDATE transfers SET amount_minor = 1", /transfers are immutable/],
    ["DELETE FROM transfers", /transfers are immutable/],
    ["UPDATE entries SET amount_minor = 1", /entries are immutable/],
    ["DELETE FROM entries", /entries are immutable/],
    ["UPDATE charges SET state = 'paid'", /CHECK constraint failed/],
    ["UPDATE charges SET amount_minor = 0", /CHECK constraint failed/],
  ])("%s is refused", async (sql, reason) => {
    await world.ask(authorise("s/1"));
    expect(() => behind(sql)).toThrow(reason);
  });
});

describe("the audit log", () => {
  beforeEach(async () => {
    await world.ask(authorise("a/1"));
    await world.ask(authorise("b/1", 4_951));
    await world.ask(reverse("a/1"));
    await world.ask(reverse("c/1"));
  });

  test("is whole, and ends with the state of every charge", () => {
    const { rows, firstBroken, strayed, head } = world.storage.verify();
    expect({ rows, firstBroken, strayed }).toEqual({ rows: 7, firstBroken: null, strayed: [] });
    expect(head).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, string, { firstBroken?: number; strayed?: string[] }]>([
    [
      "a changed event",
      "UPDATE audit SET event = replace(event, '15000', '1') WHERE number = 1",
      { firstBroken: 1 },
    ],
    ["a changed time", "UPDATE audit SET time_ms = 5 WHERE number = 4", { firstBroken: 4 }],
    ["a removed row", "DELETE FROM audit WHERE number = 3", { firstBroken: 3 }],
    ["a cut end", "DELETE FROM audit WHERE number >= 4", { strayed: ["counter-1 a/1", "counter-1 b/1"] }],
    [
      "a changed charge",
      "UPDATE charges SET state = 'approved' WHERE key = 'b/1'",
      { strayed: ["counter-1 b/1"] },
    ],
  ])("shows %s", (_what, sql, expected) => {
    behind(sql);
    expect(world.storage.verify()).toMatchObject(expected);
  });
});

describe("opening", () => {
  test("sets what must survive the power, and the version of the tables", () => {
    const db = new Database(world.books, { readonly: true });
    const pragma = (name: string): unknown => db.pragma(name, { simple: true });
    expect([pragma("journal_mode"), pragma("user_version")]).toEqual(["wal", MIGRATIONS.length]);
    db.close();
  });

  test("a second ledger on the same file is refused, from this process and from another", async () => {
    expect(() => new SqliteLedgerStorage(world.books).open()).toThrow(/held by another ledger/);
    const script = `
      const lock = new (require("better-sqlite3"))(${JSON.stringify(`${world.books}.lock`)}, { timeout: 0 });
      try { lock.exec("BEGIN EXCLUSIVE"); console.log("got it"); } catch (error) { console.log(error.code); }`;
    expect(spawnSync(process.execPath, ["-e", script], { encoding: "utf8" }).stdout.trim()).toBe(
      "SQLITE_BUSY",
    );
  });

  test("a file of a newer program is left alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "saypay-ledger-new-"));
    const path = join(folder, "ledger.sqlite");
    const db = new Database(path);
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    const storage = new SqliteLedgerStorage(path);
    expect(() => storage.open()).toThrow(expect.objectContaining({ code: "journal.damaged" }));
    storage.close();
    rmSync(folder, { recursive: true });
  });

  test("what was stored is there after closing and opening", async () => {
    await world.ask(authorise("s/1"));
    await world.crash();
    await world.start();
    expect(await world.states()).toEqual(["s/1 approved"]);
    expect(await world.ask(authorise("s/1"))).toBe("approved");
    expect(world.charged()).toBe(1);
  });
});
