/**
 * What the files of a counter say after everything healed and every process ended. Nothing is asked of a program: the
 * journal's events are folded through the core's step() once more, the charges are counted in the bank's own database
 * file, the receipts are the virtual printer's papers.
 *
 * - tap: a card read that the daemon journalled (event card.presented). Each ends in exactly one final state: approved,
 *   approved offline, declined, reversed, or not taken (no charge was made for it, e.g. a copied counter).
 * - charge: an order that stands as "charged" in the bank's file, with the sale's id as order number.
 * - lost: a sale that was approved to the customer (a receipt on paper, or approved in the journal) without a charge.
 * - doubled: a sale with more than one charge, or with a charge of another amount than the one that was agreed.
 * - printedWithoutCharge: a sale with a receipt on paper that no charge stands behind; a reversed one has no receipt.
 * - chargedWithoutSale: a charge that stands although its sale was never approved to the customer.
 * - secondOriginals: sales with more than one receipt that is not marked COPY.
 * - unprinted: approved sales without any receipt, though the terminal did not call staff for it. (A printer that was
 *   killed over and over may use up the attempts: then staff is alarmed, and that is counted as leftToStaff.)
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import { step } from "../../daemon/core/step.ts";
import { fromCanonicalJson } from "../../sync/store/canonical-json.ts";
import type { Paper } from "../support/virtual-printer.ts";

export type Final = "approved" | "approved-offline" | "declined" | "reversed" | "not-taken";

export type Tap = {
  readonly saleId: string | null;
  /** Null when no charge was made for it. */
  readonly key: string | null;
  readonly amountMinor: bigint | null;
  readonly finals: readonly Final[];
};

export type BankRow = { readonly saleId: string; readonly minor: bigint; readonly status: string };

export type SiteVerdict = {
  readonly sales: number;
  readonly taps: number;
  readonly finals: { readonly [name in Final]: number };
  readonly charges: number;
  readonly receipts: number;
  readonly copies: number;
  readonly leftToStaff: number;
  /** Descriptions of what must not be; every list is empty or the run has failed. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly printedWithoutCharge: readonly string[];
  readonly chargedWithoutSale: readonly string[];
  readonly tapsWithoutOneEnd: readonly string[];
  readonly secondOriginals: readonly string[];
  readonly unprinted: readonly string[];
};

/** `folder` as CrashSite fills it. */
export function verdictOf(folder: string, papers: readonly Paper[]): SiteVerdict {
  const journalled = tapsOf(eventsOf(join(folder, "data", "journal.sqlite")));
  return judge(journalled, chargesOf(folder), printedOf(papers));
}

export function judge(
  { taps, sales, leftToStaff }: Journalled,
  bank: readonly BankRow[],
  printed: Printed,
): SiteVerdict {
  const finals = { approved: 0, "approved-offline": 0, declined: 0, reversed: 0, "not-taken": 0 };
  for (const tap of taps) for (const final of tap.finals) finals[final]++;
  const approved = new Map(taps.filter(isApproved).map((tap) => [tap.saleId ?? "", tap]));
  const charged = new Map<string, BankRow[]>();
  for (const row of bank) {
    if (row.status === "charged") charged.set(row.saleId, [...(charged.get(row.saleId) ?? []), row]);
  }
  const shown = new Set([...approved.keys(), ...printed.originals.keys(), ...printed.copies.keys()]);
  const count = (saleId: string): number => charged.get(saleId)?.length ?? 0;
  const paid = (saleId: string): bigint => charged.get(saleId)?.[0]?.minor ?? 0n;
  return {
    sales,
    taps: taps.length,
    finals,
    charges: [...charged.values()].reduce((sum, rows) => sum + rows.length, 0),
    receipts: sum(printed.originals) + sum(printed.copies),
    copies: sum(printed.copies),
    leftToStaff: leftToStaff.size,
    lost: [...shown].filter((saleId) => count(saleId) === 0),
    doubled: [
      ...[...charged.keys()].filter((saleId) => count(saleId) > 1),
      ...[...approved]
        .filter(([id, tap]) => count(id) === 1 && paid(id) !== tap.amountMinor)
        .map(([id]) => id),
    ],
    printedWithoutCharge: [...printed.originals.keys(), ...printed.copies.keys()].filter(
      (saleId) => count(saleId) === 0 || !approved.has(saleId),
    ),
    chargedWithoutSale: [...charged.keys()].filter((saleId) => !shown.has(saleId)),
    tapsWithoutOneEnd: taps
      .filter((tap) => tap.finals.length !== 1)
      .map((tap) => `${tap.key ?? tap.saleId ?? "?"}: ${tap.finals.join(", ") || "no end"}`),
    secondOriginals: [...printed.originals].filter(([, pieces]) => pieces > 1).map(([saleId]) => saleId),
    unprinted: [...approved.keys()].filter(
      (saleId) => !printed.originals.has(saleId) && !printed.copies.has(saleId) && !leftToStaff.has(saleId),
    ),
  };
}

function isApproved(tap: Tap): boolean {
  return tap.finals.some((final) => final === "approved" || final === "approved-offline");
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

type OpenTap = {
  saleId: string | null;
  key: string | null;
  amountMinor: bigint | null;
  finals: Final[];
};

export type Journalled = {
  readonly taps: readonly Tap[];
  readonly sales: number;
  /** Sales whose receipt was given up with an alarm. */
  readonly leftToStaff: ReadonlySet<string>;
};

/** Folds the events as the daemon did, and notes how each tap ended. */
export function tapsOf(events: Iterable<SaleEvent>): Journalled {
  const taps: OpenTap[] = [];
  const leftToStaff = new Set<string>();
  let sales = 0;
  let settings: SaleSettings | null = null;
  let state: TerminalState = EMPTY_TERMINAL;
  for (const event of events) {
    if (event.kind === "settings.applied") settings = event.settings;
    if (settings === null) throw new Error("the journal begins without settings");
    const before = state;
    const { state: after, effects } = step(settings, before, event);
    state = after;
    for (const effect of effects) {
      if (effect.kind === "alarm.raise" && effect.alarm.kind === "receipt-not-printed")
        leftToStaff.add(effect.alarm.saleId);
    }
    if (before.sale === null && state.sale !== null) sales++;
    if (event.kind === "card.presented") taps.push(tapOf(before, state));
    const last = taps.at(-1);
    if (last !== undefined) follow(last, before, state);
  }
  return { taps, sales, leftToStaff };
}

/** A charge was made when the sale counts one attempt more, or was closed by this very tap. */
function tapOf(before: TerminalState, after: TerminalState): OpenTap {
  const { sale } = before;
  const none = { saleId: sale?.id ?? null, key: null, amountMinor: null };
  if (sale?.phase.kind !== "awaiting-card") return { ...none, finals: ["not-taken"] };
  const closed = after.sale?.id !== sale.id;
  if (!closed && after.sale?.attempts === sale.attempts) return { ...none, finals: ["not-taken"] };
  const key = `${sale.id}/${sale.attempts + 1}`;
  return { saleId: sale.id, key, amountMinor: sale.phase.total.minor, finals: [] };
}

/** Only the last tap can be under way: a sale takes the next card when the one before was declined. */
function follow(tap: OpenTap, before: TerminalState, after: TerminalState): void {
  if (tap.key === null) return;
  const [was, now] = [phaseOf(before, tap.key), phaseOf(after, tap.key)];
  if (now?.kind === "receipt" && was?.kind !== "receipt") {
    tap.finals.push(now.result.kind);
    return;
  }
  if (after.sale?.id === tap.saleId) {
    // Back from the charge to the card or the order: it was declined.
    if (was !== null && was.kind !== "receipt" && now === null) tap.finals.push("declined");
    return;
  }
  if (before.sale?.id !== tap.saleId || was?.kind === "receipt") return;
  const ending = after.recent.findLast(({ saleId }) => saleId === tap.saleId)?.ending;
  if (ending === "reversed") tap.finals.push("reversed");
  // Declined before by this key's own answer, the sale was then given up.
  else if (tap.finals.length === 0) tap.finals.push("declined");
}

function phaseOf(state: TerminalState, key: string) {
  const phase = state.sale?.phase;
  return phase !== undefined && "charge" in phase && phase.charge.key === key ? phase : null;
}

function* eventsOf(path: string): Generator<SaleEvent> {
  const database = new Database(path, { readonly: true });
  try {
    const rows = database.prepare<[], { body: string }>("SELECT body FROM journal ORDER BY position");
    for (const { body } of rows.iterate()) yield fromCanonicalJson(body) as SaleEvent;
  } finally {
    database.close();
  }
}

/** What the bank did, read from its own file. */
export function chargesOf(folder: string): BankRow[] {
  const path = join(folder, "ledger", "gateways", "sandbox", "sandbox.sqlite");
  const database = new Database(path, { readonly: true }).defaultSafeIntegers(true);
  try {
    return database.prepare<[], BankRow>("SELECT order_id AS saleId, minor, status FROM charges").all();
  } finally {
    database.close();
  }
}

export type Printed = {
  /** Receipts that are no COPY, by sale. */
  readonly originals: ReadonlyMap<string, number>;
  readonly copies: ReadonlyMap<string, number>;
};

const SALE_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu;

/** A piece of paper can carry a torn receipt and a whole one: each sale that is named on it counts. */
export function printedOf(papers: readonly Paper[]): Printed {
  const originals = new Map<string, number>();
  const copies = new Map<string, number>();
  for (const { lines } of papers) {
    const named = new Set(lines.join("\n").match(SALE_ID) ?? []);
    const pieces = lines.some((line) => line.includes("COPY")) ? copies : originals;
    for (const saleId of named) pieces.set(saleId, (pieces.get(saleId) ?? 0) + 1);
  }
  return { originals, copies };
}
