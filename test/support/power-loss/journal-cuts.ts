/**
 * Cuts the power in a recorded run of the terminal's journal and looks whether the journal is what it promised: it
 * opens, it holds every synced write that had returned and nothing that was not begun, in the order of the writes, and
 * nothing is half there; and the terminal can sell on.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { recover } from "../../../daemon/shell/recovery.ts";
import { toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import type { SalePlan, SaleStore } from "../selling.ts";
import { type CutReport, cutEach, cutPoints, logsBegunIn } from "./cut-points.ts";
import { Disk, type DiskImage, randomOf } from "./disk.ts";
import {
  contentOf,
  type Expectation,
  eventsOf,
  expectationsOf,
  JOURNAL,
  type JournalMistake,
  type JournalWrite,
  readWrite,
  repeatWrite,
  TERMINAL,
  tokensOf,
} from "./journal-writes.ts";
import { quickFolder, type Recording, recorded } from "./recorder.ts";

export type JournalRun = Recording & {
  readonly writes: readonly JournalWrite[];
  readonly expectations: readonly Expectation[];
  readonly tokens: readonly string[];
  /** Bodies of the events in their order. */
  readonly events: readonly string[];
  /** How often SQLite's log was begun from its front: new, or again after it was copied into the file. */
  readonly logsBegun: number;
};

/** Sells by script and records it; every sale as `plan` says, or each by chance. */
export async function recordJournal(
  seed: number,
  sales: number,
  mistake: JournalMistake,
  plan?: SalePlan,
): Promise<JournalRun> {
  const place = quickFolder("writes");
  try {
    const file = join(place, "writes");
    const args = [file, String(seed), String(sales), mistake, ...(plan === undefined ? [] : [plan])];
    const recording = await recorded("test/support/power-loss/journal-run.js", args);
    const writes = readFileSync(file, "utf8").split("\n").map(readWrite);
    return {
      ...recording,
      writes,
      expectations: expectationsOf(writes),
      tokens: tokensOf(writes),
      events: eventsOf(writes).map(toCanonicalJson),
      logsBegun: logsBegunIn(recording.operations),
    };
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** `cuts` times: the power goes, and the journal is opened on what is left. */
export function cutJournal(run: JournalRun, cuts: number, seed: number): CutReport {
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
      const promised = run.expectations.findLastIndex(({ durable }, write) => durable && write <= returned);
      const found = look(run, image, { promised, returned }, place);
      if (found.kind === "kept" && found.writes > promised) morePreserved += 1;
      if (found.kind === "violation")
        violations.push(`seed ${seed}, after ${point} operations: ${found.what}`);
    });
  } finally {
    rmSync(place, { recursive: true });
  }
  return { cuts, withLosses, morePreserved, violations };
}

/** Numbers of writes: so many are durable for certain, so many had returned. */
type Bounds = { readonly promised: number; readonly returned: number };

type Found =
  | { readonly kind: "kept"; readonly writes: number }
  | { readonly kind: "violation"; readonly what: string };

function look(run: JournalRun, image: DiskImage, bounds: Bounds, place: string): Found {
  const folder = join(place, "disk");
  mkdirSync(folder);
  try {
    for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
    const store = new SqliteStore<SaleEvent, TerminalState>({
      path: join(folder, JOURNAL),
      terminal: TERMINAL,
    });
    try {
      return compared(run, store, bounds);
    } finally {
      store.close();
    }
  } catch (error) {
    return violation(error instanceof Error ? error.message : String(error));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compared(run: JournalRun, store: SaleStore, { promised, returned }: Bounds): Found {
  const { state, position } = recover(store);
  const content = contentOf(store, state, run.tokens);
  const isThis = (expected: Expectation | undefined): boolean =>
    expected?.position === position && expected.content === content;
  let writes = promised;
  while (writes <= returned + 1 && !isThis(run.expectations[writes])) writes += 1;
  if (writes > returned + 1) return violation(whatIsWrong(run, { promised, returned }, position, content));
  const found = store.verify();
  if (found.events !== position) return violation(`it verifies ${found.events} of ${position} events`);
  for (const record of store.events())
    if (toCanonicalJson(record.event) !== run.events[record.position - 1])
      return violation(`event ${record.position} is another`);
  return goesOn(run, store, writes) ?? { kind: "kept", writes };
}

function whatIsWrong(
  run: JournalRun,
  { promised, returned }: Bounds,
  position: number,
  content: string,
): string {
  const least = run.expectations[promised]?.position ?? 0;
  const most = run.expectations[returned + 1]?.position ?? run.events.length;
  if (position < least) return `events ${position + 1} to ${least} had been promised and are lost`;
  if (position > most) return `it ends at event ${position}, ${most} had been begun`;
  const expected = run.expectations.find((expectation) => expectation.position === position);
  if (expected === undefined) return `it ends at event ${position}, in the middle of an append`;
  return `after event ${position} it holds ${content}, not ${expected.content}`;
}

/** The terminal sells on: what came next in the run fits. */
function goesOn(run: JournalRun, store: SaleStore, writes: number): Found | null {
  const next = run.expectations[writes + 1];
  if (next?.done == null) return null;
  const position = repeatWrite(store, { ...next.done, sent: [] });
  if (position === null || position === next.position) return null;
  return violation(`the next append ends at event ${position}, not ${next.position}`);
}

function violation(what: string): Found {
  return { kind: "violation", what };
}
