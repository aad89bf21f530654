/**
 * What every Store promises beside journal and outbox: identity, sales, deny list, and what it forgets. See store.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KEPT_SALES, PRUNE_ROWS } from "../../sync/store/forgetting.ts";
import type { Retention, SoldRefund, Store } from "../../sync/store/store.ts";
import { MAX_OPENINGS } from "../../sync/wire/limits.ts";
import { codeOf, commit, refund, row, soldSale } from "../support/journal-commits.ts";
import { type Event, memoryPlace, type Place, type State, sqlitePlace } from "../support/journal-places.ts";
import { APPROVED, answerOf } from "../support/messages.ts";

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

  function afterCrash(): void {
    place.crash();
    store = place.store();
    store.open();
  }

  describe("identity", () => {
    test("the journal keeps its id, openings are counted, each has its own nonce", () => {
      const first = store.identity();
      expect([first.predecessor, first.boots, first.lastOutboxPosition]).toEqual([null, 1, 0]);
      reopened();
      const second = store.identity();
      expect([second.journalId, second.boots]).toEqual([first.journalId, 2]);
      expect(second.bootNonce).not.toBe(first.bootNonce);
    });

    test("names its openings until it is told that one was welcomed, also after a crash of the process", () => {
      const nonces = [store.identity().bootNonce];
      expect(store.identity().openings).toEqual(nonces);
      for (let opening = 2; opening <= 4; opening += 1) {
        if (opening === 3) afterCrash();
        else reopened();
        nonces.push(store.identity().bootNonce);
        expect(store.identity().openings).toEqual(nonces);
      }
      expect(new Set(nonces).size).toBe(4);
    });

    test.each([
      ["after a crash of the process", true],
      ["after it was closed", false],
    ])("what was welcomed is the first that is named, %s", (_when, crashed) => {
      reopened();
      reopened();
      store.markWelcomed();
      store.markWelcomed();
      const { bootNonce, openings, boots } = store.identity();
      expect([openings, boots]).toEqual([[bootNonce], 3]);
      if (crashed) afterCrash();
      else reopened();
      const after = store.identity();
      expect([after.openings, after.boots]).toEqual([[bootNonce, after.bootNonce], 4]);
      expect(store.verify()).toEqual({ events: 0 });
    });

    test("names at most as many openings as a greeting holds: the first and the newest", () => {
      const first = store.identity().bootNonce;
      const later: string[] = [];
      for (let opening = 2; opening <= MAX_OPENINGS + 2; opening += 1) {
        reopened();
        later.push(store.identity().bootNonce);
      }
      expect(store.identity().openings).toEqual([first, ...later.slice(-(MAX_OPENINGS - 1))]);
      expect(store.identity().openings).toHaveLength(MAX_OPENINGS);
    });

    test("an opening that was refused is not counted", () => {
      store.close();
      expect(codeOf(() => place.store("t2").open())).toBe("settings.invalid");
      reopened();
      expect(store.identity().boots).toBe(2);
      expect(store.identity().openings).toHaveLength(2);
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
});
