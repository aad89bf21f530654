/**
 * A day without the network: sales queued offline in a real journal (made by the daemon's interpreter, core and store),
 * then drained by a real daemon through a real Mosquitto with mutual TLS to a real ledger. Beside it, in the same run,
 * the ledger's bare posting rate: the same authorisations handed to its clearing desk on SQLite storage with the same
 * gateway, in order, in a process of its own. The offline limits are raised by the settings.
 *
 * Drained means: every row has the ledger's signed answer in the journal and no charge is open. Measured from the link
 * coming up. Memory is the peak of each process's resident set, for half as many sales and for all.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readConfig, saleSettings } from "../../daemon/config.ts";
import type { BareRate } from "../support/bare-desk.ts";
import { CrashSite, TERMINAL, until } from "../support/crash-site.ts";
import { buildJournal } from "../support/journal-builder.ts";
import { peakMemoryMiB } from "../support/processes.ts";
import { COMPILED } from "../support/program.ts";
import { chargesOf } from "./crash-verdict.ts";
import { table } from "./figures.ts";
import { endWhenInterrupted } from "./interruption.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "sales queued offline, drained to a ledger; beside it the ledger's bare posting rate";

const DEFAULT_SALES = 10_000;
/** Target of the project: draining reaches this share of the bare rate. */
const TARGET_SHARE = 0.7;
const BETWEEN_SALES_MS = 2_000;
const POLL_MS = 50;
const PROGRESS_MS = 5_000;
const START_LIMIT_MS = 60_000;
/** A drain slower than ten sales a second has failed in any case. */
const LIMIT_MS_A_SALE = 100;
const WIDE = 1_000_000;

const SETTINGS = {
  daemon: {
    offline: { perSale: WIDE, total: 1_000_000_000, count: WIDE, perCard: WIDE, perCardPerHour: WIDE },
  },
  ledger: {
    gateway: { id: "sandbox", settings: { latencyMs: 0, byAmount: false } },
    resolver: {},
  },
};

type Drained = {
  readonly sales: number;
  readonly charges: number;
  readonly seconds: number;
  readonly daemonPeakMiB: number;
  readonly ledgerPeakMiB: number;
};

export async function drain(options: BenchOptions): Promise<void> {
  const sales = Number(options["sales"] ?? DEFAULT_SALES);
  if (!Number.isSafeInteger(sales) || sales < 2) throw new Error("--sales needs a whole number from 2");
  const folder = mkdtempSync(join(tmpdir(), "saypay-drain-"));
  const sites: CrashSite[] = [];
  let stopped = false;
  const stop = async (): Promise<void> => {
    stopped = true;
    for (const site of sites) await site.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  endWhenInterrupted({ stop });
  try {
    const half = await drained(sites, join(folder, "half"), Math.floor(sales / 2));
    if (stopped) return;
    const whole = await drained(sites, join(folder, "whole"), sales);
    report(options, half, whole, await bare(join(folder, "whole"), join(folder, "bare")));
  } finally {
    await stop();
  }
}

function report(options: BenchOptions, half: Drained, whole: Drained, bareRate: BareRate): void {
  const round = (value: number, digits = 0): number => Number(value.toFixed(digits));
  const perSecond = whole.sales / whole.seconds;
  const barePerSecond = bareRate.approved / bareRate.seconds;
  const share = perSecond / barePerSecond;
  const figures = {
    sales: whole.sales,
    charges: whole.charges,
    salesPerSecond: round(perSecond),
    bareSalesPerSecond: round(barePerSecond),
    share: round(share, 2),
    targetShare: TARGET_SHARE,
    halfSalesPerSecond: round(half.sales / half.seconds),
    daemonPeakMiB: { half: half.daemonPeakMiB, whole: whole.daemonPeakMiB },
    ledgerPeakMiB: { half: half.ledgerPeakMiB, whole: whole.ledgerPeakMiB },
    barePeakMiB: bareRate.peakMiB,
  };
  if (whole.charges !== whole.sales || half.charges !== half.sales) {
    process.exitCode = 1;
    process.stderr.write(
      `${whole.sales} and ${half.sales} sales made ${whole.charges} and ${half.charges} charges\n`,
    );
  }
  if (options.json) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  const rows: (string | number)[][] = [
    ["sales queued offline", whole.sales],
    ["charges in the bank's file", whole.charges],
    ["drained, sales a second", figures.salesPerSecond],
    ["the ledger's bare posting rate, sales a second", figures.bareSalesPerSecond],
    ["share (target at least 0.7)", figures.share],
    ["half as many, sales a second", figures.halfSalesPerSecond],
    ["peak memory of the daemon, half and all, MiB", `${half.daemonPeakMiB} ${whole.daemonPeakMiB}`],
    ["peak memory of the ledger, half and all, MiB", `${half.ledgerPeakMiB} ${whole.ledgerPeakMiB}`],
  ];
  process.stdout.write(`${table(rows)}\n`);
}

/** Queues and drains at a site of its own. */
async function drained(sites: CrashSite[], folder: string, sales: number): Promise<Drained> {
  const site = new CrashSite(folder, "mosquitto", SETTINGS);
  sites.push(site);
  await site.prepare();
  site.ledger.keep();
  await until(() => site.ledger.isUp, START_LIMIT_MS, "the ledger is up");
  const settings = saleSettings(readConfig(site.settingsFile));
  buildJournal({
    path: site.journal,
    terminal: TERMINAL,
    settings,
    sales,
    mode: "offline",
    betweenSalesMs: BETWEEN_SALES_MS,
    said: (count) => {
      if (count % 2_500 === 0) said(`${count} of ${sales} sales queued`);
    },
  });
  await site.startDaemon();
  const seconds = await drainedAfter(site, sales);
  const { program } = site.daemon;
  const daemonPeakMiB = peakMemoryMiB(program.pid);
  const ledgerPeakMiB = peakMemoryMiB(site.ledger.program.pid);
  await program.end();
  await site.stop();
  const charges = chargesOf(folder).filter(({ status }) => status === "charged").length;
  return { sales, charges, seconds, daemonPeakMiB, ledgerPeakMiB };
}

/** Seconds from the link coming up until nothing waits. */
async function drainedAfter(site: CrashSite, sales: number): Promise<number> {
  const limitMs = performance.now() + START_LIMIT_MS + sales * LIMIT_MS_A_SALE;
  let upMs: number | null = null;
  let saidMs = performance.now();
  for (;;) {
    const health = await site.health();
    const now = performance.now();
    if (upMs === null && health?.linkUp === true) upMs = now;
    if (upMs !== null && health?.outboxDepth === 0 && health.openCharges === 0) return (now - upMs) / 1_000;
    if (now > limitMs) throw new Error(`not drained: ${JSON.stringify(health)}`);
    if (now - saidMs > PROGRESS_MS) {
      saidMs = now;
      said(`${health?.outboxDepth ?? "?"} of ${sales} sales wait`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The drained site's journal still names every request; its ledger's settings are used with a folder of its own. */
async function bare(siteFolder: string, folder: string): Promise<BareRate> {
  mkdirSync(folder, { recursive: true });
  const program = `${COMPILED}test/support/bare-desk.js`;
  const settings = join(siteFolder, "ledger.yaml");
  const journal = join(siteFolder, "data", "journal.sqlite");
  said("the bare posting rate");
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    settings,
    journal,
    folder,
    TERMINAL,
  ]);
  return JSON.parse(stdout) as BareRate;
}

function said(text: string): void {
  process.stderr.write(`${text}\n`);
}
