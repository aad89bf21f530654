/** A story that happened to somebody's terminals in public, told to this program: it must end well. */
import type { Plan } from "../plan.ts";
import type { Seams } from "../seams.ts";
import type { World } from "../world.ts";

export type Regression = {
  readonly name: string;
  readonly plan: Plan;
  /** Arranges what happens when, before the world begins. */
  readonly script: (world: World) => void;
  /** Changes what a part does, e.g. what the gateway says. */
  readonly seams?: (world: () => World) => Seams;
  /** What must be true at the end, beside all rules: the name and whether it is. */
  readonly expect: (world: World) => Readonly<Record<string, boolean>>;
};

/** Charges that moved money, by sale. */
export function chargesOf(world: World): number {
  return world.bank.movements.filter(({ kind }) => kind === "charge").length;
}

/** Sales that a customer left with, the last one of the healed world not counted. */
export function soldIn(world: World): number {
  return world.register.sold.size;
}

/** The first terminal, with offline limits that none of these stories reaches. */
export function machineOf(world: World): World["machines"][number] {
  const [machine] = world.machines;
  if (machine === undefined) throw new Error("the world has no machine");
  const offline = {
    ...machine.settings.offline,
    perSaleMinor: 1_000_000n,
    totalMinor: 10_000_000n,
    count: 100,
  };
  machine.settings = { ...machine.settings, offline: { ...offline, maxAgeMs: 86_400_000 } };
  return machine;
}
