/** What is spoken or printed as approved, given back or closed is on the disk before. */
import type { Rule } from "./rule.ts";

export const approvedIsJournalled: Rule = {
  name: "approved-is-journalled",
  watch: (world, object) => ({
    printed: (machine, paper) => {
      if (paper.kind === "refund" && paper.slip.status === "done") {
        const { saleId, amount, purpose } = paper.slip;
        const given = [...world.register.moneyBack.values()].some(
          (back) => back.saleId === saleId && back.minor === amount.minor && back.purpose === purpose,
        );
        if (!given)
          object(`a slip for ${saleId} says that ${amount.minor} were given back, the disk does not`);
      }
      if (paper.kind !== "receipt") return;
      const sale = world.register.sold.get(paper.receipt.saleId);
      if (sale === undefined)
        return object(`${machine.name} prints ${paper.receipt.saleId}, which is not on disk`);
      if (sale.amount.minor !== paper.receipt.total.minor)
        object(
          `the receipt of ${sale.saleId} says ${paper.receipt.total.minor} instead of ${sale.amount.minor}`,
        );
    },
    spoken: (machine, prompt) => {
      if (prompt.kind !== "approved" && prompt.kind !== "approved-offline") return;
      const phase = world.register.states.get(machine.name)?.sale?.phase;
      const said = phase?.kind === "receipt" && phase.charge.amount.minor === prompt.total.minor;
      if (!said) object(`${machine.name} says ${prompt.kind}, which is not on disk`);
    },
  }),
};
