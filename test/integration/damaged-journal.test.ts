/**
 * Damaged journals and bad disks at a whole counter: the terminal names the fault, sets the damaged file aside as it
 * was, goes on with what can be trusted of it, and sells only when the ledger has told the rest. It never begins anew
 * in silence, and no sale is lost or charged twice.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Screen } from "../../daemon/display/screen.ts";
import { Counter } from "../support/counter.ts";
import { drivenSale, type Moment, verdictOf } from "../support/driven-sale.ts";
import { SmallDisk, whyNoSmallDisk } from "../support/small-disk.ts";
import { type Said, staffOf } from "../support/staff.ts";

const START_LIMIT_MS = 120_000;
const CASE_LIMIT_MS = 120_000;
/** Room for the journal, its log, and the sentences that are kept as sound. */
const DISK_MEBIBYTES = 48;
const PAGE_BYTES = 4_096;
/** sysexits.h: EX_TEMPFAIL. */
const EXIT_JOURNAL = 75;
const SETTINGS = {
  speaking: { rate: 400 },
  receipt: { retryMs: 500 },
  payment: { answerMs: 3_000, queryMs: 1_000 },
  offline: { perCard: 100, perCardPerHour: 100, count: 100, total: 10_000_000 },
};

const noSmallDisk = whyNoSmallDisk();
if (noSmallDisk !== null) console.warn(noSmallDisk);

/** One counter for all cases; a case that fails leaves it behind, so that the next one finds a healthy one. */
let counter: Counter;
let disk: SmallDisk;
let isThere = false;

beforeEach(async () => {
  if (isThere) return;
  isThere = true;
  counter = new Counter({ settings: SETTINGS });
  disk = new SmallDisk(dirname(counter.journal));
  if (noSmallDisk === null) disk.mount(DISK_MEBIBYTES);
  await counter.start();
}, START_LIMIT_MS);

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await clear();
});
afterAll(() => clear());

async function clear(): Promise<void> {
  if (!isThere) return;
  isThere = false;
  await counter.daemon.end();
  disk.unmount();
  await counter.stop();
}

const staff = (...args: readonly string[]): Promise<Said> => staffOf(counter)(...args);
const sell = (moment: Moment | null = null, at: () => Promise<void> = async () => {}): Promise<string> =>
  drivenSale(counter, moment, at);
const standing = async (): Promise<string> => (await counter.watcher.get<Screen>("/state")).standing;
const saleAtTheCounter = async (): Promise<string | null> =>
  (await counter.watcher.get<Screen>("/state")).saleId;
const said = (): string => counter.daemon.lastLines.join("\n");
const wal = (): string => `${counter.journal}-wal`;

async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 30_000;
  while (!(await reached())) {
    if (performance.now() > limit) throw new Error(`${what} did not come; ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The highest sale number that staff sees. */
async function lastNumber(): Promise<number> {
  const { out } = await staff("sales");
  return Math.max(...[...out.matchAll(/^ *(\d+) /gm)].map(([, number]) => Number(number)));
}

async function expectSoldOnce(saleId: string): Promise<void> {
  const { books, charges, originals, copies } = await verdictOf(counter, saleId);
  expect({ saleId, books, charges }).toEqual({ saleId, books: 1, charges: 1 });
  expect(originals).toBeLessThanOrEqual(1);
  expect(originals + copies).toBeGreaterThanOrEqual(1);
}

type Damage = {
  readonly what: string;
  /** How the daemon ends before it. */
  readonly end: "SIGTERM" | "SIGKILL";
  /** What the terminal says of it. */
  readonly named: RegExp;
  /** Whether a request that waits lies where nothing is damaged. */
  readonly waitingIsSafe: boolean;
  /** `waiting` is the sale whose request waits. */
  readonly inflict: (waiting: string) => void;
};

const DAMAGES: readonly Damage[] = [
  {
    what: "cut short by half",
    end: "SIGTERM",
    named: /malformed|SQLITE_CORRUPT|missing|changed/,
    waitingIsSafe: false,
    inflict: () => truncateSync(counter.journal, pages(statSync(counter.journal).size / 2)),
  },
  {
    what: "with a flipped bit in the state",
    end: "SIGTERM",
    named: /the state snapshot was changed/,
    waitingIsSafe: true,
    inflict: () => flipIn(counter.journal, '"standing":{"kind":"welcome"}'),
  },
  {
    what: "with a flipped bit in a request that waits",
    end: "SIGTERM",
    named: /outbox row \S+ was changed/,
    waitingIsSafe: false,
    inflict: (waiting) => flipIn(counter.journal, `"key":"${waiting}/1","kind":"authorise"`),
  },
  {
    what: "whose first page is gone",
    end: "SIGTERM",
    named: /this is no SQLite file of ours/,
    waitingIsSafe: true,
    inflict: () => overwrite(counter.journal, 0, PAGE_BYTES),
  },
  {
    what: "whose log is gone",
    end: "SIGKILL",
    named: /-wal, with the last sales, is missing/,
    waitingIsSafe: false,
    inflict: () => rmSync(wal()),
  },
  {
    what: "with a flipped bit in the middle of its log",
    end: "SIGKILL",
    named: /-wal/,
    waitingIsSafe: false,
    inflict: () => flipAt(wal(), Math.floor(statSync(wal()).size / 2)),
  },
];

describe("a journal", { timeout: CASE_LIMIT_MS }, () => {
  it.each(DAMAGES)("$what is set aside and mended", async ({ end, named, waitingIsSafe, inflict }) => {
    const online = await sell();
    const before = await lastNumber();
    counter.network.cut();
    await until("the lost link", async () => !(await counter.health()).linkUp);
    const offline = await sell();
    await counter.daemon.end(end);
    inflict(offline);
    const damaged = readFileSync(counter.journal);

    await counter.startDaemon();
    const told = said();
    expect(told).toMatch(named);
    expect(told).toContain("the journal is damaged");
    expect(told).toContain("set aside");
    expect(filesLike(damaged)).toHaveLength(1);
    // Until the ledger can be asked, nothing new is sold.
    expect(await standing()).toBe("recalling");
    await counter.wake().catch(() => undefined);
    expect([null, online, offline]).toContain(await saleAtTheCounter());

    counter.network.mend();
    await until("the ledger's welcome", async () => (await standing()) === "welcome");
    await counter.whenReady();
    await until("an empty outbox", async () => (await counter.health()).outboxDepth === 0);
    await until("an idle counter", async () => (await saleAtTheCounter()) === null);
    const next = await sell();
    expect(await lastNumber()).toBeGreaterThan(before);
    await expectSoldOnce(online);
    await expectSoldOnce(next);
    const { charges } = await verdictOf(counter, offline);
    if (waitingIsSafe) await expectSoldOnce(offline);
    else expect(charges).toBeLessThanOrEqual(1);
    if (charges === 1) return;
    // The request lay on what is lost: the loss is told, and the next case begins with another counter.
    expect(told).toMatch(/"waitingLost":(null|[1-9])|with the last sales, is missing/);
    await clear();
  });

  it("that is empty is not begun anew: the terminal is barred until staff adopts it", async () => {
    const last = await sell();
    const { out } = await staff("status");
    const known = /^journal: (\S+)$/m.exec(out)?.[1] ?? "";
    await counter.daemon.end();
    truncateSync(counter.journal, 0);
    await counter.startDaemon();
    expect(said()).toMatch(/the journal is an empty file and is set aside/);
    const beside = readdirSync(dirname(counter.journal)).filter((name) => name.includes("empty"));
    expect(beside).toHaveLength(1);
    await until("the bar", async () => (await standing()) === "barred");
    await counter.wake();
    expect(await counter.watcher.get<Screen>("/state")).toMatchObject({ phase: "idle", saleId: null });
    await counter.daemon.end();
    expect(await staff("journal", "adopt", "--yes", "--predecessor", known)).toMatchObject({ status: 0 });
    await counter.startDaemon();
    await until("the ledger's welcome", async () => (await standing()) === "welcome");
    await counter.whenReady();
    await expectSoldOnce(last);
    await expectSoldOnce(await sell());
  });
});

describe.skipIf(noSmallDisk !== null)("a disk", { timeout: CASE_LIMIT_MS }, () => {
  it("that is full ends the daemon before anything happens that is not recorded, and the sale goes on with room", async () => {
    const saleId = await sell("read-back", async () => {
      disk.fill();
      await until("the end of the daemon", () => !counter.daemon.isRunning);
      expect(await counter.daemon.end()).toBe(EXIT_JOURNAL);
      expect(said()).toMatch(/the journal cannot be written.*SQLITE_FULL/);
      await expect(counter.startDaemon()).rejects.toThrow(/ended with 75[\s\S]*SQLITE_FULL[\s\S]*has room/);
      disk.makeRoom();
      await counter.startDaemon();
    });
    await counter.whenDrained();
    await expectSoldOnce(saleId);
  });

  it("that is full while a charge is under way charges once", async () => {
    const saleId = await sell("authorising", async () => {
      disk.fill();
      await until("the end of the daemon", () => !counter.daemon.isRunning);
      expect(await counter.daemon.end()).toBe(EXIT_JOURNAL);
      disk.makeRoom();
      await counter.startDaemon();
    });
    await counter.whenDrained();
    await expectSoldOnce(saleId);
  });

  it("that is read-only is named, and everything is there when it can be written again", async () => {
    const last = await sell();
    const before = await lastNumber();
    await counter.daemon.end();
    disk.makeReadOnly();
    await expect(counter.startDaemon()).rejects.toThrow(/ended with 75[\s\S]*read-only/);
    disk.makeWritable();
    await counter.startDaemon();
    await counter.whenReady();
    expect(await lastNumber()).toBe(before);
    await expectSoldOnce(last);
    await expectSoldOnce(await sell());
  });
});

/** Files beside the journal that hold exactly this. */
function filesLike(bytes: Buffer): string[] {
  const folder = dirname(counter.journal);
  return readdirSync(folder).filter((name) => {
    if (!name.startsWith(`${basename(counter.journal)}.`) || name.endsWith("-wal")) return false;
    const file = join(folder, name);
    return existsSync(file) && statSync(file).isFile() && Buffer.compare(readFileSync(file), bytes) === 0;
  });
}

function pages(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** Inside the last place in the file where the text stands. */
function flipIn(file: string, text: string): void {
  const at = readFileSync(file).lastIndexOf(text);
  if (at < 0) throw new Error(`${file} does not hold ${text}`);
  flipAt(file, at + 2);
}

function flipAt(file: string, offset: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function overwrite(file: string, from: number, to: number): void {
  writeFileSync(file, readFileSync(file).fill(0xa5, from, to));
}
