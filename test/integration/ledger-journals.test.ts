/**
 * Journals that are not what they seem, on real parts: journal files, uplinks, the embedded broker and the ledger with
 * its HTTP. A copied card, a backup that was put back and a journal from nowhere are refused by name; nothing that was
 * sold is lost, nobody is charged twice.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RECALL_PAGE } from "../../sync/wire.ts";
import { adopt, copyJournal } from "../support/journal-terminal.ts";
import { authorise } from "../support/ledger-desk.ts";
import { WireTerminal } from "../support/ledger-process.ts";
import { LedgerTrial } from "../support/ledger-trial.ts";

/** Files are synced and brokers asked here, on machines that may be busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let trial: LedgerTrial;
beforeEach(async () => {
  trial = new LedgerTrial();
  await trial.start();
});
afterEach(async () => {
  await trial.end();
});

describe("the journal that a terminal sells with", () => {
  test("is welcome at every start, and the ledger knows how far it was seen", async () => {
    const first = trial.machine("card");
    expect(await first.verdict()).toBe("welcome");
    first.sell("a/1");
    expect(await first.outcome("a/1")).toBe("approved");
    const { journalId } = first.store.identity();
    await trial.switchOff(first);
    const again = trial.machine("card");
    expect(await again.verdict()).toBe("welcome");
    again.sell("b/1");
    expect(await again.outcome("b/1")).toBe("approved");
    expect(await trial.call("/v1/terminals")).toMatchObject({
      terminals: [{ terminal: "counter-1", journalId, boots: 2, highestPosition: 2, expected: null }],
    });
    expect(await trial.alarms()).toEqual([]);
  });

  test("is known again by a ledger that was restarted", async () => {
    const terminal = trial.machine("card");
    terminal.sell("a/1");
    expect(await terminal.outcome("a/1")).toBe("approved");
    await trial.switchOff(terminal);
    await trial.stop();
    await trial.start();
    expect(await verdictsOf("card", 2)).toEqual(["welcome", "welcome"]);
    const stranger = trial.machine("other card");
    expect(await stranger.verdict()).toBe("replaced");
    await trial.switchOff(stranger);
    expect(await trial.machine("card").verdict()).toBe("welcome");
  });
});

/** More than the machine that is let in was ever started: their number must not count. */
const STARTS = 4;

/** A machine that is switched off and on again and again. */
async function verdictsOf(name: string, starts: number): Promise<string[]> {
  const verdicts: string[] = [];
  for (let start = 1; start <= starts; start += 1) {
    const machine = trial.machine(name);
    verdicts.push(await machine.verdict());
    await trial.switchOff(machine);
  }
  return verdicts;
}

describe("a copied card", () => {
  test("is refused where it runs beside the original, and what it sold all the same is cleared once", async () => {
    const original = trial.machine("card");
    original.sell("a/1");
    expect(await original.outcome("a/1")).toBe("approved");
    await trial.switchOff(original);
    copyJournal(trial.folder("card"), trial.folder("copy"));

    const again = trial.machine("card");
    expect(await again.verdict()).toBe("welcome");
    again.sell("b/1");
    expect(await again.outcome("b/1")).toBe("approved");
    // One connection a name: whoever comes later pushes the other off the broker, so the original is away meanwhile.
    await trial.switchOff(again);

    // It lacks the sale that was made since, and looks like a backup; when it has sold as much, like what it is.
    const copy = trial.machine("copy");
    expect(await copy.verdict()).toBe("restored");
    copy.sell("c/1", { mode: "offline" });
    expect(await copy.outcome("c/1")).toBe("approved");
    await trial.switchOff(copy);
    expect(await verdictsOf("copy", STARTS)).toEqual(Array(STARTS).fill("copied"));
    expect(await trial.alarms()).toEqual(["journal-copied counter-1", "journal-restored counter-1"]);

    const next = trial.machine("card");
    expect(await next.verdict()).toBe("welcome");
    next.sell("d/1");
    expect(await next.outcome("d/1")).toBe("approved");
    expect(await trial.charges()).toEqual(["a/1 approved", "b/1 approved", "c/1 approved", "d/1 approved"]);
  });

  test("that was let in because it came first puts the original out, not both", async () => {
    const first = trial.machine("card");
    expect(await first.verdict()).toBe("welcome");
    await trial.switchOff(first);
    copyJournal(trial.folder("card"), trial.folder("copy"));
    const copy = trial.machine("copy");
    expect(await copy.verdict()).toBe("welcome");
    await trial.switchOff(copy);
    expect(await verdictsOf("card", STARTS)).toEqual(Array(STARTS).fill("copied"));
    // The one that was let in is not pushed out by it, however often both are started.
    expect(await verdictsOf("copy", STARTS)).toEqual(Array(STARTS).fill("welcome"));
    const original = trial.machine("card");
    expect(await original.verdict()).toBe("copied");
    original.sell("a/1", { mode: "offline" });
    expect(await original.outcome("a/1")).toBe("approved");
    await trial.switchOff(original);

    // Staff says that this is the terminal.
    adopt(trial.folder("card"));
    const adopted = trial.machine("card");
    expect(await adopted.verdict()).toBe("welcome");
    adopted.sell("b/1");
    expect(await adopted.outcome("b/1")).toBe("approved");
    await trial.switchOff(adopted);
    expect(await trial.machine("copy").verdict()).toBe("replaced");
    expect(await trial.charges()).toEqual(["a/1 approved", "b/1 approved"]);
  });
});

test("a backup that was put back is refused until it is adopted, and then told what it does not know", async () => {
  const terminal = trial.machine("card");
  terminal.sell("a/1");
  expect(await terminal.outcome("a/1")).toBe("approved");
  // An image of the card of a machine that runs and has nothing to write.
  copyJournal(trial.folder("card"), trial.folder("backup"));
  terminal.sell("b/1");
  terminal.sell("c/1");
  expect(await terminal.outcome("c/1")).toBe("approved");
  await trial.switchOff(terminal);

  const restored = trial.machine("backup");
  expect(await restored.verdict()).toBe("restored");
  expect(await trial.alarms()).toEqual(["journal-restored counter-1"]);
  expect(await trial.charges()).toEqual(["a/1 approved", "b/1 approved", "c/1 approved"]);
  await trial.switchOff(restored);

  adopt(trial.folder("backup"));
  const adopted = trial.machine("backup", { recalling: true });
  expect(await adopted.verdict()).toBe("welcome");
  await adopted.until("the past is told", () => adopted.recalled.length > 0);
  expect(adopted.recalled[0]?.sales.map(({ key }) => key)).toEqual(["a/1", "b/1", "c/1"]);
  adopted.sell("d/1");
  expect(await adopted.outcome("d/1")).toBe("approved");
  await trial.switchOff(adopted);
  // The newer card that was taken out is put in again: it is not the journal that sells any more.
  expect(await trial.machine("card").verdict()).toBe("replaced");
});

describe("a journal from nowhere", () => {
  test("is refused until the operator lets it in; the old one is out then", async () => {
    const old = trial.machine("card");
    expect(await old.verdict()).toBe("welcome");
    await trial.switchOff(old);

    const fresh = trial.machine("new card");
    const { journalId } = fresh.store.identity();
    expect(await fresh.verdict()).toBe("replaced");
    const { alarms: raised } = await trial.call<{ alarms: { kind: string; detail: string }[] }>("/v1/alarms");
    expect(raised).toMatchObject([{ kind: "journal-replaced" }]);
    expect(raised[0]?.detail).toContain(journalId);
    await trial.switchOff(fresh);

    expect(await trial.post("/v1/terminals/counter-1/journal", { journalId })).toEqual({
      terminal: "counter-1",
      expected: journalId,
    });
    const accepted = trial.machine("new card");
    expect(await accepted.verdict()).toBe("welcome");
    await trial.switchOff(accepted);
    expect(await trial.machine("card").verdict()).toBe("replaced");
  });

  test("is welcome when it says that it continues the known one, and is told what that one sold", async () => {
    const old = trial.machine("card");
    expect(await old.verdict()).toBe("welcome");
    const { journalId: predecessor } = old.store.identity();
    const sold = RECALL_PAGE + 5;
    for (let sequence = 1; sequence <= sold; sequence += 1) old.sell(`s${sequence}/1`, { sequence });
    old.sell("declined/1", { sequence: sold + 1 }, 4_951);
    expect(await old.outcome("declined/1")).toBe("declined insufficient-funds");
    await trial.switchOff(old);

    // The card is lost; the operator reads the old journal's id at the ledger.
    adopt(trial.folder("new card"), predecessor);
    const successor = trial.machine("new card", { recalling: true });
    expect(await successor.verdict()).toBe("welcome");
    await successor.until("the past is told", () => successor.recalled.length > 0);
    const [memory] = successor.recalled;
    expect(memory?.lastSequence).toBe(sold + 1);
    expect(memory?.sales.map(({ key, state }) => `${key} ${state}`)).toEqual([
      ...Array.from({ length: sold }, (_, index) => `s${index + 1}/1 approved`),
      "declined/1 declined",
    ]);
    await trial.switchOff(successor);
    expect(await trial.machine("card").verdict()).toBe("replaced");
  });
});

test("a terminal that the ledger does not know is told so, and nothing is remembered of it", async () => {
  const stranger = trial.machine("card", { terminal: "counter-9" });
  await stranger.until("a trouble is told", () => stranger.troubles.length > 0);
  expect(stranger.verdicts).toEqual([]);
  expect(await trial.alarms()).toEqual(["unknown-terminal counter-9"]);
  expect(await trial.call("/v1/terminals")).toEqual({ terminals: [] });
});

test("a terminal of an older program that never greets is served, and is known from its first greeting on", async () => {
  const old = new WireTerminal("counter-1", trial.ledgerKey);
  await old.connect(trial.url);
  await old.send("r1", authorise("a/1"));
  expect((await old.answer("r1")).outcome.kind).toBe("approved");
  expect(await trial.call("/v1/terminals")).toEqual({ terminals: [] });
  await old.close();

  const upgraded = trial.machine("card");
  expect(await upgraded.verdict()).toBe("welcome");
  upgraded.sell("b/1");
  expect(await upgraded.outcome("b/1")).toBe("approved");
  expect(await trial.charges()).toEqual(["a/1 approved", "b/1 approved"]);
  expect(await trial.alarms()).toEqual([]);
});
