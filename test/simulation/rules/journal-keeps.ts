/** What was on the disk when the power went is what the daemon finds when it starts again. */
import { sameData } from "../../../daemon/core/data.ts";
import type { Rule } from "./rule.ts";

export const journalKeeps: Rule = {
  name: "journal-keeps-everything",
  watch: ({ register }, object) => ({
    started: (machine, state) => {
      const before = register.states.get(machine.name);
      if (before !== undefined && !sameData(before, state))
        object(
          `${machine.name} was ${before.sale?.phase.kind ?? "idle"}, finds ${state.sale?.phase.kind ?? "idle"}`,
        );
    },
  }),
};
