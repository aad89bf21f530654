/**
 * Start to ready with a long past: a journal with many completed sales, made by the daemon's interpreter, core and
 * store, and the time from starting the daemon's process to its log line "ready", from when on a customer can buy by
 * touch. After an orderly stop and after SIGKILL, beside a daemon with an empty journal in the same run.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, saleSettings } from "../../daemon/config.ts";
import { CrashSite, TERMINAL, until } from "../support/crash-site.ts";
import { buildJournal } from "../support/journal-builder.ts";
import { peakMemoryMiB } from "../support/processes.ts";
import { spread, table } from "./figures.ts";
import { endWhenInterrupted } from "./interruption.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "start to ready with many sales in the journal";

const DEFAULT_SALES = 100_000;
const TARGET_MS = 1_500;
const STARTS = 5;
const BETWEEN_SALES_MS = 20_000;
const PROGRESS_SALES = 5_000;
const MIB = 1_048_576;

export async function recover(options: BenchOptions): Promise<void> {
  const sales = Number(options["sales"] ?? DEFAULT_SALES);
  if (!Number.isSafeInteger(sales) || sales < 1) throw new Error("--sales needs a whole number from 1");
  const folder = mkdtempSync(join(tmpdir(), "saypay-recover-"));
  const sites = [
    new CrashSite(join(folder, "empty"), "embedded"),
    new CrashSite(join(folder, "full"), "embedded"),
  ] as const;
  const stop = async (): Promise<void> => {
    for (const site of sites) await site.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  endWhenInterrupted({ stop });
  try {
    const [empty, full] = sites;
    for (const site of sites) {
      await site.prepare();
      site.ledger.keep();
      await until(() => site.ledger.isUp, 60_000, "the ledger is up");
    }
    const beganMs = performance.now();
    const events = buildJournal({
      path: full.journal,
      terminal: TERMINAL,
      settings: saleSettings(readConfig(full.settingsFile)),
      sales,
      mode: "online",
      betweenSalesMs: BETWEEN_SALES_MS,
      said: (count) => {
        if (count % PROGRESS_SALES === 0) process.stderr.write(`${count} of ${sales} sales journalled\n`);
      },
    });
    const buildingS = Math.round((performance.now() - beganMs) / 1_000);
    const journalMiB = Math.round(statSync(full.journal).size / MIB);
    const { readyMs, peakMiB } = await starts([
      [empty, "SIGTERM"],
      [full, "SIGTERM"],
      [full, "SIGKILL"],
    ]);
    const [emptyMs = [], stoppedMs = [], killedMs = []] = readyMs;
    const figures = {
      sales,
      events,
      journalMiB,
      buildingS,
      starts: STARTS,
      emptyReadyMs: spread(emptyMs),
      readyMs: spread(stoppedMs),
      readyAfterKillMs: spread(killedMs),
      targetMs: TARGET_MS,
      daemonPeakMiB: { empty: peakMiB[0], full: peakMiB[1] },
    };
    if (options.json) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
    const rows: (string | number)[][] = [
      ["sales in the journal", sales],
      ["events in the journal", events],
      ["size of the journal, MiB", journalMiB],
      ["start to ready, empty journal, ms (median)", figures.emptyReadyMs.median],
      [`start to ready, ms (median; target ${TARGET_MS})`, figures.readyMs.median],
      ["start to ready after SIGKILL, ms (median)", figures.readyAfterKillMs.median],
      [
        "peak memory of the daemon, empty and full, MiB",
        `${figures.daemonPeakMiB.empty} ${figures.daemonPeakMiB.full}`,
      ],
    ];
    process.stdout.write(`${table(rows)}\n`);
  } finally {
    await stop();
  }
}

type Start = readonly [site: CrashSite, endsBefore: NodeJS.Signals];

/**
 * Starts each in turn, some times round, so that all meet the same weather; a start is that of a daemon which ended by
 * the signal before. The first round is not counted: it fills the page cache.
 */
async function starts(kinds: readonly Start[]): Promise<{ readyMs: number[][]; peakMiB: number[] }> {
  const readyMs: number[][] = kinds.map(() => []);
  const peakMiB = kinds.map(() => 0);
  for (let round = 0; round <= STARTS; round++) {
    for (const [at, [site, endsBefore]] of kinds.entries()) {
      const { program } = site.daemon;
      await site.startDaemon();
      await program.end(endsBefore);
      const beganMs = performance.now();
      await site.startDaemon();
      if (round > 0) readyMs[at]?.push(performance.now() - beganMs);
      peakMiB[at] = Math.max(peakMiB[at] ?? 0, peakMemoryMiB(program.pid));
      await program.end();
    }
  }
  return { readyMs, peakMiB };
}
