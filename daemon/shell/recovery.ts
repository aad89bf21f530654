/**
 * Opens the journal and finds where the terminal was: the last snapshot, and whatever was journalled after it folded
 * on top. The settings that a later event was decided by are in the journal too.
 */
import type { Store } from "../../sync/store/store.ts";
import { sameData } from "../core/data.ts";
import type { SaleEvent } from "../core/event.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../core/sale.ts";
import type { SaleSettings } from "../core/settings.ts";
import { step } from "../core/step.ts";

export type Recovered = {
  readonly state: TerminalState;
  /** Position of the last journalled event, 0 in a new journal. */
  readonly position: number;
  /** True when these settings are the ones that the journal's last events were decided by. */
  readonly appliedSettings: (settings: SaleSettings) => boolean;
};

/** Throws a Fault when the journal is locked, damaged, of a newer program or cannot be written. */
export function recover(store: Pick<Store<SaleEvent, TerminalState>, "open" | "lastOfKind">): Recovered {
  const opened = store.open();
  const applied = store.lastOfKind("settings.applied", opened.statePosition);
  let settings = applied?.kind === "settings.applied" ? applied.settings : null;
  let state = opened.state ?? EMPTY_TERMINAL;
  let position = opened.statePosition;
  for (const record of opened.tail) {
    if (record.event.kind === "settings.applied") settings = record.event.settings;
    if (settings === null) throw new Error("the journal begins without settings");
    state = step(settings, state, record.event).state;
    position = record.position;
  }
  const found = settings;
  return { state, position, appliedSettings: (now) => found !== null && sameData(found, now) };
}
