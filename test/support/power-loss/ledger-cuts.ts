/**
 * Cuts the power in a recorded run of the ledger's books and looks whether they are what they promised: they open, they
 * hold every write that had returned and at most the one that was under way, debits equal credits, and the audit log is
 * whole.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PromptLedgerStorage } from "../../../sync/ledger/storage.ts";
import { SqliteLedgerStorage } from "../../../sync/ledger/storage-sqlite.ts";
import { toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { newCharge } from "../ledger-places.ts";
import { type CutReport, cutEach, cutPoints, logsBegunIn } from "./cut-points.ts";
import { Disk, type DiskImage, randomOf } from "./disk.ts";
import { quickFolder, type Recording, recorded } from "./recorder.ts";

export const BOOKS = "ledger.sqlite";

/** The storage's operations that write. */
export const WRITING = [
  "openCharge",
  "entomb",
  "beginAttempt",
  "beginResend",
  "honour",
  "askReversal",
  "settle",
  "openRefund",
  "beginRefundAttempt",
  "settleRefund",
  "makeAllDue",
  "raise",
  "bury",
] as const satisfies readonly (keyof PromptLedgerStorage)[];

export type LedgerRun = Recording & {
  /** What the books held after each write; the first before any. */
  readonly contents: readonly string[];
  readonly logsBegun: number;
};

const ROWS = 1_000;
const NOW_MS = 1_796_000_000_000;

/** Charges, refunds, accounts, alarms, and the audit log's last link, which stands for all before it. */
export function booksContentOf(storage: SqliteLedgerStorage): string {
  const { rows, head } = storage.verify();
  return toCanonicalJson({
    statement: storage.statement({ limit: ROWS }),
    alarms: storage.alarms(ROWS),
    audit: { rows, head },
  });
}

export async function recordLedger(
  seed: number,
  sales: number,
  mistake: "none" | "normal",
): Promise<LedgerRun> {
  const place = quickFolder("books");
  try {
    const file = join(place, "writes");
    const args = [file, String(seed), String(sales), mistake];
    const recording = await recorded("test/support/power-loss/ledger-run.js", args);
    const contents = readFileSync(file, "utf8").split("\n");
    return { ...recording, contents, logsBegun: logsBegunIn(recording.operations) };
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** `cuts` times: the power goes, and the books are opened on what is left. */
export function cutLedger(run: LedgerRun, cuts: number, seed: number): CutReport {
  const random = randomOf(seed);
  const points = cutPoints(run.operations, random, cuts);
  const place = quickFolder("cut");
  const violations: string[] = [];
  const disk = new Disk();
  let withLosses = 0;
  let morePreserved = 0;
  let returned = 0;
  try {
    cutEach(run.operations, disk, points, random, (image, point) => {
      while ((run.marks[returned]?.at ?? Number.POSITIVE_INFINITY) <= point) returned += 1;
      if (disk.unsynced > 0) withLosses += 1;
      const found = look(run, image, returned, place);
      if (found === "more") morePreserved += 1;
      else if (found !== "kept") violations.push(`seed ${seed}, after ${point} operations: ${found}`);
    });
  } finally {
    rmSync(place, { recursive: true });
  }
  return { cuts, withLosses, morePreserved, violations };
}

/** "kept", "more" when the write that was under way is there too, else what is wrong. */
function look(run: LedgerRun, image: DiskImage, returned: number, place: string): string {
  const folder = join(place, "disk");
  mkdirSync(folder);
  const storage = new SqliteLedgerStorage(join(folder, BOOKS));
  try {
    for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
    storage.open();
    return compared(run, storage, returned);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    storage.close();
    rmSync(folder, { recursive: true });
  }
}

function compared(run: LedgerRun, storage: SqliteLedgerStorage, returned: number): string {
  const content = booksContentOf(storage);
  const kept = content === run.contents[returned];
  if (!kept && content !== run.contents[returned + 1]) return whatIsWrong(run, content, returned);
  const { firstBroken, strayed } = storage.verify();
  if (firstBroken !== null || strayed.length > 0)
    return `the audit log is broken at ${firstBroken} ${strayed.join()}`;
  const { kind } = storage.openCharge(newCharge("after the cut/1"), NOW_MS);
  if (kind !== "opened") return `a new charge is ${kind}`;
  if (!storage.statement({ limit: 1 }).balanced) return "debits and credits differ";
  return kept ? "kept" : "more";
}

function whatIsWrong(run: LedgerRun, content: string, returned: number): string {
  const older = run.contents.lastIndexOf(content);
  if (older >= 0 && older < returned)
    return `writes ${older + 1} to ${returned} had been promised and are lost`;
  return `after write ${returned} the books hold ${content}`;
}
