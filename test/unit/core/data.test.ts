import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sameData } from "../../../daemon/core/data.ts";
import { saleOf } from "../../../daemon/core/draft.ts";
import { EMPTY_TERMINAL } from "../../../daemon/core/sale.ts";
import { SETTINGS } from "../../support/shop.ts";

describe("equality of plain data", () => {
  const rows: [a: unknown, b: unknown, same: boolean][] = [
    [1, 1, true],
    [1, 2, false],
    [1n, 1n, true],
    [1n, 1, false],
    ["a", "a", true],
    [null, null, true],
    [null, {}, false],
    [{}, null, false],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [{ a: undefined }, {}, true],
    [[1, 2], [1, 2], true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ a: [{ b: 1n }] }, { a: [{ b: 1n }] }, true],
    [{ a: [{ b: 1n }] }, { a: [{ b: 2n }] }, false],
  ];

  it.each(rows)("%o and %o: %s", (a, b, same) => {
    expect(sameData(a, b)).toBe(same);
  });

  it("holds for a copy of anything", () => {
    fc.assert(
      fc.property(fc.object({ withBigInt: true }), (value) => sameData(value, structuredClone(value))),
    );
  });
});

describe("a draft without a sale", () => {
  it("is a programmer error to ask for one", () => {
    expect(() => saleOf({ settings: SETTINGS, atMs: 0, state: EMPTY_TERMINAL, effects: [] })).toThrow(
      "no sale",
    );
  });
});
