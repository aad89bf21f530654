/** What the ledger answers is true of what is on its disk at that moment. */
import type { Rule } from "./rule.ts";

export const answersAreTrue: Rule = {
  name: "answers-are-true",
  watch: (world, object) => ({
    answered: (terminal, request, outcome) => {
      const { database } = world.ledger;
      const charge = database.find(terminal, request.key);
      switch (outcome.kind) {
        case "approved":
          if (charge?.state !== "approved")
            object(`${request.key} is answered approved and is ${charge?.state}`);
          return;
        case "declined":
          if (charge?.state !== "declined")
            object(`${request.key} is answered declined and is ${charge?.state}`);
          return;
        case "reversed": {
          const gone = charge === undefined ? database.isEntombed(terminal, request.key) : true;
          const state = charge?.state;
          if (!gone || (state !== undefined && state !== "reversed" && state !== "declined"))
            object(`${request.key} is answered reversed and is ${state}`);
          return;
        }
        case "refunded":
          if (database.findRefund(terminal, request.key)?.state !== "refunded")
            object(`${request.key} is answered refunded and is not`);
          return;
        default:
          return;
      }
    },
  }),
};
