/**
 * The power goes below the process: what was not synced may be lost, torn at sector borders and out of order. A real
 * run on the real store is recorded call by call, and the disk is built as it may look after a cut at any point of it.
 */
import { describe, expect, test } from "vitest";
import { cutJournal, recordJournal } from "../support/power-loss/journal-cuts.ts";
import { cutLedger, recordLedger } from "../support/power-loss/ledger-cuts.ts";
import { cutRecoveries } from "../support/power-loss/recovery-cuts.ts";
import { cutSalvage } from "../support/power-loss/salvage-cuts.ts";

const CUTS = 520;
const SALES = 60;
const SECOND_CUTS = 100;
const SALVAGE_CUTS = 60;
const LEDGER_CUTS = 150;
const LEDGER_SALES = 50;
const LIMIT_MS = 120_000;

describe("the journal", () => {
  test(`after ${CUTS} power cuts holds everything that was synced, whole, and nothing that was not begun`, {
    timeout: LIMIT_MS,
  }, async () => {
    const run = await recordJournal(1, SALES, "none");
    const report = cutJournal(run, CUTS, 1);
    expect(report.violations).toEqual([]);
    // What was tried: losses, appends under way that came through, and logs that were copied and begun again.
    expect(report.cuts).toBe(CUTS);
    expect(report.withLosses).toBeGreaterThan(CUTS / 2);
    expect(report.morePreserved).toBeGreaterThan(0);
    expect(run.logsBegun).toBeGreaterThan(3);
  });

  test(`after ${SECOND_CUTS} second power cuts, while it recovers from a first, holds the same`, {
    timeout: LIMIT_MS,
  }, async () => {
    const report = await cutRecoveries(await recordJournal(3, SALES, "none"), SECOND_CUTS, 1);
    expect(report.violations).toEqual([]);
    expect(report.withLosses).toBeGreaterThan(SECOND_CUTS / 2);
    expect(report.morePreserved).toBeGreaterThan(0);
  });

  test(`after ${SALVAGE_CUTS} power cuts during its salvage is salvaged the same, and the damaged file is still there`, {
    timeout: LIMIT_MS,
  }, async () => {
    const report = await cutSalvage(await recordJournal(4, 20, "none"), SALVAGE_CUTS, 1);
    expect(report.violations).toEqual([]);
    expect(report.withLosses).toBeGreaterThan(0);
    expect(report.morePreserved).toBeGreaterThan(0);
  });

  test.each(["normal", "off", "early"] as const)("a planted mistake is found: %s", async (mistake) => {
    const run = await recordJournal(2, 12, mistake);
    const { violations } = cutJournal(run, 60, 1);
    expect(violations.filter((what) => what.endsWith("had been promised and are lost"))).not.toEqual([]);
  });
});

describe("the ledger's books", () => {
  test(`after ${LEDGER_CUTS} power cuts hold every write that had returned, balanced, and at most one more`, {
    timeout: LIMIT_MS,
  }, async () => {
    const run = await recordLedger(1, LEDGER_SALES, "none");
    const report = cutLedger(run, LEDGER_CUTS, 1);
    expect(report.violations).toEqual([]);
    expect(report.withLosses).toBeGreaterThan(LEDGER_CUTS / 2);
    expect(report.morePreserved).toBeGreaterThan(0);
    expect(run.logsBegun).toBeGreaterThan(2);
  });

  test("a planted mistake is found: normal", async () => {
    const run = await recordLedger(2, 12, "normal");
    const { violations } = cutLedger(run, 60, 1);
    expect(violations.filter((what) => what.endsWith("had been promised and are lost"))).not.toEqual([]);
  });
});
