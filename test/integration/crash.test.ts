/**
 * Pulling the plug in the test suite: sixty kills at random moments at counters with both kinds of broker, judged by
 * the files; and the judge itself, which must see what it is there to see. The long run is `bench -- crash`.
 */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CrashBench } from "../bench/crash.ts";
import { type BankRow, judge, type Tap } from "../bench/crash-verdict.ts";

const KILLS = 60;
const SEED = 7;
/** About 50 s on two quiet processors; a busy machine takes several times as long. */
const LIMIT_MS = 600_000;

describe("sixty kills", () => {
  let bench: CrashBench;

  beforeAll(() => {
    bench = new CrashBench({ kills: KILLS, seed: SEED, sites: 4 });
  });
  afterAll(async () => {
    await bench.stop();
    if (bench.findings.length === 0) rmSync(bench.folder, { recursive: true, force: true });
  });

  it("lose no sale, charge none twice, print none that was not charged", { timeout: LIMIT_MS }, async () => {
    const figures = await bench.run();
    expect(bench.findings, `look into ${bench.folder}`).toEqual([]);
    expect(figures).toMatchObject({
      lost: 0,
      doubled: 0,
      printedWithoutCharge: 0,
      chargedWithoutSale: 0,
      tapsWithoutOneEnd: 0,
      secondOriginals: 0,
      unprinted: 0,
      unexpectedEnds: 0,
      stuck: 0,
    });
    expect(figures.kills).toBeGreaterThanOrEqual(KILLS);
    // Sales were really made while things died, with the ledger and without it.
    expect(figures.taps).toBeGreaterThanOrEqual(KILLS / 6);
    expect(figures.charges).toBe(figures.finals.approved + figures.finals["approved-offline"]);
    expect(figures.finals.approved).toBeGreaterThan(0);
    expect(figures.finals["approved-offline"]).toBeGreaterThan(0);
  });
});

const APPROVED: Tap = { saleId: "a", key: "a/1", amountMinor: 4_000n, finals: ["approved"] };
const CHARGED: BankRow = { saleId: "a", minor: 4_000n, status: "charged" };
const printed = (originals: readonly string[], copies: readonly string[] = []) => ({
  originals: new Map(
    [...new Set(originals)].map((id) => [id, originals.filter((other) => other === id).length]),
  ),
  copies: new Map(copies.map((id) => [id, 1])),
});

const NOTHING = {
  lost: [],
  doubled: [],
  printedWithoutCharge: [],
  chargedWithoutSale: [],
  tapsWithoutOneEnd: [],
  secondOriginals: [],
  unprinted: [],
};

describe("the judge", () => {
  it.each([
    ["a sale with its charge and receipt", [APPROVED], [CHARGED], printed(["a"]), {}],
    ["a receipt and its copy", [APPROVED], [CHARGED], printed(["a"], ["a"]), {}],
    [
      "a sale that was reversed",
      [{ ...APPROVED, finals: ["reversed"] }],
      [{ ...CHARGED, status: "reversed" }],
      printed([]),
      {},
    ],
    ["an approval without a charge", [APPROVED], [], printed([]), { lost: ["a"], unprinted: ["a"] }],
    ["a sale without a receipt", [APPROVED], [CHARGED], printed([]), { unprinted: ["a"] }],
    ["a sale whose receipt was given up", [APPROVED], [CHARGED], printed([]), {}],
    [
      "a charge that was taken back behind an approval",
      [APPROVED],
      [{ ...CHARGED, status: "reversed" }],
      printed([]),
      { lost: ["a"], unprinted: ["a"] },
    ],
    [
      "a receipt without a charge",
      [APPROVED],
      [],
      printed(["a"]),
      { lost: ["a"], printedWithoutCharge: ["a"] },
    ],
    ["a copy without a charge", [], [], printed([], ["a"]), { lost: ["a"], printedWithoutCharge: ["a"] }],
    [
      "a receipt of a sale that was reversed",
      [{ ...APPROVED, finals: ["reversed"] }],
      [CHARGED],
      printed(["a"]),
      { printedWithoutCharge: ["a"] },
    ],
    ["two charges for one sale", [APPROVED], [CHARGED, CHARGED], printed(["a"]), { doubled: ["a"] }],
    [
      "a charge of another amount",
      [APPROVED],
      [{ ...CHARGED, minor: 4_001n }],
      printed(["a"]),
      { doubled: ["a"] },
    ],
    ["a charge that nobody bought anything for", [], [CHARGED], printed([]), { chargedWithoutSale: ["a"] }],
    [
      "a tap that never ended",
      [{ ...APPROVED, finals: [] }],
      [],
      printed([]),
      { tapsWithoutOneEnd: ["a/1: no end"] },
    ],
    [
      "a tap that ended twice",
      [{ ...APPROVED, finals: ["approved", "reversed"] }],
      [CHARGED],
      printed(["a"]),
      { tapsWithoutOneEnd: ["a/1: approved, reversed"] },
    ],
    [
      "two receipts that are no copies",
      [APPROVED],
      [CHARGED],
      printed(["a", "a"]),
      { secondOriginals: ["a"] },
    ],
  ] as const)("%s", (name, taps, bank, papers, found) => {
    const leftToStaff = new Set(name.includes("given up") ? ["a"] : []);
    expect(judge({ taps, sales: 1, leftToStaff }, bank, papers)).toMatchObject({ ...NOTHING, ...found });
  });
});
