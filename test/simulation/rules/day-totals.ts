/** The days' reports and the running day add up to what was sold and given back. */
import type { DayTotals, Total } from "../../../daemon/core/receipt.ts";
import type { Rule } from "./rule.ts";

export const dayTotals: Rule = {
  name: "day-totals-add-up",
  watch: ({ register, machines, ledger }, object) => {
    const notPaid = (key: string): boolean =>
      ledger.books.charges.some((charge) => charge.key === key && charge.state !== "approved");
    const voided = (saleId: string): boolean =>
      [...register.moneyBack.values()].some((back) => back.saleId === saleId && back.purpose === "void");
    const closed = new Map<string, Map<number, DayTotals>>();
    return {
      committed: (machine, commit) => {
        for (const { paper } of commit.state.papers) {
          if (paper.kind !== "day") continue;
          const { day, totals, netMinor } = paper.report;
          const days = closed.get(machine.name) ?? new Map<number, DayTotals>();
          if (days.has(day)) continue;
          closed.set(machine.name, days.set(day, totals));
          const { card, cardOffline, refunds, voids, declinedAfter, dismissed } = totals;
          const net =
            card.minor +
            cardOffline.minor -
            refunds.minor -
            voids.minor -
            declinedAfter.minor -
            dismissed.minor;
          if (net !== netMinor) object(`day ${day} of ${machine.name} says ${netMinor}, adds up to ${net}`);
        }
      },
      ended: () => {
        for (const { name, isCopy, hasOtherPast } of machines) {
          if (isCopy || hasOtherPast) continue;
          const state = register.states.get(name);
          if (state === undefined) continue;
          const days = [...(closed.get(name)?.values() ?? []), state.day.totals];
          const sold = [...register.sold.values()].filter(({ machine }) => machine === name);
          const back = [...register.moneyBack.values()].filter(
            (given) => given.machines.has(name) && given.certain,
          );
          const said = (total: keyof DayTotals): Total =>
            days.reduce((sum, day) => plus(sum, day[total].count, day[total].minor), { count: 0, minor: 0n });
          const expect = (total: keyof DayTotals, amounts: readonly bigint[]): void => {
            const minor = amounts.reduce((sum, amount) => sum + amount, 0n);
            const found = said(total);
            if (found.count !== amounts.length || found.minor !== minor)
              object(
                `${name}: ${total} says ${found.count} of ${found.minor}, was ${amounts.length} of ${minor}`,
              );
          };
          expect(
            "card",
            sold.filter(({ result }) => result.kind === "approved").map(({ amount }) => amount.minor),
          );
          expect(
            "cardOffline",
            sold.filter(({ result }) => result.kind === "approved-offline").map(({ amount }) => amount.minor),
          );
          const gone = sold.filter(
            ({ result, key, saleId }) =>
              result.kind === "approved-offline" &&
              notPaid(key) &&
              !voided(saleId) &&
              !register.dismissed.has(key),
          );
          expect(
            "declinedAfter",
            gone.map(({ amount }) => amount.minor),
          );
          expect(
            "refunds",
            back.filter(({ purpose }) => purpose === "refund").map(({ minor }) => minor),
          );
          expect(
            "voids",
            back.filter(({ purpose }) => purpose === "void").map(({ minor }) => minor),
          );
        }
      },
    };
  },
};

function plus(sum: Total, count: number, minor: bigint): Total {
  return { count: sum.count + count, minor: sum.minor + minor };
}
