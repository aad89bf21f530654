/**
 * States and events that an earlier program journalled, as this one reads them. Journals are never rewritten: what was
 * hashed stays as it is, and is completed each time it is read.
 *
 * Version 1 knew no standing, no refunds and no business day. It was used with a ledger that it had enrolled with, so
 * its journal is welcome until the ledger says otherwise; it took only cards whose cryptogram it had checked, and had
 * no deny list. Totals of its day are unknown: the day begins with the upgrade.
 */
import type { SaleEvent } from "./event.ts";
import {
  type Charge,
  EMPTY_TERMINAL,
  type OpenCharge,
  type Phase,
  type Sale,
  type TerminalState,
} from "./sale.ts";
import type { SaleSettings } from "./settings.ts";

type ChargeOfVersion1 = Omit<Charge, "standing">;
type PhaseOfVersion1 = Phase extends infer Each
  ? Each extends { readonly charge: Charge }
    ? Omit<Each, "charge"> & { readonly charge: ChargeOfVersion1 }
    : Each
  : never;

export type StateOfVersion1 = {
  readonly sale: (Omit<Sale, "phase"> & { readonly phase: PhaseOfVersion1 }) | null;
  readonly lastSequence: number;
  readonly linkUp: boolean;
  readonly openCharges: readonly Omit<OpenCharge, "pending">[];
  readonly recent: TerminalState["recent"];
};

type SettingsOfVersion1 = Omit<SaleSettings, "offline"> & {
  readonly offline: Omit<SaleSettings["offline"], "perCardPerHour">;
};

export type EventOfVersion1 =
  | Omit<Extract<SaleEvent, { kind: "card.presented" }>, "verified" | "denied">
  | (Omit<Extract<SaleEvent, { kind: "settings.applied" }>, "settings"> & {
      readonly settings: SettingsOfVersion1;
    });

/** Version 1 limited no card within an hour: its events fold as they were decided. */
const NO_HOURLY_LIMIT = Number.MAX_SAFE_INTEGER;

/** A terminal of version 1 before anything happened to it. */
const EMPTY_OF_VERSION_1: TerminalState = { ...EMPTY_TERMINAL, standing: { kind: "welcome" } };

/** A journalled state, whichever program wrote it. */
export function upgradeState(state: TerminalState | StateOfVersion1): TerminalState {
  if ("standing" in state) return state;
  const { sale, lastSequence, linkUp, recent } = state;
  const offline = state.openCharges.filter(({ purpose }) => purpose === "offline");
  return {
    ...EMPTY_OF_VERSION_1,
    sale: sale === null ? null : { ...sale, phase: upgradePhase(sale.phase) },
    lastSequence,
    linkUp,
    // Version 1 did not note who waits for whom, and asked again for all of them after every start.
    openCharges: state.openCharges.map((charge) => ({ ...charge, pending: true })),
    offlineTaps: offline.map(({ token, timeMs }) => ({ token, timeMs })),
    recent,
  };
}

/** A journalled event, whichever program wrote it. */
export function upgradeEvent(event: SaleEvent | EventOfVersion1): SaleEvent {
  switch (event.kind) {
    case "card.presented":
      return "verified" in event ? event : { ...event, verified: true, denied: false };
    case "settings.applied":
      return { ...event, settings: upgradeSettings(event.settings) };
    default:
      return event;
  }
}

/** What a journal's first event is folded onto. Every journal begins with the settings. */
export function stateBefore(first: SaleEvent | EventOfVersion1): TerminalState {
  const isOfVersion1 = first.kind === "settings.applied" && !("perCardPerHour" in first.settings.offline);
  return isOfVersion1 ? EMPTY_OF_VERSION_1 : EMPTY_TERMINAL;
}

function upgradePhase(phase: PhaseOfVersion1): Phase {
  if (!("charge" in phase)) return phase;
  const charge: Charge = { ...phase.charge, standing: { verified: true, denied: false } };
  return { ...phase, charge };
}

function upgradeSettings(settings: SaleSettings | SettingsOfVersion1): SaleSettings {
  const { offline } = settings;
  return "perCardPerHour" in offline
    ? { ...settings, offline }
    : { ...settings, offline: { ...offline, perCardPerHour: NO_HOURLY_LIMIT } };
}
