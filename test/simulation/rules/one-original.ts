/** At most one receipt of a sale comes out without the word COPY, whole or in part. */
import type { Rule } from "./rule.ts";

export const oneOriginal: Rule = {
  name: "one-original-receipt",
  watch: (_world, object) => {
    const originals = new Set<string>();
    return {
      emerged: (_machine, paper) => {
        if (paper.kind !== "receipt" || paper.receipt.copy) return;
        const { saleId } = paper.receipt;
        if (originals.has(saleId)) object(`two receipts of ${saleId} came out, neither says COPY`);
        originals.add(saleId);
      },
    };
  },
};
