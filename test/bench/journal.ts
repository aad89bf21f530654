/**
 * What it costs to keep every sale: syncs of the disk for each, and sales a second beside what the same disk can do.
 *
 * The syncs are counted in a recorded run (test/support/power-loss): the daemon's interpreter, core and store sell by
 * script, and every fsync and fdatasync that reaches the kernel is in the record. The rates are measured by turns in
 * one run on one disk: a few sales, then exactly their writes and syncs again on another file without anything in
 * between (by fdatasync, and by the calls that SQLite really makes, which are fsync in the build that we use), then as many plain appends to a growing file and as many writes over a file that has its blocks. The
 * second is SQLite's own pattern, a log that grows and is then written over from its front, and is what a sale is
 * measured against. Every rate is the median of its turns, and the share is the median of the turns' shares, because
 * disks and machines have moods.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { randomOf } from "../support/power-loss/disk.ts";
import { type JournalRun, recordJournal } from "../support/power-loss/journal-cuts.ts";
import { eventsOf, JOURNAL, TERMINAL } from "../support/power-loss/journal-writes.ts";
import type { DiskOperation } from "../support/power-loss/record.ts";
import { Replay } from "../support/power-loss/replay.ts";
import { SellingCounter } from "../support/selling.ts";
import { quantile, table } from "./figures.ts";
import type { BenchOptions } from "./main.ts";

export const summary =
  "syncs of the disk for each sale, and durable sales a second beside the disk's own rate";

/** Targets of the project, see the README of sync/store. */
const MOST_SYNCS_TAP_TO_APPROVED = 2;
const MOST_SYNCS_PER_SALE = 5;
const LEAST_SHARE = 0.8;

const SEED = 1;
/** Sales before the others take their turn. */
const TURN_SALES = 5;
/** Before anything is measured: a terminal that sells all day runs compiled code and has a log that is written over. */
const WARM_UP_TURNS = 12;
/** statfs(2): TMPFS_MAGIC and RAMFS_MAGIC. */
const MEMORY_FILE_SYSTEMS = [0x01_02_19_94, 0x85_84_58_f6];

export async function journal(options: BenchOptions): Promise<void> {
  const sales = Number(options["sales"]);
  if (!Number.isSafeInteger(sales / TURN_SALES) || sales < TURN_SALES)
    throw new Error(`--sales ${String(options["sales"])}: a multiple of ${TURN_SALES}`);
  const run = await recordJournal(SEED, WARM_UP_TURNS * TURN_SALES + sales, "none", "approved");
  const counted = count(run);
  const place = mkdtempSync(join(onDisk(), "saypay-bench-journal-"));
  try {
    const rates = measure(run, counted, place);
    const reached =
      counted.syncsTapToApproved.most <= MOST_SYNCS_TAP_TO_APPROVED &&
      counted.syncsPerSale <= MOST_SYNCS_PER_SALE &&
      rates.share >= LEAST_SHARE;
    const reachedUpToSyncsPerSecond = slowEnough(counted, rates);
    const figures = { sales, ...counted, ...rates, reachedUpToSyncsPerSecond, reached };
    if (options.json) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
    print(figures);
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** The rate of a disk beside which this processor's own time for a sale is small enough for the target. */
function slowEnough({ syncsPerSale }: Counted, { processorMsPerSale }: Rates): number {
  const diskMsPerSale = (processorMsPerSale * LEAST_SHARE) / (1 - LEAST_SHARE);
  return Math.round((syncsPerSale / diskMsPerSale) * 1_000);
}

/** A folder on a disk: nothing is learnt from memory. */
function onDisk(): string {
  const inMemory = MEMORY_FILE_SYSTEMS.includes(statfsSync(tmpdir()).type);
  return inMemory ? process.cwd() : tmpdir();
}

type Counted = {
  readonly appendsPerSale: number;
  readonly syncsPerSale: number;
  /** Until the answer is durable, so that the receipt may be printed. The most: with a copy of the log in between. */
  readonly syncsTapToApproved: { readonly typical: number; readonly most: number };
  readonly bytesPerSync: number;
};

function count(run: JournalRun): Counted {
  const { operations, marks } = run;
  const appends = kindsOf(run);
  const syncs = (from: number, to: number): number => syncsIn(operations.slice(from, to));
  const endOf = (append: number): number => marks[append]?.at ?? operations.length;
  const first = firstSale(appends);
  const from = endOf(first - 1);
  const wokenCount = appends.filter((kinds) => kinds.includes("sale.woken")).length;
  const tapToApproved: number[] = [];
  for (const [append, kinds] of appends.entries()) {
    if (!kinds.includes("card.presented")) continue;
    const answered = appends.findIndex((later, at) => at > append && later.includes("ledger.answered"));
    tapToApproved.push(syncs(endOf(append - 1), endOf(answered)));
  }
  const written = operations
    .slice(from)
    .reduce((sum, one) => sum + (one.kind === "write" ? one.bytes.length : 0), 0);
  const all = syncs(from, operations.length);
  return {
    appendsPerSale: rounded((appends.length - first) / wokenCount),
    syncsPerSale: rounded(all / wokenCount),
    syncsTapToApproved: { typical: quantile(tapToApproved, 0.5), most: Math.max(...tapToApproved) },
    bytesPerSync: Math.round(written / all),
  };
}

type Kinds = readonly SaleEvent["kind"][];

/** The kinds of the events of each write. */
function kindsOf({ writes }: JournalRun): readonly Kinds[] {
  return writes.map((write) => eventsOf([write]).map(({ kind }) => kind));
}

function firstSale(appends: readonly Kinds[]): number {
  const first = appends.findIndex((kinds) => kinds.includes("sale.woken"));
  if (first < 1) throw new Error("the run has no sale");
  return first;
}

type Rates = {
  readonly salesPerSecond: number;
  /** Syncs a second. */
  readonly sameWritesPerSecond: number;
  /** The same by the calls that SQLite makes. */
  readonly sameWritesByFsyncPerSecond: number;
  readonly growingPerSecond: number;
  readonly overwritingPerSecond: number;
  /** Sales a second as part of what the same writes alone would allow. */
  readonly share: number;
  readonly shareOfFsync: number;
  /** Of this process, for one sale, writes and syncs included. */
  readonly processorMsPerSale: number;
};

/** One turn: how long each took, in seconds. */
type Turn = { readonly syncs: number; processorMs: number } & { [player in Player]: number };
type Player = "sold" | "replayed" | "fsynced" | "growing" | "overwriting";

/** The four by turns, each turn in another order, so that a slow moment of the disk meets them all. */
function measure(run: JournalRun, { bytesPerSync }: Counted, place: string): Rates {
  const folders = {
    sold: join(place, "sold"),
    replayed: join(place, "replayed"),
    fsynced: join(place, "fsynced"),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  const store = new SqliteStore<SaleEvent, TerminalState>({
    path: join(folders.sold, JOURNAL),
    terminal: TERMINAL,
  });
  store.open();
  const counter = new SellingCounter(store, EMPTY_TERMINAL, randomOf(SEED));
  counter.begin();
  const replay = new Replay(folders.replayed, "fdatasync");
  const fsynced = new Replay(folders.fsynced, "as recorded");
  const { before, turns } = turnsOf(run);
  for (const player of [replay, fsynced]) player.play(before);
  const growing = new PlainWrites(join(place, "growing"), bytesPerSync, "growing");
  const overwriting = new PlainWrites(join(place, "overwriting"), bytesPerSync, "overwriting");
  const took: Turn[] = [];
  try {
    for (const [index, operations] of turns.entries()) {
      const turn: Turn = {
        syncs: syncsIn(operations),
        sold: 0,
        replayed: 0,
        fsynced: 0,
        growing: 0,
        overwriting: 0,
        processorMs: 0,
      };
      const play: { readonly [player in Player]: () => void } = {
        sold: () => {
          const began = process.cpuUsage();
          for (let sale = 0; sale < TURN_SALES; sale += 1) counter.sell("approved");
          const { user, system } = process.cpuUsage(began);
          turn.processorMs = (user + system) / 1_000;
        },
        replayed: () => replay.play(operations),
        fsynced: () => fsynced.play(operations),
        growing: () => growing.write(turn.syncs),
        overwriting: () => overwriting.write(turn.syncs),
      };
      for (let nth = 0; nth < PLAYERS.length; nth += 1) {
        const player = PLAYERS[(index + nth) % PLAYERS.length] ?? "sold";
        turn[player] = seconds(play[player]);
      }
      if (index >= WARM_UP_TURNS) took.push(turn);
    }
  } finally {
    store.close();
    replay.stop();
    fsynced.stop();
    growing.stop();
    overwriting.stop();
  }
  const median = (of: (turn: Turn) => number): number => rounded(quantile(took.map(of), 0.5));
  return {
    salesPerSecond: median(({ sold }) => TURN_SALES / sold),
    sameWritesPerSecond: median(({ syncs, replayed }) => syncs / replayed),
    sameWritesByFsyncPerSecond: median((turn) => turn.syncs / turn.fsynced),
    growingPerSecond: median(({ syncs, growing: spent }) => syncs / spent),
    overwritingPerSecond: median(({ syncs, overwriting: spent }) => syncs / spent),
    // The same number of syncs: (sales / sold) / (syncs / replayed / (syncs / sales)).
    share: median(({ sold, replayed }) => replayed / sold),
    shareOfFsync: median((turn) => turn.fsynced / turn.sold),
    processorMsPerSale: median(({ processorMs }) => processorMs / TURN_SALES),
  };
}

const PLAYERS: readonly Player[] = ["sold", "replayed", "fsynced", "growing", "overwriting"];

function syncsIn(operations: readonly DiskOperation[]): number {
  return operations.filter(({ kind }) => kind === "sync").length;
}

/** What was done before the first sale, and for each TURN_SALES sales. */
function turnsOf(run: JournalRun): {
  before: readonly DiskOperation[];
  turns: readonly (readonly DiskOperation[])[];
} {
  const wakes = kindsOf(run).flatMap((kinds, append) => (kinds.includes("sale.woken") ? [append] : []));
  const starts = wakes
    .filter((_, sale) => sale % TURN_SALES === 0)
    .map((append) => run.marks[append - 1]?.at ?? 0);
  const turns = starts.map((start, turn) => run.operations.slice(start, starts[turn + 1]));
  return { before: run.operations.slice(0, starts[0]), turns };
}

/** As many bytes as a sale writes for a sync, then fdatasync: behind each other, or over blocks that are there. */
class PlainWrites {
  readonly #file: number;
  readonly #bytes: Uint8Array;
  readonly #wrapAt: number;
  #at = 0;

  constructor(path: string, bytesPerSync: number, kind: "growing" | "overwriting") {
    this.#file = openSync(path, "w+");
    this.#bytes = new Uint8Array(bytesPerSync).fill(0x5a);
    this.#wrapAt = kind === "growing" ? Number.POSITIVE_INFINITY : LOG_BYTES;
    if (kind === "growing") return;
    for (let at = 0; at < LOG_BYTES; at += bytesPerSync)
      writeSync(this.#file, this.#bytes, 0, bytesPerSync, at);
    fdatasyncSync(this.#file);
  }

  write(times: number): void {
    for (let time = 0; time < times; time += 1) {
      if (this.#at + this.#bytes.length > this.#wrapAt) this.#at = 0;
      writeSync(this.#file, this.#bytes, 0, this.#bytes.length, this.#at);
      fdatasyncSync(this.#file);
      this.#at += this.#bytes.length;
    }
  }

  stop(): void {
    closeSync(this.#file);
  }
}

/** As long as SQLite's log becomes before it is written over: 1,000 pages (sqlite.org/wal.html). */
const LOG_BYTES = 4_096_000;

function seconds(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1_000;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

type Judgement = { readonly reachedUpToSyncsPerSecond: number; readonly reached: boolean };

function print(figures: Counted & Rates & Judgement): void {
  const { typical, most } = figures.syncsTapToApproved;
  process.stdout.write(
    `${table([
      ["transactions of a sale", figures.appendsPerSale],
      [`syncs of a sale (target: at most ${MOST_SYNCS_PER_SALE})`, figures.syncsPerSale],
      ["syncs from tap to approved", typical],
      [`the same, the most of all sales (target: at most ${MOST_SYNCS_TAP_TO_APPROVED})`, most],
      ["bytes written for each sync", figures.bytesPerSync],
      ["fdatasync a second, growing file", figures.growingPerSecond],
      ["fdatasync a second, file that has its blocks", figures.overwritingPerSecond],
      ["fdatasync a second, exactly the writes of the sales", figures.sameWritesPerSecond],
      ["fsync a second, exactly the writes of the sales", figures.sameWritesByFsyncPerSecond],
      ["durable sales a second", figures.salesPerSecond],
      [`share of what those writes alone allow (target: at least ${LEAST_SHARE})`, figures.share],
      ["share of what they allow by fsync, as SQLite calls it", figures.shareOfFsync],
      ["processor time for a sale, ms", figures.processorMsPerSale],
      [
        "the share is reached on disks of up to so many fdatasync a second",
        figures.reachedUpToSyncsPerSecond,
      ],
      ["targets reached", figures.reached ? "yes" : "no"],
    ])}\n`,
  );
}
