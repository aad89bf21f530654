/**
 * Journals that the ledger does not accept, at a whole counter: an old backup that was put back, a copy and a journal that
 * is gone. The terminal says so and sells nothing; `saypay journal adopt` makes a successor, and it sells again.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Screen } from "../../daemon/display/screen.ts";
import { Counter } from "../support/counter.ts";
import { drivenSale, verdictOf } from "../support/driven-sale.ts";
import { staffOf } from "../support/staff.ts";

const START_LIMIT_MS = 120_000;
const CASE_LIMIT_MS = 90_000;
const SETTINGS = { speaking: { rate: 400 }, receipt: { retryMs: 500 } };
const SOLD_ONCE = { books: 1, charges: 1, originals: 1, copies: 0 };

const counter = new Counter({ settings: SETTINGS });
const staff = staffOf(counter);
const sell = (): Promise<string> => drivenSale(counter, null, async () => undefined);
const standing = async (): Promise<string> => (await counter.watcher.get<Screen>("/state")).standing;

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 30_000;
  while (!(await reached())) {
    if (performance.now() > limit) throw new Error(`${what} did not come; ${(await staff("status")).out}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function restart(between: () => void | Promise<void>): Promise<void> {
  await counter.daemon.end();
  await between();
  await counter.startDaemon();
}

/** What the ledger said to each greeting, from its log. */
function verdicts(): string[] {
  const lines = readFileSync(join(counter.folder, "ledger.log"), "utf8").split("\n");
  return lines.flatMap((line) => /"verdict":"([^"]+)".*"greeted"/.exec(line)?.[1] ?? []);
}

/** What the ledger says when the terminal is started again. */
async function verdictAfter(between: () => void): Promise<string> {
  const before = verdicts().length;
  await restart(between);
  await until("a verdict", async () => verdicts().length > before && (await counter.health()).linkUp);
  return verdicts().at(-1) ?? "";
}

/** How many openings the journal names, as it lies on the disk. */
function openingsOnDisk(): number {
  const database = new Database(counter.journal, { readonly: true });
  try {
    const text = database.prepare<[], string>("SELECT openings FROM identity").pluck().get();
    return text === undefined ? 0 : text.split(",").length;
  } finally {
    database.close();
  }
}

/** The journal's own id, as `saypay status` tells it. */
async function journalId(): Promise<string> {
  const { out } = await staff("status");
  return /^journal: (\S+)$/m.exec(out)?.[1] ?? "";
}

async function adopted(...args: readonly string[]): Promise<void> {
  await restart(async () => {
    const { status, out, err } = await staff("journal", "adopt", "--yes", ...args);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/^adopted: journal \S+ continues \S+ with .*\nStart the terminal/);
  });
  await until("the ledger's welcome", async () => (await standing()) === "welcome");
  await counter.whenReady();
}

beforeAll(() => counter.start(), START_LIMIT_MS);
afterAll(() => counter.stop());

describe("a journal that the ledger does not accept", { timeout: CASE_LIMIT_MS }, () => {
  const backup = (): string => join(counter.folder, "backup.sqlite");
  let first = "";
  let second = "";

  it("because an old backup was put back, sells nothing and says so to customers and staff", async () => {
    first = await sell();
    await restart(() => copyFileSync(counter.journal, backup()));
    await counter.whenReady();
    second = await sell();
    await restart(() => copyFileSync(backup(), counter.journal));
    await until("the bar", async () => (await standing()) === "barred");
    expect(await staff("status")).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^counter-1: sells nothing: .*saypay journal adopt/),
    });
    expect(await staff("refund", "1", "--amount", "500")).toMatchObject({
      status: 1,
      err: "refused: the ledger does not accept this terminal's journal; saypay status says why",
    });
    await counter.wake();
    expect(await counter.watcher.get<Screen>("/state")).toMatchObject({ phase: "idle", saleId: null });
  });

  it("is adopted only by somebody who means it, and only when the terminal is stopped", async () => {
    expect(await staff("journal", "adopt", "--yes")).toMatchObject({
      status: 75,
      err: expect.stringContaining("another daemon uses this journal"),
    });
    expect(await staff("journal", "adopt")).toMatchObject({
      status: 1,
      err: expect.stringContaining("--yes"),
    });
  });

  it("sells again as its own successor, with what the ledger remembers", async () => {
    const before = await journalId();
    await adopted();
    expect(await journalId()).not.toBe(before);
    const third = await sell();
    expect((await staff("sales")).out).toMatch(new RegExp(`^ +3 .*${third}$`, "m"));
    for (const saleId of [first, second, third]) expect(await verdictOf(counter, saleId)).toEqual(SOLD_ONCE);
    // What was sold after the backup is the ledger's to tell of; its number is not given away again.
    expect(await staff("refund", second, "--amount", "500")).toMatchObject({ status: 0 });
    expect(readdirSync(join(counter.folder, "data")).some((name) => name.includes("adopted"))).toBe(true);
  });

  it("because it is a copy, stays refused however often it is started, and does not push the original out", async () => {
    const original = join(counter.folder, "original.sqlite");
    const copy = join(counter.folder, "copy.sqlite");
    const change = (to: string, from: string) => (): void => {
      renameSync(counter.journal, to);
      renameSync(from, counter.journal);
    };
    const again = (): void => undefined;
    expect(await verdictAfter(() => copyFileSync(counter.journal, copy))).toBe("welcome");
    expect(await verdictAfter(change(original, copy))).toBe("copied");
    for (const _start of ["second", "third", "fourth"]) expect(await verdictAfter(again)).toBe("copied");
    await until("the bar", async () => (await standing()) === "barred");
    expect(await verdictAfter(change(copy, original))).toBe("welcome");
    // It has noted that it was welcomed, and names what comes after.
    expect(await verdictAfter(() => expect(openingsOnDisk()).toBe(1))).toBe("welcome");
    expect(await standing()).toBe("welcome");
  });

  it("because it is new, sells again as the successor of the one that the ledger knows", async () => {
    const known = await journalId();
    const attic = join(counter.folder, "lost.sqlite");
    await restart(() => {
      renameSync(counter.journal, attic);
      for (const side of ["-wal", "-shm"]) rmSync(`${counter.journal}${side}`, { force: true });
    });
    await until("the bar", async () => (await standing()) === "barred");
    expect((await staff("status")).out).toMatch(/the ledger knows another journal/);
    await adopted("--predecessor", known);
    const fourth = await sell();
    expect((await staff("sales")).out).toMatch(new RegExp(`^ +4 .*${fourth}$`, "m"));
    expect(await verdictOf(counter, fourth)).toEqual(SOLD_ONCE);
  });

  it("is not made out of nothing", async () => {
    await counter.daemon.end();
    renameSync(counter.journal, join(counter.folder, "lost-again.sqlite"));
    expect(await staff("journal", "adopt", "--yes")).toMatchObject({
      status: 2,
      err: expect.stringContaining("--predecessor"),
    });
    expect(await staff("journal", "verify")).toMatchObject({
      status: 3,
      err: expect.stringContaining("no journal"),
    });
    expect(existsSync(counter.journal)).toBe(false);
  });
});
