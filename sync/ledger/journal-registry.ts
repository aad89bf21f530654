/**
 * Which journal a terminal may sell with, pure: from what the ledger knows of the terminal and what the terminal says
 * of its journal, the verdict.
 *
 * A journal counts its openings and makes a random number at each; the ledger remembers the newest pair that it
 * welcomed and the highest outbox position that it took a charge or a refund from. A second machine with the same journal
 * repeats an opening or counts behind; a backup that was put back holds less than the ledger has seen. The two can look
 * alike (a backup from before the last opening also counts behind): what a person has to do is the same.
 *
 * A verdict other than welcome changes nothing that is known, so a wrong machine cannot push the right one out.
 */
import type { BarReason } from "../../daemon/core/staff.ts";
import type { Greeting } from "../wire/greeting.ts";

/** What the ledger knows of the journal that a terminal sells with. */
export type KnownJournal = {
  readonly journalId: string;
  readonly boots: number;
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
  const { journalId, boots, bootNonce, lastOutboxPosition } = claim;
  if (boots < known.boots || (boots === known.boots && bootNonce !== known.bootNonce)) {
    return {
      kind: "copied",
      because:
        `journal ${journalId} comes with its opening ${boots}, after another machine (or this one, before an older ` +
        `copy was put back) came with its opening ${known.boots}: stop the machine that is not this terminal, then run ` +
        '"saypay journal adopt" on the one that is',
    };
  }
  if (lastOutboxPosition < known.highestPosition) {
    return {
      kind: "restored",
      because:
        `journal ${journalId} ends at outbox position ${lastOutboxPosition}, and the ledger holds a sale or refund from its ` +
        `position ${known.highestPosition}: an older copy was put back; run "saypay journal adopt" on the terminal, ` +
        "which brings the missing sales back from the ledger",
    };
  }
  return { kind: "welcome" };
}
