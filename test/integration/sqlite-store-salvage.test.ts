/** Journals that are damaged in every way: the fault is named, the file is set aside, and what proves itself goes on. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import {
  adoptJournal,
  type SalvageReport,
  type SalvageRules,
  salvageJournal,
} from "../../sync/store/salvage.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import {
  contentsOf,
  type Event,
  flipped,
  isInRow,
  newStore,
  RULES,
  type State,
  sell,
  stateAfter,
  TERMINAL,
} from "../support/journal-damage.ts";
import { quickFolder } from "../support/power-loss/recorder.ts";

const NOW = Date.UTC(2026, 10, 20, 14, 20, 19);
const SOLD = { sales: 30, waitingEvery: 3, eventsEach: 4 };

let folder: string;
let path: string;

beforeEach(() => {
  folder = quickFolder("salvage");
  path = join(folder, "journal.sqlite");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function faultFrom(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no Fault was thrown");
}

/** A journal that was closed in order, with what it holds. */
function written(sold = SOLD) {
  const store = newStore(path);
  store.open();
  sell(store, sold);
  const contents = contentsOf(store);
  const { journalId } = store.identity();
  store.close();
  return { contents, journalId, bytes: readFileSync(path) };
}

/** As a process leaves it that was killed: the last sales are in the -wal. */
function leftOpen(sold = SOLD) {
  const store = newStore(path);
  store.open();
  sell(store, sold);
  const contents = contentsOf(store);
  const { journalId } = store.identity();
  const image = { file: readFileSync(path), wal: readFileSync(`${path}-wal`) };
  store.close();
  clear();
  return { contents, journalId, ...image };
}

function clear(): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
}

function put(file: Buffer, wal?: Buffer): void {
  clear();
  writeFileSync(path, file);
  if (wal !== undefined) writeFileSync(`${path}-wal`, wal);
}

function edit(sql: string): void {
  const database = new Database(path);
  database.pragma("foreign_keys = OFF");
  database.exec(sql);
  database.close();
}

function salvage(reason = "test", rules: SalvageRules<Event, State> = RULES): SalvageReport {
  return salvageJournal({ path, terminal: TERMINAL }, reason, NOW, rules);
}

function reopened<Result>(look: (store: SqliteStore<Event, State>, state: State | null) => Result): Result {
  const store = newStore(path);
  const { state } = store.open();
  try {
    return look(store, state);
  } finally {
    store.close();
  }
}

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

  function salvaged(command: readonly string[], options = {}): string {
    const [program = "", ...rest] = [...command, process.execPath, WRITER, path, "salvage"];
    const { stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", ...options });
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
    });
    expect(told).toEqual([10, "authorise", 30]);
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
  salvageJournal(place, "test", NOW, { fold: () => null, resume: () => null });
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
