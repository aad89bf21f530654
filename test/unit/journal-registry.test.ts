/** Which journal a terminal may sell with: as a table, and for machines that are copied, die and start in any order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type JournalClaim,
  type KnownJournal,
  type Verdict,
  verdictOf,
} from "../../sync/ledger/journal-registry.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import { MAX_OPENINGS } from "../../sync/wire/limits.ts";

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
  openings: ["n7"],
  lastOutboxPosition: 40,
};

/** A claim that comes with these openings, the last one present. */
function opened(...openings: readonly string[]): Pick<JournalClaim, "openings" | "bootNonce"> {
  return { openings, bootNonce: openings.at(-1) ?? "" };
}

describe("the verdict on a journal", () => {
  test.each<[string, Partial<KnownJournal> | null, Partial<JournalClaim>, string]>([
    ["the first journal of a terminal", null, {}, "welcome"],
    ["a first journal that continues one the ledger never saw", null, { predecessor: "j0" }, "welcome"],
    ["the same opening again, after the link was lost", {}, {}, "welcome"],
    ["the next opening", {}, { boots: 8, ...opened("n7", "n8") }, "welcome"],
    ["an opening much later", {}, { boots: 10, ...opened("n7", "n8", "n9", "n10") }, "welcome"],
    [
      "one that died before it noted the last welcome",
      {},
      { boots: 8, ...opened("n5", "n7", "n8") },
      "welcome",
    ],
    ["the same opening, not noted as welcomed", {}, opened("n5", "n6", "n7"), "welcome"],
    ["fewer openings than before, in a count that nobody judges by", {}, { boots: 1 }, "welcome"],
    ["rows that the ledger has not seen yet", {}, { lastOutboxPosition: 45 }, "welcome"],
    ["another opening of the same number", {}, opened("n6", "other"), "copied"],
    ["another opening of a greater number", {}, { boots: 8, ...opened("n6", "o7", "o8") }, "copied"],
    ["many openings, none of which was welcomed", {}, { boots: 90, ...opened("o89", "o90") }, "copied"],
    ["an earlier opening", {}, { boots: 6, ...opened("n6") }, "copied"],
    [
      "an earlier opening with fewer rows",
      {},
      { boots: 6, ...opened("n6"), lastOutboxPosition: 3 },
      "restored",
    ],
    [
      "another opening with fewer rows",
      {},
      { boots: 8, ...opened("o8"), lastOutboxPosition: 39 },
      "restored",
    ],
    ["the next opening with fewer rows", {}, { ...opened("n7", "n8"), lastOutboxPosition: 39 }, "restored"],
    ["the same opening with fewer rows", {}, { lastOutboxPosition: 39 }, "restored"],
    [
      "a journal that continues the known one",
      {},
      { journalId: "j2", predecessor: "j1", boots: 1, ...opened("s1"), lastOutboxPosition: 0 },
      "welcome",
    ],
    ["a new journal", {}, { journalId: "j2", boots: 1, lastOutboxPosition: 0 }, "replaced"],
    ["a new journal that names a known opening", {}, { journalId: "j2", ...opened("n7") }, "replaced"],
    ["a journal that continues another one", {}, { journalId: "j3", predecessor: "j0" }, "replaced"],
    ["a new journal that the operator accepts", { expected: "j2" }, { journalId: "j2", boots: 1 }, "welcome"],
    ["a new journal where another one is accepted", { expected: "j3" }, { journalId: "j2" }, "replaced"],
    ["a copy, whatever is accepted", { expected: "j1" }, opened("other"), "copied"],
    [
      "the known journal after its successor was welcomed",
      { journalId: "j2" },
      { journalId: "j1", boots: 8, ...opened("n7", "n8") },
      "replaced",
    ],
    ["a journal of which no opening is known", { bootNonce: "" }, {}, "copied"],
  ])("%s", (_what, known, claim, expected) => {
    const verdict = verdictOf(known === null ? null : { ...KNOWN, ...known }, { ...CLAIM, ...claim });
    expect(verdict.kind).toBe(expected);
    // Whoever is refused is told by name which journal it is about and what to do.
    if (verdict.kind !== "welcome") {
      expect(verdict.because).toContain(claim.journalId ?? "j1");
      expect(verdict.because).toContain("saypay journal adopt");
    }
  });
});

/** What the registry remembers from greeting to greeting (registry-sqlite.ts, memory-registry.ts). */
class Registry {
  known: KnownJournal | null = null;

  greet(claim: JournalClaim): Verdict["kind"] {
    const { kind } = verdictOf(this.known, claim);
    const { journalId, boots, bootNonce } = claim;
    if (kind === "welcome") this.known = { journalId, boots, bootNonce, highestPosition: 0, expected: null };
    return kind;
  }
}

/** One machine with its disk; it dies and is started again at any time. */
class Box {
  readonly #medium: MemoryMedium;
  #store: MemoryStore<never, null>;

  constructor(medium: MemoryMedium) {
    this.#medium = medium;
    this.#store = this.#started();
  }

  #started(): MemoryStore<never, null> {
    this.#medium.losePower();
    const store = new MemoryStore<never, null>({ terminal: "t1", medium: this.#medium });
    store.open();
    return store;
  }

  restart(): void {
    this.#store = this.#started();
  }

  get claim(): JournalClaim {
    return this.#store.identity();
  }

  mark(): void {
    this.#store.markWelcomed();
  }

  copiedDisk(): MemoryMedium {
    return this.#medium.copy();
  }
}

/** What happens to a machine: it starts, greets and dies before it notes the answer, or greets and notes a welcome. */
const LIVES = ["restart", "greet and die", "greet"] as const;
type Life = (typeof LIVES)[number];

/** The verdict, null when it did not greet. */
function lives(box: Box, life: Life, registry: Registry): Verdict["kind"] | null {
  if (life === "restart") {
    box.restart();
    return null;
  }
  const verdict = registry.greet(box.claim);
  if (life === "greet and die") box.restart();
  else if (verdict === "welcome") box.mark();
  return verdict;
}

const anyLife = fc.constantFrom(...LIVES);

describe("machines that start and greet in any order", () => {
  test("one that is alone is always welcome, wherever it dies", () => {
    fc.assert(
      fc.property(fc.array(anyLife, { maxLength: 40 }), (course) => {
        const registry = new Registry();
        const box = new Box(new MemoryMedium("newest"));
        for (const life of course) expect([null, "welcome"]).toContain(lives(box, life, registry));
        expect(registry.greet(box.claim)).toBe("welcome");
      }),
    );
  });

  test("of two with copies of one journal, the one that is refused once is refused for good", () => {
    const anyCourse = fc.array(fc.tuple(fc.nat(1), anyLife), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(anyLife, { maxLength: 10 }), anyCourse, (before, after) => {
        const registry = new Registry();
        const original = new Box(new MemoryMedium("newest"));
        for (const life of before) lives(original, life, registry);
        const boxes = [original, new Box(original.copiedDisk())];
        // An opening from after the copy is one machine's alone.
        original.restart();
        let holder: number | null = null;
        for (const [which, life] of after) {
          const box = boxes[which];
          if (box === undefined) throw new Error("there are two machines");
          const verdict = lives(box, life, registry);
          if (verdict === null) continue;
          holder ??= which;
          expect(verdict).toBe(which === holder ? "welcome" : "copied");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("when the copy comes while the original runs on, the one that was welcomed later stays, the other never returns", () => {
    const registry = new Registry();
    const original = new Box(new MemoryMedium("newest"));
    lives(original, "greet", registry);
    const copy = new Box(original.copiedDisk());
    expect(lives(copy, "greet", registry)).toBe("welcome");
    for (let start = 1; start <= MAX_OPENINGS + 2; start += 1) {
      expect(lives(original, "greet and die", registry)).toBe("copied");
      expect(lives(copy, start % 2 === 0 ? "greet and die" : "greet", registry)).toBe("welcome");
    }
  });

  test("openings that never reach the ledger do no harm after a welcome that was noted, and too many after one that was not", () => {
    for (const [noted, restarts, expected] of [
      [true, 3 * MAX_OPENINGS, "welcome"],
      [false, MAX_OPENINGS - 2, "welcome"],
      [false, MAX_OPENINGS - 1, "copied"],
    ] as const) {
      const registry = new Registry();
      const box = new Box(new MemoryMedium("newest"));
      lives(box, "greet", registry);
      box.restart();
      registry.greet(box.claim);
      if (noted) box.mark();
      for (let restart = 1; restart <= restarts; restart += 1) box.restart();
      expect(registry.greet(box.claim)).toBe(expected);
    }
  });
});
