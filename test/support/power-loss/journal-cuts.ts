/**
 * Cuts the power in a recorded run of the terminal's journal and looks whether the journal is what it promised: it
 * opens, it holds every append that had returned and at most the one that was under way, and nothing is half there.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../../daemon/core/sale.ts";
import { step } from "../../../daemon/core/step.ts";
import { fromCanonicalJson, toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { MemoryMedium, MemoryStore } from "../../../sync/store/memory-store.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import type { Commit } from "../../../sync/store/store.ts";
import type { SaleStore } from "../selling.ts";
import { cutEach, cutPoints, logsBegunIn } from "./cut-points.ts";
import { Disk, type DiskImage, randomOf } from "./disk.ts";
import { quickFolder, type Recording, recorded } from "./recorder.ts";

export const TERMINAL = "counter-1";
export const JOURNAL = "journal.sqlite";

export type JournalMistake = "none" | "normal" | "off" | "early";

type Append = { readonly commit: Commit<SaleEvent, TerminalState>; readonly sent: readonly string[] };

/** What the journal holds after an append, as text that can be compared. */
type Expectation = {
  readonly append: Append | null;
  readonly position: number;
  readonly content: string;
};

export type JournalRun = Recording & {
  readonly appends: number;
  readonly expectations: readonly Expectation[];
  /** Bodies of the events in their order. */
  readonly events: readonly string[];
  /** How often SQLite's log was begun from its front: new, or again after it was copied into the file. */
  readonly logsBegun: number;
};

export type CutReport = {
  readonly cuts: number;
  /** Cuts at which something was not durable yet. */
  readonly withLosses: number;
  /** Of the cuts during an append: those after which it was there, whole. */
  readonly inFlightKept: number;
  readonly violations: readonly string[];
};

const PAGE_ROWS = 1_000;

export async function recordJournal(
  seed: number,
  sales: number,
  mistake: JournalMistake,
): Promise<JournalRun> {
  const place = quickFolder("commits");
  try {
    const commits = join(place, "commits");
    const args = [commits, String(seed), String(sales), mistake];
    const recording = await recorded("test/support/power-loss/journal-run.js", args);
    const appends = readFileSync(commits, "utf8")
      .split("\n")
      .map((line) => fromCanonicalJson(line) as Append);
    const events = appends.flatMap(({ commit }) => commit.events.map(toCanonicalJson));
    const logsBegun = logsBegunIn(recording.operations);
    return {
      ...recording,
      appends: appends.length,
      expectations: expectationsOf(appends),
      events,
      logsBegun,
    };
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** The same appends on the store's twin in memory, and folded by the core alone. */
function expectationsOf(appends: readonly Append[]): Expectation[] {
  const twin = new MemoryStore<SaleEvent, TerminalState>({ terminal: TERMINAL, medium: new MemoryMedium() });
  twin.open();
  const tokens = tokensOf(appends);
  let state = EMPTY_TERMINAL;
  const expectations: Expectation[] = [{ append: null, position: 0, content: contentOf(twin, null, tokens) }];
  let settings = firstSettings(appends);
  for (const append of appends) {
    for (const event of append.commit.events) {
      if (event.kind === "settings.applied") settings = event.settings;
      state = step(settings, state, event).state;
    }
    for (const id of append.sent) twin.markSent(id);
    const position = twin.append(append.commit);
    expectations.push({ append, position, content: contentOf(twin, state, tokens) });
  }
  return expectations;
}

function firstSettings(
  appends: readonly Append[],
): Extract<SaleEvent, { kind: "settings.applied" }>["settings"] {
  const first = appends[0]?.commit.events[0];
  if (first?.kind !== "settings.applied") throw new Error("the run does not begin with its settings");
  return first.settings;
}

function tokensOf(appends: readonly Append[]): readonly string[] {
  return [...new Set(appends.flatMap(({ commit }) => commit.cardCounters.map(({ token }) => token)))].sort();
}

/** Everything but the events, which are compared by themselves. */
function contentOf(store: SaleStore, state: TerminalState | null, tokens: readonly string[]): string {
  return toCanonicalJson({
    state,
    waiting: store.pending(0, PAGE_ROWS),
    depth: store.depth(),
    deadLetters: store.deadLetters(),
    counters: tokens.map((token) => store.lastCounter(token)),
  });
}

/** `cuts` times: the power goes, and the journal is opened on what is left. */
export function cutJournal(run: JournalRun, cuts: number, seed: number): CutReport {
  const random = randomOf(seed);
  const points = cutPoints(run.operations, random, cuts);
  const place = quickFolder("cut");
  const violations: string[] = [];
  const disk = new Disk();
  let withLosses = 0;
  let inFlightKept = 0;
  let promised = 0;
  try {
    cutEach(run.operations, disk, points, random, (image, point) => {
      while ((run.marks[promised]?.at ?? Number.POSITIVE_INFINITY) <= point) promised += 1;
      if (disk.unsynced > 0) withLosses += 1;
      const found = look(run, image, promised, place);
      if (found.kind === "kept" && found.appends > promised) inFlightKept += 1;
      if (found.kind === "violation")
        violations.push(`seed ${seed}, after ${point} operations: ${found.what}`);
    });
  } finally {
    rmSync(place, { recursive: true });
  }
  return { cuts, withLosses, inFlightKept, violations };
}

type Found =
  | { readonly kind: "kept"; readonly appends: number }
  | { readonly kind: "violation"; readonly what: string };

/** `promised`: appends that had returned. */
function look(run: JournalRun, image: DiskImage, promised: number, place: string): Found {
  const folder = join(place, "disk");
  mkdirSync(folder);
  try {
    for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
    const store = new SqliteStore<SaleEvent, TerminalState>({
      path: join(folder, JOURNAL),
      terminal: TERMINAL,
    });
    try {
      return compared(run, store, promised);
    } finally {
      store.close();
    }
  } catch (error) {
    return { kind: "violation", what: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compared(run: JournalRun, store: SaleStore, promised: number): Found {
  const { state, statePosition, tail } = store.open();
  const appends = run.expectations.findIndex(({ position }) => position === statePosition);
  const expected = run.expectations[appends];
  const wrong = (what: string): Found => ({ kind: "violation", what });
  if (expected === undefined)
    return wrong(`the state is of event ${statePosition}, in the middle of an append`);
  if (appends < promised)
    return wrong(`${promised - appends} of ${promised} appends that had returned are lost`);
  if (appends > promised + 1) return wrong(`${appends - promised} appends more than had returned`);
  if ([...tail].length > 0) return wrong("events after the state");
  const { events } = store.verify();
  const bodies = [...store.events()].map(({ event }) => toCanonicalJson(event));
  if (events !== statePosition || bodies.some((body, at) => body !== run.events[at]))
    return wrong("other events");
  const tokens = tokensOf(run.expectations.flatMap(({ append }) => (append === null ? [] : [append])));
  const content = contentOf(store, state, tokens);
  if (content !== expected.content)
    return wrong(`after ${appends} appends it holds ${content}, not ${expected.content}`);
  return goesOn(run, store, appends) ?? { kind: "kept", appends };
}

/** The terminal sells on: what came next in the run fits. */
function goesOn(run: JournalRun, store: SaleStore, appends: number): Found | null {
  const next = run.expectations[appends + 1];
  if (next?.append == null) return null;
  const position = store.append(next.append.commit);
  if (position === next.position) return null;
  return { kind: "violation", what: `the next append ends at event ${position}, not ${next.position}` };
}
