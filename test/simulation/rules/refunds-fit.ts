/** Refunds never exceed the sale: not at the bank, not reserved at the ledger, whatever the bank would let pass. */
import type { Rule } from "./rule.ts";

export const refundsFit: Rule = {
  name: "refunds-never-exceed",
  watch: (world, object) => ({
    moved: ({ kind, orderId, gatewayKey }) => {
      if (kind === "charge") return;
      if (world.bank.netOf(orderId) < 0n) object(`more was given back of ${orderId} than was charged`);
      const charge = world.bank.charges.get(gatewayKey);
      if (charge !== undefined && charge.refundedMinor > charge.minor)
        object(`${charge.refundedMinor} of ${charge.minor} were given back of ${orderId}`);
    },
    stored: ({ operation }) => {
      if (operation !== "openRefund" && operation !== "settleRefund") return;
      const { books } = world.ledger;
      const sums = new Map<string, bigint>();
      for (const { saleId, state, amount } of books.refunds) {
        if (state === "refused") continue;
        sums.set(saleId, (sums.get(saleId) ?? 0n) + amount.minor);
      }
      for (const { saleId, state, amount } of books.charges) {
        if (state === "approved" && (sums.get(saleId) ?? 0n) > amount.minor)
          object(`${sums.get(saleId)} of ${amount.minor} are reserved to be given back of ${saleId}`);
      }
    },
  }),
};
