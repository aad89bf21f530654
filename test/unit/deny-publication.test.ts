/** Who gets the deny list, when, and how often. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DenyPublication } from "../../sync/ledger/deny-publication.ts";
import { buildDenyList, type DenyList, denyHash, NO_CARDS, openDenyList } from "../../sync/wire.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const LIST = buildDenyList(7, [denyHash("ntag424:a")]);

let list: DenyList;
let terminals: readonly string[];
let connected: boolean;
let published: string[];
let logged: string[];
let publication: DenyPublication;
beforeEach(() => {
  vi.useFakeTimers();
  list = LIST;
  terminals = ["counter-1", "counter-2"];
  connected = true;
  published = [];
  logged = [];
  const say = (_fields: object, text: string): void => void logged.push(text);
  publication = new DenyPublication({
    list: () => list,
    terminals: async () => terminals,
    signingKey: privateKey,
    publish: async (topic, bytes) => {
      if (!connected) throw new Error("not connected");
      const terminal = topic.split("/")[2] ?? "";
      const { version, count } = openDenyList(bytes, terminal, [publicKey]);
      published.push(`${topic} version ${version}, ${count} cards`);
    },
    log: { debug: say, info: say, warn: say, error: say },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the deny list", () => {
  test("is published to everybody, signed for each, and once while nothing changes", async () => {
    await publication.toAll();
    await publication.toAll();
    await publication.to("counter-1");
    expect(published).toEqual([
      "saypay/v1/counter-1/deny version 7, 1 cards",
      "saypay/v1/counter-2/deny version 7, 1 cards",
    ]);
  });

  test("of a ledger that never denied a card is not published", async () => {
    list = NO_CARDS;
    await publication.toAll();
    await publication.to("counter-1");
    expect([published, logged]).toEqual([[], []]);
  });

  test("goes to a terminal that nobody knew before when it greets", async () => {
    await publication.toAll();
    await publication.to("counter-3");
    expect(published.at(-1)).toBe("saypay/v1/counter-3/deny version 7, 1 cards");
  });

  test("goes out again over another connection, whose broker may have kept nothing", async () => {
    await publication.toAll();
    publication.forget();
    await publication.toAll();
    expect(published).toHaveLength(4);
  });

  test("goes out once for many changes that come together", async () => {
    publication.changed();
    publication.changed();
    list = buildDenyList(9, []);
    publication.changed();
    await vi.runAllTimersAsync();
    expect(published).toEqual([
      "saypay/v1/counter-1/deny version 9, 0 cards",
      "saypay/v1/counter-2/deny version 9, 0 cards",
    ]);
    list = buildDenyList(10, []);
    publication.changed();
    await vi.runAllTimersAsync();
    expect(published).toHaveLength(4);
  });

  test("is given up for this connection when the broker is away, and made good over the next", async () => {
    connected = false;
    await publication.toAll();
    expect([published, logged]).toEqual([[], ["deny list not delivered"]]);
    connected = true;
    publication.forget();
    await publication.toAll();
    expect(published).toHaveLength(2);
  });

  test("is not published when the terminals cannot be read, which is told", async () => {
    const failing = new DenyPublication({
      list: () => list,
      terminals: async () => Promise.reject(new Error("disk")),
      signingKey: privateKey,
      publish: async () => undefined,
      log: { debug() {}, info() {}, warn() {}, error: (_fields, text) => void logged.push(text) },
    });
    await failing.toAll();
    expect(logged).toEqual(["the deny list is not published"]);
  });
});
