import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromCanonicalJson, MAX_DEPTH, toCanonicalJson } from "../../sync/store/canonical-json.ts";

describe("one text for one value", () => {
  test.each<[string, unknown, string]>([
    ["keys in order", { b: 1, a: [true, null, "x"] }, '{"a":[true,null,"x"],"b":1}'],
    ["UTF-16 order, as RFC 8785 has it", { "\u{1F600}": 1, "\uFB33": 2 }, '{"\u{1F600}":1,"\uFB33":2}'],
    [
      "amounts readable",
      { minor: 15_000n, debt: -1n },
      '{"debt":{"$bigint":"-1"},"minor":{"$bigint":"15000"}}',
    ],
    ["an undefined property is absent", { a: undefined, b: 1 }, '{"b":1}'],
    ["own dollar keys are told apart", { $bigint: "5", $$x: 1 }, '{"$$$x":1,"$$bigint":"5"}'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["Korean as it is", "아메리카노", '"아메리카노"'],
  ])("%s", (_what, value, text) => {
    expect(toCanonicalJson(value)).toBe(text);
  });

  const leaf = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt(),
  );
  const key = fc.oneof(fc.string(), fc.constantFrom("$bigint", "$$bigint", "$", "__proto__", "constructor"));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));

  test("everything plain comes back, and has the same text again", () => {
    fc.assert(
      fc.property(value, (original) => {
        const text = toCanonicalJson(original);
        const back = fromCanonicalJson(text);
        expect(toCanonicalJson(back)).toBe(text);
        // -0 has no text of its own (RFC 8785 section 3.2.2.3).
        expect(back).toEqual(JSON.parse(JSON.stringify([original], negativeZeroless), revived)[0]);
      }),
    );
  });
});

/** An independent way through JSON: tagged arrays instead of the escape. */
function negativeZeroless(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? ["\u0000bigint", value.toString()] : value;
}

function revived(_key: string, value: unknown): unknown {
  return Array.isArray(value) && value[0] === "\u0000bigint" ? BigInt(String(value[1])) : value;
}

describe("what is not plain data is refused", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  let deep: unknown = 1;
  for (let level = 0; level <= MAX_DEPTH; level += 1) deep = [deep];

  test.each<[string, unknown]>([
    ["undefined", undefined],
    ["undefined in an array", [undefined]],
    ["a hole in an array", Array(1)],
    ["a function", { run: () => 1 }],
    ["a symbol", Symbol("x")],
    ["NaN", Number.NaN],
    ["infinity", [Number.POSITIVE_INFINITY]],
    ["a date", new Date(0)],
    ["a map", { m: new Map() }],
    ["bytes", new Uint8Array(1)],
    ["a cycle", cycle],
    ["too deep", deep],
  ])("%s", (_what, value) => {
    expect(() => toCanonicalJson(value)).toThrow(TypeError);
  });

  test.each(["", "{", '{"$bigint":"x"}'])("%j cannot be read", (text) => {
    expect(() => fromCanonicalJson(text)).toThrow(SyntaxError);
  });
});
