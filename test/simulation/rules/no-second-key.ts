/** A sale gets a new key only after an explicit decline of the one before. */
import type { Rule } from "./rule.ts";

export const noSecondKey: Rule = {
  name: "no-second-key-without-decline",
  watch: ({ register }, object) => ({
    committed: (_machine, commit) => {
      for (const { request } of commit.outbox) {
        if (request.kind !== "authorise") continue;
        for (const tap of register.tapsOfSale.get(request.saleId) ?? []) {
          if (tap.request.key !== request.key && !tap.declined)
            object(`${request.key} was made while ${tap.request.key} was not declined`);
        }
      }
    },
  }),
};
