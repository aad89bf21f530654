/** No request of a healthy terminal is refused, conflicts with another of its key, or lands among the dead letters. */
import type { Rule } from "./rule.ts";

const NEVER = new Set(["key-conflict", "invalid-request", "unknown-terminal"]);

export const nothingRefused: Rule = {
  name: "nothing-is-refused",
  watch: (world, object) => ({
    ended: () => {
      for (const { kind, subject, detail } of world.ledger.books.alarms.values())
        if (NEVER.has(kind)) object(`${kind} of ${subject}: ${detail}`);
      for (const machine of world.machines) {
        const [letter] = machine.store?.deadLetters() ?? [];
        if (letter !== undefined)
          object(`${letter.id} of ${machine.name} is a dead letter: ${letter.reason}`);
      }
    },
  }),
};
