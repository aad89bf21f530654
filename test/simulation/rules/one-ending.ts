/** Every sale that was tapped for ends exactly once, and every charge that was asked for has a last word. */
import { endingName } from "../register.ts";
import type { Rule } from "./rule.ts";

export const oneEnding: Rule = {
  name: "one-final-state",
  watch: ({ register, machines }, object) => ({
    committed: ({ name }, { state }) => {
      const saleId = state.recent.at(-1)?.saleId ?? "";
      const endings = register.endings.get(endingName(name, saleId)) ?? [];
      if (endings.length > 1) object(`${saleId} ended as ${endings.join(" and as ")}`);
    },
    ended: () => {
      for (const [name, endings] of register.endings)
        if (endings.length > 1) object(`${name} ended as ${endings.join(" and as ")}`);
      // An adopted journal has let go of an order that was not paid.
      const keeping = new Set(machines.filter(({ hasOtherPast }) => !hasOtherPast).map(({ name }) => name));
      for (const { machine, request } of register.taps.values())
        if (keeping.has(machine) && register.endings.get(endingName(machine, request.saleId))?.length !== 1)
          object(`${request.saleId} was tapped for and never ended`);
    },
  }),
};
