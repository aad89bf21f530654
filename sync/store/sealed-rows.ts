/** The rows beside journal and outbox, each with a hash of its own, as they are written and read back. */
import type { FoundSale, SoldSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";
import { fieldHash } from "./chain.ts";
import { openingsText } from "./openings.ts";
import type { SoldRefund } from "./store.ts";

/** A journal's identity as it is stored. */
export type StoredIdentity = {
  readonly terminal: string;
  readonly journalId: string;
  readonly predecessor: string | null;
  readonly boots: number;
  /** See openings.ts; without one in a journal that was never opened. */
  readonly openings: readonly string[];
  /** Closed in order: no -wal is beside the file. */
  readonly clean: boolean;
};

export function identityHash(identity: StoredIdentity): Uint8Array {
  const { terminal, journalId, predecessor, boots, openings, clean } = identity;
  const names = [terminal, journalId, predecessor ?? ""] as const;
  return fieldHash("identity.v2", ...names, boots, openingsText(openings), clean ? 1 : 0);
}

export function anchorHash(position: number, link: Uint8Array): Uint8Array {
  return fieldHash("anchor.v2", position, link);
}

export function keptHash(position: number, body: string): Uint8Array {
  return fieldHash("kept.v2", position, body);
}

export function counterHash(token: string, counter: number): Uint8Array {
  return fieldHash("counter.v2", token, counter);
}

export function saleHash(body: string): Uint8Array {
  return fieldHash("sale.v2", body);
}

export function refundHash(body: string): Uint8Array {
  return fieldHash("refund.v2", body);
}

export function denyListHash({ version, count, set }: DenyList): Uint8Array {
  return fieldHash("deny-list.v2", version, count, set);
}

/** A sale with what was given back of it: refunds and voids alike. */
export function foundSale(sale: SoldSale, refunds: readonly SoldRefund[]): FoundSale {
  const isUnpaid = ({ purpose }: SoldRefund): boolean => purpose === "unpaid";
  const back = refunds.filter((refund) => !isUnpaid(refund));
  return {
    ...sale,
    refundedMinor: back.reduce((sum, { amount }) => sum + amount.minor, 0n),
    voided: refunds.some(({ purpose }) => purpose === "void"),
    unpaid: refunds.some(isUnpaid),
  };
}
