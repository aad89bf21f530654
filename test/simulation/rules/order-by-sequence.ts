/** The ledger sees a terminal's sales in the terminal's order: by number, whatever any clock says. */
import type { Rule } from "./rule.ts";

export const orderBySequence: Rule = {
  name: "order-follows-sequence",
  watch: (world, object) => {
    const numbers = new Map<string, number>();
    return {
      // Another disk may be in the machine, which has not come as far.
      started: ({ name }, { lastSequence }) => {
        numbers.set(name, Math.min(lastSequence, numbers.get(name) ?? 0));
      },
      committed: (machine, commit) => {
        if (commit.events.some(({ kind }) => kind === "journal.recalled")) {
          const ahead = world.ledger.books.charges.find(
            ({ terminal, sequence }) => terminal === machine.terminal && sequence > commit.state.lastSequence,
          );
          if (ahead !== undefined)
            object(
              `${machine.name} goes on at ${commit.state.lastSequence}, the ledger has sale ${ahead.sequence}`,
            );
        }
        for (const { request } of commit.outbox) {
          if (request.kind !== "authorise") continue;
          const last = numbers.get(machine.name) ?? 0;
          if (request.sequence < last)
            object(`sale ${request.sequence} of ${machine.name} comes after sale ${last}`);
          numbers.set(machine.name, request.sequence);
        }
      },
      ended: () => {
        // A ledger that was restarted, or another of its workers, knows the journal again with the next greeting: what
        // came in between can make an older copy look like the newest.
        const { workers, rates } = world.plan;
        const oneMemory = workers === 1 && rates["worker-crash"] === undefined;
        for (const { name, terminal, hasOtherPast, state } of oneMemory ? world.machines : []) {
          if (!hasOtherPast || state === null) continue;
          const ahead = world.ledger.books.charges.find(
            (charge) => charge.terminal === terminal && charge.sequence > state.lastSequence,
          );
          if (ahead !== undefined)
            object(`${name} stands at ${state.lastSequence}, the ledger has sale ${ahead.sequence}`);
        }
        for (const charge of world.ledger.books.charges) {
          const tap = world.register.taps.get(charge.key);
          if (tap !== undefined && tap.request.sequence !== charge.sequence)
            object(
              `${charge.key} is sale ${tap.request.sequence} at the terminal, ${charge.sequence} at the ledger`,
            );
        }
      },
    };
  },
};
