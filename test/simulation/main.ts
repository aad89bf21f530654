/**
 * The simulator's command.
 *
 *   npm run --silent sim -- --seeds 1000 [--from 1] [--workers 2]   many worlds, one JSON line at the end
 *   npm run --silent sim -- --seed 7 --trace                        one world, everything that happened in it
 *   npm run --silent sim -- --mutants                               every planted mistake has to be caught
 *
 * Progress goes to standard error. A seed that breaks a rule is made smaller and printed with the command that replays
 * it; the exit status is 1 then. Ctrl-C ends the run and prints what was reached.
 */
import { setImmediate } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { startCrew } from "./crew.ts";
import { MUTANTS } from "./mutants.ts";
import { changeOf, type Plan, planOf } from "./plan.ts";
import { runPlan, SAME_TRACE, type SeedResult } from "./seeds.ts";
import { shrink } from "./shrink.ts";
import { printLine } from "./trace.ts";

/** Seeds within which every mutant has to be caught. */
const MUTANT_SEEDS = 200;
/** Seeds that fail and are made smaller; the others are only named. */
const SHRUNK = 3;
/** Lines of a failing trace, the last ones. */
const TRACE_LINES = 400;
const PROGRESS_EVERY_MS = 2_000;
/** For making one failing seed smaller. */
const SHRINK_FOR_MS = 60_000;

type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly seed?: number;
  readonly trace?: boolean;
  readonly plan?: Partial<Plan>;
  readonly mutants?: boolean;
};

function whole(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`a whole number of at least ${least} is needed`);
    return number;
  };
}

function planChange(text: string): Partial<Plan> {
  try {
    return JSON.parse(text) as Partial<Plan>;
  } catch {
    throw new InvalidArgumentError("JSON is needed, as a failing seed prints it");
  }
}

const command = new Command("sim")
  .description(
    "Worlds of terminals, ledger, broker, bank and people on a virtual clock, with faults drawn from a seed.",
  )
  .option("--seeds <n>", "how many seeds to run", whole(1), 200)
  .option("--from <seed>", "the first seed", whole(0), 1)
  .option("--workers <n>", "threads", whole(1), 2)
  .option("--seed <seed>", "run one seed only", whole(0))
  .option("--trace", "print everything that happens in it")
  .option("--plan <json>", "change the plan of that seed, as a failure prints it", planChange)
  .option("--mutants", "put planted mistakes in, one at a time: each has to be caught")
  .showHelpAfterError()
  .parse();
const options = command.opts<Options>();
if (options.seed === undefined && (options.trace === true || options.plan !== undefined))
  command.error("error: --trace and --plan are about one seed: say which with --seed");

// Whoever reads only the beginning of a trace has closed the pipe.
process.stdout.on("error", () => process.exit(0));
if (options.mutants === true) process.exitCode = catchMutants();
else if (options.seed !== undefined) process.exitCode = runOne(options.seed, options);
else process.exitCode = await runMany(options);

function runOne(seed: number, { trace, plan }: Options): number {
  const outcome = runPlan({ ...planOf(seed), ...plan }, undefined, trace);
  for (const line of outcome.world.trace.lines) print(printLine(line));
  const { sales, faults, hash, violation } = outcome;
  if (violation !== null) print(`seed ${seed} breaks ${violation.rule}: ${violation.detail}`);
  print(JSON.stringify({ seed, sales, faults, hash, violation }));
  return violation === null ? 0 : 1;
}

async function runMany({ seeds, from, workers }: Options): Promise<number> {
  const startMs = performance.now();
  const results: SeedResult[] = [];
  const failures: SeedResult[] = [];
  let sales = 0;
  let faults = 0;
  let shownMs = startMs;
  const crew = startCrew({ from, count: seeds }, workers, (result) => {
    results.push(result);
    sales += result.sales;
    faults += result.faults;
    if (result.violation !== null) {
      failures.push(result);
      tell(`seed ${result.seed} breaks ${result.violation.rule}: ${result.violation.detail}`);
    }
    const nowMs = performance.now();
    if (nowMs - shownMs < PROGRESS_EVERY_MS) return;
    shownMs = nowMs;
    const perSecond = Math.round((sales * 1_000) / (nowMs - startMs));
    tell(
      `${results.length} of ${seeds} seeds, ${sales} sales, ${faults} faults, ${perSecond} sales a second`,
    );
  });
  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true;
    crew.stop();
  });
  await crew.done;
  const wallMs = performance.now() - startMs;
  failures.sort((a, b) => a.seed - b.seed);
  for (const failure of failures.slice(0, SHRUNK)) {
    // Ctrl-C is heard between two of them.
    await setImmediate();
    if (!interrupted) explain(failure);
  }
  const slowest = results.reduce<SeedResult | null>(
    (slow, result) => (slow === null || result.wallMs > slow.wallMs ? result : slow),
    null,
  );
  print(
    JSON.stringify({
      seeds: results.length,
      sales,
      faults,
      violations: failures.length,
      salesPerSecond: Math.round((sales * 1_000) / wallMs),
      slowestSeed: slowest?.seed ?? null,
    }),
  );
  if (failures.length > 0) return 1;
  return interrupted ? 130 : 0;
}

/** Prints the shortest world that breaks the same rule, and how to see it again. */
function explain({ seed, violation }: SeedResult): void {
  if (violation === null) return;
  if (violation.rule === SAME_TRACE) return tell(`seed ${seed}: ${violation.detail}`);
  const first = runPlan(planOf(seed));
  const untilMs = performance.now() + SHRINK_FOR_MS;
  const enough = (): boolean => performance.now() > untilMs;
  const { plan, tries } = shrink(planOf(seed), first, (smaller) => runPlan(smaller), enough);
  const { world, violation: last } = runPlan(plan, undefined, true);
  tell(`\nseed ${seed} breaks ${last?.rule}: ${last?.detail}`);
  tell(`the shortest world of ${tries} that does, its last ${TRACE_LINES} lines:\n`);
  for (const line of world.trace.lines.slice(-TRACE_LINES)) tell(printLine(line));
  tell(
    `\nto see it again:\n  npm run --silent sim -- --seed ${seed} --trace --plan '${JSON.stringify(changeOf(plan))}'\n`,
  );
}

function catchMutants(): number {
  let missed = 0;
  for (const mutant of MUTANTS) {
    const caught = huntFor(mutant);
    if (caught === null) missed += 1;
    print(
      `${mutant.name.padEnd(32)} ${caught === null ? `NOT CAUGHT in ${MUTANT_SEEDS} seeds` : `seed ${String(caught.seed).padStart(3)}  ${caught.rule}`}`,
    );
  }
  print(JSON.stringify({ mutants: MUTANTS.length, caught: MUTANTS.length - missed, missed }));
  return missed === 0 ? 0 : 1;
}

/** The first seed in which the mistake, and nothing but the mistake, breaks a rule. */
function huntFor(mutant: (typeof MUTANTS)[number]): { readonly seed: number; readonly rule: string } | null {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed += 1) {
    const { violation } = runPlan(planOf(seed), mutant.seams());
    if (violation !== null && runPlan(planOf(seed)).violation === null) return { seed, rule: violation.rule };
  }
  return null;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
