/**
 * The power goes while a damaged journal is set aside and its successor is made: the next opening finds one of the two
 * whole, ends with the same successor's content, and the damaged file is still there for evidence.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { JournalKeeper } from "../../../daemon/journal-keeper.ts";
import { SELLING_SETTINGS } from "../selling.ts";
import { type CutReport, cutEach, cutPoints } from "./cut-points.ts";
import { Disk, type DiskImage, randomOf } from "./disk.ts";
import type { JournalRun } from "./journal-cuts.ts";
import { contentOf, JOURNAL, TERMINAL } from "./journal-writes.ts";
import { quickFolder, recorded } from "./recorder.ts";

const NEVER = 100_000;

/** Opens a journal as the daemon does and gives what it holds. The journal stays open. */
export function salvagedContentOf(folder: string): {
  readonly content: string;
  readonly keeper: JournalKeeper;
} {
  const settings = { keepDays: NEVER, keepEvents: NEVER, sale: SELLING_SETTINGS };
  const keeper = new JournalKeeper(
    { data: folder, terminal: TERMINAL, ...settings },
    pino({ enabled: false }),
  );
  const { state } = keeper.open();
  return { content: contentOf(keeper.store, state, []), keeper };
}

/** Damages the journal that a run left, and cuts its salvage so often. */
export async function cutSalvage(run: JournalRun, cuts: number, seed: number): Promise<CutReport> {
  const files = damaged(run);
  const random = randomOf(seed);
  const disk = new Disk(files);
  const place = quickFolder("salvage");
  const violations: string[] = [];
  let withLosses = 0;
  let morePreserved = 0;
  try {
    const contentFile = join(place, "content");
    const { operations } = await recorded("test/support/power-loss/salvage-run.js", [contentFile], files);
    const expected = readFileSync(contentFile, "utf8");
    cutEach(operations, disk, cutPoints(operations, random, cuts), random, (image, point) => {
      if (disk.unsynced > 0) withLosses += 1;
      // The successor had its name already.
      if (!image.get(JOURNAL)?.every((byte, at) => byte === files.get(JOURNAL)?.[at])) morePreserved += 1;
      const wrong = look(image, files, expected, join(place, "disk"));
      if (wrong !== null) violations.push(`salvage, seed ${seed}, after ${point} operations: ${wrong}`);
    });
  } finally {
    rmSync(place, { recursive: true });
  }
  return { cuts, withLosses, morePreserved, violations };
}

/** The journal and its log as the power left them, with the head of the file overwritten. */
function damaged(run: JournalRun): DiskImage {
  const disk = new Disk();
  for (const operation of run.operations) disk.apply(operation);
  const files = new Map(
    [...disk.visible()].filter(([path]) => path === JOURNAL || path === `${JOURNAL}-wal`),
  );
  const journal = files.get(JOURNAL);
  if (journal === undefined) throw new Error("the run left no journal");
  files.set(JOURNAL, journal.slice().fill(0xa5, 0, 100));
  return files;
}

function look(image: DiskImage, damagedFiles: DiskImage, expected: string, folder: string): string | null {
  mkdirSync(folder);
  try {
    for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
    const { content, keeper } = salvagedContentOf(folder);
    keeper.close();
    if (content !== expected) return `it holds ${content}, not ${expected}`;
    const evidence = damagedFiles.get(JOURNAL) ?? new Uint8Array();
    const isThere = readdirSync(folder).some(
      (name) => Buffer.compare(readFileSync(join(folder, name)), evidence) === 0,
    );
    return isThere ? null : "the damaged file is gone";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
