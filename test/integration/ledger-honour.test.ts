/** Goods that were handed over under the offline policy for a charge that was sent online and not answered. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { authorise, DeskWorld, honour, PENDING_MS, query, reverse } from "../support/ledger-desk.ts";

let world: DeskWorld;
beforeEach(async () => {
  world = await new DeskWorld().open();
});
afterEach(async () => {
  await world.close();
});

describe("goods that were handed over before the answer", () => {
  test.each<[string, number, string, string[], string[]]>([
    [
      "and whose charge is declined afterwards",
      4_910,
      "declined not-honoured",
      ["customer posted 4910", "suspense posted -4910"],
      ["offline-declined 1"],
    ],
    ["and whose charge is approved", 4_909, "approved", ["clearing posted 4909", "payable posted -4909"], []],
  ])("%s", async (_what, minor, later, expected, alarms) => {
    expect(await world.ask(authorise("s/1", minor))).toBe("pending");
    expect(await world.ask(honour("s/1"))).toBe("pending");
    await world.clock.advance(PENDING_MS);
    expect(await world.ask(query("s/1"))).toBe(later);
    expect(world.uneven()).toEqual(expected);
    expect(await world.alarms()).toEqual(alarms);
    expect(world.storage.statement({ limit: 1 }).transactions).toMatchObject([{ mode: "offline" }]);
  });

  test("and whose charge was declined already are claimed, once", async () => {
    expect(await world.ask(authorise("s/1", 4_951))).toBe("declined insufficient-funds");
    expect(world.uneven()).toEqual([]);
    expect(await world.ask(honour("s/1"))).toBe("declined insufficient-funds");
    expect(await world.ask(honour("s/1"))).toBe("declined insufficient-funds");
    expect(world.uneven()).toEqual(["customer posted 4951", "suspense posted -4951"]);
    expect(await world.alarms()).toEqual(["offline-declined 1"]);
    expect(world.storage.verify()).toMatchObject({ firstBroken: null, strayed: [] });
  });

  test("are remembered when that is heard before the charge", async () => {
    expect(await world.ask(honour("s/1"))).toBe("not-found");
    expect(await world.ask(honour("s/1"))).toBe("not-found");
    expect(await world.ask(authorise("s/1", 4_951))).toBe("declined insufficient-funds");
    expect(world.uneven()).toEqual(["customer posted 4951", "suspense posted -4951"]);
  });

  test("do not bring back a charge that was reversed", async () => {
    await world.ask(reverse("s/1"));
    expect(await world.ask(honour("s/1"))).toBe("reversed");
    await world.ask(authorise("t/1"));
    await world.ask(reverse("t/1"));
    expect(await world.ask(honour("t/1"))).toBe("reversed");
    expect(world.uneven()).toEqual([]);
  });

  test("under another sale are a key conflict", async () => {
    await world.ask(authorise("s/1", 4_951));
    expect(await world.ask({ ...honour("s/1"), saleId: "other" })).toBe("refused key-conflict");
    expect(world.uneven()).toEqual([]);
    expect(() => world.storage.honour("counter-1", "s/1", "other", 1)).toThrow(/not of sale other/);
  });
});
