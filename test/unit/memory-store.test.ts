/** What a medium in memory can do to its store: power cuts, full disks, copies, and a history that is not kept. */
import { describe, expect, test } from "vitest";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { Commit } from "../../sync/store/store.ts";
import { codeOf, commit, refund, row, soldSale } from "../support/journal-commits.ts";
import type { Event, State } from "../support/journal-places.ts";
import { APPROVED, AUTHORISE, answerOf, QUERY } from "../support/messages.ts";

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
