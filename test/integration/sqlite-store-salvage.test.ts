/** What a salvage does to the old file, and what it saves. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { salvageJournal } from "../../sync/store/salvage.ts";
import {
  contentsOf,
  flipped,
  newStore,
  RULES,
  sell,
  stateAfter,
  TERMINAL,
} from "../support/journal-damage.ts";
import { NOW, salvagePlace } from "../support/salvage-place.ts";

const place = salvagePlace();
const { folder, path, clear, faultFrom, written, leftOpen, put, edit, salvage, reopened } = place;

afterEach(clear);
afterAll(place.dispose);

describe("the old file", () => {
  test("is never overwritten: a second one of the same second gets a number", () => {
    const { bytes } = written();
    const report = [1, 2, 3].map(() => {
      writeFileSync(path, bytes);
      return salvage("event 9 was changed");
    });
    const name = `${path}.20261120T142019Z-event-9-was-changed`;
    expect(report.map(({ setAside }) => setAside)).toEqual([name, `${name}-2`, `${name}-3`]);
    for (const { setAside } of report) expect(readFileSync(setAside ?? "").equals(bytes)).toBe(true);
  });

  test("keeps its -wal beside it, and can be salvaged again from there", () => {
    const { contents, file, wal } = leftOpen();
    put(flipped(file, 4_096 * 3, 0x40), wal);
    const first = salvage();
    expect(readFileSync(`${first.setAside}-wal`).equals(wal)).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(false);
    const place = { path: first.setAside ?? "", terminal: TERMINAL };
    const again = salvageJournal(place, "again", NOW, RULES);
    expect([again.waiting, again.predecessor]).toEqual([contents.waiting.length, first.predecessor]);
  });

  test("a power cut between the two names: whichever side it falls on, the next opening goes on", () => {
    const { contents, bytes } = written();
    const { journalId } = salvage();
    const successor = readFileSync(path);
    // The successor was not ready: the old file is what counts, and the draft is no more than an attempt.
    put(bytes);
    writeFileSync(`${path}.draft`, successor.subarray(0, 5_000));
    reopened((store) => expect(contentsOf(store)).toEqual(contents));
    salvage();
    expect(readdirSync(folder).filter((name) => name.includes("draft"))).toEqual([]);
    // It was ready: it takes the place, and the old -wal is not read into it.
    put(bytes, Buffer.alloc(40_000, 7));
    writeFileSync(`${path}.ready`, successor);
    reopened((store) => {
      expect(store.identity().journalId).toBe(journalId);
      expect(contentsOf(store)).toEqual(contents);
    });
  });

  test("a successor that cannot take the place is a fault", () => {
    written();
    mkdirSync(`${path}-shm`);
    writeFileSync(`${path}.ready`, "");
    expect(faultFrom(() => newStore(path).open()).code).toBe("journal.unwritable");
    expect(faultFrom(() => salvage()).code).toBe("journal.unwritable");
  });

  test("of another terminal is refused and left alone", () => {
    const { bytes } = written();
    const place = { path, terminal: "t2" };
    expect(faultFrom(() => salvageJournal(place, "test", NOW, RULES)).code).toBe("settings.invalid");
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["journal.sqlite", "journal.sqlite.lock"]);
  });

  test("is not touched while a daemon holds it", () => {
    const store = newStore(path);
    store.open();
    expect(faultFrom(() => salvage()).code).toBe("journal.locked");
    store.close();
  });

  test("on a file system without hard links stays where it is", () => {
    const { bytes } = written();
    // What the link would be called is taken by the -wal of it, which cannot be linked twice.
    mkdirSync(`${path}-shm`);
    expect(faultFrom(() => salvage()).code).toBe("journal.unwritable");
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual([
      "journal.sqlite",
      "journal.sqlite-shm",
      "journal.sqlite.lock",
    ]);
  });
});

describe("a place that cannot be written", () => {
  const WRITER = fileURLToPath(new URL("../../dist/test/support/journal-writer.js", import.meta.url));
  /** Nobody may write what is read-only, and root may: so the salvage runs as somebody else then. */
  const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

  /** `through`: a program and its arguments that start the salvage. */
  function salvaged(through: readonly string[], options = {}): string {
    const own = [process.execPath, WRITER, path, "salvage"];
    // env(1) runs what it is given: so there is always one program in front.
    const { stdout, stderr } = spawnSync("env", [...through, ...own], { encoding: "utf8", ...options });
    return stdout.trim() || stderr;
  }

  const contentOf = () =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "latin1")]));

  test("a disk without room: the fault is named, nothing is set aside, nothing is changed", () => {
    written({ sales: 60, waitingEvery: 3, eventsEach: 4 });
    edit("DELETE FROM seal");
    const before = contentOf();
    // The kernel lets no file grow beyond 100 KiB; the signal that goes with it is ignored.
    const full = ["bash", "-c", `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`];
    expect(salvaged(full)).toBe("fault journal.unwritable");
    expect(contentOf()).toEqual(before);
    expect(salvaged([])).toBe("saved 20");
  });

  test.each<[string, () => void, () => void]>([
    ["folder", () => chmodSync(folder, 0o555), () => chmodSync(folder, 0o755)],
    ["file", () => chmodSync(path, 0o444), () => chmodSync(path, 0o644)],
  ])(
    "a read-only %s: the fault is named, nothing is set aside, nothing is changed",
    (_what, forbid, allow) => {
      written();
      edit("DELETE FROM seal");
      const before = contentOf();
      chmodSync(path, 0o666);
      forbid();
      expect(salvaged([], NOBODY)).toBe("fault journal.unwritable");
      allow();
      expect(contentOf()).toEqual(before);
    },
  );
});

describe("what is saved", () => {
  test("a successor is a journal like any other: it sells, its queue goes on in order, it can be salvaged again", () => {
    const { journalId, contents } = written();
    const first = salvage();
    expect([first.predecessor, first.journalId === journalId]).toEqual([journalId, false]);
    reopened((store) => {
      expect(store.identity()).toMatchObject({ predecessor: journalId, boots: 1, lastOutboxPosition: 30 });
      // What the old journal's openings were proves nothing for this one.
      expect(store.identity().openings).toEqual([store.identity().bootNonce]);
      sell(store, { sales: 0, waitingEvery: 1, eventsEach: 0 });
      store.append({
        events: [{ kind: "next", atMs: 1, note: "" }],
        state: stateAfter(1),
        outbox: [{ id: "next", request: { kind: "query", key: "k", saleId: "s" } }],
        acknowledged: [],
        cardCounters: [],
      });
      expect(store.pending(0, 99).at(-1)).toMatchObject({ position: 31, id: "next" });
    });
    const second = salvage();
    expect(second).toMatchObject({
      predecessor: first.journalId,
      events: { from: 1, to: contents.events.length + 1 },
      waiting: contents.waiting.length + 1,
      waitingLost: 0,
      sales: 30,
      refunds: 6,
      denyList: 4,
    });
  });

  test("the rules are told what waits and the highest sale number", () => {
    written();
    const told: unknown[] = [];
    salvage("test", {
      fold: RULES.fold,
      resume: (state, { waiting, lastSequence }) => {
        told.push(waiting.length, waiting[0]?.kind, lastSequence);
        return state;
      },
      continues: () => true,
    });
    expect(told).toEqual([10, "authorise", 30]);
  });

  test.each([
    "UPDATE identity SET hash = NULL",
    "UPDATE identity SET boots = boots + 1",
    "UPDATE identity SET journal_id = 'another'",
  ])("an identity that does not vouch for itself is proven by the chain: %s", (sql) => {
    written();
    edit(sql);
    const { predecessor, events } = salvage();
    expect(predecessor).toMatch(/^[0-9a-f]{32}$/);
    expect(events?.from).toBe(1);
  });

  test("a journal that the ledger refuses continues nothing by itself", () => {
    written();
    expect(salvage("test", { ...RULES, continues: () => false })).toMatchObject({
      predecessor: null,
      sales: 30,
    });
  });

  test("events that do not fold leave an empty state and say why", () => {
    written();
    edit("DELETE FROM snapshot");
    const report = salvage("test", {
      ...RULES,
      fold: (_state, events) => {
        if ([...events].length > 0) throw new Error("no settings");
        return stateAfter(0);
      },
    });
    expect(report.state).toEqual({ from: "nothing", failure: "Error: no settings" });
    expect(reopened((_store, state) => state?.count)).toBe(0);
  });

  test("a snapshot that lags behind is folded on, and kept when what follows does not fold", () => {
    const { contents, file, wal } = leftOpen();
    const told: number[] = [];
    for (const fails of [false, true]) {
      put(file, wal);
      const report = salvage("test", {
        ...RULES,
        fold: (state, events) => {
          told.push(state?.count ?? 0, [...events].length);
          if (fails) throw new Error("no settings");
          return stateAfter(contents.events.length);
        },
      });
      expect(report.state).toEqual({ from: "snapshot", failure: fails ? "Error: no settings" : null });
    }
    const [count = 0, tail = 0] = told;
    expect([count + tail, tail > 0]).toEqual([contents.events.length, true]);
    expect(reopened((_store, state) => state?.count)).toBe(count);
  });

  test("a forgotten past: the chain goes on from the anchor, without it from the snapshot", () => {
    const { contents } = written();
    reopened((store) => {
      // Everything of this journal is of 1970.
      expect(store.prune({ keepMs: 0, keepEvents: 40 }, NOW)).toBe(false);
    });
    const pruned = readFileSync(path);
    expect(salvage()).toMatchObject({ events: { from: 98, to: 137 }, missing: null, waitingLost: 0 });
    reopened((store) => {
      expect(contentsOf(store).events).toEqual(contents.events.slice(-40));
      expect(store.verify()).toEqual({ events: 137 });
    });
    for (const [sql, events, missing] of [
      ["DELETE FROM anchor", { from: 99, to: 137 }, { from: 1, to: 98 }],
      [
        "DELETE FROM anchor; DELETE FROM journal WHERE position = 120",
        { from: 122, to: 137 },
        { from: 1, to: 121 },
      ],
      ["DELETE FROM snapshot", { from: 98, to: 137 }, null],
      [
        "DELETE FROM snapshot; DELETE FROM anchor; DELETE FROM identity; DELETE FROM seal",
        null,
        { from: 1, to: 137 },
      ],
    ] as const) {
      put(pruned);
      edit(sql);
      expect(salvage()).toMatchObject({ events, missing });
      reopened((store, state) => expect([store.depth(), state?.recalling]).toEqual([10, true]));
    }
  });

  test("settings that were kept beside a forgotten past", () => {
    const store = newStore(path);
    store.open();
    const append = (kind: string, note: string) =>
      store.append({
        events: [{ kind, atMs: 0, note }],
        state: stateAfter(1),
        outbox: [],
        acknowledged: [],
        cardCounters: [],
      });
    for (const note of ["first", "second"]) {
      append("settings.applied", note);
      append("tick", "");
      store.prune({ keepMs: 0, keepEvents: 1 }, NOW);
    }
    store.close();
    salvage();
    reopened((successor) => {
      expect(successor.lastOfKind("settings.applied", 9)?.note).toBe("second");
      expect([...successor.events()]).toHaveLength(1);
    });
  });

  test("more events than one piece takes", () => {
    const store = newStore(path);
    store.open();
    const events = Array.from({ length: 5_100 }, (_, index) => ({ kind: "tick", atMs: index, note: "" }));
    store.append({ events, state: stateAfter(5_100), outbox: [], acknowledged: [], cardCounters: [] });
    store.close();
    expect(salvage().events).toEqual({ from: 1, to: 5_100 });
    expect(reopened((successor) => successor.verify())).toEqual({ events: 5_100 });
  });

  test("a row whose end is told by its letter alone is dead", () => {
    written();
    edit("UPDATE outbox SET status = 'waiting' WHERE id = 'sale-7/1:authorise'");
    expect(salvage()).toMatchObject({ waiting: 10, deadLetters: 5 });
  });

  test("a letter that is lost is written anew", () => {
    written();
    edit("DELETE FROM dead_letter WHERE id = 'sale-7/1:authorise'");
    const { deadLetters } = salvage();
    expect(deadLetters).toBe(5);
    reopened((store) => {
      const [letter] = store.deadLetters();
      expect([letter?.id, letter?.reason]).toEqual([
        "sale-7/1:authorise",
        "the reason was lost with a damaged journal",
      ]);
    });
  });
});
