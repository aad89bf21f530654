/** Debits equal credits, in every currency and on both layers. */
import { isWhole } from "../../../sync/ledger/memory-statement.ts";
import type { Rule } from "./rule.ts";

/** Adding up all accounts after every posting would take most of a world's time. */
const EVERY = 50;

export const booksBalance: Rule = {
  name: "debits-equal-credits",
  watch: (world, object) => {
    let operations = 0;
    const check = (): void => {
      if (!isWhole(world.ledger.books)) object("the books do not balance");
    };
    return {
      stored: () => {
        operations += 1;
        if (operations % EVERY === 0) check();
      },
      ended: check,
    };
  },
};
