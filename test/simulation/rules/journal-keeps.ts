/**
 * What was on the disk when a daemon died is what the next one finds; nothing about money is left unsynced; and a journal
 * that is kept whole leads, folded from its first event, to where the terminal is.
 */
import { sameData } from "../../../daemon/core/data.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { fold } from "../../../daemon/shell/recovery.ts";
import type { Rule } from "./rule.ts";

export const journalKeeps: Rule = {
  name: "journal-keeps-everything",
  watch: ({ register, machines }, object) => ({
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
    ended: () => {
      for (const machine of machines) {
        const { name, store, medium, hasOtherPast } = machine;
        const state = register.states.get(name);
        if (store === null || state === undefined || medium.history === "newest" || hasOtherPast) continue;
        const events = [...store.events()].map(({ event }) => event);
        if (!sameData(fold(null, events, null).state, state))
          object(`the journal of ${name}, folded from its beginning, leads to another state`);
      }
    },
  }),
};

function phaseOf({ sale }: TerminalState): string {
  return sale?.phase.kind ?? "idle";
}
