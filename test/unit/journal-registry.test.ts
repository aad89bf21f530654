/** Which journal a terminal may sell with, as a table. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JournalClaim, type KnownJournal, verdictOf } from "../../sync/ledger/journal-registry.ts";

const KNOWN: KnownJournal = {
  journalId: "j1",
  boots: 7,
  bootNonce: "n7",
  highestPosition: 40,
  expected: null,
};
const CLAIM: JournalClaim = {
  journalId: "j1",
  predecessor: null,
  boots: 7,
  bootNonce: "n7",
  lastOutboxPosition: 40,
};

describe("the verdict on a journal", () => {
  test.each<[string, Partial<KnownJournal> | null, Partial<JournalClaim>, string]>([
    ["the first journal of a terminal", null, {}, "welcome"],
    ["a first journal that continues one the ledger never saw", null, { predecessor: "j0" }, "welcome"],
    ["the same opening again, after the link was lost", {}, {}, "welcome"],
    ["the next opening", {}, { boots: 8, bootNonce: "n8" }, "welcome"],
    ["an opening much later", {}, { boots: 90, bootNonce: "n90", lastOutboxPosition: 900 }, "welcome"],
    ["rows that the ledger has not seen yet", {}, { lastOutboxPosition: 45 }, "welcome"],
    ["the same number of openings with another random number", {}, { bootNonce: "other" }, "copied"],
    ["fewer openings", {}, { boots: 6, bootNonce: "n6" }, "copied"],
    [
      "fewer openings, and fewer rows too",
      {},
      { boots: 6, bootNonce: "n6", lastOutboxPosition: 3 },
      "copied",
    ],
    [
      "a later opening with fewer rows",
      {},
      { boots: 8, bootNonce: "n8", lastOutboxPosition: 39 },
      "restored",
    ],
    ["the same opening with fewer rows", {}, { lastOutboxPosition: 39 }, "restored"],
    [
      "a journal that continues the known one",
      {},
      { journalId: "j2", predecessor: "j1", boots: 1, lastOutboxPosition: 0 },
      "welcome",
    ],
    ["a new journal", {}, { journalId: "j2", boots: 1, lastOutboxPosition: 0 }, "replaced"],
    ["a journal that continues another one", {}, { journalId: "j3", predecessor: "j0" }, "replaced"],
    ["a new journal that the operator accepts", { expected: "j2" }, { journalId: "j2", boots: 1 }, "welcome"],
    ["a new journal where another one is accepted", { expected: "j3" }, { journalId: "j2" }, "replaced"],
    ["a copy, whatever is accepted", { expected: "j1" }, { bootNonce: "other" }, "copied"],
    [
      "the known journal after its successor was welcomed",
      { journalId: "j2" },
      { journalId: "j1", boots: 8 },
      "replaced",
    ],
  ])("%s", (_what, known, claim, expected) => {
    const verdict = verdictOf(known === null ? null : { ...KNOWN, ...known }, { ...CLAIM, ...claim });
    expect(verdict.kind).toBe(expected);
    // Whoever is refused is told by name which journal it is about and what to do.
    if (verdict.kind !== "welcome") {
      expect(verdict.because).toContain(claim.journalId ?? "j1");
      expect(verdict.because).toContain("saypay journal adopt");
    }
  });

  test("of two machines with one journal that take turns, only one is ever welcome after the other", () => {
    // Each machine opens its copy of opening `boots`; whoever greets later with no more openings is refused.
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), (one, two) => {
        const first = { ...CLAIM, boots: one, bootNonce: "machine one" };
        const second = { ...CLAIM, boots: two, bootNonce: "machine two" };
        const known = { ...KNOWN, boots: first.boots, bootNonce: first.bootNonce };
        const verdict = verdictOf(known, second).kind;
        expect(verdict).toBe(two > one ? "welcome" : "copied");
        if (verdict === "welcome") {
          const after = { ...known, boots: second.boots, bootNonce: second.bootNonce };
          expect(verdictOf(after, first).kind).toBe("copied");
        }
      }),
    );
  });
});
