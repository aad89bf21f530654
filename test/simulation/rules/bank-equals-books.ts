/** What the bank holds for the shop is what the ledger's clearing account says. */
import { clearing, suspense } from "../../../sync/ledger/posting.ts";
import { MERCHANT } from "../ledger.ts";
import type { Rule } from "./rule.ts";

export const bankEqualsBooks: Rule = {
  name: "bank-equals-books",
  watch: (world, object) => ({
    ended: () => {
      const { books } = world.ledger;
      const net = world.bank.movements.reduce(
        (sum, { kind, minor }) => (kind === "charge" ? sum + minor : sum - minor),
        0n,
      );
      const posted = books.balances.get(`${clearing("bank")}|KRW|posted`) ?? { debit: 0n, credit: 0n };
      if (posted.debit - posted.credit !== net)
        object(`the bank holds ${net}, the books say ${posted.debit - posted.credit}`);
      for (const [name, { debit, credit }] of books.balances) {
        if (name.endsWith("|pending") && debit !== credit) object(`a hold is left on ${name}`);
      }
      const claims = books.balances.get(`${suspense(MERCHANT)}|KRW|posted`) ?? { debit: 0n, credit: 0n };
      const declined = books.charges
        .filter(({ state, mode }) => state === "declined" && mode === "offline")
        .reduce((sum, { amount }) => sum + amount.minor, 0n);
      if (claims.credit - claims.debit !== declined)
        object(`declined after an offline sale: ${declined}, claimed: ${claims.credit - claims.debit}`);
    },
  }),
};
