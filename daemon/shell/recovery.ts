/**
 * Opens the journal and finds where the terminal was: the last snapshot, and whatever was journalled after it folded
 * on top. The settings that a later event was decided by are in the journal too, and what an earlier program wrote is
 * completed as it is read.
 */
import type { DeadLetter, Store } from "../../sync/store/store.ts";
import { sameData } from "../core/data.ts";
import type { SaleEvent } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../core/sale.ts";
import type { SaleSettings } from "../core/settings.ts";
import type { RecalledSale, SoldSale } from "../core/staff.ts";
import { step } from "../core/step.ts";
import { stateBefore, upgradeEvent, upgradeState } from "../core/upgrade.ts";
import type { Happening } from "./interpreter.ts";

export type Recovered = {
  readonly state: TerminalState;
  /** Position of the last journalled event, 0 in a new journal. */
  readonly position: number;
  /** The settings that the journal's last events were decided by, null in a new journal. */
  readonly settings: SaleSettings | null;
  /** True when these settings are the same. */
  readonly appliedSettings: (settings: SaleSettings) => boolean;
};

/** Throws a Fault when the journal is locked, damaged, of a newer program or cannot be written. */
export function recover(store: Pick<Store<SaleEvent, TerminalState>, "open" | "lastOfKind">): Recovered {
  const opened = store.open();
  const events: SaleEvent[] = [];
  let position = opened.statePosition;
  for (const record of opened.tail) {
    events.push(record.event);
    position = record.position;
  }
  const applied = store.lastOfKind("settings.applied", opened.statePosition);
  const before = applied?.kind === "settings.applied" ? upgradeEvent(applied) : null;
  const folded = fold(opened.state, events, before?.kind === "settings.applied" ? before.settings : null);
  const { settings, state } = folded;
  return {
    state,
    position,
    settings,
    appliedSettings: (now) => settings !== null && sameData(settings, now),
  };
}

/**
 * The day's totals and the limits of selling without the ledger add amounts up, so the currency changes only when there
 * is nothing to add. Throws Fault "settings.invalid".
 */
export function checkCurrency({ settings, state }: Pick<Recovered, "settings" | "state">, now: string): void {
  const before = settings?.menu.currency ?? now;
  const { sale, day, openCharges, openRefunds } = state;
  const isClear = sale === null && day.openedMs === null && openCharges.length + openRefunds.length === 0;
  if (before === now || isClear) return;
  throw new Fault(
    "settings.invalid",
    `the menu's currency was ${before} and is ${now} now, while the day is open or money waits: put ${before} back, ` +
      "wait until `saypay open` lists nothing, run `saypay close-day`, then change it",
  );
}

/**
 * Requests that are among the dead letters while something still waits for their answer: the daemon ended between
 * burying a request and journalling that it did. To be delivered after "daemon.started".
 */
export function unheardBurials(letters: readonly DeadLetter[], state: TerminalState): readonly Happening[] {
  const { sale, openCharges, openRefunds } = state;
  const unanswered = new Set(
    [...openCharges, ...openRefunds].flatMap(({ key, pending }) => (pending ? [] : [key])),
  );
  if (sale !== null && "charge" in sale.phase) unanswered.add(sale.phase.charge.key);
  return letters
    .filter(({ request }) => unanswered.has(request.key))
    .map(({ id, reason, request }) => ({ kind: "request.buried", requestId: id, key: request.key, reason }));
}

/**
 * Those of the ledger's charges that this journal knows nothing of. By their keys: a sale that is known may have been
 * charged by a second card that is not.
 */
export function forgottenSales(
  sales: readonly RecalledSale[],
  { sale, openCharges, openRefunds }: TerminalState,
  soldSale: (saleId: string) => Pick<SoldSale, "key"> | null,
): readonly RecalledSale[] {
  const underWay = new Set([...openCharges, ...openRefunds].map(({ key }) => key));
  if (sale !== null && "charge" in sale.phase) underWay.add(sale.phase.charge.key);
  return sales.filter(({ saleId, key }) => !underWay.has(key) && soldSale(saleId)?.key !== key);
}

export type Folded = { readonly state: TerminalState; readonly settings: SaleSettings | null };

/**
 * The state after these events. `state` null: from nothing; `settings` null: the events begin with theirs. Throws plain
 * Error for an event that no settings explain.
 */
export function fold(
  state: TerminalState | null,
  events: Iterable<SaleEvent>,
  settings: SaleSettings | null,
): Folded {
  let folded: Folded = { state: state === null ? EMPTY_TERMINAL : upgradeState(state), settings };
  let first = state === null;
  for (const journalled of events) {
    if (first) folded = { ...folded, state: stateBefore(journalled) };
    first = false;
    folded = foldOne(folded, upgradeEvent(journalled));
  }
  return folded;
}

function foldOne({ state, settings }: Folded, event: SaleEvent): Folded {
  const valid = event.kind === "settings.applied" ? event.settings : settings;
  if (valid === null) throw new Error("the journal begins without settings");
  return { state: step(valid, state, event).state, settings: valid };
}
