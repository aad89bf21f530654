/** Two synchronisations ran at once, each forwarded the whole queue: everything was charged twice. */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

export const twoSyncsAtOnce: Regression = {
  name: "two synchronisations of one queue charge it once",
  plan: calmPlan(8, {
    terminals: 1,
    salesPerTerminal: 0,
    touch: 1,
    workers: 3,
    rates: { "message-doubled": 1, "worker-crash": 0.01, "gateway-slow": 0.5 },
  }),
  script: (world) => {
    const machine = machineOf(world);
    const { scheduler, network, street } = world;
    scheduler.after(10_000, () => network.partition("t1", 500_000, 1_000));
    for (let sale = 1; sale <= 6; sale += 1) street.send(machine, 20_000 + sale * 60_000, sale);
    // A second one begins while the first is at it, again and again.
    for (let again = 0; again < 30; again += 1)
      scheduler.after(511_000 + again * 900, () => network.takeSession("t1"));
  },
  expect: (world) => ({
    "everything is charged once": chargesOf(world) === soldIn(world),
    "nothing is lost": soldIn(world) === 7,
  }),
};
