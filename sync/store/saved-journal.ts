/** Gathers from the rows of a damaged journal what its successor begins with, and tells what is lost. */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import { fromCanonicalJson, toCanonicalJson } from "./canonical-json.ts";
import {
  eventOf,
  Findings,
  type FoundBody,
  type FoundRow,
  type Placed,
  present,
  refundOf,
  requestOf,
  saleOf,
} from "./findings.ts";
import type { Place, RawFile, RawRow } from "./raw-file.ts";
import type { JournalPlace, SalvageReport, SalvageRules, Saved } from "./salvage-report.ts";
import type { Snapshot } from "./seal.ts";
import type { JournalEvent } from "./store.ts";
import type { Inheritance } from "./successor.ts";
import { provenId, provenState, type VerifiedEvents, verifiedEvents } from "./verified-events.ts";

export type SavedJournal = {
  readonly inheritance: Inheritance;
  readonly report: Omit<SalvageReport, "reason" | "setAside" | "journalId">;
};

/** A position beyond this is a damaged one: no terminal sends that much. */
const HIGHEST_POSITION = 2 ** 40;

/** Staff lets the journal in. `predecessor`: the id to continue instead of its own, null: its own. */
export type Adopted = { readonly predecessor: string | null };

/** `adopted` null: nobody asked for it. Throws Fault "settings.invalid" when the journal says that it is another terminal's. */
export function saveFrom<Event extends JournalEvent, State>(
  file: RawFile,
  { path, terminal }: JournalPlace,
  rules: SalvageRules<Event, State>,
  adopted: Adopted | null,
): SavedJournal {
  const findings = new Findings();
  findings.collect(file);
  checkTerminal(findings, path, terminal);
  const proven = provenState(file, findings);
  const events = verifiedEvents(file, findings, terminal, proven);
  const rows = rowsOf(file, findings);
  const letters = lettersOf(findings, rows);
  const sales = bodiesOf(file, findings.sales, saleOf);
  const refunds = bodiesOf(file, findings.refunds, refundOf);
  const counters = countersOf(findings, rows);
  const waiting = rows.filter(({ status }) => status === "waiting");
  const sold = sales.map(({ body }) => fromCanonicalJson(body) as SoldSale);
  const saved: Saved = { waiting: waiting.map(parseRequest), sold, lastSequence: lastSequenceOf(rows, sold) };
  const { state, ...from } = stateFrom(file, events, proven, rules);
  const own = provenId(file, findings, terminal);
  const predecessor = adopted === null && !rules.continues(state) ? null : (adopted?.predecessor ?? own);
  const { denyList, seal } = findings;
  return {
    inheritance: {
      terminal,
      predecessor,
      origin: events.origin,
      events: bodiesIn(file, events.origin, events.places),
      kept: [...findings.kept.values()],
      rows,
      lastRow: Math.max(seal?.lastRow ?? 0, rows.at(-1)?.position ?? 0),
      letters,
      counters,
      sales,
      refunds,
      denyList,
      state: toCanonicalJson(rules.resume(state, saved)),
    },
    report: {
      predecessor,
      ...rangesOf(findings, events, proven),
      state: from,
      waiting: waiting.length,
      waitingLost: seal === null ? null : Math.max(0, seal.waiting.count - waiting.length),
      deadLetters: letters.length,
      cardCounters: counters.size,
      sales: sales.length,
      refunds: refunds.length,
      denyList: denyList?.version ?? null,
    },
  };
}

function checkTerminal({ identity }: Findings, path: string, terminal: string): void {
  if (identity === null || identity.terminal === terminal) return;
  throw new Fault(
    "settings.invalid",
    `${path} is the journal of terminal ${identity.terminal}, the settings say ${terminal}: give each terminal its own file`,
  );
}

/** Requests in the order of their positions; one whose position was damaged comes last. */
function rowsOf(file: RawFile, findings: Findings): readonly FoundRow[] {
  const rows: FoundRow[] = [];
  const astray: FoundRow[] = [];
  const placed = [...findings.rows.values()].sort((a, b) => a.position - b.position);
  const found = placed.flatMap(({ place, position, status }) =>
    present(requestOf({ rowid: position, values: file.valuesAt(place) })).map((row) => ({ ...row, status })),
  );
  let highest = 0;
  for (const row of found) {
    // A letter is written with the row's end.
    const isBuried = row.status === "waiting" && findings.letters.has(row.id);
    const isFree = row.position > highest && row.position < HIGHEST_POSITION;
    (isFree ? rows : astray).push(isBuried ? { ...row, status: "dead" } : row);
    if (isFree) highest = row.position;
  }
  for (const [index, row] of astray.entries()) rows.push({ ...row, position: highest + index + 1 });
  return rows;
}

type Letter = { readonly id: string; readonly reason: string; readonly atMs: number };

/** A request that is dead and has lost its letter is still a dead letter. */
function lettersOf({ letters }: Findings, rows: readonly FoundRow[]): readonly Letter[] {
  return rows.flatMap(({ id, status, createdMs }) => {
    const letter = letters.get(id);
    if (letter !== undefined) return [{ id, reason: letter.reason, atMs: letter.atMs }];
    return status === "dead"
      ? [{ id, reason: "the reason was lost with a damaged journal", atMs: createdMs }]
      : [];
  });
}

/** The highest counter of each card, also those that requests tell of. */
function countersOf(findings: Findings, rows: readonly FoundRow[]): ReadonlyMap<string, number> {
  const counters = new Map(findings.counters);
  for (const row of rows) {
    const request = parseRequest(row);
    if (request.kind !== "authorise") continue;
    const { token, counter } = request.card;
    counters.set(token, Math.max(counter, counters.get(token) ?? 0));
  }
  return counters;
}

function bodiesOf(
  file: RawFile,
  placed: ReadonlyMap<string, Placed>,
  read: (values: RawRow["values"]) => FoundBody | null,
): readonly FoundBody[] {
  return [...placed.values()]
    .sort((a, b) => a.position - b.position)
    .flatMap(({ place }) => present(read(file.valuesAt(place))));
}

function lastSequenceOf(rows: readonly FoundRow[], sold: readonly SoldSale[]): number {
  let last = 0;
  for (const row of rows) {
    const request = parseRequest(row);
    if (request.kind === "authorise") last = Math.max(last, request.sequence);
  }
  for (const { sequence } of sold) last = Math.max(last, sequence);
  return last;
}

function parseRequest({ request }: FoundRow): LedgerRequest {
  return fromCanonicalJson(request) as LedgerRequest;
}

function* bodiesIn(file: RawFile, origin: number, places: readonly Place[]): Generator<string> {
  for (const [index, place] of places.entries()) {
    const events = present(eventOf({ rowid: origin + index + 1, values: file.valuesAt(place) }));
    yield* events.map(({ body }) => body);
  }
}

type FromState<State> = SalvageReport["state"] & { readonly state: State };

/** The snapshot with the events after it, or all events folded, or nothing. */
function stateFrom<Event extends JournalEvent, State>(
  file: RawFile,
  { origin, places, tail }: VerifiedEvents,
  proven: Snapshot | null,
  { fold }: SalvageRules<Event, State>,
): FromState<State> {
  // Without a snapshot and without the first event there is nothing to fold from.
  const isLost = proven === null && (origin > 0 || places.length === 0);
  if (isLost) return { state: fold(null, []), from: "nothing", failure: null };
  const base = proven === null ? null : (fromCanonicalJson(proven.body) as State);
  const from = proven === null ? "events" : "snapshot";
  const bodies =
    proven === null ? bodiesIn(file, origin, places) : bodiesIn(file, proven.link.position, tail);
  try {
    return { state: fold(base, parsed<Event>(bodies)), from, failure: null };
  } catch (error) {
    // A terminal that cannot go on at all is worse than one that asks the ledger what it remembers.
    const left = base === null ? "nothing" : "snapshot";
    return { state: base ?? fold(null, []), from: left, failure: String(error) };
  }
}

function* parsed<Event>(bodies: Iterable<string>): Generator<Event> {
  for (const body of bodies) yield fromCanonicalJson(body) as Event;
}

function rangesOf(
  findings: Findings,
  { origin, places, tail }: VerifiedEvents,
  proven: Snapshot | null,
): Pick<SalvageReport, "events" | "missing"> {
  const last = origin + places.length;
  const told = Math.max(findings.seal?.head.position ?? 0, (proven?.link.position ?? 0) + tail.length);
  const highest = told > 0 ? told : highestOf(findings.events.keys());
  const events = places.length === 0 ? null : { from: origin + 1, to: last };
  if (highest > last) return { events, missing: { from: last + 1, to: highest } };
  const forgotten = findings.anchor?.position ?? 0;
  return { events, missing: origin > forgotten ? { from: forgotten + 1, to: origin } : null };
}

function highestOf(positions: Iterable<number>): number {
  return [...positions]
    .filter((position) => position < HIGHEST_POSITION)
    .reduce((highest, position) => Math.max(highest, position), 0);
}
