/** The gateway's notice came before its answer, found no payment, and was thrown away or made a second one. */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

export const noticeBeforeTheAnswer: Regression = {
  name: "a notice that comes before the answer, twice, changes nothing about one charge",
  plan: calmPlan(9, { terminals: 2, salesPerTerminal: 4, touch: 1 }),
  script: (world) => {
    for (let sale = 1; sale <= 3; sale += 1) world.street.send(machineOf(world), sale * 60_000, 100 + sale);
  },
  seams: (world) => ({
    gateway:
      (call, { after }) =>
      (want, answer) => {
        for (const ms of [1, 2, 50, 400]) after(ms, () => world().ledger.noticed(want.order.gatewayKey));
        call(want, (result) => after(2_000, () => answer(result)));
      },
  }),
  expect: (world) => ({
    "everything is charged once": chargesOf(world) === soldIn(world),
    "everything is approved": world.ledger.books.charges.every(({ state }) => state === "approved"),
  }),
};
