/** An SDK told the app that an offline payment had succeeded and never forwarded it: the goods were gone, the money never came. */
import { calmPlan } from "../plan.ts";
import { machineOf, type Regression } from "./regression.ts";

const HOUR_MS = 3_600_000;

export const offlineSuccessIsForwarded: Regression = {
  name: "an offline success is forwarded, however long the line was away",
  plan: calmPlan(3, { terminals: 1, salesPerTerminal: 0, touch: 1 }),
  script: (world) => {
    const machine = machineOf(world);
    world.scheduler.after(10_000, () => world.network.partition("t1", 2 * HOUR_MS, 1_000));
    world.street.send(machine, 60_000, 1);
    world.scheduler.after(HOUR_MS, () => machine.restart());
    // Somebody comes back after the line has: the world goes on until then.
    world.street.send(machine, 2 * HOUR_MS + 60_000, 2);
  },
  expect: (world) => {
    const offline = [...world.register.sold.values()].find(
      ({ result }) => result.kind === "approved-offline",
    );
    return {
      "the sale was approved offline": offline !== undefined,
      "the bank has charged it": world.bank.netOf(offline?.saleId ?? "") === offline?.amount.minor,
    };
  },
};
