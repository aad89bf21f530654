/**
 * The posting rules, pure: which transfers a charge's steps make, and which entries a transfer makes.
 *
 * Double entry: a transfer moves one amount from a credited to a debited account, so every transfer's debits equal
 * its credits in its currency, and so do the sums over any number of transfers. Transfers are never changed: a hold
 * is resolved by one post or one void, a post is undone by one mirror, each naming the transfer that it resolves.
 * Refunds stand against a post without resolving it, each with transfers of its own.
 *
 * Two layers: `pending` holds what is asked and not decided, `posted` what is decided. Resolving a hold takes it out
 * of the pending layer again by the opposite entries, so both layers balance at all times.
 */
import type { Money } from "../../daemon/core/money.ts";

export type Side = "debit" | "credit";
export type Layer = "pending" | "posted";
export type TransferKind = "hold" | "post" | "void" | "claim" | "mirror" | "refund";

export type Entry = {
  readonly account: string;
  readonly side: Side;
  readonly layer: Layer;
  readonly amount: Money;
};

export type Transfer = {
  /** Unique for ever: charge, step and leg. Storing the same step twice collides instead of counting twice. */
  readonly id: string;
  readonly kind: TransferKind;
  /** Accounts on the posted layer after this transfer; a void names those of its hold. */
  readonly debit: string;
  readonly credit: string;
  readonly amount: Money;
  /** The hold that a post or void resolves, the post that a mirror undoes. */
  readonly resolves: string | null;
};

/** Steps of a charge that touch the books. */
export type Step = "hold" | "capture" | "release" | "claim" | "reversal";

/** What the rules need to know of a charge. `card` is the fingerprint of the card token, never the token. */
export type Booked = {
  readonly id: number;
  readonly merchant: string;
  readonly gateway: string;
  readonly card: string;
  readonly amount: Money;
};

/** What the rules need to know of a refund. */
export type RefundBooked = { readonly id: number; readonly amount: Money };

export type AccountKind = "payable" | "clearing" | "customer" | "suspense";

/** What the shop is owed: grows on the credit side. */
export function payable(merchant: string): string {
  return `merchant:${merchant}:payable`;
}

/** What the gateway has collected and not paid out yet: grows on the debit side. */
export function clearing(gateway: string): string {
  return `gateway:${gateway}:clearing`;
}

/** What the holder of a card owes for goods: debited by the sale, credited by the card payment. */
export function customer(card: string): string {
  return `customer:${card}`;
}

/** Sales handed over offline whose card was declined afterwards: a claim that no money stands behind. */
export function suspense(merchant: string): string {
  return `merchant:${merchant}:suspense`;
}

export function accountKind(account: string): AccountKind {
  if (account.startsWith("gateway:")) return "clearing";
  if (account.startsWith("customer:")) return "customer";
  return account.endsWith(":suspense") ? "suspense" : "payable";
}

type Leg = { readonly name: string; readonly debit: string; readonly credit: string };

/** The sale (customer owes, shop is owed) and its payment (gateway collects, customer has paid). */
function legsOf(charge: Omit<Booked, "amount">): readonly Leg[] {
  return [
    { name: "sale", debit: customer(charge.card), credit: payable(charge.merchant) },
    { name: "payment", debit: clearing(charge.gateway), credit: customer(charge.card) },
  ];
}

function requirePositive(amount: Money): void {
  if (amount.minor <= 0n) throw new Error(`cannot post ${amount.minor} ${amount.currency}`);
}

/** The transfers of one step of a charge; amounts must be greater than zero. */
export function transfersOf(charge: Booked, step: Step): readonly Transfer[] {
  requirePositive(charge.amount);
  const id = (name: Step, leg: string): string => `${charge.id}/${name}/${leg}`;
  switch (step) {
    case "hold":
      return legsOf(charge).map(({ name, debit, credit }) => ({
        id: id("hold", name),
        kind: "hold",
        debit,
        credit,
        amount: charge.amount,
        resolves: null,
      }));
    case "capture":
    case "release":
      return legsOf(charge).map(({ name, debit, credit }) => ({
        id: id(step, name),
        kind: step === "capture" ? "post" : "void",
        debit,
        credit,
        amount: charge.amount,
        resolves: id("hold", name),
      }));
    case "claim":
      return [
        {
          id: id("claim", "sale"),
          kind: "claim",
          debit: customer(charge.card),
          credit: suspense(charge.merchant),
          amount: charge.amount,
          resolves: null,
        },
      ];
    case "reversal":
      return legsOf(charge).map(({ name, debit, credit }) => ({
        id: id("reversal", name),
        kind: "mirror",
        debit: credit,
        credit: debit,
        amount: charge.amount,
        resolves: id("capture", name),
      }));
  }
}

/**
 * The transfers of one refund: the sale and its payment in the other direction, for the part that is given back. They
 * undo nothing, because several may stand against one capture. `amount` must be greater than zero.
 */
export function refundTransfersOf(charge: Omit<Booked, "amount">, refund: RefundBooked): readonly Transfer[] {
  const { id, amount } = refund;
  requirePositive(amount);
  return legsOf(charge).map(({ name, debit, credit }) => ({
    id: `${charge.id}/refund-${id}/${name}`,
    kind: "refund",
    debit: credit,
    credit: debit,
    amount,
    resolves: null,
  }));
}

/** The entries of one transfer. */
export function entriesOf(transfer: Transfer): readonly Entry[] {
  const { debit, credit, amount } = transfer;
  const pair = (layer: Layer, debited: string, credited: string): readonly Entry[] => [
    { account: debited, side: "debit", layer, amount },
    { account: credited, side: "credit", layer, amount },
  ];
  switch (transfer.kind) {
    case "hold":
      return pair("pending", debit, credit);
    case "void":
      return pair("pending", credit, debit);
    case "post":
      return [...pair("pending", credit, debit), ...pair("posted", debit, credit)];
    case "claim":
    case "mirror":
    case "refund":
      return pair("posted", debit, credit);
  }
}

export type Balance = { readonly debit: bigint; readonly credit: bigint };

/** Sums by `${account}|${currency}|${layer}`. */
export function balancesOf(entries: Iterable<Entry>): ReadonlyMap<string, Balance> {
  return sums(entries, (entry) => `${entry.account}|${entry.amount.currency}|${entry.layer}`);
}

/** Whether debits equal credits in every currency and layer. */
export function isBalanced(entries: Iterable<Entry>): boolean {
  const totals = sums(entries, (entry) => `${entry.amount.currency}|${entry.layer}`);
  return [...totals.values()].every((total) => total.debit === total.credit);
}

function sums(entries: Iterable<Entry>, keyOf: (entry: Entry) => string): Map<string, Balance> {
  const totals = new Map<string, Balance>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const before = totals.get(key) ?? { debit: 0n, credit: 0n };
    const { minor } = entry.amount;
    totals.set(
      key,
      entry.side === "debit"
        ? { debit: before.debit + minor, credit: before.credit }
        : { debit: before.debit, credit: before.credit + minor },
    );
  }
  return totals;
}
