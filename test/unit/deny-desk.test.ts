/** The deny list at the ledger, on books in memory: what changes it, what it refuses, and that it is exact. */
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { DenyDesk } from "../../sync/ledger/deny-desk.ts";
import { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import { MemoryLedgerStorage } from "../../sync/ledger/memory-storage.ts";
import { type DenyList, denyHash, isDenied, MAX_DENIED_CARDS, NO_CARDS } from "../../sync/wire.ts";
import { newCharge } from "../support/ledger-places.ts";

const WHY = { reason: "stolen", by: "kim" };
const cardOf = (token: string): string => Buffer.from(denyHash(token)).toString("hex");

let books: MemoryBooks;
let storage: MemoryLedgerStorage;
let desk: DenyDesk;
let published: DenyList[];
beforeEach(async () => {
  books = new MemoryBooks();
  storage = new MemoryLedgerStorage(books);
  storage.open();
  desk = new DenyDesk({ storage, now: () => 50 });
  published = [];
  desk.onChange(() => published.push(desk.list));
  await desk.open();
});

describe("the deny desk", () => {
  test("denies nobody at first, and has no list to publish", () => {
    expect(desk.list).toEqual(NO_CARDS);
    expect(desk.isDenied("ntag424:a")).toBe(false);
  });

  test("denies a card by its token: at once, in the books, and in the list that terminals get", async () => {
    expect(await desk.denyToken("ntag424:a", WHY)).toEqual({
      kind: "changed",
      card: cardOf("ntag424:a"),
      version: 50,
    });
    expect([desk.isDenied("ntag424:a"), desk.isDenied("ntag424:b")]).toEqual([true, false]);
    expect(storage.denied().cards).toMatchObject([{ card: cardOf("ntag424:a"), masked: null, ...WHY }]);
    expect(published).toEqual([desk.list]);
    expect(isDenied(desk.list, "ntag424:a")).toBe(true);
  });

  test("denies the card of a charge, and knows how it looks", async () => {
    storage.openCharge(newCharge("s/1", { card: { token: "ntag424:a", masked: "****-7", counter: 1 } }), 1);
    expect(await desk.denyCharge("counter-1", "s/1", WHY)).toMatchObject({ kind: "changed" });
    expect(desk.isDenied("ntag424:a")).toBe(true);
    expect((await desk.cards()).map(({ masked }) => masked)).toEqual(["****-7"]);
  });

  test("takes a card off again, with a newer list", async () => {
    await desk.denyToken("ntag424:a", WHY);
    expect(await desk.allow(cardOf("ntag424:a"), "lee")).toMatchObject({ kind: "changed", version: 51 });
    expect(desk.isDenied("ntag424:a")).toBe(false);
    expect(published.map(({ version, count }) => `${version}: ${count}`)).toEqual(["50: 1", "51: 0"]);
  });

  test("changes nothing, and publishes nothing, for what it cannot do", async () => {
    storage.openCharge(newCharge("old/1"), 1);
    // As in books that were begun before the register of cards.
    books.cards.clear();
    expect(await desk.denyCharge("counter-1", "none/1", WHY)).toEqual({ kind: "no-such-charge" });
    expect(await desk.denyCharge("counter-1", "old/1", WHY)).toEqual({ kind: "card-not-kept" });
    expect(await desk.allow("aa", "lee")).toEqual({ kind: "not-denied" });
    expect(published).toEqual([]);
  });

  test("is full at the number that fits in a list", async () => {
    const card = (index: number): string => index.toString(16).padStart(16, "0");
    const cards = Array.from({ length: MAX_DENIED_CARDS }, (_, index) => ({
      card: card(index),
      masked: null,
      ...WHY,
      sinceMs: 1,
    }));
    const full = new DenyDesk({ storage: { ...crowded(cards), deny: () => 60 }, now: () => 50 });
    await full.open();
    expect(await full.denyToken("ntag424:a", WHY)).toEqual({ kind: "full" });
    expect(full.isDenied("ntag424:a")).toBe(false);
  });

  test("makes changes one after the other, so that the list of a version lacks none of those before it", async () => {
    const waitsMs = [20, 0, 0];
    const slow = {
      ...crowded([]),
      deny: async (denied: Parameters<typeof storage.deny>[0], nowMs: number) => {
        const version = storage.deny(denied, nowMs);
        await delay(waitsMs.shift());
        return version;
      },
      allow: async (card: string, by: string, nowMs: number) => storage.allow(card, by, nowMs),
    };
    const far = new DenyDesk({ storage: slow, now: () => 50 });
    const lists: DenyList[] = [];
    far.onChange(() => lists.push(far.list));
    const changes = [
      far.denyToken("ntag424:a", WHY),
      far.denyToken("ntag424:b", WHY),
      far.allow(cardOf("ntag424:a"), "lee"),
    ];
    expect(await Promise.all(changes)).toMatchObject([{ version: 50 }, { version: 51 }, { version: 52 }]);
    expect(lists.map(({ version, count }) => `${version}: ${count}`)).toEqual(["50: 1", "51: 2", "52: 1"]);
    expect([far.isDenied("ntag424:a"), far.isDenied("ntag424:b")]).toEqual([false, true]);
  });

  test("knows after a restart who is denied, under the same version", async () => {
    await desk.denyToken("ntag424:a", WHY);
    const again = new DenyDesk({ storage, now: () => 50 });
    await again.open();
    expect(again.isDenied("ntag424:a")).toBe(true);
    expect(again.list).toEqual(desk.list);
  });
});

function crowded(
  cards: readonly {
    readonly card: string;
    readonly masked: null;
    readonly reason: string;
    readonly by: string;
    readonly sinceMs: number;
  }[],
) {
  return {
    denied: () => ({ version: 1, cards }),
    allow: () => undefined,
    cardOfCharge: () => undefined,
  };
}
