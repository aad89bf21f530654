/**
 * A confirmation timed out, the shop sent it again and was answered 409 "already processed", which it took for a
 * failure: charged and not sold. Here the bank charges, says nothing, and answers every further call with a conflict.
 */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

export const timedOutThenConflict: Regression = {
  name: "a confirmation that timed out and then conflicts is one charge and one sale",
  plan: calmPlan(409, { terminals: 1, salesPerTerminal: 0, touch: 1, gatewayIdempotent: true }),
  script: (world) => {
    for (let sale = 1; sale <= 4; sale += 1) world.street.send(machineOf(world), sale * 60_000, sale);
  },
  seams: () => {
    const sent = new Set<string>();
    return {
      gateway: (call) => (want, answer) => {
        if (want.operation !== "authorise") return call(want, answer);
        const first = !sent.has(want.order.gatewayKey);
        sent.add(want.order.gatewayKey);
        call(want, () => (first ? undefined : answer({ kind: "409 ALREADY_PROCESSED", note: "" })));
      },
    };
  },
  expect: (world) => ({
    "every sale is charged once": chargesOf(world) === 5,
    "nothing was declined": [...world.register.endings.values()].every(([ending]) => ending !== "declined"),
    "what was not taken back was sold": world.ledger.books.charges.every(
      ({ state, saleId }) => (state === "approved") === world.register.sold.has(saleId),
    ),
    "somebody bought something": soldIn(world) > 0,
  }),
};
