/** An order that was half taken was gone after a reload: the customer had to begin again, or paid for half of it. */
import { calmPlan } from "../plan.ts";
import { machineOf, type Regression } from "./regression.ts";

export const draftSurvivesReload: Regression = {
  name: "an order that is half taken is there after a restart, and what is paid is what was ordered",
  plan: calmPlan(6, { terminals: 1, salesPerTerminal: 0, touch: 0 }),
  script: (world) => {
    const machine = machineOf(world);
    const say = (atMs: number, itemId: string): void => {
      world.scheduler.after(atMs, () =>
        machine.deliver({
          kind: "turn.heard",
          turn: {
            language: "ko",
            intent: { kind: "edit", edits: [{ kind: "add", itemId, quantity: 1, options: {} }] },
            confidence: 1,
          },
          source: "touch",
        }),
      );
    };
    world.street.send(machine, 10_000, 1, true);
    say(10_001, "cookie");
    world.scheduler.after(10_500, () => machine.crash("killed by the script", false, 2_000));
  },
  expect: (world) => {
    const [sale] = world.register.sold.values();
    const items = sale?.receipt.lines.map(({ name }) => name) ?? [];
    return {
      "it was sold": sale !== undefined,
      "with what was ordered before the restart": items.includes("쿠키") && items.length >= 1,
    };
  },
};
