/** Records and rows of a journal read from bytes that nobody vouches for. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rowHash } from "../../sync/store/chain.ts";
import { Findings, requestOf } from "../../sync/store/findings.ts";
import { RawFile, type RawRow } from "../../sync/store/raw-file.ts";
import { PAGE_BYTES, type RawValue, readCell, readPage, searchPage } from "../../sync/store/raw-records.ts";

const HASH = Buffer.alloc(32, 1);
const PLACE = { frame: -1, page: 1, isSearched: false, index: 0 };
const nothing = () => null;

function page(bytes: readonly (readonly [at: number, value: number])[]): Buffer {
  const found = Buffer.alloc(PAGE_BYTES);
  for (const [at, value] of bytes) found[at] = value;
  return found;
}

function findingsOf(values: readonly RawValue[]): Findings {
  const findings = new Findings();
  findings.collect({
    *rows(): Generator<RawRow> {
      yield { rowid: 1, values, place: PLACE };
    },
  });
  return findings;
}

describe("a row that is like one of ours and proves nothing is not taken", () => {
  test.each<[string, RawValue[]]>([
    ["identity", [null, "t1", "id", null, 1, 1, HASH]],
    ["identity with a predecessor", [null, "t1", "id", "before", 1, 0, HASH]],
    ["anchor", [null, 1, HASH, HASH]],
    ["seal", [null, 1, "id", 1, HASH, 0, HASH, 0, HASH]],
    ["seal without a digest", [null, 1, "id", 1, HASH, 0, null, 0, HASH]],
    ["snapshot", [null, 1, HASH, HASH, "{}"]],
    ["kept event", ["settings.applied", 1, HASH, "{}"]],
    ["counter", ["card", 1, HASH]],
    ["deny list", [null, 1, 1, HASH, Buffer.alloc(3)]],
    ["deny list without its set", [null, 1, 1, HASH, null]],
    ["sale", [null, "s", 1, HASH, "{}"]],
    ["refund", [null, "k", "s", 1, HASH, "{}"]],
    ["request", [null, "id", "{}", HASH, "waiting", 1, 0, null, null]],
  ])("%s", (_what, values) => {
    expect({ ...findingsOf(values) }).toEqual({ ...new Findings() });
  });

  test("a snapshot that was migrated and never opened is one of version 1", () => {
    const { snapshotsOfVersion1 } = findingsOf([null, 7, null, HASH, "{}"]);
    expect(snapshotsOfVersion1).toEqual([{ position: 7, hash: HASH, body: "{}" }]);
  });
});

test("hints that are damaged do not cost the request", () => {
  const hash = Buffer.from(rowHash(3, "id", "{}"));
  const values = [null, "id", "{}", hash, "waitinh", null, 0.5, "x", 4];
  expect(requestOf({ rowid: 3, values })).toEqual({
    position: 3,
    id: "id",
    request: "{}",
    hash,
    status: "waiting",
    createdMs: 0,
    sentCount: 0,
    acknowledgedMs: null,
    answer: null,
  });
});

describe("a page", () => {
  test.each<[string, Buffer]>([
    ["of an unknown kind", page([[0, 0x0c]])],
    ["whose cells begin beyond it", page([[0, 0x0d]])],
    [
      "whose cell begins at its very end",
      page([
        [0, 0x0d],
        [4, 1],
        [5, 0x0f],
        [6, 0xf0],
        [8, 0x0f],
        [9, 0xfe],
      ]),
    ],
  ])("%s is not believed", (_what, bytes) => {
    expect(readPage(bytes, false, nothing)).toEqual({ cells: [], isWhole: false });
  });

  test("of an index holds rows between its children too", () => {
    // Child page 5, a payload of 3 bytes: a header of 2 and one integer of 1 byte.
    const bytes = page([
      [0, 0x02],
      [4, 1],
      [5, 0x0f],
      [6, 0xf8],
      [12, 0x0f],
      [13, 0xf8],
    ]);
    Buffer.from([0, 0, 0, 5, 3, 2, 1, 42]).copy(bytes, PAGE_BYTES - 8);
    expect(readPage(bytes, false, nothing)).toEqual({
      cells: [{ rowid: 0, size: 8, local: [42], values: [42] }],
      isWhole: true,
    });
  });

  test("is searched for whatever could be a record", () => {
    const bytes = page([]);
    // A payload of 4 bytes under row 9: a header of 3, the constant 1 and a text of one letter.
    Buffer.from([4, 9, 3, 9, 15, 0x61]).copy(bytes, 1_000);
    const found = { rowid: 9, size: 6, local: [1, "a"], values: [1, "a"] };
    expect([...searchPage(bytes, nothing)]).toContainEqual(found);
  });
});

describe("a cell", () => {
  const cell = (bytes: readonly number[]) => {
    const found = Buffer.alloc(PAGE_BYTES);
    Buffer.from(bytes).copy(found);
    return readCell(found, 0, "table", nothing)?.values ?? null;
  };
  test.each<[string, number[], RawValue[] | null]>([
    ["a 64-bit integer", [10, 1, 2, 6, 0, 0, 0, 0, 0, 0, 1, 0], [256]],
    ["floating point, which a journal does not hold", [10, 1, 2, 7, 0, 0, 0, 0, 0, 0, 1, 0], [null]],
    ["constants", [3, 1, 3, 8, 9], [0, 1]],
    ["reserved types", [3, 1, 3, 10, 11], [null, null]],
    ["a header that is longer than the payload", [3, 1, 99, 8, 9], null],
    ["a header that ends inside a type", [3, 1, 2, 0x80, 9], null],
    ["more columns than any row of ours", [20, 1, 14, ...Array<number>(13).fill(8)], null],
    ["more bytes than any row of ours", [0xff, 0xff, 0xff, 0xff, 0x7f, 1], null],
    ["values that do not fit", [3, 1, 2, 41, 9], null],
  ])("%s", (_what, bytes, values) => {
    expect(cell(bytes)).toEqual(values);
  });

  test("a number of nine bytes", () => {
    expect(cell([3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 7, 2, 1, 42])).toEqual([42]);
  });

  test("a number that the page cuts off", () => {
    const bytes = Buffer.alloc(PAGE_BYTES, 0x80);
    expect(readCell(bytes, PAGE_BYTES - 4, "table", nothing)).toBeNull();
    bytes[PAGE_BYTES - 4] = 3;
    expect(readCell(bytes, PAGE_BYTES - 4, "table", nothing)).toBeNull();
    expect(readCell(bytes, PAGE_BYTES - 4, "interior", nothing)).toBeNull();
  });
});

test("a file gives only the rows that it gave before, and only while it is open", () => {
  const folder = mkdtempSync(join(tmpdir(), "saypay-raw-"));
  const path = join(folder, "journal.sqlite");
  writeFileSync(path, Buffer.alloc(PAGE_BYTES));
  const file = new RawFile(path);
  expect(() => file.valuesAt(PLACE)).toThrow(/not open/);
  file.close();
  file.open();
  expect([...file.rows()]).toEqual([]);
  expect(() => file.valuesAt(PLACE)).toThrow(/changed while/);
  file.close();
  rmSync(folder, { recursive: true });
});
