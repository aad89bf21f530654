/**
 * Which journal a terminal may sell with, pure: from what the ledger knows of the terminal and what the terminal says
 * of its journal, the verdict.
 *
 * A journal makes a random number at each opening and names, when it greets, those of its openings since the last one
 * that it knows to have been welcomed (sync/store/openings.ts). The ledger remembers the opening that it welcomed last and
 * the highest outbox position that it took a charge or a refund from. A journal is welcome when it names the remembered
 * opening: the machine that was welcomed last is then this one, now or at an earlier opening.
 *
 * Why a machine that is refused stays refused, however often it is started again: two machines with copies of one journal
 * share the openings from before the copy and none from after it. Once the ledger has welcomed an opening that one of them
 * made after the copy, the other can never name it. How often a journal was opened proves nothing, because every start
 * adds one; it is kept for people.
 *
 * Why a machine that is alone is always welcome, wherever it dies: the opening that the ledger welcomed is on its disk
 * before it greets, and stays in its list until a later opening of the same machine is known to have been welcomed. When
 * it dies after the ledger's welcome and before it has noted that, the opening is in the list still.
 *
 * What is left: a list holds MAX_OPENINGS (64), so a machine that dies just in that gap and is then opened 63 times
 * without hearing from the ledger does not name that one opening any more, and is refused as a copy. A ledger whose books
 * were put back from before an opening that the terminal knows to have been welcomed refuses it. Both adopt their journal.
 * And a successor is taken at its word: that of a refused copy which staff adopts is welcome as long as the known journal
 * has no other. One that was made without staff names no predecessor when its journal was refused.
 *
 * A backup that was put back does not name the remembered opening either; it is told by the ledger holding more of the
 * journal than it does. Where it held as much, it looks like a copy: what a person has to do is the same.
 *
 * A verdict other than welcome changes nothing that is known, so a wrong machine cannot push the right one out.
 */
import type { BarReason } from "../../daemon/core/sale.ts";
import type { Greeting } from "../wire/greeting.ts";

/** What the ledger knows of the journal that a terminal sells with. */
export type KnownJournal = {
  readonly journalId: string;
  /** How often it had been opened when it was welcomed last: for people. */
  readonly boots: number;
  /** The opening that was welcomed last. */
  readonly bootNonce: string;
  /** The highest outbox position of a charge or refund that came from this journal, 0 before the first. */
  readonly highestPosition: number;
  /** A journal that an operator lets in next although it does not say that it continues this one. */
  readonly expected: string | null;
};

export type Verdict = { readonly kind: "welcome" } | { readonly kind: BarReason; readonly because: string };

/** What a journal says of itself. */
export type JournalClaim = Omit<Greeting, "kind" | "nonce">;

/** `known` is null for a terminal that never greeted. */
export function verdictOf(known: KnownJournal | null, claim: JournalClaim): Verdict {
  if (known === null) return { kind: "welcome" };
  if (claim.journalId === known.journalId) return verdictOnSame(known, claim);
  if (claim.predecessor === known.journalId || claim.journalId === known.expected) return { kind: "welcome" };
  return {
    kind: "replaced",
    because:
      `journal ${claim.journalId} does not continue ${known.journalId}, with which this terminal sold so far: ` +
      `run "saypay journal adopt --predecessor ${known.journalId}" on the terminal, or let the new journal in at the ledger`,
  };
}

function verdictOnSame(known: KnownJournal, claim: JournalClaim): Verdict {
  const { journalId, boots, openings, lastOutboxPosition } = claim;
  if (lastOutboxPosition < known.highestPosition) {
    return {
      kind: "restored",
      because:
        `journal ${journalId} ends at outbox position ${lastOutboxPosition}, and the ledger holds a sale or refund from its ` +
        `position ${known.highestPosition}: an older copy was put back, or runs in another machine, which is to be stopped; ` +
        'run "saypay journal adopt" on the terminal, which then asks the ledger for what it has lost',
    };
  }
  if (openings.includes(known.bootNonce)) return { kind: "welcome" };
  return {
    kind: "copied",
    because:
      `journal ${journalId} comes with its opening ${boots}, which does not follow the opening ${known.boots} that was ` +
      "accepted last: another machine came with a copy of it (or this one, before an older copy was put back). Starting " +
      'again does not help: stop the machine that is not this terminal, then run "saypay journal adopt" on the one that is',
  };
}
