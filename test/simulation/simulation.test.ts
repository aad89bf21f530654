/**
 * A few hundred worlds, every planted mistake, and what happened to others in public. `npm run sim` does the same for as
 * many seeds as one likes.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../sync/store/memory-store.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Machine, SimStore } from "./machine.ts";
import { MUTANTS } from "./mutants.ts";
import { calmPlan, type Plan, planOf } from "./plan.ts";
import { withoutRealTime } from "./poison.ts";
import { REGRESSIONS } from "./regressions/regressions.ts";
import { RULES } from "./rules/rules.ts";
import { runWorld } from "./run.ts";
import { runPlan, runSeed } from "./seeds.ts";
import { shrink } from "./shrink.ts";
import type { World } from "./world.ts";

const SEEDS = 300;
const AT_ONCE = 50;
const LONG_MS = 120_000;

describe("seeds", () => {
  test.each(Array.from({ length: SEEDS / AT_ONCE }, (_, index) => 1 + index * AT_ONCE))(
    "from %i on break no rule",
    (from) => {
      const broken = Array.from({ length: AT_ONCE }, (_, index) => runSeed(from + index)).filter(
        ({ violation }) => violation !== null,
      );
      expect(broken).toEqual([]);
    },
    LONG_MS,
  );

  test("leave the same trace in every run, and another one than their neighbours", () => {
    const hashes = [7, 7, 8].map((seed) => runPlan(planOf(seed)).hash);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });
});

describe("planted mistakes", () => {
  test.each(MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))(
    "%s: caught",
    (_mistake, mutant) => {
      const catching = (seed: number): boolean =>
        runPlan(planOf(seed), mutant.seams()).violation !== null && runPlan(planOf(seed)).violation === null;
      const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
      expect(seeds.some(catching)).toBe(true);
    },
    LONG_MS,
  );
});

describe("what happened in public", () => {
  test.each(REGRESSIONS.map((regression) => [regression.name, regression] as const))(
    "%s",
    (_name, { plan, script, seams, expect: expected }) => {
      let made: World | null = null;
      const world = (): World => {
        if (made === null) throw new Error("the world is not made yet");
        return made;
      };
      const outcome = withoutRealTime(() =>
        runWorld({
          plan,
          rules: RULES,
          seams: seams?.(world) ?? {},
          script: (fresh) => {
            made = fresh;
            script(fresh);
          },
        }),
      );
      expect(outcome.violation).toBeNull();
      const wrong = Object.entries(expected(outcome.world)).filter(([, holds]) => !holds);
      expect(wrong).toEqual([]);
    },
  );
});

describe("journals on files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "saypay-simulation-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const plan = (seed: number): Plan => ({
    ...planOf(seed),
    terminals: 2,
    salesPerTerminal: 4,
    history: "kept",
    rates: {
      "daemon-crash": 0.004,
      upgrade: 0.1,
      "message-lost": 0.1,
      "gateway-late": 0.1,
      partition: 0.1,
      refunded: 0.5,
      voided: 0.2,
      "day-closed": 0.2,
      "card-denied": 0.2,
    },
  });
  /** In memory a second file of the same kind: what a process that dies leaves behind, no more and no less. */
  const inMemory = (): ((machine: Machine) => SimStore) => {
    return ({ medium, terminal, ids }) => new MemoryStore({ medium, terminal, randomId: () => ids.uuid() });
  };
  const onFiles = ({ name, terminal }: Machine): SimStore =>
    new SqliteStore({ path: join(folder, `${name}.sqlite`), terminal });

  test.each([1, 2, 3])(
    "lead to the same world as journals in memory: seed %i",
    (seed) => {
      const run = (makeStore: (machine: Machine) => SimStore) =>
        withoutRealTime(() => runWorld({ plan: plan(seed), rules: RULES, makeStore }));
      const memory = run(inMemory());
      const files = run(onFiles);
      expect([memory.violation, files.violation]).toEqual([null, null]);
      expect(files.hash).toBe(memory.hash);
      expect(files.sales).toBeGreaterThan(4);
    },
    LONG_MS,
  );
});

describe("the simulator", () => {
  test("makes a failing world smaller without losing the rule that it breaks", () => {
    const mutant = MUTANTS.find(({ name }) => name === "does-not-mark-copies");
    if (mutant === undefined) throw new Error("no such mutant");
    const plan = planOf(6);
    const first = runPlan(plan, mutant.seams());
    expect(first.violation?.rule).toBe("one-original-receipt");
    const { outcome } = shrink(plan, first, (smaller) => runPlan(smaller, mutant.seams()));
    expect(outcome.violation?.rule).toBe("one-original-receipt");
    expect(outcome.sales).toBeLessThan(first.sales);
    expect(outcome.sales).toBeLessThanOrEqual(2);
    expect(outcome.faults).toBeLessThanOrEqual(3);
  });

  test("has neither real time nor real chance in it", () => {
    const folder = new URL(".", import.meta.url);
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    const outside = new Set([
      "main.ts",
      "seeds.ts",
      "crew.ts",
      "thread.ts",
      "poison.ts",
      "simulation.test.ts",
    ]);
    const real =
      /\b(?:Date\.now|new Date|Math\.random|performance\.now|setTimeout|setImmediate|randomUUID|randomBytes|Promise|await)\b/;
    const found = sources.filter(
      (name) => !outside.has(name) && real.test(readFileSync(new URL(name, folder), "utf8")),
    );
    expect(found).toEqual([]);
    expect(() => withoutRealTime(() => Date.now())).toThrow("Date.now was called inside a simulated world");
    expect(() => withoutRealTime(() => Math.random())).toThrow("Math.random");
    expect(Date.now()).toBeGreaterThan(0);
  });

  test("sells without any fault", () => {
    const { violation, faults, world } = runPlan(calmPlan(1, { terminals: 2, salesPerTerminal: 5 }));
    expect({ violation, faults, sold: world.register.sold.size }).toEqual({
      violation: null,
      faults: 0,
      sold: 12,
    });
  });
});
