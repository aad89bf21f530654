/** Runs one world and tells what came of it. */
import { Violation, World, type WorldSettings } from "./world.ts";

export type Outcome = {
  readonly sales: number;
  readonly faults: number;
  readonly hash: string;
  readonly violation: { readonly rule: string; readonly detail: string } | null;
  readonly world: World;
};

/** A programmer error that was thrown anywhere in the world is a violation of this name. */
export const ASSERTION = "no-assertion-fails";

export function runWorld(settings: WorldSettings): Outcome {
  const world = new World(settings);
  let violation: Outcome["violation"] = null;
  try {
    world.run();
  } catch (error) {
    const broken = world.violation ?? error;
    violation =
      broken instanceof Violation
        ? { rule: broken.rule, detail: broken.detail }
        : {
            rule: ASSERTION,
            detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
          };
  }
  return { sales: world.sales, faults: world.faults.count, hash: world.trace.hash, violation, world };
}
