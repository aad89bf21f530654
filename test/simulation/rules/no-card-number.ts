/** No card number anywhere: not in a journal, not on the wire, not in the books. */
import { PAN_PREFIX } from "../card.ts";
import type { Rule } from "./rule.ts";

const NEEDLE = Buffer.from(PAN_PREFIX);

/** The wire is searched in every world; disks and books, which takes longer, in one of so many. */
const SEARCHED = 4;

export const noCardNumber: Rule = {
  name: "no-card-number",
  watch: (world, object) => ({
    onWire: (terminal, bytes) => {
      if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(NEEDLE))
        object(`a card number is on the wire of ${terminal}`);
    },
    ended: () => {
      if (world.plan.seed % SEARCHED !== 0 && world.plan.history === "newest") return;
      for (const { medium, name } of world.machines) {
        const { content } = medium;
        if (content === null) continue;
        const { records, rows, state, sold, counters, newest } = content;
        const written = [
          records,
          [...rows.values()],
          state?.body,
          [...sold.values()],
          [...counters],
          [...newest],
        ];
        if (holds(written)) object(`a card number is in the journal of ${name}`);
      }
      const { charges, alarms, refunds } = world.ledger.books;
      if (holds([charges, refunds, [...alarms]])) object("a card number is in the books");
    },
  }),
};

/** Whether any text in plain data holds a card number. */
function holds(value: unknown): boolean {
  if (typeof value === "string") return value.includes(PAN_PREFIX);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return Object.values(value).some(holds);
}
