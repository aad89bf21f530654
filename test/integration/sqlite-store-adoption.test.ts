/** Successors of intact and missing journals and of those of version 1; damage that is met late. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { adoptJournal, salvageJournal } from "../../sync/store/salvage.ts";
import type { SalvageReport } from "../../sync/store/salvage-report.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { contentsOf, type Event, newStore, RULES, type State, TERMINAL } from "../support/journal-damage.ts";
import { NOW, salvagePlace } from "../support/salvage-place.ts";

const place = salvagePlace();
const { path, clear, faultFrom, written, edit, salvage, reopened } = place;

afterEach(clear);
afterAll(place.dispose);

describe("adoption", () => {
  const adopt = (predecessor?: string) => adoptJournal({ path, terminal: TERMINAL }, NOW, RULES, predecessor);

  test("of an intact journal keeps everything under a new id", () => {
    const { contents, journalId } = written();
    const report = adopt();
    expect(report).toMatchObject({
      reason: "adopted",
      predecessor: journalId,
      missing: null,
      waitingLost: 0,
    });
    expect(report.setAside).toMatch(/-adopted$/);
    expect(adopt("0123").predecessor).toBe("0123");
    reopened((store, state) => {
      expect(contentsOf(store)).toEqual(contents);
      expect([state?.recalling, store.identity().predecessor]).toEqual([true, "0123"]);
    });
  });

  test.each([
    ["missing", () => undefined],
    ["empty", () => writeFileSync(path, "")],
  ])("of a journal that is %s makes a new one, which continues what staff says", (_what, prepare) => {
    prepare();
    expect(adopt("0123")).toMatchObject({ predecessor: "0123", events: null, setAside: null });
    reopened((store, state) => {
      expect(store.identity()).toMatchObject({ predecessor: "0123", boots: 1, lastOutboxPosition: 0 });
      expect([state?.recalling, store.depth()]).toEqual([true, 0]);
    });
  });

  test("without a word of staff it continues nothing", () => {
    expect(adopt()).toMatchObject({ predecessor: null, setAside: null });
  });
});

describe("a journal of version 1", () => {
  const FIXTURE = fileURLToPath(new URL("../fixtures/journal/version-1.sqlite", import.meta.url));
  const place = () => ({ path, terminal: "t-1" });
  const rules = {
    fold: (_state: unknown, events: Iterable<unknown>) => ({ folded: [...events].length }),
    resume: (state: unknown) => state,
    continues: () => true,
  };

  test.each<[string, string, Partial<SalvageReport>]>([
    ["whole", "SELECT 1", { events: { from: 1, to: 33 }, state: { from: "snapshot", failure: null } }],
    ["without its state", "DELETE FROM state", { state: { from: "events", failure: null } }],
    ["with a changed state", "UPDATE state SET body = '{}'", { state: { from: "events", failure: null } }],
    [
      "with a bad event",
      "UPDATE journal SET body = '{}' WHERE position = 5",
      {
        events: { from: 1, to: 4 },
        missing: { from: 5, to: 33 },
        state: { from: "snapshot", failure: null },
      },
    ],
    [
      "with a bad beginning",
      "UPDATE journal SET body = '{}' WHERE position = 1",
      { events: { from: 2, to: 33 }, missing: { from: 1, to: 1 }, predecessor: null },
    ],
    [
      "without its identity",
      "DELETE FROM journal_identity",
      { events: { from: 2, to: 33 }, predecessor: null },
    ],
  ])("%s", (_what, sql, expected) => {
    copyFileSync(FIXTURE, path);
    edit(sql);
    const report = salvageJournal(place(), "test", NOW, rules);
    // Version 1 sealed no counters: those of the requests are taken.
    expect(report).toMatchObject({ waiting: 3, waitingLost: null, cardCounters: 3, ...expected });
    const store = new SqliteStore<Event, unknown>(place());
    store.open();
    expect(store.pending(0, 9).map(({ position, sentCount }) => [position, sentCount])).toEqual([
      [2, 1],
      [3, 0],
      [4, 1],
    ]);
    expect(store.lastCounter("ntag424:04DE5F1EACC040")).toBe(62);
    store.close();
  });
});

test("rows of version 1 whose positions were damaged come last, in their order", () => {
  copyFileSync(fileURLToPath(new URL("../fixtures/journal/version-1.sqlite", import.meta.url)), path);
  const place = { path, terminal: "t-1" };
  edit(
    "UPDATE outbox SET position = 0 WHERE position = 1; UPDATE outbox SET position = -3 WHERE position = 3",
  );
  salvageJournal(place, "test", NOW, { fold: () => null, resume: () => null, continues: () => true });
  const store = new SqliteStore<Event, null>(place);
  store.open();
  const found = store.pending(0, 9).map(({ position, id }) => `${position} ${id.slice(0, 8)}`);
  store.close();
  expect(found).toEqual(["2 0b6f4a52", "4 91a7c2e5", "6 c4d91e60"]);
});

describe("damage that is met after opening", () => {
  test.each<[string, string, (store: SqliteStore<Event, State>) => unknown]>([
    ["a sale", "UPDATE sold_sale SET body = '{}'", (store) => store.soldSale("sale-5")],
    ["a refund", "UPDATE sold_refund SET body = '{}'", (store) => store.soldSale("sale-5")],
    ["a counter", "UPDATE tap_counter SET counter = 99", (store) => store.lastCounter("card-1")],
    ["the deny list", "UPDATE deny_list SET count = 0", (store) => store.denyList()],
  ])("%s: nothing more is written, and the next opening looks at everything", (_what, sql, read) => {
    written();
    const store = newStore(path);
    edit(sql);
    store.open();
    const fault = faultFrom(() => read(store));
    expect(fault.code).toBe("journal.damaged");
    expect(faultFrom(() => store.depth())).toBe(fault);
    store.close();
    expect(faultFrom(() => newStore(path).open()).code).toBe("journal.damaged");
    const { setAside } = salvage(fault.detail);
    expect(existsSync(`${setAside}.suspect`)).toBe(true);
    reopened((successor) => expect(successor.verify()).toEqual({ events: 137 }));
  });

  test("a suspicion that nothing confirms is dropped", () => {
    written();
    writeFileSync(`${path}.suspect`, "");
    reopened((store) => expect(store.depth()).toBe(10));
    expect(existsSync(`${path}.suspect`)).toBe(false);
  });

  test("a folder that takes no mark still names the damage", () => {
    written();
    edit("UPDATE tap_counter SET counter = 99");
    const store = newStore(path);
    store.open();
    mkdirSync(`${path}.suspect`);
    expect(faultFrom(() => store.lastCounter("card-1")).message).toMatch(/tap counter of card card-1/);
    store.close();
  });
});
