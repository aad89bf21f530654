/** What only a real file can show: SIGKILL, locks between processes, settings in force, migrations, damage, full disks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import { MIGRATIONS } from "../../sync/store/schema.ts";
import { openFile } from "../../sync/store/sqlite-file.ts";
import { PAGE_ROWS, VERIFIED_EVERY } from "../../sync/store/sqlite-session.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Commit } from "../../sync/store/store.ts";
import { AUTHORISE, answerOf } from "../support/messages.ts";

type Event = { readonly kind: string; readonly atMs: number; readonly note?: string };
type State = { readonly position: number };

const WRITER = fileURLToPath(new URL("../../dist/test/support/journal-writer.js", import.meta.url));

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-journal-"));
  path = join(folder, "journal.db");
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  rmSync(folder, { recursive: true });
});

function newStore(at = path): SqliteStore<Event, State> {
  return new SqliteStore({ path: at, terminal: "t1" });
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

function writer(mode: "loop" | "half" | "hold"): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [WRITER, path, mode], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

function edit(sql: string, file = path): void {
  const database = new Database(file);
  database.pragma("foreign_keys = OFF");
  database.exec(sql);
  database.close();
}

describe("SIGKILL", () => {
  test("everything that was committed is there, and at most one append more", async () => {
    const child = writer("loop");
    let printed = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      printed = Number(line);
      if (printed === 25) child.kill("SIGKILL");
    }
    const store = newStore();
    const { state, statePosition } = store.open();
    expect(printed).toBeGreaterThanOrEqual(25);
    expect([printed, printed + 1]).toContain(statePosition);
    expect(state).toEqual({ position: statePosition });
    expect(store.verify()).toEqual({ events: statePosition });
    expect([store.depth(), store.lastCounter("card")]).toEqual([statePosition, statePosition]);
    store.close();
  });

  test("half a transaction leaves nothing", async () => {
    const child = writer("half");
    const [, signal] = await once(child, "exit");
    expect(signal).toBe("SIGKILL");
    const store = newStore();
    expect(store.open().state).toEqual({ position: 1 });
    expect([...store.events()].map(({ event }) => event.kind)).toEqual(["whole"]);
    expect([store.depth(), store.lastCounter("card")]).toEqual([1, 1]);
    store.close();
  });

  test("another process's lock holds until it dies, however it dies", async () => {
    const child = writer("hold");
    for await (const line of createInterface({ input: child.stdout })) {
      expect(line).toBe("held");
      break;
    }
    const fault = faultFrom(() => newStore().open());
    expect([fault.code, fault.message]).toEqual([
      "journal.locked",
      expect.stringContaining("systemctl stop saypayd"),
    ]);
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = newStore();
    store.open();
    store.close();
  });
});

describe("the file", () => {
  test("WAL, synchronous FULL, foreign keys: in force on the writing connection", () => {
    const database = openFile(path);
    const found = ["journal_mode", "synchronous", "foreign_keys"].map((name) =>
      database.pragma(name, { simple: true }),
    );
    expect(found).toEqual(["wal", 2, 1]);
    database.close();
  });

  test("a place where WAL is not to be had is refused", () => {
    const fault = faultFrom(() => openFile(":memory:"));
    expect([fault.code, fault.message]).toEqual([
      "journal.unwritable",
      expect.stringContaining("journal_mode is memory, not wal"),
    ]);
  });

  test("is for its owner only, and support can read it while it is open", () => {
    const store = newStore();
    store.open();
    store.append({ ...commit("sale.woken"), outbox: [{ id: "r1", request: AUTHORISE }] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const support = new Database(path, { readonly: true });
    expect(support.prepare("SELECT kind, at_ms FROM journal").all()).toEqual([
      { kind: "sale.woken", at_ms: 1 },
    ]);
    support.close();
    store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("the same file by another name is the same journal", () => {
    const store = newStore();
    store.open();
    symlinkSync(path, join(folder, "alias.db"));
    expect(faultFrom(() => newStore(join(folder, "alias.db")).open()).code).toBe("journal.locked");
    store.close();
  });

  test("a folder that is absent is not made: it may be a disk that is not mounted", () => {
    const fault = faultFrom(() => newStore(join(folder, "data", "journal.db")).open());
    expect([fault.code, existsSync(join(folder, "data"))]).toEqual(["journal.unwritable", false]);
  });

  test.each<[string, () => void, string]>([
    ["a folder in its place", () => mkdirSync(path), "journal.unwritable"],
    ["a folder in the lock's place", () => mkdirSync(`${path}.lock`), "journal.unwritable"],
    [
      "text",
      () => writeFileSync(path, "this is a text file and no database at all".repeat(40)),
      "journal.damaged",
    ],
    ["another program's database", () => edit("CREATE TABLE theirs (x)"), "journal.damaged"],
  ])("refused: %s", (_what, prepare, code) => {
    prepare();
    const before = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined;
    const fault = faultFrom(() => newStore().open());
    expect(fault.code).toBe(code);
    expect(fault.message).toContain(path);
    if (before !== undefined && code === "journal.damaged")
      expect(readFileSync(path).length).toBe(before.length);
  });

  test("an older file is migrated and keeps its events, a newer one is refused unchanged", () => {
    const store = newStore();
    store.open();
    store.append(commit("a", "b"));
    store.close();
    openFile(path, [...MIGRATIONS, "CREATE TABLE later (x INTEGER) STRICT"]).close();
    const fault = faultFrom(() => newStore().open());
    expect([fault.code, fault.retry]).toEqual(["journal.newer", "unsafe"]);
    const database = openFile(path, [...MIGRATIONS, "CREATE TABLE later (x INTEGER) STRICT"]);
    expect(database.prepare("SELECT count(*) AS events FROM journal").get()).toEqual({ events: 2 });
    expect(database.prepare("SELECT count(*) AS rows FROM later").get()).toEqual({ rows: 0 });
    database.close();
  });

  test("a migration that fails changes nothing", () => {
    openFile(path).close();
    expect(() => openFile(path, [...MIGRATIONS, "CREATE TABLE later (x INTEGER); nonsense"])).toThrow();
    const store = newStore();
    store.open();
    store.close();
  });
});

describe("trouble while writing", () => {
  test("a disk that takes no more: what was told is there, and nothing more is written until the store is opened again", async () => {
    // The kernel refuses to let any file grow over 1500 KiB; the signal that goes with it is ignored, as by a daemon.
    const script = `trap '' XFSZ; ulimit -f 1500; exec "$0" "$@"`;
    const child = spawn("bash", ["-c", script, process.execPath, WRITER, path, "loop"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    expect(lines.splice(-2)).toEqual(["fault journal.unwritable unknown", "still journal.unwritable"]);
    const store = newStore();
    const { statePosition } = store.open();
    expect(lines.length).toBeGreaterThan(10);
    expect([lines.length, lines.length + 1]).toContain(statePosition);
    expect(store.append(commit("after"))).toBe(statePosition + 1);
    expect(store.verify()).toEqual({ events: statePosition + 1 });
    store.close();
  });

  test("another program that holds the file for too long", () => {
    const store = newStore();
    store.open();
    const other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    const fault = faultFrom(() => store.append(commit("a")));
    other.exec("ROLLBACK");
    other.close();
    expect([fault.code, faultFrom(() => store.append(commit("a")))]).toEqual(["journal.locked", fault]);
    store.close();
    expect(store.open().statePosition).toBe(0);
    store.close();
  });
});

test("a long journal is walked page by page and its checkpoint moves along", () => {
  const store = newStore();
  store.open();
  const total = VERIFIED_EVERY + PAGE_ROWS;
  for (let done = 0; done < total; done += 250) store.append(commit(...Array<string>(250).fill("tick")));
  expect([...store.events(11)].length).toBe(total - 10);
  const support = new Database(path, { readonly: true });
  expect(support.prepare("SELECT position FROM verified").get()).toEqual({ position: VERIFIED_EVERY });
  support.close();
  store.close();
  const again = newStore();
  expect(again.open().statePosition).toBe(total);
  again.close();
});

test("a dead letter that cannot be written stops the store like an append", () => {
  const store = newStore();
  store.open();
  store.append({ ...commit("a"), outbox: [{ id: "r1", request: AUTHORISE }] });
  const other = new Database(path);
  other.exec("BEGIN IMMEDIATE");
  const fault = faultFrom(() => store.deadLetter("r1", "x", 1));
  other.exec("ROLLBACK");
  other.close();
  expect([fault.code, faultFrom(() => store.depth())]).toEqual(["journal.locked", fault]);
  store.close();
});

test("a refused answer and its dead letter are one transaction", () => {
  const store = newStore();
  store.open();
  store.append({ ...commit("a"), outbox: [{ id: "r1", request: AUTHORISE }] });
  store.append({ ...commit("b"), acknowledged: [answerOf({ kind: "refused", reason: "invalid" }, "r1")] });
  store.close();
  const support = new Database(path, { readonly: true });
  expect(
    support
      .prepare(
        "SELECT status, answer LIKE '%refused%' AS told, reason FROM outbox JOIN dead_letter USING (id)",
      )
      .all(),
  ).toEqual([{ status: "acknowledged", told: 1, reason: "refused: invalid" }]);
  support.close();
});

test("the log is moved into the file when it is asked to, and not in the middle of an append", () => {
  const store = newStore();
  store.open();
  const fileBytes = (): number => statSync(path).size;
  const before = fileBytes();
  // SQLite's own habit is to do it at 1,000 pages, which these appends pass.
  for (let position = 1; position <= 600; position += 1) store.append(commit("a"));
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(1_000 * 4_096);
  expect(fileBytes()).toBe(before);
  store.tidy();
  expect(fileBytes()).toBeGreaterThan(before);
  const tidied = statSync(`${path}-wal`).size;
  // Too soon to be worth it; and the room of the old log is written over.
  store.append(commit("a"));
  store.tidy();
  expect(statSync(`${path}-wal`).size).toBe(tidied);
  store.close();
});
