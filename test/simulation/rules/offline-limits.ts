/** Sales without the ledger keep every limit of the policy, added up here from the journal alone. */
import type { Rule } from "./rule.ts";

export const offlineLimits: Rule = {
  name: "offline-limits-hold",
  watch: (world, object) => ({
    committed: (machine, commit) => {
      const policy = machine.settings.offline;
      for (const sale of commit.sold ?? []) {
        if (sale.result.kind !== "approved-offline") continue;
        const open = commit.state.openCharges.filter(({ purpose }) => purpose === "offline");
        const total = open.reduce((sum, { amount }) => sum + amount.minor, 0n);
        if (sale.amount.minor > policy.perSaleMinor)
          object(`${sale.saleId} of ${sale.amount.minor} was approved offline`);
        if (open.length > policy.count) object(`${machine.name} has ${open.length} offline sales waiting`);
        if (total > policy.totalMinor) object(`${machine.name} has ${total} waiting offline`);
        const tap = world.register.taps.get(sale.key);
        const token = tap?.request.card.token ?? "";
        if (open.filter((charge) => charge.token === token).length > policy.perCard)
          object(`${token} pays too often offline`);
        if (world.unverifiedTaps.has(`${machine.name} ${token} ${tap?.request.card.counter}`))
          object(`${sale.saleId} was approved offline with a card that was not verified`);
      }
    },
  }),
};
