/**
 * A receipt was printed and no record of the sale existed, because paper came before the database. Here the power goes
 * at every single step of a sale, one after the other; the rules look at what was printed and what is on the disk.
 */
import { calmPlan } from "../plan.ts";
import { chargesOf, machineOf, type Regression, soldIn } from "./regression.ts";

/** More steps than one sale takes. */
export const STEPS_OF_A_SALE = 80;

export function receiptHasRecord(step: number): Regression {
  return {
    name: `the power goes at step ${step} of a sale`,
    plan: calmPlan(5, { terminals: 1, salesPerTerminal: 0, touch: 1 }),
    script: (world) => {
      const machine = machineOf(world);
      world.street.send(machine, 30_000, 1);
      world.scheduler.after(29_000, () => machine.power.cutAt(step));
      world.street.send(machine, 400_000, 2);
    },
    expect: (world) => ({
      "what was sold is charged once": chargesOf(world) >= soldIn(world) && netIsSold(world),
    }),
  };
}

function netIsSold({ bank, register }: Parameters<Regression["expect"]>[0]): boolean {
  return [...register.tapsOfSale.keys()].every(
    (saleId) => bank.netOf(saleId) === (register.sold.get(saleId)?.amount.minor ?? 0n),
  );
}
