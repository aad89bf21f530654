/** A journal that is there and holds nothing: laid aside by name, never begun anew in silence. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { setAsideEmpty } from "../../sync/store/set-aside.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12);
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-empty-"));
  path = join(folder, "journal.sqlite");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("an empty file is laid aside under a name that says why and when", () => {
  writeFileSync(path, "");
  expect(setAsideEmpty(path, NOW_MS)).toBe(`${path}.20261120T120000Z-empty-file`);
  expect(readdirSync(folder)).toEqual(["journal.sqlite.20261120T120000Z-empty-file"]);
});

test.each([
  ["nothing is there", []],
  ["it holds something", [["journal.sqlite", "x"]]],
  [
    "its log is there: that is damage, and mended",
    [
      ["journal.sqlite", ""],
      ["journal.sqlite-wal", "x"],
    ],
  ],
] as const)("left alone when %s", (_, files) => {
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  expect(setAsideEmpty(path, NOW_MS)).toBeNull();
  expect(readdirSync(folder)).toEqual(files.map(([name]) => name));
});

test("a name that is too long for the disk is a clear fault, and the file stays", () => {
  // 255 bytes are the limit of a name on every file system that a terminal uses.
  path = join(folder, "j".repeat(250));
  writeFileSync(path, "");
  expect(() => setAsideEmpty(path, NOW_MS)).toThrow(/cannot be set aside.*ENAMETOOLONG/);
  expect(readdirSync(folder)).toEqual(["j".repeat(250)]);
});
