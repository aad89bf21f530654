/** Settings mistakes are listed all at once, each where it stands, with the nearest known key. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Fault } from "../../daemon/core/fault.ts";
import { parseSettings, readSettings } from "../../sync/settings-file.ts";

const SCHEMA = z.strictObject({
  terminal: z.string().min(1),
  broker: z.strictObject({ host: z.string(), port: z.int().min(0).max(65_535).default(1883) }),
  link: z
    .union([
      z.strictObject({ kind: z.literal("serial"), baudRate: z.int() }),
      z.strictObject({ kind: z.literal("tcp"), address: z.string() }),
    ])
    .optional(),
  columns: z.union([z.literal(32), z.literal(42)]).optional(),
  drivers: z.array(z.strictObject({ unit: z.string() })).default([]),
});

function mistakes(text: string): string[] {
  try {
    parseSettings(text, "s.yaml", SCHEMA);
  } catch (fault) {
    expect(fault).toBeInstanceOf(Fault);
    if (fault instanceof Fault) {
      expect(fault.code).toBe("settings.invalid");
      return fault.message.split("\n").slice(1);
    }
  }
  return [];
}

describe("settings file", () => {
  test("good text gives the value with its defaults", () => {
    expect(parseSettings("terminal: t1\nbroker: { host: localhost }\n", "s.yaml", SCHEMA)).toEqual({
      terminal: "t1",
      broker: { host: "localhost", port: 1883 },
      drivers: [],
    });
  });

  test.each([
    ["missing key", "broker: { host: a }", ["s.yaml:1:1 terminal: is missing"]],
    ["empty file", "", ["s.yaml:1:1 terminal: is missing", "s.yaml:1:1 broker: is missing"]],
    [
      "typo",
      "terminal: t\nbroker:\n  host: a\n  prot: 1",
      ['s.yaml:4:3 broker.prot: unknown setting; did you mean "port"?'],
    ],
    [
      "typo in a list",
      "terminal: t\nbroker: {host: a}\ndrivers:\n  - unit: a\n    untt: b",
      ['s.yaml:5:5 drivers[0].untt: unknown setting; did you mean "unit"?'],
    ],
    [
      "unlike anything",
      "terminal: t\nbroker: {host: a}\nzebra: 1",
      ["s.yaml:3:1 zebra: unknown setting; known here: terminal, broker, link, columns, drivers"],
    ],
    [
      "none of a few values",
      "terminal: t\nbroker: {host: a}\ncolumns: 40",
      ["s.yaml:3:10 columns: Invalid option: expected one of 32|42"],
    ],
    ["duplicate key", "terminal: t\nterminal: u", ["s.yaml:2:1 Map keys must be unique"]],
    [
      "closest alternative",
      "terminal: t\nbroker: {host: a}\nlink:\n  kind: serial\n  baudrate: 9600",
      [
        "s.yaml:4:3 link.baudRate: is missing",
        's.yaml:5:3 link.baudrate: unknown setting; did you mean "baudRate"?',
      ],
    ],
  ])("%s", (_name, text, expected) => {
    expect(mistakes(text)).toEqual(expected);
  });

  test("all mistakes are listed in the order of the file", () => {
    const listed = mistakes("terminal: ''\nbroker:\n  host: 5\n  port: 70000\n");
    expect(listed.map((line) => line.split(":").slice(0, 2).join(":"))).toEqual([
      "s.yaml:1",
      "s.yaml:3",
      "s.yaml:4",
    ]);
  });

  test("a file that is not there is named", () => {
    expect(() => readSettings("/nonexistent/ledger.yaml", SCHEMA)).toThrow(
      /\/nonexistent\/ledger.yaml: cannot be read/,
    );
  });
});
