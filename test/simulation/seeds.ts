/** Runs one seed for the command: in a thread of its own or in a test. */

import { type Plan, planOf } from "./plan.ts";
import { withoutRealTime } from "./poison.ts";
import { RULES } from "./rules/rules.ts";
import { type Outcome, runWorld } from "./run.ts";
import type { Seams } from "./seams.ts";

/** Every so many seeds a world is run a second time, and must leave the same trace. */
const REPEAT_EVERY = 64;
export const SAME_TRACE = "one-seed-one-trace";

export type SeedResult = {
  readonly seed: number;
  readonly sales: number;
  readonly faults: number;
  readonly violation: Outcome["violation"];
  readonly wallMs: number;
};

export function runPlan(plan: Plan, seams?: Seams, keepTrace = false): Outcome {
  return withoutRealTime(() =>
    runWorld({ plan, rules: RULES, keepTrace, ...(seams === undefined ? {} : { seams }) }),
  );
}

export function runSeed(seed: number): SeedResult {
  const startMs = performance.now();
  const { sales, faults, violation, hash } = runPlan(planOf(seed));
  const wallMs = performance.now() - startMs;
  if (violation !== null || seed % REPEAT_EVERY !== 0) return { seed, sales, faults, violation, wallMs };
  const again = runPlan(planOf(seed)).hash;
  const detail = `two runs left the traces ${hash} and ${again}`;
  const unlike = hash === again ? null : { rule: SAME_TRACE, detail };
  return { seed, sales, faults, violation: unlike, wallMs };
}
