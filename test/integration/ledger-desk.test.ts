/** The ledger's promises, on a real SQLite file: one key charges at most once, and is always answered truly. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { type Authorise, authorise, DeskWorld, PENDING_MS, query, reverse } from "../support/ledger-desk.ts";

let world: DeskWorld;
beforeEach(async () => {
  world = await new DeskWorld().open();
});
afterEach(async () => {
  await world.close();
});

describe("amounts and outcomes", () => {
  test.each<[number, string, string, number]>([
    [15_000, "approved", "approved", 1],
    [4_951, "declined insufficient-funds", "declined insufficient-funds", 0],
    [4_962, "declined card-blocked", "declined card-blocked", 0],
    [4_961, "declined limit-exceeded", "declined limit-exceeded", 0],
    [4_905, "declined not-honoured", "declined not-honoured", 0],
    [4_909, "pending", "approved", 1],
    [4_910, "pending", "declined not-honoured", 0],
    [4_991, "pending", "approved", 1],
    [4_968, "pending", "approved", 1],
    [4_913, "pending", "pending", 1],
  ])("%i won: %s at first, %s when asked later, %i charged", async (minor, first, later, charged) => {
    expect(await world.ask(authorise("s/1", minor))).toBe(first);
    await world.clock.advance(PENDING_MS);
    expect(await world.ask(query("s/1"))).toBe(later);
    expect(await world.ask(authorise("s/1", minor))).toBe(later);
    expect(world.charged()).toBe(charged);
    expect(await world.balanced()).toBe(true);
  });

  test("an amount that the gateway confirms wrongly is an alarm and never an approval", async () => {
    await world.ask(authorise("s/1", 4_913));
    expect(await world.alarms()).toEqual(["gateway-mismatch 1"]);
    expect(await world.ask(reverse("s/1"))).toBe("reversed");
    expect(world.charged()).toBe(0);
  });
});

describe("the same key", () => {
  test("with the same body is answered the same and charged once", async () => {
    const first = await world.desk.handle("counter-1", authorise("s/1"));
    expect(first).toEqual({
      kind: "approved",
      authorisation: "S0000001",
      gateway: "sandbox",
      amount: { minor: 15_000n, currency: "KRW" },
    });
    for (let repeat = 0; repeat < 3; repeat += 1) {
      expect(await world.desk.handle("counter-1", authorise("s/1"))).toEqual(first);
    }
    expect(world.sandbox.charges().map(({ calls }) => calls)).toEqual([1]);
  });

  test("asked many times at once is charged once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.desk.handle("counter-1", authorise("s/1"))),
    );
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["approved"]));
    expect(world.sandbox.charges().map(({ calls }) => calls)).toEqual([1]);
  });

  const original = authorise("s/1");
  test.each<[string, Partial<Authorise>]>([
    ["amount", { amount: { minor: 14_999n, currency: "KRW" } }],
    ["currency", { amount: { minor: 15_000n, currency: "USD" }, vat: { minor: 1n, currency: "USD" } }],
    ["VAT", { vat: { minor: 0n, currency: "KRW" } }],
    ["card", { card: { ...original.card, token: "ntag424:other" } }],
    ["counter", { card: { ...original.card, counter: 2 } }],
    ["sale", { saleId: "other" }],
    ["mode", { mode: "offline" }],
    ["lines", { lines: [] }],
    ["time", { timeMs: 1 }],
  ])("with another %s is refused and raises an alarm", async (_what, changes) => {
    await world.ask(original);
    expect(await world.ask(authorise("s/1", 15_000, changes))).toBe("refused key-conflict");
    expect(await world.alarms()).toEqual(["key-conflict 1"]);
    expect(await world.ask(original)).toBe("approved");
    expect(world.charged()).toBe(1);
  });

  test("of another terminal is another key", async () => {
    expect(await world.ask(authorise("s/1", 15_000), "counter-1")).toBe("approved");
    expect(await world.ask(query("s/1"), "counter-2")).toBe("not-found");
    expect(await world.ask(reverse("s/1"), "counter-2")).toBe("reversed");
    expect(await world.ask(query("s/1"), "counter-1")).toBe("approved");
    expect(world.charged()).toBe(1);
  });

  test.each<[string, (key: string) => LedgerRequest]>([
    ["query", query],
    ["reverse", reverse],
  ])("cannot be used to %s under another sale", async (_what, request) => {
    await world.ask(authorise("s/1"));
    expect(await world.ask({ ...request("s/1"), saleId: "other" })).toBe("refused key-conflict");
    expect(world.charged()).toBe(1);
  });
});

describe("reversal", () => {
  test.each<[string, number, string]>([
    ["an approved charge", 15_000, "reversed"],
    ["a declined charge, which is none", 4_951, "declined insufficient-funds"],
    ["a pending charge", 4_909, "reversed"],
    ["a charge that timed out", 4_991, "reversed"],
    ["a charge that was made and not answered", 4_968, "reversed"],
  ])("of %s leaves nothing charged", async (_what, minor, later) => {
    await world.ask(authorise("s/1", minor));
    expect(await world.ask(reverse("s/1"))).toBe("reversed");
    expect(await world.ask(reverse("s/1"))).toBe("reversed");
    await world.clock.advance(PENDING_MS * 2);
    expect(await world.ask(query("s/1"))).toBe(later);
    expect(await world.ask(authorise("s/1", minor))).toBe(later);
    expect(world.charged()).toBe(0);
    const { accounts, balanced } = world.storage.statement({ limit: 1 });
    expect(balanced).toBe(true);
    expect(accounts.filter(({ debit, credit }) => debit !== credit)).toEqual([]);
  });

  test("that arrives before its authorisation is remembered: the gateway is never asked", async () => {
    expect(await world.ask(reverse("s/1"))).toBe("reversed");
    expect(await world.ask(query("s/1"))).toBe("reversed");
    expect(await world.ask(authorise("s/1"))).toBe("reversed");
    expect(await world.ask(authorise("s/1"))).toBe("reversed");
    expect(await world.ask(authorise("s/1", 9_000))).toBe("refused key-conflict");
    expect(world.sandbox.charges()).toEqual([]);
    expect(await world.states()).toEqual(["s/1 reversed"]);
  });

  test("is followed up although the clock was set back by days", async () => {
    await world.ask(authorise("s/1", 4_991));
    await world.clock.advance(-3 * 86_400_000);
    expect(await world.resolve(0)).toBe(1);
    expect(await world.states()).toEqual(["s/1 approved"]);
  });

  test("survives a restart in the middle", async () => {
    await world.ask(authorise("s/1", 4_968));
    const charge = world.storage.find("counter-1", "s/1");
    if (charge === undefined) throw new Error("no charge");
    expect(world.storage.askReversal(charge, 0, 0)).toMatchObject({ kind: "reversing" });
    await world.crash();
    await world.start();
    expect(await world.states()).toEqual(["s/1 reversing"]);
    await world.resolve(0);
    expect(await world.states()).toEqual(["s/1 reversed"]);
    expect(world.charged()).toBe(0);
  });
});

describe("card counter", () => {
  const tap = (key: string, counter: number, mode: "online" | "offline" = "online"): Authorise =>
    authorise(key, 15_000, { card: { token: "ntag424:card", masked: "****-1", counter }, mode });

  test.each<[string, Authorise, string, string[]]>([
    ["greater", tap("b/1", 6), "approved", []],
    ["the same again under another key", tap("b/1", 5), "declined card-replayed", ["card-replayed 1"]],
    [
      "the same again, offline",
      tap("b/1", 5, "offline"),
      "declined card-replayed",
      ["card-replayed 1", "offline-declined 1"],
    ],
    ["lower", tap("b/1", 4), "declined card-replayed", ["card-replayed 1"]],
    [
      "lower, from an offline sale that arrives late",
      tap("b/1", 4, "offline"),
      "approved",
      ["card-counter-late 1"],
    ],
  ])("%s, on another terminal", async (_what, second, expected, alarms) => {
    expect(await world.ask(tap("a/1", 5), "counter-1")).toBe("approved");
    expect(await world.ask(second, "counter-2")).toBe(expected);
    expect(await world.ask(second, "counter-2")).toBe(expected);
    expect(await world.ask(tap("a/1", 5), "counter-1")).toBe("approved");
    expect(await world.alarms()).toEqual(alarms);
    expect(world.sandbox.charges()).toHaveLength(expected === "approved" ? 2 : 1);
  });
});

describe("a card on the deny list", () => {
  test("is declined online without a call to the gateway, and stays declined when it leaves the list", async () => {
    world.denied.add("ntag424:s/1");
    expect(await world.ask(authorise("s/1"))).toBe("declined card-blocked");
    world.denied.clear();
    expect(await world.ask(authorise("s/1"))).toBe("declined card-blocked");
    expect(world.sandbox.charges()).toEqual([]);
    expect(await world.alarms()).toEqual(["card-denied 1"]);
    expect(await world.balanced()).toBe(true);
  });

  test("is charged for goods that were handed over offline, and for a charge that came before", async () => {
    expect(await world.ask(authorise("a/1"))).toBe("approved");
    world.denied.add("ntag424:a/1").add("ntag424:b/1");
    expect(await world.ask(authorise("a/1"))).toBe("approved");
    expect(await world.ask(authorise("b/1", 15_000, { mode: "offline" }))).toBe("approved");
    expect(world.charged()).toBe(2);
  });
});

describe("refusals and alarms", () => {
  test("a terminal that is not known", async () => {
    expect(await world.ask(authorise("s/1"), "stranger")).toBe("refused unknown-terminal");
    expect(await world.ask(query("s/1"), "stranger")).toBe("refused unknown-terminal");
    expect(await world.alarms()).toEqual(["unknown-terminal 2"]);
    expect(world.sandbox.charges()).toEqual([]);
  });

  const won = (minor: bigint) => ({ minor, currency: "KRW" });
  test.each<[string, Partial<Authorise>]>([
    ["nothing", { amount: won(0n), vat: won(0n) }],
    ["less than nothing", { amount: won(-5n), vat: won(0n) }],
    ["more than any sale", { amount: won(1_000_000_000_001n) }],
    ["more VAT than amount", { vat: won(15_001n) }],
    ["negative VAT", { vat: won(-1n) }],
    ["VAT in another currency", { vat: { minor: 1n, currency: "USD" } }],
    [
      "a currency that is none",
      { amount: { minor: 5n, currency: "won" }, vat: { minor: 0n, currency: "won" } },
    ],
  ])("%s is no charge", async (_what, changes) => {
    expect(await world.ask(authorise("s/1", 15_000, changes))).toBe("refused invalid");
    expect(await world.alarms()).toEqual(["invalid-request 1"]);
    expect(await world.states()).toEqual([]);
  });

  test("an offline sale that is declined shows as an alarm and as a claim in the books", async () => {
    expect(await world.ask(authorise("s/1", 4_951, { mode: "offline" }))).toBe("declined insufficient-funds");
    expect(await world.alarms()).toEqual(["offline-declined 1"]);
    const { accounts } = world.storage.statement({ limit: 1 });
    const open = accounts.filter(({ debit, credit }) => debit !== credit);
    expect(open.map(({ kind, layer, debit, credit }) => `${kind} ${layer} ${debit - credit}`)).toEqual([
      "customer posted 4951",
      "suspense posted -4951",
    ]);
  });
});

describe("what stays on disk", () => {
  test("the card token is gone from the charge as soon as its outcome is final", async () => {
    await world.ask(authorise("s/1", 4_991));
    expect(world.storage.find("counter-1", "s/1")?.cardToken).toBe("ntag424:s/1");
    await world.ask(query("s/1"));
    expect(world.storage.find("counter-1", "s/1")?.cardToken).toBeNull();
  });

  test("the sandbox keeps no card token at all", async () => {
    await world.ask(authorise("s/1"));
    const files = readdirSync(world.folder).filter((name) => name.startsWith("sandbox.sqlite"));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      expect(readFileSync(join(world.folder, name)).includes("ntag424:")).toBe(false);
    }
  });
});
