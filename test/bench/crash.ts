/**
 * Pulling the plug: real terminals, ledgers and brokers on real files sell while their processes are killed at random
 * moments, are started again and go on. Several counters side by side, half with the ledger's own broker, half with a
 * Mosquitto of its own; crash-run.ts says who is killed when, crash-verdict.ts what is counted.
 *
 * lost, doubled, printedWithoutCharge and the other counts of what must not be are 0, or the run fails: it exits with
 * status 1, keeps its folder (journals, books, bank, logs, papers) and says how to look at it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { CrashSite } from "../support/crash-site.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { CrashRun, type Kills } from "./crash-run.ts";
import { type Final, type SiteVerdict, verdictOf } from "./crash-verdict.ts";
import { table } from "./figures.ts";
import { endWhenInterrupted } from "./interruption.ts";
import type { BenchOptions } from "./main.ts";

export const summary =
  "kills processes at random moments while sales run; counts what was lost or charged twice";

const DEFAULT_KILLS = 200;
const PROGRESS_MS = 5_000;
/** Counters for each processor: most of a kill's time is waiting, not computing. */
const SITES_PER_CORE = 2;

export type CrashOptions = {
  readonly kills: number;
  readonly seed: number;
  readonly sites?: number;
  readonly said?: (text: string) => void;
};

/** What must not be: each is 0 in a good run. */
const FINDINGS = [
  "lost",
  "doubled",
  "printedWithoutCharge",
  "chargedWithoutSale",
  "tapsWithoutOneEnd",
  "secondOriginals",
  "unprinted",
] as const;
type Finding = (typeof FINDINGS)[number];

export type CrashFigures = {
  readonly kills: number;
  readonly victims: Kills;
  readonly networkCuts: number;
  readonly sales: number;
  readonly taps: number;
  readonly finals: { readonly [name in Final]: number };
  readonly charges: number;
  readonly receipts: number;
  readonly copies: number;
  /** Receipts given up with an alarm, after a printer that was killed over and over. */
  readonly leftToStaff: number;
} & { readonly [name in Finding]: number } & {
  /** Processes that ended although nobody killed them. */
  readonly unexpectedEnds: number;
  /** Counters whose sale or whose healing got stuck. */
  readonly stuck: number;
  readonly sites: number;
  readonly seconds: number;
  readonly seed: number;
};

/** A run with its folder, which is the caller's to remove. */
export class CrashBench {
  readonly folder = mkdtempSync(join(tmpdir(), "saypay-crash-"));
  readonly #options: CrashOptions;
  readonly #sites: CrashSite[];
  readonly #runs: CrashRun[];
  readonly #findings: string[] = [];

  constructor(options: CrashOptions) {
    this.#options = options;
    const count = options.sites ?? Math.max(2, availableParallelism() * SITES_PER_CORE);
    this.#sites = Array.from(
      { length: count },
      (_, at) => new CrashSite(join(this.folder, `site-${at + 1}`), at % 2 === 0 ? "mosquitto" : "embedded"),
    );
    this.#runs = this.#sites.map(
      (site, at) => new CrashRun(site, new SeededRandom(options.seed * 1_009 + at)),
    );
  }

  /** What was found, in words; empty after a good run. */
  get findings(): readonly string[] {
    return this.#findings;
  }

  async run(): Promise<CrashFigures> {
    const beganMs = performance.now();
    const said = this.#options.said ?? (() => undefined);
    const progress = setInterval(() => said(`${this.#killed} of ${this.#options.kills} kills`), PROGRESS_MS);
    let stuck = 0;
    try {
      const ends = await Promise.allSettled(this.#runs.map((run) => this.#live(run)));
      for (const [at, end] of ends.entries()) {
        if (end.status === "fulfilled") continue;
        stuck++;
        this.#findings.push(`site-${at + 1}: ${String(end.reason)}`);
      }
    } finally {
      clearInterval(progress);
    }
    said(`${this.#killed} kills; reading the files`);
    const verdicts = await Promise.all(this.#sites.map((site) => this.#judge(site)));
    return this.#figures(verdicts, stuck, performance.now() - beganMs);
  }

  /** Ends every process; the folder stays. */
  async stop(): Promise<void> {
    await Promise.all(this.#sites.map((site) => site.stop()));
  }

  get #killed(): number {
    return this.#runs.reduce((sum, run) => sum + run.killed, 0);
  }

  async #live(run: CrashRun): Promise<void> {
    await run.site.start();
    await run.run(() => this.#killed < this.#options.kills);
  }

  async #judge(site: CrashSite): Promise<SiteVerdict> {
    const papers = site.papers();
    writeFileSync(
      join(site.folder, "papers.json"),
      JSON.stringify(
        papers.map(({ lines }) => lines),
        null,
        1,
      ),
    );
    await site.stop();
    const verdict = verdictOf(site.folder, papers);
    for (const name of FINDINGS)
      for (const what of verdict[name]) this.#findings.push(`${site.folder}: ${name}: ${what}`);
    for (const end of site.unexpectedEnds) this.#findings.push(`${site.folder}: ended by itself: ${end}`);
    return verdict;
  }

  #figures(verdicts: readonly SiteVerdict[], stuck: number, tookMs: number): CrashFigures {
    const total = (count: (verdict: SiteVerdict) => number): number =>
      verdicts.reduce((sum, verdict) => sum + count(verdict), 0);
    const victims: Kills = { daemon: 0, terminal: 0, ledger: 0, mosquitto: 0, "card-reader": 0, printer: 0 };
    for (const { kills } of this.#runs)
      for (const name of Object.keys(victims) as (keyof Kills)[]) victims[name] += kills[name];
    const final = (name: Final): number => total(({ finals }) => finals[name]);
    const finding = (name: Finding): number => total((verdict) => verdict[name].length);
    return {
      kills: this.#killed,
      victims,
      networkCuts: this.#runs.reduce((sum, run) => sum + run.cuts, 0),
      sales: total(({ sales }) => sales),
      taps: total(({ taps }) => taps),
      finals: {
        approved: final("approved"),
        "approved-offline": final("approved-offline"),
        declined: final("declined"),
        reversed: final("reversed"),
        "not-taken": final("not-taken"),
      },
      charges: total(({ charges }) => charges),
      receipts: total(({ receipts }) => receipts),
      copies: total(({ copies }) => copies),
      leftToStaff: total(({ leftToStaff }) => leftToStaff),
      lost: finding("lost"),
      doubled: finding("doubled"),
      printedWithoutCharge: finding("printedWithoutCharge"),
      chargedWithoutSale: finding("chargedWithoutSale"),
      tapsWithoutOneEnd: finding("tapsWithoutOneEnd"),
      secondOriginals: finding("secondOriginals"),
      unprinted: finding("unprinted"),
      unexpectedEnds: this.#sites.reduce((sum, site) => sum + site.unexpectedEnds.length, 0),
      stuck,
      sites: this.#sites.length,
      seconds: Math.round(tookMs / 1_000),
      seed: this.#options.seed,
    };
  }
}

export async function crash(options: BenchOptions): Promise<void> {
  const kills = wholeNumber(options["kills"] ?? DEFAULT_KILLS, "--kills");
  const seed = wholeNumber(options["seed"] ?? Date.now() % 1_000_000, "--seed");
  const said = (text: string): void => void process.stderr.write(`${text}\n`);
  said(`seed ${seed}`);
  const bench = new CrashBench({ kills, seed, said });
  endWhenInterrupted({
    stop: async () => {
      await bench.stop();
      rmSync(bench.folder, { recursive: true, force: true });
    },
  });
  let figures: CrashFigures;
  try {
    figures = await bench.run();
  } finally {
    await bench.stop();
  }
  if (bench.findings.length === 0 && options["keep"] !== true)
    rmSync(bench.folder, { recursive: true, force: true });
  else said(reportOf(bench, seed, kills));
  if (bench.findings.length > 0) process.exitCode = 1;
  process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : `${tableOf(figures)}\n`);
}

function reportOf(bench: CrashBench, seed: number, kills: number): string {
  return [
    ...(bench.findings.length === 0 ? [] : ["This must not be:"]),
    ...bench.findings.map((finding) => `  ${finding}`),
    `The folder is kept: ${bench.folder}`,
    "  site-N/data/journal.sqlite (table journal), site-N/ledger/ledger.sqlite (charges, attempts, audit),",
    "  site-N/ledger/gateways/sandbox/sandbox.sqlite (charges: what the bank did), site-N/papers.json, *.log",
    `The same victims and moments again: npm run --silent bench -- crash --kills ${kills} --seed ${seed}`,
  ].join("\n");
}

function tableOf(figures: CrashFigures): string {
  const { victims, finals, ...rest } = figures;
  const rows = [
    ...Object.entries(rest),
    ...Object.entries(victims).map(([name, count]) => [`killed: ${name}`, count] as const),
    ...Object.entries(finals).map(([name, count]) => [`taps that ended ${name}`, count] as const),
  ];
  return table(rows);
}

function wholeNumber(given: unknown, option: string): number {
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${option} needs a whole number from 1`);
  return number;
}
