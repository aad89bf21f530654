/** Every sale that was tapped for ends exactly once, and every charge that was asked for has a last word. */
import type { Rule } from "./rule.ts";

export const oneEnding: Rule = {
  name: "one-final-state",
  watch: ({ register }, object) => ({
    committed: () => {
      for (const [saleId, endings] of register.endings)
        if (endings.length > 1) object(`${saleId} ended as ${endings.join(" and as ")}`);
    },
    ended: () => {
      for (const saleId of register.tapsOfSale.keys())
        if (register.endings.get(saleId)?.length !== 1) object(`${saleId} was tapped for and never ended`);
    },
  }),
};
