/** What a printer's one-byte answers mean. */
import { describe, expect, test } from "vitest";
import { problemIn, readAnswer, worst } from "../../drivers/printer/status.ts";
import { RealTimeFilter } from "../../drivers/printer/virtual/real-time.ts";

test.each([
  ["printer status, well", 0x12, "status"],
  ["offline", 0x1a, "status"],
  ["cover open", 0x16, "status"],
  ["paper end", 0x7e, "status"],
  ["GS r, paper present", 0x00, "end-marker"],
  ["GS r, paper near end", 0x03, "end-marker"],
  ["GS r, paper end", 0x0c, "end-marker"],
  ["XON", 0x11, undefined],
  ["XOFF", 0x13, undefined],
  ["start of a clear response", 0x37, undefined],
  ["noise", 0xff, undefined],
])("%s is %s", (_name, byte, kind) => {
  expect(readAnswer(byte)?.kind).toBe(kind);
});

test.each([
  [1, 0x12, undefined],
  [1, 0x1a, "offline"],
  [1, 0x16, undefined], // The drawer's switch.
  [2, 0x12, undefined],
  [2, 0x16, "cover-open"],
  [2, 0x32, "paper-out"],
  [2, 0x36, "cover-open"],
  [2, 0x52, "offline"],
  [4, 0x12, undefined],
  [4, 0x1e, undefined], // Near the end is not the end.
  [4, 0x72, "paper-out"],
  [4, 0x7e, "paper-out"],
] as const)("DLE EOT %i answered %i means %s", (n, byte, problem) => {
  expect(problemIn(n, byte)).toBe(problem);
});

test("a cause is named before the bare fact of being offline", () => {
  expect(worst(["offline", "paper-out", undefined])).toBe("paper-out");
  expect(worst(["offline", undefined])).toBe("offline");
  expect(worst([undefined, undefined])).toBeUndefined();
});

describe("real-time commands in a stream", () => {
  const show = (bytes: number[]): string =>
    [...new RealTimeFilter().take(bytes)]
      .map((item) => (item.kind === "data" ? item.byte.toString(16) : item.command.kind))
      .join(" ");

  test.each([
    ["in the middle of data", [0x41, 0x10, 4, 2, 0x42], "41 status 42"],
    ["that only begin like one", [0x10, 4, 9, 0x10, 0x41], "10 4 9 10 41"],
    ["after a false start", [0x10, 0x10, 4, 1], "10 status"],
    ["clear", [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8], "clear"],
    ["a drawer pulse is data", [0x10, 0x14, 1, 0, 1], "10 14 1 0 1"],
  ])("%s", (_name, bytes, expected) => {
    expect(show(bytes)).toBe(expected);
  });
});
