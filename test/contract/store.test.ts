/**
 * What every Store promises, run against the SQLite file and against the twin in memory. The builder gives a place to
 * keep a journal, ways to open it, to crash (forget without closing) and to damage it.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import { KEPT_SALES, PRUNE_ROWS } from "../../sync/store/forgetting.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { Commit, Retention, SoldRefund, Store } from "../../sync/store/store.ts";
import { SMALL_STATE } from "../../sync/store/writing.ts";
import {
  type Damage,
  type Event,
  memoryPlace,
  type Place,
  type State,
  sqlitePlace,
} from "../support/journal-places.ts";
import { APPROVED, AUTHORISE, answerOf, DECLINED, QUERY, REVERSE, won } from "../support/messages.ts";

function commit(...kinds: string[]): Commit<Event, State> {
  const events = kinds.map((kind, index) => ({ kind, atMs: 1_000 + index }));
  return {
    events,
    state: { count: kinds.length, total: 15_000n },
    outbox: [],
    acknowledged: [],
    cardCounters: [],
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.code : `not a Fault: ${String(error)}`;
  }
  return "none";
}

function soldSale(saleId: string): SoldSale {
  const { amount, vat } = AUTHORISE;
  const merchant = { name: "세이카페", registration: "", address: "", phone: "", representative: "" };
  return {
    saleId,
    sequence: 1,
    day: 1,
    key: `${saleId}/1`,
    amount,
    result: { kind: "approved", authorisation: "A1" },
    receipt: {
      saleId,
      number: 1,
      merchant,
      terminal: "t1",
      language: "ko",
      timeMs: 5,
      lines: [],
      total: amount,
      vat,
      vatPercent: 10,
      payment: { kind: "approved", authorisation: "A1", card: "****" },
      copy: false,
    },
  };
}

function refund(key: string, saleId: string, minor: number): SoldRefund {
  return { key, saleId, amount: won(minor), purpose: "refund" };
}

const row = (id: string, request: LedgerRequest = AUTHORISE) => ({ id, request });

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

  describe("identity", () => {
    test("the journal keeps its id, openings are counted, each has its own nonce", () => {
      const first = store.identity();
      expect([first.predecessor, first.boots, first.lastOutboxPosition]).toEqual([null, 1, 0]);
      reopened();
      const second = store.identity();
      expect([second.journalId, second.boots]).toEqual([first.journalId, 2]);
      expect(second.bootNonce).not.toBe(first.bootNonce);
    });

    test("an opening that was refused is not counted", () => {
      store.close();
      expect(codeOf(() => place.store("t2").open())).toBe("settings.invalid");
      reopened();
      expect(store.identity().boots).toBe(2);
    });

    test("tells the highest position that a row ever had, also when it is answered", () => {
      store.append({ ...commit("a"), outbox: [row("r1"), row("r2")] });
      expect(store.identity().lastOutboxPosition).toBe(2);
      store.append({
        ...commit("b"),
        acknowledged: [
          { ...APPROVED, requestId: "r1" },
          { ...APPROVED, requestId: "r2" },
        ],
      });
      reopened();
      expect(store.identity().lastOutboxPosition).toBe(2);
      store.append({ ...commit("c"), outbox: [row("r3")] });
      expect(store.pending(0, 1)[0]?.position).toBe(3);
    });
  });

  describe("sales that were sold", () => {
    test("are found again with what was given back since", () => {
      store.append({ ...commit("a"), sold: [soldSale("s1")] });
      expect(store.soldSale("s1")).toEqual({
        ...soldSale("s1"),
        refundedMinor: 0n,
        voided: false,
        unpaid: false,
      });
      expect(store.soldSale("nobody")).toBeNull();
      store.append({ ...commit("b"), refunds: [refund("k1", "s1", 1_000), refund("k1", "s1", 1_000)] });
      store.append({ ...commit("c"), refunds: [refund("k1", "s1", 1_000), refund("k2", "s1", 500)] });
      reopened();
      expect(store.soldSale("s1")).toMatchObject({ refundedMinor: 1_500n, voided: false, unpaid: false });
    });

    test("one that was declined after the fact has nothing to give back", () => {
      const unpaid: SoldRefund = { ...refund("s1/1", "s1", 19_000), purpose: "unpaid" };
      store.append({ ...commit("a"), sold: [soldSale("s1")], refunds: [unpaid] });
      expect(store.soldSale("s1")).toMatchObject({ refundedMinor: 0n, voided: false, unpaid: true });
    });

    test("a void is told apart, a refund of another terminal's sale harms nothing", () => {
      const taken: SoldRefund = { ...refund("s1/1", "s1", 19_000), purpose: "void" };
      store.append({
        ...commit("a"),
        sold: [soldSale("s1")],
        refunds: [taken, refund("k9", "elsewhere", 1)],
      });
      expect(store.soldSale("s1")).toMatchObject({ refundedMinor: 19_000n, voided: true });
      expect(store.soldSale("elsewhere")).toBeNull();
    });

    test("come newest first; one that is recorded already stays as it is", () => {
      store.append({ ...commit("a"), sold: [soldSale("s1"), soldSale("s2")] });
      store.append({ ...commit("b"), sold: [soldSale("s3"), { ...soldSale("s1"), sequence: 99 }] });
      expect(store.soldSales(2).map(({ saleId }) => saleId)).toEqual(["s3", "s2"]);
      expect(store.soldSales(9).map(({ sequence }) => sequence)).toEqual([1, 1, 1]);
    });
  });

  test("the deny list: none at first, the newest is kept", () => {
    const list = (version: number) => ({ version, count: 1, set: new Uint8Array([version, 0, 255]) });
    expect(store.denyList()).toBeNull();
    for (const [version, kept] of [
      [2, 2],
      [1, 2],
      [5, 5],
    ] as const) {
      store.saveDenyList(list(version));
      expect(store.denyList()).toEqual(list(kept));
    }
    reopened();
    expect(store.denyList()).toEqual(list(5));
  });

  describe("forgetting", () => {
    const DAY = 86_400_000;
    const keep = (keepMs: number, keepEvents: number): Retention => ({ keepMs, keepEvents });
    const at = (atMs: number, kind = "tick") => ({ ...commit(), events: [{ kind, atMs }] });
    const kinds = () => [...store.events()].map(({ position }) => position);

    test("what is older than the retention goes, the chain goes on from the last link", () => {
      for (const days of [0, 1, 2, 3, 4]) store.append(at(days * DAY, days === 0 ? "settings" : "tick"));
      expect(store.prune(keep(2 * DAY, 1), 4 * DAY)).toBe(false);
      expect(kinds()).toEqual([3, 4, 5]);
      expect(store.verify()).toEqual({ events: 5 });
      expect([store.lastOfKind("settings", 5), store.lastOfKind("tick", 5)?.atMs]).toEqual([null, 4 * DAY]);
      const opened = reopened();
      expect([opened.statePosition, [...opened.tail]]).toEqual([5, []]);
      expect(store.append(at(5 * DAY))).toBe(6);
      expect(store.verify()).toEqual({ events: 6 });
      expect(kinds()).toEqual([3, 4, 5, 6]);
      expect([...store.events(5)].map(({ position }) => position)).toEqual([5, 6]);
    });

    test("the settings are found even when they are forgotten, and only the last", () => {
      const settings = (minor: bigint) => ({ kind: "settings.applied", atMs: 0, minor });
      store.append({ ...commit(), events: [settings(1n), settings(2n)] });
      for (const days of [1, 2, 3]) store.append(at(days * DAY));
      expect(store.lastOfKind("settings.applied", 1)).toEqual(settings(1n));
      store.prune(keep(DAY, 1), 3 * DAY);
      expect(kinds()).toEqual([4, 5]);
      store.prune(keep(0, 1), 3 * DAY);
      expect(store.lastOfKind("settings.applied", 5)).toEqual(settings(2n));
      reopened();
      expect(store.lastOfKind("settings.applied", 5)).toEqual(settings(2n));
      expect(store.lastOfKind("settings.applied", 1)).toBeNull();
      expect(store.verify()).toEqual({ events: 5 });
    });

    test("as many events as are wanted stay, and the newest one always", () => {
      for (const days of [0, 1, 2, 3, 4]) store.append(at(days * DAY));
      store.prune(keep(0, 3), 99 * DAY);
      expect(kinds()).toEqual([3, 4, 5]);
      store.prune(keep(0, 0), 99 * DAY);
      expect(kinds()).toEqual([5]);
      store.prune(keep(0, 0), 99 * DAY);
      expect(kinds()).toEqual([5]);
      expect(reopened().statePosition).toBe(5);
    });

    test.each<[string, number[], number, number[]]>([
      ["a clock behind the newest event forgets nothing", [0, 1, 5], 4, [1, 2, 3]],
      ["the first young one ends it: positions are the order", [0, 9, 1, 10], 10, [2, 3, 4]],
      ["an event from the future goes with its neighbours", [0, 99, 1, 10], 10, [4]],
      ["an event of 1970 in between goes only after its elders", [8, 0, 9, 10], 10, [1, 2, 3, 4]],
    ])("times are hints: %s", (_what, days, nowDay, left) => {
      for (const day of days) store.append(at(day * DAY));
      store.prune(keep(4 * DAY, 1), nowDay * DAY);
      expect(kinds()).toEqual(left);
    });

    test("a piece is bounded; asked again it goes on", () => {
      const many = PRUNE_ROWS + 10;
      const events = Array.from({ length: many }, () => ({ kind: "tick", atMs: 0 }));
      store.append({ ...commit(), events });
      store.append(at(9 * DAY));
      expect(store.prune(keep(DAY, 1), 9 * DAY)).toBe(true);
      expect(kinds()).toHaveLength(11);
      expect(store.prune(keep(DAY, 1), 9 * DAY)).toBe(false);
      expect(kinds()).toEqual([many + 1]);
    });

    test("answered rows go; waiting ones and dead letters never", () => {
      const ids = ["answered", "waiting", "buried", "refused", "late"];
      store.append({ ...at(0), outbox: ids.map((id) => row(id)) });
      store.deadLetter("buried", "too long", 0);
      store.append({
        ...at(1),
        acknowledged: [
          { ...APPROVED, requestId: "answered" },
          answerOf({ kind: "refused", reason: "invalid" }, "refused"),
        ],
      });
      store.append({ ...at(9 * DAY), acknowledged: [{ ...APPROVED, requestId: "late" }] });
      store.prune(keep(DAY, 1), 9 * DAY);
      reopened();
      expect(store.pending(0, 9).map(({ id }) => id)).toEqual(["waiting"]);
      expect(store.deadLetters().map(({ id }) => id)).toEqual(["buried", "refused"]);
      expect(store.identity().lastOutboxPosition).toBe(5);
      // A row that is known still is no new request; one that is forgotten is asked again, which the ledger knows.
      store.append({ ...at(9 * DAY), outbox: [row("late"), row("answered")] });
      expect(store.pending(0, 9).map(({ id, position }) => [id, position])).toEqual([
        ["waiting", 2],
        ["answered", 6],
      ]);
    });

    test("sold sales go, but never the last thousand; refunds go with their sales", () => {
      const many = KEPT_SALES + 2;
      const sold = Array.from({ length: many }, (_, index) => soldSale(`s${index}`));
      const refunds = [refund("k0", "s0", 1), refund("k5", "s5", 1), refund("k6", "elsewhere", 1)];
      store.append({ ...at(0), sold, refunds });
      store.append(at(9 * DAY));
      expect(store.prune(keep(DAY, 1), 9 * DAY)).toBe(false);
      expect([store.soldSale("s0"), store.soldSale("s1")]).toEqual([null, null]);
      expect(store.soldSale("s5")).toMatchObject({ refundedMinor: 1n });
      expect(store.soldSales(many)).toHaveLength(KEPT_SALES);
      // The refund of a sale that is not known any more is gone: its key may be recorded again.
      store.append({
        ...at(9 * DAY),
        sold: [soldSale("s0")],
        refunds: [refund("k6", "s0", 3), refund("k0", "s0", 4)],
      });
      expect(store.soldSale("s0")).toMatchObject({ refundedMinor: 7n });
    });

    test("without a snapshot a pruned history cannot be folded: damaged", () => {
      for (const days of [0, 1, 2]) store.append(at(days * DAY));
      store.prune(keep(0, 1), 9 * DAY);
      store.close();
      place.forgetState();
      expect(codeOf(() => place.store().open())).toBe("journal.damaged");
    });

    test("without a snapshot nothing is forgotten until there is one", () => {
      for (const days of [0, 1, 2]) store.append(at(days * DAY));
      store.close();
      place.forgetState();
      store.open();
      expect([store.prune(keep(0, 1), 9 * DAY), kinds()]).toEqual([false, [1, 2, 3]]);
      store.append(at(3 * DAY));
      expect([store.prune(keep(0, 1), 9 * DAY), kinds()]).toEqual([false, [4]]);
    });

    test("an empty journal has nothing to forget", () => {
      expect(store.prune(keep(0, 0), DAY)).toBe(false);
      expect(store.verify()).toEqual({ events: 0 });
    });
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

describe("a medium in memory", () => {
  const storeOn = (medium: MemoryMedium) => new MemoryStore<Event, State>({ terminal: "t1", medium });
  const everything = (kind: string, number: number): Commit<Event, State> => ({
    ...commit(kind),
    outbox: [row(`r${number}`)],
    acknowledged: number === 1 ? [] : [{ ...APPROVED, requestId: `r${number - 1}` }],
    cardCounters: [{ token: "card", counter: number }],
    sold: [soldSale(`s${number}`)],
    refunds: [refund(`k${number}`, "s1", number)],
  });
  const look = (store: MemoryStore<Event, State>) => ({
    head: store.verify(),
    waiting: store.pending(0, 9).map(({ position, id }) => [position, id]),
    dead: store.deadLetters().map(({ id }) => id),
    counter: store.lastCounter("card"),
    sales: store.soldSales(9).map(({ saleId, refundedMinor }) => [saleId, refundedMinor]),
    a: store.lastOfKind("a", 9),
    b: store.lastOfKind("b", 9),
    lastRow: store.identity().lastOutboxPosition,
  });

  test.each(["kept", "newest"] as const)(
    "history %s: a power cut takes what was not synced, and no more",
    (history) => {
      const medium = new MemoryMedium(history);
      const store = storeOn(medium);
      store.open();
      store.append(everything("a", 1));
      store.append({ ...everything("b", 2), synced: false });
      store.append(commit("c"));
      const before = look(store);
      const refused = answerOf({ kind: "refused", reason: "invalid" }, "r2");
      store.append({
        ...everything("a", 3),
        acknowledged: [refused, { ...APPROVED, requestId: "nobody" }],
        synced: false,
      });
      store.append({ ...everything("d", 4), synced: false });
      expect(look(store)).not.toEqual(before);
      medium.losePower();
      const next = storeOn(medium);
      const opened = next.open();
      expect(look(next)).toEqual(before);
      expect([opened.statePosition, [...opened.tail].length]).toEqual([3, 0]);
      expect(next.append(everything("a", 3))).toBe(4);
      expect(next.pending(0, 9).map(({ position, id }) => [position, id])).toEqual([[3, "r3"]]);
    },
  );

  test.each(["before", "after"] as const)(
    "a full disk %s a write is durable: nothing more until it is opened again",
    (when) => {
      const medium = new MemoryMedium();
      const store = storeOn(medium);
      store.open();
      store.append(commit("a"));
      medium.failNext = when;
      expect(codeOf(() => store.append(commit("b")))).toBe("journal.unwritable");
      expect(codeOf(() => store.append(commit("b")))).toBe("journal.unwritable");
      expect(codeOf(() => store.depth())).toBe("journal.unwritable");
      store.close();
      expect(store.open().statePosition).toBe(when === "before" ? 1 : 2);
      expect(store.append(commit("c"))).toBe(when === "before" ? 2 : 3);
    },
  );

  test("a copy goes its own way", () => {
    expect(new MemoryMedium().copy().content).toBeNull();
    const medium = new MemoryMedium();
    const store = storeOn(medium);
    store.open();
    store.append(everything("a", 1));
    const backup = storeOn(medium.copy());
    store.append(everything("b", 2));
    backup.open();
    expect(backup.identity().journalId).toBe(store.identity().journalId);
    expect([backup.depth(), backup.verify(), backup.soldSales(9).length]).toEqual([1, { events: 1 }, 1]);
    backup.deadLetter("r1", "x", 1);
    expect([store.depth(), store.deadLetters()]).toEqual([1, []]);
  });

  test("history newest: no past is kept, the newest of each kind and the state are", () => {
    const medium = new MemoryMedium("newest");
    const store = storeOn(medium);
    store.open();
    store.append(commit("a", "b"));
    expect([[...store.events()], store.lastOfKind("a", 9)?.atMs, store.lastOfKind("a", 0)]).toEqual([
      [],
      1_000,
      null,
    ]);
    store.append({ ...commit("a"), outbox: [row("r1"), row("r1", { ...AUTHORISE })] });
    expect(() => store.append({ ...commit("a"), outbox: [row("r1", QUERY)] })).toThrow(/another request/);
    expect(store.prune({ keepMs: 0, keepEvents: 1 }, 9_000)).toBe(false);
    store.close();
    expect(store.open()).toMatchObject({ statePosition: 3, state: { count: 1 } });
  });

  test("a simulator gives the random ids", () => {
    let next = 0;
    const medium = new MemoryMedium();
    const store = new MemoryStore({ terminal: "t1", medium, randomId: () => `id-${++next}` });
    store.open();
    expect(store.identity()).toMatchObject({ journalId: "id-1", bootNonce: "id-2" });
  });

  test("a snapshot of an event that is not there is damage", () => {
    const medium = new MemoryMedium();
    const store = storeOn(medium);
    store.open();
    store.append(commit("a"));
    store.close();
    const { content } = medium;
    if (content?.state == null) throw new Error("nothing was written");
    content.state = { ...content.state, position: 9 };
    expect(codeOf(() => store.open())).toBe("journal.damaged");
  });

  test("a dead letter whose request is gone is none", () => {
    const medium = new MemoryMedium();
    const store = storeOn(medium);
    store.open();
    store.append({ ...commit("a"), outbox: [row("r1")] });
    store.deadLetter("r1", "x", 1);
    medium.content?.rows.clear();
    expect(store.deadLetters()).toEqual([]);
  });
});

test("a memory store whose medium was taken over, as after a crash, writes nothing more", () => {
  const medium = new MemoryMedium();
  const crashed = new MemoryStore<Event, State>({ terminal: "t1", medium });
  crashed.open();
  medium.holder = null;
  const next = new MemoryStore<Event, State>({ terminal: "t1", medium });
  next.open();
  expect(() => crashed.append(commit("a"))).toThrow(/taken/);
  expect(next.append(commit("b"))).toBe(1);
});
