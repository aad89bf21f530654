/** Terminals lost their queue of offline sales with an upgrade, a logout, a power cut. Here all three come over it. */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

export const queueSurvivesUpgrade: Regression = {
  name: "a queue of offline sales survives upgrades, kills and power cuts",
  plan: calmPlan(2, { terminals: 1, salesPerTerminal: 0, touch: 1, history: "kept" }),
  script: (world) => {
    const machine = machineOf(world);
    const { scheduler, network, street } = world;
    scheduler.after(10_000, () => network.partition("t1", 1_200_000, 1_000));
    for (let sale = 1; sale <= 5; sale += 1) street.send(machine, 20_000 + sale * 60_000, sale);
    scheduler.after(400_000, () => machine.restart());
    scheduler.after(500_000, () => machine.crash("killed by the script", false, 5_000));
    scheduler.after(600_000, () => machine.crash("power cut by the script", true, 5_000));
    scheduler.after(700_000, () => machine.restart());
  },
  expect: (world) => ({
    "five sales waited":
      [...world.register.sold.values()].filter(({ result }) => result.kind === "approved-offline").length ===
      5,
    "all of them are charged, once": chargesOf(world) === soldIn(world) && soldIn(world) === 6,
  }),
};
