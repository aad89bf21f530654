/**
 * Stripe Terminal for Android, issue 747: 8 offline orders became 19 payments on reconnect, because keys were made at
 * each forward. Here 8 orders wait, the line flaps while they are forwarded, and customers go on buying meanwhile.
 */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

const OFFLINE_FROM_MS = 20_000;
const OFFLINE_FOR_MS = 600_000;
const ORDERS = 8;
const LATER = 6;

export const eightOfflineOrders: Regression = {
  name: "eight offline orders stay eight through a flapping line with new sales during the drain",
  plan: calmPlan(747, {
    terminals: 1,
    salesPerTerminal: 0,
    touch: 1,
    rates: { "message-lost": 0.2, "message-doubled": 0.3, "message-late": 0.1 },
  }),
  script: (world) => {
    const machine = machineOf(world);
    const { scheduler, network, street } = world;
    scheduler.after(OFFLINE_FROM_MS, () => network.partition("t1", OFFLINE_FOR_MS, 1_000));
    for (let order = 1; order <= ORDERS; order += 1)
      street.send(machine, OFFLINE_FROM_MS + order * 60_000, order);
    const backMs = OFFLINE_FROM_MS + OFFLINE_FOR_MS;
    for (let flap = 0; flap < 20; flap += 1)
      scheduler.after(backMs + flap * 5_000, () => network.partition("t1", 1_500, 200));
    for (let sale = 1; sale <= LATER; sale += 1) street.send(machine, backMs + sale * 15_000, ORDERS + sale);
  },
  expect: (world) => ({
    "eight sales were approved offline at least":
      [...world.register.sold.values()].filter(({ result }) => result.kind === "approved-offline").length >=
      ORDERS,
    "every sale that was sold is charged once": chargesOf(world) === soldIn(world),
    "customers bought meanwhile": soldIn(world) > ORDERS,
  }),
};
