/** One tap of a card, which its counter names, pays at most once anywhere. */
import type { Rule } from "./rule.ts";

export const oneUseOfATap: Rule = {
  name: "a-tap-pays-once",
  watch: (world, object) => ({
    ended: () => {
      const used = new Map<string, string>();
      for (const charge of world.ledger.books.charges) {
        const card = world.register.taps.get(charge.key)?.request.card;
        const taken = world.bank.charges.get(charge.gatewayKey)?.status;
        if (card === undefined || (taken !== "charged" && taken !== "reversed")) continue;
        const tap = `${card.token} ${card.counter}`;
        const other = used.get(tap);
        if (other !== undefined) object(`tap ${tap} paid for ${other} and for ${charge.key}`);
        used.set(tap, charge.key);
      }
    },
  }),
};
