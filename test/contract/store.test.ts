/**
 * What every Store promises, run against the SQLite file and against the twin in memory. The builder gives a place to
 * keep a journal, ways to open it, to crash (forget without closing) and to damage it.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TIDY_AFTER_APPENDS } from "../../sync/store/sqlite-session.ts";
import type { Commit, Store } from "../../sync/store/store.ts";
import { SMALL_STATE } from "../../sync/store/writing.ts";
import { codeOf, commit, row } from "../support/journal-commits.ts";
import {
  type Damage,
  type Event,
  memoryPlace,
  type Place,
  type State,
  sqlitePlace,
} from "../support/journal-places.ts";
import { APPROVED, AUTHORISE, answerOf, DECLINED, QUERY, REVERSE } from "../support/messages.ts";

describe.each([
  ["SqliteStore", sqlitePlace],
  ["MemoryStore", memoryPlace],
] as const)("%s", (_name, build) => {
  let place: Place;
  let store: Store<Event, State>;

  beforeEach(() => {
    place = build();
    store = place.store();
    store.open();
  });

  afterEach(() => {
    store.close();
    place.dispose();
  });

  function reopened(): ReturnType<Store<Event, State>["open"]> {
    store.close();
    store = place.store();
    return store.open();
  }

  describe("journal", () => {
    test("a new one has no state and no events", () => {
      const opened = reopened();
      expect([opened.state, opened.statePosition, [...opened.tail], [...store.events()]]).toEqual([
        null,
        0,
        [],
        [],
      ]);
      expect(store.verify()).toEqual({ events: 0 });
    });

    test("keeps events in the order of their positions, whatever their clocks say", () => {
      store.append({ ...commit(), events: [{ kind: "b", atMs: 1_795_174_200_123 }] });
      store.append({ ...commit(), events: [{ kind: "a", atMs: 0 }] });
      expect([...store.events()].map(({ position, event }) => [position, event.kind, event.atMs])).toEqual([
        [1, "b", 1_795_174_200_123],
        [2, "a", 0],
      ]);
    });

    test("gives back state, events and amounts as they were", () => {
      expect(
        store.append({ ...commit(), events: [{ kind: "a", atMs: 1, note: "차 ☕", minor: -(2n ** 70n) }] }),
      ).toBe(1);
      expect(store.append(commit("b", "c"))).toBe(3);
      const opened = reopened();
      expect(opened.state).toEqual({ count: 2, total: 15_000n });
      expect([opened.statePosition, [...opened.tail]]).toEqual([3, []]);
      expect([...store.events()].map(({ event }) => event)).toEqual([
        { kind: "a", atMs: 1, note: "차 ☕", minor: -(2n ** 70n) },
        { kind: "b", atMs: 1_000 },
        { kind: "c", atMs: 1_001 },
      ]);
      expect([...store.events(3)].map(({ event }) => event.kind)).toEqual(["c"]);
      expect(store.append(commit("d"))).toBe(4);
      expect(store.verify()).toEqual({ events: 4 });
    });

    test("without a snapshot everything is tail", () => {
      store.append(commit("a", "b"));
      store.close();
      place.forgetState();
      const opened = reopened();
      expect([opened.state, opened.statePosition]).toEqual([null, 0]);
      expect([...opened.tail].map(({ event }) => event.kind)).toEqual(["a", "b"]);
    });

    test("finds the last of a kind up to a position", () => {
      store.append(commit("a", "b", "a", "c"));
      const found = (kind: string, upTo: number) => store.lastOfKind(kind, upTo)?.atMs;
      expect([found("a", 4), found("a", 2), found("c", 3), found("x", 4), found("a", 0)]).toEqual([
        1_002,
        1_000,
        undefined,
        undefined,
        undefined,
      ]);
    });

    test("the chain hangs on the journal: the same event hashes differently in another", () => {
      store.append(commit("a"));
      const elsewhere = build();
      const other = elsewhere.store();
      other.open();
      other.append(commit("a"));
      const [ours] = store.events();
      const [theirs] = other.events();
      expect(ours?.hash).toHaveLength(32);
      expect(ours?.hash).not.toEqual(theirs?.hash);
      other.close();
      elsewhere.dispose();
    });

    test.each<Damage>(["event changed", "event missing", "last event missing", "state changed"])(
      "refuses to open: %s",
      (how) => {
        store.append(commit("a", "b", "c"));
        store.close();
        place.damage(how);
        expect(codeOf(() => place.store().open())).toBe("journal.damaged");
        // A refusal leaves no lock behind.
        expect(codeOf(() => place.store().open())).toBe("journal.damaged");
      },
    );

    test.each<Damage>(["event changed", "event missing", "last event missing"])("verify finds: %s", (how) => {
      store.append(commit("a", "b", "c"));
      place.damage(how);
      expect(codeOf(() => store.verify())).toBe("journal.damaged");
    });
  });

  describe("rules of an append", () => {
    test.each<[string, Partial<Commit<Event, State>>]>([
      ["no event", { events: [] }],
      ["half a millisecond", { events: [{ kind: "a", atMs: 0.5 }] }],
      [
        "what is not plain data",
        { events: [{ kind: "a", atMs: 1, note: new Date(0) as unknown as string }] },
      ],
      ["a state that is not plain data", { state: { count: Number.NaN, total: 0n } }],
      ["another request under an id that exists", { outbox: [row("new"), row("r1", QUERY)] }],
    ])("refuses %s, and writes nothing of it", (_what, change) => {
      store.append({ ...commit("a"), outbox: [row("r1")] });
      expect(codeOf(() => store.append({ ...commit("b"), ...change }))).toMatch(/^not a Fault/);
      expect(store.verify()).toEqual({ events: 1 });
      expect(store.pending(0, 10).map(({ id }) => id)).toEqual(["r1"]);
      expect(store.append(commit("c"))).toBe(2);
      expect(reopened().state?.count).toBe(1);
    });
  });

  describe("outbox", () => {
    test("rows come in order, after a position, up to a limit", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r2", QUERY)] });
      store.append({ ...commit("b"), outbox: [row("r3", REVERSE)] });
      const all = store.pending(0, 10);
      expect(
        all.map(({ id, request, createdMs, sentCount }) => ({ id, request, createdMs, sentCount })),
      ).toEqual([
        { id: "r1", request: AUTHORISE, createdMs: 1_000, sentCount: 0 },
        { id: "r2", request: QUERY, createdMs: 1_000, sentCount: 0 },
        { id: "r3", request: REVERSE, createdMs: 1_000, sentCount: 0 },
      ]);
      expect(store.pending(0, 2).map(({ id }) => id)).toEqual(["r1", "r2"]);
      expect(store.pending(all[0]?.position ?? 0, 1).map(({ id }) => id)).toEqual(["r2"]);
      expect(store.depth()).toBe(3);
    });

    test("the same id again is a no-op, also when it was answered", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r1")] });
      store.append({
        ...commit("b"),
        outbox: [row("r1")],
        acknowledged: [answerOf({ kind: "pending" }, "r1")],
      });
      store.append({ ...commit("c"), outbox: [row("r1")] });
      expect([store.depth(), store.pending(0, 10)]).toEqual([0, []]);
    });

    test("an answer ends its row; an unknown or repeated one changes nothing", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r2")] });
      store.append({
        ...commit("b"),
        acknowledged: [
          { ...APPROVED, requestId: "r1" },
          { ...APPROVED, requestId: "nobody" },
        ],
      });
      store.append({ ...commit("c"), acknowledged: [{ ...DECLINED, requestId: "r1" }] });
      expect(store.pending(0, 10).map(({ id }) => id)).toEqual(["r2"]);
      expect(store.deadLetters()).toEqual([]);
      reopened();
      expect(store.pending(0, 10).map(({ id }) => id)).toEqual(["r2"]);
    });

    test("a long queue is there at the next opening, whole", () => {
      const ids = Array.from({ length: 1_100 }, (_, index) => `r${index}`);
      store.append({ ...commit("a"), outbox: ids.map((id) => row(id)) });
      reopened();
      expect([store.depth(), store.pending(1_098, 9).map(({ id }) => id)]).toEqual([
        1_100,
        ["r1098", "r1099"],
      ]);
    });

    test("positions grow across restarts and are never used twice", () => {
      store.append({ ...commit("a"), outbox: [row("r1")] });
      const first = store.pending(0, 1)[0]?.position ?? 0;
      store.append({ ...commit("b"), acknowledged: [{ ...APPROVED, requestId: "r1" }] });
      reopened();
      store.append({ ...commit("c"), outbox: [row("r2")] });
      expect(store.pending(0, 1)[0]?.position).toBeGreaterThan(first);
    });

    test("sendings are counted at once and kept by the next append or close", () => {
      store.append({ ...commit("a"), outbox: [row("r1")] });
      store.markSent("r1");
      store.markSent("r1");
      store.markSent("nobody");
      expect(store.pending(0, 1)[0]?.sentCount).toBe(2);
      store.append(commit("b"));
      store.markSent("r1");
      expect(store.pending(0, 1)[0]?.sentCount).toBe(3);
      reopened();
      expect(store.pending(0, 1)[0]?.sentCount).toBe(3);
    });
  });

  describe("dead letters", () => {
    test("a refused row is kept with its reason", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r2", QUERY)] });
      store.append({
        ...commit("b"),
        acknowledged: [answerOf({ kind: "refused", reason: "key-conflict" }, "r2")],
      });
      expect(store.deadLetters()).toEqual([
        { id: "r2", reason: "refused: key-conflict", atMs: 1_000, request: QUERY },
      ]);
      expect(store.depth()).toBe(1);
    });

    test("a row that cannot be sent leaves the queue and is kept", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r2")] });
      store.deadLetter("r1", "too long", 5);
      store.deadLetter("r1", "again", 6);
      store.deadLetter("nobody", "unknown", 7);
      expect(store.pending(0, 10).map(({ id }) => id)).toEqual(["r2"]);
      reopened();
      expect(store.deadLetters()).toEqual([{ id: "r1", reason: "too long", atMs: 5, request: AUTHORISE }]);
      expect(store.depth()).toBe(1);
    });
  });

  test("tidying up changes nothing that can be seen, and may be asked for at any time", () => {
    for (let count = 1; count <= TIDY_AFTER_APPENDS; count += 1) {
      store.append(commit("a"));
      store.tidy();
    }
    expect(store.verify()).toEqual({ events: TIDY_AFTER_APPENDS });
    expect(reopened()).toMatchObject({ statePosition: TIDY_AFTER_APPENDS });
  });

  describe("a large state", () => {
    const note = "x".repeat(SMALL_STATE);
    const large = (count: number): Commit<Event, State> => ({
      ...commit(),
      events: [{ kind: "tick", atMs: count, note: "y".repeat(1_500) }],
      state: { count, total: 0n, note },
    });

    test("is not written with every append; the events since then are the tail", () => {
      for (const count of [1, 2, 3]) store.append(large(count));
      place.crash();
      store = place.store();
      const opened = store.open();
      expect([opened.state?.count, opened.statePosition]).toEqual([1, 1]);
      expect([...opened.tail].map(({ event }) => event.atMs)).toEqual([2, 3]);
      // What it weighs since is not known any more: the next append writes it.
      store.append(large(4));
      expect(reopened().statePosition).toBe(4);
    });

    test("is written when the events weigh as much, and at the end", () => {
      for (const count of [1, 2, 3, 4, 5]) store.append(large(count));
      place.crash();
      store = place.store();
      expect(store.open().statePosition).toBe(4);
      // Nothing was appended in this session: there is no state to write at its end.
      expect(reopened().statePosition).toBe(4);
      for (const count of [6, 7]) store.append(large(count));
      expect(reopened()).toMatchObject({ statePosition: 7, state: { count: 7 } });
      expect(store.verify()).toEqual({ events: 7 });
    });

    test("what it does not hold yet is not forgotten before it does", () => {
      for (const count of [1, 2, 3]) store.append(large(count));
      store.prune({ keepMs: 0, keepEvents: 1 }, 99);
      expect([...store.events()].map(({ position }) => position)).toEqual([3]);
      place.crash();
      store = place.store();
      expect(store.open()).toMatchObject({ statePosition: 3, state: { count: 3 } });
      for (const count of [4, 5]) store.append(large(count));
      place.crash();
      store = place.store();
      store.open();
      // The tail of an opening without an append stays: there is no state to put in its place.
      store.prune({ keepMs: 0, keepEvents: 1 }, 99);
      const opened = reopened();
      expect([opened.statePosition, [...opened.tail].length]).toEqual([3, 2]);
    });
  });

  test("what was not synced is there after a crash of the process, in its place", () => {
    store.append({ ...commit("a"), synced: false });
    store.append(commit("b"));
    store.append({ ...commit("c"), synced: false, outbox: [row("r1")] });
    place.crash();
    store = place.store();
    store.open();
    expect([store.verify(), store.depth()]).toEqual([{ events: 3 }, 1]);
  });

  test("card counters only grow", () => {
    expect(store.lastCounter("card")).toBeNull();
    for (const [counter, last] of [
      [5, 5],
      [4, 5],
      [9, 9],
    ] as const) {
      store.append({ ...commit("a"), cardCounters: [{ token: "card", counter }] });
      expect(store.lastCounter("card")).toBe(last);
    }
    reopened();
    expect([store.lastCounter("card"), store.lastCounter("other")]).toEqual([9, null]);
  });

  describe("opening and closing", () => {
    test("a second store is locked out until the first closes", () => {
      const second = place.store();
      expect(codeOf(() => second.open())).toBe("journal.locked");
      store.close();
      expect(codeOf(() => second.open())).toBe("none");
      second.close();
    });

    test("the journal of another terminal is refused and the lock given back", () => {
      store.append(commit("a"));
      store.close();
      expect(codeOf(() => place.store("t2").open())).toBe("settings.invalid");
      expect(reopened().state?.count).toBe(1);
    });

    test("close may be called again, use outside open is a programmer error", () => {
      expect(codeOf(() => store.open())).toMatch(/^not a Fault/);
      store.close();
      store.close();
      for (const use of [
        () => store.append(commit("a")),
        () => store.events(),
        () => store.verify(),
        () => store.lastOfKind("a", 1),
        () => store.pending(0, 1),
        () => store.depth(),
        () => store.markSent("r"),
        () => store.deadLetter("r", "x", 1),
        () => store.deadLetters(),
        () => store.lastCounter("c"),
        () => store.identity(),
        () => store.markWelcomed(),
        () => store.soldSale("s"),
        () => store.soldSales(1),
        () => store.saveDenyList({ version: 1, count: 0, set: new Uint8Array() }),
        () => store.denyList(),
        () => store.prune({ keepMs: 0, keepEvents: 0 }, 0),
      ]) {
        expect(codeOf(use)).toMatch(/not open/);
      }
    });
  });
});
