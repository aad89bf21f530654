/**
 * Power cuts below the process, as many as are asked for: recorded runs of the terminal's journal and of the ledger's
 * books, each cut at points around its syncs, inside SQLite's checkpoints and anywhere (test/support/power-loss), and
 * the journal cut again while it recovers.
 */
import { type CutReport, sumOf } from "../support/power-loss/cut-points.ts";
import { cutJournal, recordJournal } from "../support/power-loss/journal-cuts.ts";
import { cutLedger, recordLedger } from "../support/power-loss/ledger-cuts.ts";
import { cutRecoveries } from "../support/power-loss/recovery-cuts.ts";
import { table } from "./figures.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "cuts the power under a recorded journal and recorded books and looks what is lost";

/** Cuts of one recorded run; the next run has other sales. */
const CUTS_PER_RUN = 500;
const SALES_PER_RUN = 60;
/** Of the cuts, for the ledger's books. */
const LEDGER_SHARE = 0.25;
/** Of the cuts, for the opening after an earlier cut. */
const RECOVERY_SHARE = 0.1;

type Tried = { readonly runs: number } & CutReport;

export async function power(options: BenchOptions): Promise<void> {
  const cuts = positive("--cuts", options["cuts"]);
  const seed = positive("--seed", options["seed"]);
  const ledgerCuts = Math.round(cuts * LEDGER_SHARE);
  const recoveryCuts = Math.round(cuts * RECOVERY_SHARE);
  const journal = await inRuns(cuts - ledgerCuts - recoveryCuts, seed, async (nth, count) =>
    cutJournal(await recordJournal(nth, SALES_PER_RUN, "none"), count, nth),
  );
  const recovery = await inRuns(recoveryCuts, seed, async (nth, count) =>
    cutRecoveries(await recordJournal(nth, SALES_PER_RUN, "none"), count, nth),
  );
  const ledger = await inRuns(ledgerCuts, seed, async (nth, count) =>
    cutLedger(await recordLedger(nth, SALES_PER_RUN, "none"), count, nth),
  );
  const violations = [journal, recovery, ledger].flatMap((tried) => tried.violations);
  if (violations.length > 0) process.exitCode = 1;
  if (options.json) {
    const figures = { cuts, seed, broken: violations.length, journal, recovery, ledger };
    return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
  const row = (name: string, of: (tried: Tried) => number): (string | number)[] => [
    name,
    of(journal),
    of(recovery),
    of(ledger),
  ];
  process.stdout.write(
    `${table([
      ["", "journal", "journal, again", "ledger"],
      row("recorded runs", ({ runs }) => runs),
      row("power cuts", (tried) => tried.cuts),
      row("of these, with something unsynced", ({ withLosses }) => withLosses),
      row("of these, with more kept than was promised", ({ morePreserved }) => morePreserved),
      row("promises broken", (tried) => tried.violations.length),
    ])}\n${violations.map((what) => `${what}\n`).join("")}`,
  );
}

async function inRuns(
  cuts: number,
  seed: number,
  run: (seed: number, cuts: number) => Promise<CutReport>,
): Promise<Tried> {
  const reports: CutReport[] = [];
  for (let done = 0; done < cuts; done += CUTS_PER_RUN)
    reports.push(await run(seed + reports.length, Math.min(CUTS_PER_RUN, cuts - done)));
  return { runs: reports.length, ...sumOf(reports) };
}

function positive(name: string, text: unknown): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${name} ${String(text)}: a whole number from 1`);
  return number;
}
