/** Journals that are damaged anywhere and by name: exactly what was before, or the fault is named and the rest is saved. */
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import type { SalvageReport } from "../../sync/store/salvage-report.ts";
import { contentsOf, flipped, isInRow, newStore, sell, stateAfter } from "../support/journal-damage.ts";
import { SOLD, salvagePlace } from "../support/salvage-place.ts";

const place = salvagePlace();
const { path, clear, faultFrom, written, leftOpen, put, edit, salvage, reopened } = place;

afterEach(clear);
afterAll(place.dispose);

type Kept = ReturnType<typeof contentsOf>;

/** Nothing is invented: events are the first or the last of the old ones, requests stand where they stood. */
function expectNothingInvented(after: Kept, before: Kept): void {
  const { length } = after.events;
  const isPrefix = JSON.stringify(after.events) === JSON.stringify(before.events.slice(0, length));
  const isSuffix = JSON.stringify(after.events) === JSON.stringify(before.events.slice(-length));
  expect(isPrefix || isSuffix).toBe(true);
  expect(before.waiting).toEqual(expect.arrayContaining([...after.waiting]));
  expect(before.dead).toEqual(
    expect.arrayContaining(after.dead.filter((line) => !line.includes("was lost"))),
  );
  expect(before.sales.map(saleName)).toEqual(expect.arrayContaining(after.sales.map(saleName)));
}

/** A refund may be lost without its sale. */
const saleName = (line: string): string => line.split(" ")[0] ?? "";

describe("any damage", () => {
  const flipIn = (bytes: Buffer) => fc.record({ offset: fc.nat(bytes.length - 1), bit: fc.nat(7) });

  /** Opens; when the damage is named, salvages. The state is the one before or the damage is told. */
  function mended(before: Kept, isLost: (id: string) => boolean): "as it was" | "mended" {
    const store = newStore(path);
    try {
      const { state, tail } = store.open();
      expect([state, [...tail]]).toEqual([stateAfter(before.events.length), []]);
      expect(store.pending(0, 10_000).map(({ position, id, request }) => [position, id, request])).toEqual(
        before.waiting,
      );
      // What selling does not depend on is looked at when it is read, and by verify.
      store.verify();
      expect(contentsOf(store)).toEqual(before);
      store.close();
      return "as it was";
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      store.close();
      // A flipped version looks like a newer program's file; it is refused and left alone.
      if (error.code === "journal.newer") return "as it was";
      expect(`${error.code} ${error.detail}`).toMatch(/^journal.damaged/);
    }
    const report = salvage();
    reopened((successor, state) => {
      expect(state?.recalling).toBe(true);
      const after = contentsOf(successor);
      expectNothingInvented(after, before);
      const ids = after.waiting.map(([, id]) => id);
      const owed = before.waiting.map(([, id]) => id).filter((id) => !isLost(id));
      expect(ids).toEqual(expect.arrayContaining(owed));
      expect(report.waiting).toBe(ids.length);
      // The numbers go on where they ended, also when nothing is left.
      expect(successor.verify().events).toBe(report.events?.to ?? report.missing?.to ?? 0);
      if (report.state.from === "snapshot") expect(state?.count).toBe(before.events.length);
      else expect(state?.count).toBe(report.state.from === "events" ? report.events?.to : 0);
    });
    return "mended";
  }

  test("a flipped bit anywhere: exactly what was before, or the damage is named and no intact request is lost", () => {
    const { contents, bytes } = written();
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(flipIn(bytes), ({ offset, bit }) => {
        put(flipped(bytes, offset, 1 << bit));
        const requestAt = new Map(contents.waiting.map(([, id, request]) => [id, request]));
        outcomes.add(
          mended(contents, (id) => {
            const request = requestAt.get(id);
            return request !== undefined && isInRow(bytes, offset, id, request);
          }),
        );
      }),
      { numRuns: 120, seed: 1 },
    );
    expect([...outcomes].sort()).toEqual(["as it was", "mended"]);
  }, 120_000);

  test("a byte of every page's header", () => {
    const { contents, bytes } = written({ sales: 12, waitingEvery: 2, eventsEach: 2 });
    for (let page = 0; page < bytes.length; page += 4_096) {
      const header = page === 0 ? 100 : page;
      for (const offset of [0, 4, 6, 9]) {
        put(flipped(bytes, header + offset, 0x10));
        mended(contents, () => false);
      }
    }
  }, 120_000);

  test("cut at any length", () => {
    const { contents, bytes } = written();
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), (length) => {
        put(bytes.subarray(0, length));
        if (length === 0) {
          // Nothing says that there was a journal: the ledger will.
          reopened((store) => expect(contentsOf(store).events).toEqual([]));
          return;
        }
        mended(contents, (id) => {
          const request = contents.waiting.find(([, other]) => other === id)?.[2];
          const at = request === undefined ? -1 : bytes.indexOf(`${id}{"amount"`);
          // On a page that is cut, or after it.
          return request !== undefined && at >= Math.floor(length / 4_096) * 4_096;
        });
      }),
      { numRuns: 40, seed: 2 },
    );
  }, 120_000);

  test("a flipped bit in the -wal of a killed process: told, unless it looks like a power cut", () => {
    const { contents, file, wal } = leftOpen({ sales: 8, waitingEvery: 2, eventsEach: 2 });
    const tally = { same: 0, earlier: 0, damaged: 0 };
    fc.assert(
      fc.property(flipIn(wal), ({ offset, bit }) => {
        put(file, flipped(wal, offset, 1 << bit));
        const store = newStore(path);
        try {
          const { state, tail } = store.open();
          const count = (state?.count ?? 0) + [...tail].length;
          if (count === contents.events.length) tally.same += 1;
          else tally.earlier += 1;
          // What a power cut may take: the last transaction that waited for the disk and what came after it.
          expect(count).toBeGreaterThanOrEqual(contents.events.length - 2 * 3 - 1);
          store.close();
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          expect(`${error.code} ${error.detail}`).toMatch(/^journal.damaged/);
          tally.damaged += 1;
          const report = salvage();
          reopened((successor) => expectNothingInvented(contentsOf(successor), contents));
          expect(report.waitingLost).not.toBeNull();
        }
      }),
      { numRuns: 60, seed: 3 },
    );
    expect(tally.damaged).toBeGreaterThan(30);
  }, 120_000);
});

describe("damage by name", () => {
  function openFault(): Fault {
    const store = newStore(path);
    const fault = faultFrom(() => store.open());
    store.close();
    return fault;
  }

  test.each<[string, () => void, RegExp, Partial<SalvageReport>]>([
    [
      "an empty file beside its -wal",
      () => {
        const { wal } = leftOpen();
        put(Buffer.alloc(0), wal);
      },
      /it is empty, but its -wal is not/,
      { missing: null, waiting: 10, waitingLost: 0, state: { from: "snapshot", failure: null } },
    ],
    [
      "text in its place",
      () => put(Buffer.from("no database at all ".repeat(1_000))),
      /no SQLite file of ours/,
      { predecessor: null, events: null, missing: null, waiting: 0, waitingLost: null, denyList: null },
    ],
    [
      "its -wal is gone",
      () => {
        const { file } = leftOpen();
        put(file);
      },
      /its -wal, with the last sales, is missing/,
      { state: { from: "nothing", failure: null } },
    ],
    [
      "an event was changed",
      () => {
        written();
        edit("UPDATE verified SET position = 0; UPDATE journal SET body = '{}' WHERE position = 9");
      },
      /event 9 was changed/,
      { events: { from: 1, to: 8 }, missing: { from: 9, to: 137 }, waiting: 10, waitingLost: 0 },
    ],
    [
      "the state was changed",
      () => {
        written();
        edit("UPDATE snapshot SET body = replace(body, '13', '14')");
      },
      /the state snapshot was changed/,
      {
        events: { from: 1, to: 137 },
        missing: null,
        state: { from: "events", failure: null },
        waitingLost: 0,
      },
    ],
    [
      "a request vanished from the queue",
      () => {
        written();
        edit("DELETE FROM outbox WHERE position = 3");
      },
      /of 10 requests that wait, 9 are found/,
      { events: { from: 1, to: 137 }, waiting: 9, waitingLost: 1 },
    ],
    [
      "the seal is gone",
      () => {
        written();
        edit("DELETE FROM seal");
      },
      /its seal is missing/,
      { events: { from: 1, to: 137 }, waiting: 10, waitingLost: null },
    ],
    [
      "the seal is of an earlier time",
      () => {
        const store = newStore(path);
        store.open();
        sell(store, SOLD);
        edit("CREATE TABLE earlier AS SELECT * FROM seal");
        const events = [{ kind: "tick", atMs: 1, note: "" }];
        store.append({ events, state: stateAfter(138), outbox: [], acknowledged: [], cardCounters: [] });
        store.close();
        edit("INSERT OR REPLACE INTO seal SELECT * FROM earlier; DROP TABLE earlier");
      },
      /event 137 was changed/,
      { events: { from: 1, to: 138 }, missing: null, waiting: 10 },
    ],
    [
      "the identity is gone",
      () => {
        written();
        edit("DELETE FROM identity");
      },
      /state snapshot was changed|event 1 was changed/,
      { events: { from: 1, to: 137 }, missing: null, waiting: 10 },
    ],
  ])("%s", (_what, damage, message, expected) => {
    damage();
    const before = existsSync(path) ? readFileSync(path) : undefined;
    const fault = openFault();
    expect([fault.code, fault.message]).toEqual(["journal.damaged", expect.stringMatching(message)]);
    const report = salvage(fault.detail);
    expect(report).toMatchObject(expected);
    // The old file is there as it was, under a name that says when and why.
    const aside = report.setAside ?? "";
    expect(aside).toMatch(/journal\.sqlite\.20261120T142019Z-[a-z0-9-]+$/);
    expect(before?.equals(readFileSync(aside))).toBe(true);
    reopened((_store, state) => expect(state?.recalling).toBe(true));
  });
});
