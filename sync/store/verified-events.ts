/** Which of the events that were found the hash chain vouches for. */
import { genesis, type Link, nextLink, type StoredRecord, sameHash, stateHash } from "./chain.ts";
import { eventOf, type Findings, present } from "./findings.ts";
import type { Place, RawFile } from "./raw-file.ts";
import type { Snapshot } from "./seal.ts";

export type VerifiedEvents = {
  /** The event before the first one. */
  readonly origin: number;
  /** Where the events lie, in their order. */
  readonly places: readonly Place[];
  /** Where those lie that follow the snapshot, whether or not they are among the others. */
  readonly tail: readonly Place[];
};

/** The newest snapshot that proves itself. One of version 1 needs the hash of its event for that. */
export function provenState(file: RawFile, findings: Findings): Snapshot | null {
  const { snapshot } = findings;
  if (snapshot !== null) return snapshot;
  for (const { position, body, hash } of findings.snapshotsOfVersion1) {
    const link = candidates(file, findings, position).find(({ record }) =>
      sameHash(stateHash(record, body), hash),
    );
    if (link !== undefined) return { body, link: { position, hash: link.record.hash } };
  }
  return null;
}

/**
 * The events from the beginning to the first bad one. When the beginning itself is lost, the last ones as far back as
 * they hang together.
 */
export function verifiedEvents(
  file: RawFile,
  findings: Findings,
  terminal: string,
  state: Snapshot | null,
): VerifiedEvents {
  const root = rootOf(findings, terminal);
  const forward = root === null ? [] : forwardFrom(file, findings, root);
  const tail = state === null ? [] : forwardFrom(file, findings, state.link);
  if (root !== null && forward.length > 0) return { origin: root.position, places: forward, tail };
  const end = findings.seal?.head ?? state?.link;
  if (end === undefined) return { origin: root?.position ?? 0, places: [], tail };
  const places = backwardFrom(file, findings, end);
  return { origin: end.position - places.length, places, tail };
}

/** The id that the journal's own chain or a sealed row proves, null when neither is left. */
export function provenId(file: RawFile, findings: Findings, terminal: string): string | null {
  const sealed = findings.identity?.journalId ?? findings.seal?.journalId;
  if (sealed !== undefined) return sealed;
  const root = rootOf(findings, terminal);
  const old = findings.identityOfVersion1?.journalId;
  return root !== null && old !== undefined && forwardFrom(file, findings, root).length > 0 ? old : null;
}

function rootOf({ anchor, identity, seal, identityOfVersion1 }: Findings, terminal: string): Link | null {
  if (anchor !== null) return anchor;
  const journalId = identity?.journalId ?? seal?.journalId ?? identityOfVersion1?.journalId;
  return journalId === undefined ? null : genesis(terminal, journalId);
}

function forwardFrom(file: RawFile, findings: Findings, root: Link): readonly Place[] {
  const places: Place[] = [];
  for (let link = root; ; ) {
    const next = candidates(file, findings, link.position + 1).find(({ record }) =>
      sameHash(nextLink(link, record.body).hash, record.hash),
    );
    if (next === undefined) return places;
    places.push(next.place);
    link = next.record;
  }
}

/** From a link that is known to be right to the events that lead to it. */
function backwardFrom(file: RawFile, findings: Findings, end: Link): readonly Place[] {
  const places: Place[] = [];
  for (let link = end; ; ) {
    const found = candidates(file, findings, link.position).find(({ record }) =>
      sameHash(record.hash, link.hash),
    );
    // An event is proven by the hash of the one before it, which is proven by the hash that both give.
    const before =
      found &&
      candidates(file, findings, link.position - 1).find(({ record }) => {
        return sameHash(nextLink(record, found.record.body).hash, link.hash);
      });
    if (found === undefined || before === undefined) return places.reverse();
    places.push(found.place);
    link = before.record;
  }
}

type Candidate = { readonly place: Place; readonly record: StoredRecord };

/** Every row that was found under a position. */
function candidates(file: RawFile, { events }: Findings, position: number): readonly Candidate[] {
  return (events.get(position) ?? []).flatMap((place) => {
    const records = present(eventOf({ rowid: position, values: file.valuesAt(place) }));
    return records.map((record) => ({ place, record }));
  });
}
