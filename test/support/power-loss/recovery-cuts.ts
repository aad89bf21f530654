/**
 * The power goes, comes back, and goes again while the journal recovers or in the first sales after: the opening on
 * what a first cut left is recorded itself and cut.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { recover } from "../../../daemon/shell/recovery.ts";
import { fromCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import { type CutReport, cutEach, cutPoints, sumOf } from "./cut-points.ts";
import { Disk, type DiskImage, randomOf } from "./disk.ts";
import type { JournalRun } from "./journal-cuts.ts";
import { contentOf, JOURNAL, TERMINAL } from "./journal-writes.ts";
import { quickFolder, type Recording, recorded } from "./recorder.ts";

/** Second cuts of one first cut. */
const CUTS_EACH = 25;
const SALES = 2;

/** What the journal held after the opening and after each write that followed. */
type Content = { readonly durable: boolean; readonly content: string };
type Recovery = Recording & { readonly files: DiskImage; readonly contents: readonly Content[] };

/** `cuts` second cuts, after as many first ones as they need. */
export async function cutRecoveries(run: JournalRun, cuts: number, seed: number): Promise<CutReport> {
  const random = randomOf(seed);
  const first = cutPoints(run.operations, random, Math.ceil(cuts / CUTS_EACH));
  const images: DiskImage[] = [];
  cutEach(run.operations, new Disk(), first, random, (image) => images.push(image));
  const reports: CutReport[] = [];
  for (const [nth, image] of images.entries()) {
    const left = cuts - nth * CUTS_EACH;
    reports.push(cutRecovery(await record(image, nth), Math.min(CUTS_EACH, left), seed + nth));
  }
  return sumOf(reports);
}

async function record(files: DiskImage, seed: number): Promise<Recovery> {
  const place = quickFolder("contents");
  try {
    const file = join(place, "contents");
    const args = [file, String(seed), String(SALES)];
    const recording = await recorded("test/support/power-loss/recovery-run.js", args, files);
    const contents = readFileSync(file, "utf8").split("\n").map(fromCanonicalJson) as Content[];
    return { ...recording, files, contents };
  } finally {
    rmSync(place, { recursive: true });
  }
}

function cutRecovery(run: Recovery, cuts: number, seed: number): CutReport {
  const random = randomOf(seed);
  const disk = new Disk(run.files);
  const place = quickFolder("cut");
  const violations: string[] = [];
  let withLosses = 0;
  let morePreserved = 0;
  let returned = 0;
  try {
    cutEach(run.operations, disk, cutPoints(run.operations, random, cuts), random, (image, point) => {
      while ((run.marks[returned]?.at ?? Number.POSITIVE_INFINITY) <= point) returned += 1;
      if (disk.unsynced > 0) withLosses += 1;
      // The opening itself changes nothing that the journal holds.
      const done = Math.max(0, returned - 1);
      const promised = run.contents.findLastIndex(({ durable }, write) => durable && write <= done);
      const found = look(run, image, promised, done, place);
      if (typeof found === "string")
        violations.push(`second cut, seed ${seed}, after ${point} operations: ${found}`);
      else if (found > promised) morePreserved += 1;
    });
  } finally {
    rmSync(place, { recursive: true });
  }
  return { cuts, withLosses, morePreserved, violations };
}

/** The number of the write that the journal is at, or what is wrong. */
function look(
  run: Recovery,
  image: DiskImage,
  promised: number,
  done: number,
  place: string,
): number | string {
  const folder = join(place, "disk");
  mkdirSync(folder);
  const store = new SqliteStore<SaleEvent, TerminalState>({
    path: join(folder, JOURNAL),
    terminal: TERMINAL,
  });
  try {
    for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
    const content = contentOf(store, recover(store).state, []);
    store.verify();
    for (let write = promised; write <= done + 1; write += 1)
      if (run.contents[write]?.content === content) return write;
    return `it holds ${content}, not what it held after write ${promised}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}
