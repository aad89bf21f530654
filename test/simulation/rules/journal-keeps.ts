/** What was on the disk when a daemon died is what the next one finds; nothing about money is left unsynced. */
import { sameData } from "../../../daemon/core/data.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import type { Rule } from "./rule.ts";

export const journalKeeps: Rule = {
  name: "journal-keeps-everything",
  watch: ({ register }, object) => ({
    started: (machine, state) => {
      const before = register.states.get(machine.name);
      if (before !== undefined && !sameData(before, state))
        object(`${machine.name} was ${phaseOf(before)}, finds ${phaseOf(state)}`);
    },
    committed: (machine, { synced, outbox, sold, refunds, events }) => {
      if (synced !== false) return;
      if (outbox.length > 0 || (sold ?? []).length > 0 || (refunds ?? []).length > 0)
        object(`${machine.name} writes ${events.map(({ kind }) => kind).join(", ")} without a sync`);
    },
  }),
};

function phaseOf({ sale }: TerminalState): string {
  return sale?.phase.kind ?? "idle";
}
