/** The bank charges at most once under one key, and at most once for one sale. */
import type { Rule } from "./rule.ts";

export const oneCharge: Rule = {
  name: "one-charge-per-sale",
  watch: (_world, object) => {
    const charged = new Map<string, string>();
    return {
      moved: ({ kind, orderId, gatewayKey }) => {
        if (kind !== "charge") return;
        const before = charged.get(orderId);
        if (before === gatewayKey) object(`${orderId} was charged twice under one key`);
        if (before !== undefined) object(`${orderId} was charged under a second key`);
        charged.set(orderId, gatewayKey);
      },
    };
  },
};
