/**
 * Makes a failing plan smaller for as long as the same rule is broken: fewer terminals, sales and workers, then single
 * faults left out. What remains is short enough to be read.
 */
import { type Plan, terminalsOf } from "./plan.ts";
import type { Outcome } from "./run.ts";
import { LAST } from "./street.ts";

/** Worlds that may be tried. */
const MAXIMUM_TRIES = 500;

export type Shrunk = { readonly plan: Plan; readonly outcome: Outcome; readonly tries: number };

/** `run` runs a plan; `first` is what came of `plan`, a violation. `enough`: there is no time for another try. */
export function shrink(
  plan: Plan,
  first: Outcome,
  run: (plan: Plan) => Outcome,
  enough: () => boolean = () => false,
): Shrunk {
  let best = { plan, outcome: first };
  let tries = 0;
  const rule = first.violation?.rule;
  const attempt = (smaller: Plan): boolean => {
    if (tries >= MAXIMUM_TRIES || enough()) return false;
    tries += 1;
    const outcome = run(smaller);
    if (outcome.violation?.rule !== rule) return false;
    best = { plan: smaller, outcome };
    return true;
  };
  for (let before = Number.POSITIVE_INFINITY; size(best) < before; ) {
    before = size(best);
    attempt({ ...best.plan, workers: 1 });
    leaveOut(terminalsOf(best.plan), (onlyTerminals) => attempt({ ...best.plan, onlyTerminals }));
    leaveOut(salesOf(best.plan), (onlySales) => attempt({ ...best.plan, onlySales }));
    // Only what struck can be left out; and what did not strike before must not begin to.
    leaveOut([...new Set(best.outcome.world.struck)], (onlyFaults) => attempt({ ...best.plan, onlyFaults }));
  }
  return { ...best, tries };
}

/** Keeps fewer and fewer of the names: leaves out all, then halves, then quarters (ddmin, Zeller and Hildebrandt 2002). */
function leaveOut(names: readonly string[], attempt: (kept: readonly string[]) => boolean): void {
  let kept = names;
  for (let chunk = kept.length; chunk >= 1; chunk = Math.floor(chunk / 2)) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + chunk)];
      if (attempt(fewer)) kept = fewer;
      else at += chunk;
    }
  }
}

function salesOf(plan: Plan): string[] {
  if (plan.onlySales !== null) return [...plan.onlySales];
  const numbers = Array.from({ length: plan.salesPerTerminal }, (_, index) => index + 1);
  return terminalsOf(plan).flatMap((terminal) => [...numbers, LAST].map((number) => `${terminal}#${number}`));
}

function size({ plan, outcome }: { readonly plan: Plan; readonly outcome: Outcome }): number {
  return terminalsOf(plan).length + salesOf(plan).length + plan.workers + outcome.faults;
}
