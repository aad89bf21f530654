/** When everything has healed: approved at the ledger, charged at the bank and known at the terminal are the same. */
import type { World } from "../world.ts";
import type { Rule } from "./rule.ts";

export const agreement: Rule = {
  name: "ledger-bank-terminal-agree",
  watch: (world, object) => ({
    ended: () => {
      for (const [saleId, taps] of world.register.tapsOfSale) {
        const problem = problemOf(
          world,
          saleId,
          taps.map(({ request }) => request.key),
        );
        if (problem !== null) object(`${saleId}: ${problem}`);
      }
      for (const { orderId, gatewayKey, status } of world.bank.charges.values()) {
        if (status === "charged" && !world.register.sold.has(orderId) && world.bank.netOf(orderId) !== 0n)
          object(`${orderId} is charged (${gatewayKey}) and no terminal knows of it`);
      }
    },
  }),
};

function problemOf(world: World, saleId: string, keys: readonly string[]): string | null {
  const { register, ledger, bank } = world;
  const charges = ledger.books.charges.filter((charge) => keys.includes(charge.key));
  // Staff has closed it without the ledger's word: what became of it is between ledger and bank.
  if ([...keys, ...refundKeys(world, saleId)].some((key) => register.dismissed.has(key))) return null;
  const approved = charges.filter(({ state }) => state === "approved");
  const sold = register.sold.get(saleId);
  const net = bank.netOf(saleId);
  if (approved.length > 1) return "approved more than once at the ledger";
  const back = [...register.moneyBack.values()].filter((given) => given.saleId === saleId && given.certain);
  const backMinor = back.reduce((sum, { minor }) => sum + minor, 0n);
  if (sold === undefined) {
    if (approved.length > 0) return "approved at the ledger, not paid at the terminal";
    return net === 0n ? null : `charged ${net} at the bank, not paid at the terminal`;
  }
  const charge = charges.find(({ key }) => key === sold.key);
  if (charge === undefined) return `sold at the terminal (${sold.result.kind}), unknown at the ledger`;
  if (charge.amount.minor !== sold.amount.minor) return "another amount at the ledger than at the terminal";
  if (back.some(({ purpose }) => purpose === "void")) {
    if (charge.state !== "reversed" && charge.state !== "declined")
      return `voided at the terminal, ${charge.state} at the ledger`;
    return net === 0n ? null : `voided, and the bank keeps ${net}`;
  }
  if (sold.result.kind === "approved" && charge.state !== "approved")
    return `approved at the terminal, ${charge.state} at the ledger`;
  if (charge.state !== "approved")
    return net === 0n ? null : `${charge.state} at the ledger, the bank keeps ${net}`;
  const expected = sold.amount.minor - backMinor;
  return net === expected
    ? null
    : `the bank keeps ${net} of ${sold.amount.minor}, ${backMinor} were given back`;
}

function refundKeys(world: World, saleId: string): readonly string[] {
  return world.ledger.books.refunds.filter((refund) => refund.saleId === saleId).map(({ key }) => key);
}
