/**
 * The ledger's file: what it refuses, what it shows when somebody has touched it, and how it is opened. What every
 * storage promises is in test/contract/ledger-storage.test.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { book } from "../../sync/ledger/books-sqlite.ts";
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

describe("books that cannot be opened", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "saypay-books-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const path = (): string => join(folder, "ledger.sqlite");
  /** Writes over the second page, where the first table of all begins. */
  function spoil(): void {
    const whole = new SqliteLedgerStorage(path());
    whole.open();
    whole.close();
    const bytes = readFileSync(path());
    writeFileSync(path(), bytes.fill(0x5a, 4_096, 8_192));
  }

  test.each<[string, () => void, string, RegExp]>([
    ["another file", () => writeFileSync(path(), "no database".repeat(99)), "journal.damaged", /backup/],
    ["spoilt books", spoil, "journal.damaged", /ledger\.sqlite: .*backup/],
    ["a folder", () => mkdirSync(path()), "journal.unwritable", /ledger\.sqlite: .*rights/],
    ["a lock that is a folder", () => mkdirSync(`${path()}.lock`), "journal.unwritable", /rights/],
    ["no folder", () => rmdirSync(folder), "journal.unwritable", /directory does not exist/],
  ])("because there is %s are a fault that says what to do", (_what, prepare, code, message) => {
    prepare();
    const storage = new SqliteLedgerStorage(path());
    expect(() => storage.open()).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    storage.close();
    mkdirSync(folder, { recursive: true });
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

  describe("a file of the first released ledger", () => {
    let folder: string;
    let path: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "saypay-ledger-old-"));
      path = join(folder, "ledger.sqlite");
      const db = new Database(path);
      db.exec(MIGRATIONS[0] ?? "");
      db.pragma("user_version = 1");
      db.exec(`
        INSERT INTO terminals VALUES ('counter-1', 'cafe', 1, 1);
        INSERT INTO charges (id, terminal, key, body_hash, sale_id, sequence, merchant, amount_minor, vat_minor,
          currency, mode, card, card_masked, lines, state, gateway, gateway_key, authorisation, next_resolve_ms,
          time_ms, received_ms, settled_ms)
        VALUES (1, 'counter-1', 's/1', 'h', 's', 1, 'cafe', 15000, 1363, 'KRW', 'online', 'c0ffee', '****-1', '[]',
          'approved', 'sandbox', 'sp-1', 'S1', 1, 1, 1, 1);
        INSERT INTO attempts (charge_id, operation, gateway_key, started_ms) VALUES (1, 'authorise', 'sp-1', 1);`);
      const charge = {
        id: 1,
        merchant: "cafe",
        gateway: "sandbox",
        card: "c0ffee",
        amount: { minor: 15_000n, currency: "KRW" },
      };
      book(db, charge, ["hold", "capture"], 1);
      db.close();
    });
    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    test("keeps its rows, and takes refunds", () => {
      const storage = new SqliteLedgerStorage(path);
      storage.open();
      const before = storage.statement({ limit: 10 });
      expect(before).toMatchObject({
        balanced: true,
        transactions: [{ key: "s/1", state: "approved", attempts: 1, refundedMinor: 0n, refunds: [] }],
      });
      const opened = storage.openRefund(
        {
          terminal: "counter-1",
          merchant: "cafe",
          key: "s/refund-a",
          saleId: "s",
          amount: { minor: 4_000n, currency: "KRW" },
          partialRefund: true,
          outbox: null,
          timeMs: 1,
          nextResolveMs: 1,
        },
        2,
      );
      if (opened.kind !== "opened") throw new Error(opened.kind);
      const attempt = { id: opened.attempt, result: "success" };
      const learnt = { kind: "refunded" } as const;
      storage.settleRefund(opened.refund, { learnt, attempt, nextResolveMs: 1, alarms: [], nowMs: 3 });
      const after = storage.statement({ limit: 10 });
      expect(after).toMatchObject({ balanced: true, transactions: [{ attempts: 1, refundedMinor: 4_000n }] });
      storage.close();
      const db = new Database(path);
      expect(db.pragma("foreign_key_check")).toEqual([]);
      expect(db.prepare("SELECT COUNT(*) FROM transfers").pluck().get()).toBe(6);
      expect(() => db.exec("DELETE FROM transfers")).toThrow(/transfers are immutable/);
      expect(() => db.exec("UPDATE transfers SET kind = 'hold'")).toThrow(/transfers are immutable/);
      db.close();
    });

    test("that refers to what is not there is not touched", () => {
      const db = new Database(path);
      db.exec("PRAGMA foreign_keys = OFF; INSERT INTO attempts VALUES (9, 77, 'query', 'x', 1, NULL, NULL)");
      db.close();
      expect(() => new SqliteLedgerStorage(path).open()).toThrow(
        expect.objectContaining({ code: "journal.damaged" }),
      );
      const left = new Database(path, { readonly: true });
      expect(left.pragma("user_version", { simple: true })).toBe(1);
      left.close();
    });
  });
});
