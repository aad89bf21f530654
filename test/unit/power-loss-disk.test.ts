/** The disk that loses its power, by itself: what it may forget, and what it must not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk, type DiskImage, randomOf } from "../support/power-loss/disk.ts";
import type { DiskOperation } from "../support/power-loss/record.ts";

const CUTS = 60;
const FOLDER = { kind: "open", opening: "folder", path: "", created: false, truncated: false } as const;
const syncFolder: readonly DiskOperation[] = [
  FOLDER,
  { kind: "sync", opening: "folder", metadata: true },
  { kind: "close", opening: "folder" },
];

const open = (path: string, created = true): DiskOperation => ({
  kind: "open",
  opening: path,
  path,
  created,
  truncated: false,
});
const write = (path: string, offset: number, text: string): DiskOperation => ({
  kind: "write",
  opening: path,
  offset,
  bytes: Buffer.from(text),
});
const resize = (path: string, size: number): DiskOperation => ({ kind: "resize", opening: path, size });
const sync = (path: string): DiskOperation => ({ kind: "sync", opening: path, metadata: false });

function diskOf(...operations: readonly DiskOperation[]): Disk {
  const disk = new Disk();
  for (const operation of operations) disk.apply(operation);
  return disk;
}

/** Everything that may be found of one file, each once; "gone" when it is not there. */
function found(disk: Disk, path: string): string[] {
  const texts = new Set<string>();
  for (let seed = 0; seed < CUTS; seed += 1) {
    const image: DiskImage = disk.cut(randomOf(seed));
    const file = image.get(path);
    texts.add(file === undefined ? "gone" : Buffer.from(file).toString());
  }
  return [...texts].sort();
}

const whole = (letter: string): string => letter.repeat(4_096);

describe("a disk that loses its power", () => {
  it("keeps what was synced, with its name", () => {
    expect(found(diskOf(open("f"), write("f", 0, "safe"), sync("f"), ...syncFolder), "f")).toEqual(["safe"]);
  });

  it("may lose the name of a file whose folder was not synced", () => {
    expect(found(diskOf(open("f"), write("f", 0, "safe"), sync("f")), "f")).toEqual(["gone", "safe"]);
  });

  it("may lose a write, or keep it, or keep only the new size", () => {
    const disk = diskOf(open("f"), ...syncFolder, sync("f"), write("f", 0, "new"));
    const texts = found(disk, "f");
    expect(texts).toContain("");
    expect(texts).toContain("new");
    expect(texts).toContain("\0\0\0");
    expect(texts.every((text) => text.length === 0 || text.length === 3)).toBe(true);
  });

  it("tears at sector borders, never inside a sector, and keeps any version since the last sync", () => {
    const old = whole("a") + whole("a");
    const disk = diskOf(
      open("f"),
      write("f", 0, old),
      sync("f"),
      ...syncFolder,
      write("f", 0, whole("b") + whole("b")),
      write("f", 0, whole("c") + whole("c")),
    );
    const texts = found(disk, "f");
    expect(texts.length).toBeGreaterThan(10);
    for (const text of texts) expect(text).toMatch(/^(a{512}|b{512}|c{512}){16}$/);
    expect(texts.some((text) => text.includes("a") && text.includes("b") && text.includes("c"))).toBe(true);
  });

  it("does not touch the synced bytes beside a write that ends inside a sector", () => {
    const disk = diskOf(
      open("f"),
      write("f", 0, whole("a")),
      sync("f"),
      ...syncFolder,
      write("f", 100, "bb"),
    );
    const a = whole("a");
    expect(found(disk, "f")).toEqual([a, `${a.slice(0, 100)}bb${a.slice(102)}`]);
  });

  it("shortens a file at once or not at all, and shows nothing that was written after a shortening that is lost", () => {
    const disk = diskOf(
      open("f"),
      write("f", 0, whole("a")),
      sync("f"),
      ...syncFolder,
      resize("f", 0),
      write("f", 0, "b"),
    );
    const texts = found(disk, "f");
    expect(texts).toContain(whole("a"));
    expect(texts).toContain("b");
    for (const text of texts) expect([whole("a"), "", "b", "\0"]).toContain(text.replace(/^[^ab]$/, "\0"));
  });

  it("moves a file whole or not at all", () => {
    const disk = diskOf(
      open("f"),
      write("f", 0, "new"),
      sync("f"),
      open("g"),
      write("g", 0, "old"),
      sync("g"),
      ...syncFolder,
      { kind: "move", from: "f", to: "g" },
    );
    expect(found(disk, "g")).toEqual(["new", "old"]);
  });

  it("may bring a removed file back until the folder is synced", () => {
    const there = [open("f"), write("f", 0, "x"), sync("f"), ...syncFolder] as const;
    const remove = { kind: "remove", path: "f" } as const;
    expect(found(diskOf(...there, remove), "f")).toEqual(["gone", "x"]);
    expect(found(diskOf(...there, remove, ...syncFolder), "f")).toEqual(["gone"]);
  });

  it("knows nothing of a file that is written through a mapping, unless it is SQLite's index", () => {
    const map = (path: string): DiskOperation => ({ kind: "map", opening: path });
    expect(() => found(diskOf(open("f"), ...syncFolder, map("f")), "f")).toThrow(/through a mapping/);
    const index = diskOf(open("f-shm"), resize("f-shm", 64), ...syncFolder, map("f-shm"));
    expect(found(index, "f-shm").length).toBeGreaterThan(2);
  });

  it("gives the same for the same seed", () => {
    const disk = diskOf(open("f"), ...syncFolder, write("f", 0, whole("a")), write("f", 1_000, whole("b")));
    expect(disk.cut(randomOf(7))).toEqual(disk.cut(randomOf(7)));
  });

  it("shows a process what it wrote, and after a sync of everything has nothing to lose", () => {
    const change = fc.oneof(
      fc.record({
        kind: fc.constant("write" as const),
        offset: fc.nat(9_000),
        bytes: fc.uint8Array({ maxLength: 3_000, minLength: 1 }),
      }),
      fc.record({ kind: fc.constant("resize" as const), size: fc.nat(9_000) }),
      fc.record({ kind: fc.constant("sync" as const), metadata: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(), (changes, seed) => {
        const disk = diskOf(open("f"), ...syncFolder);
        let file = Buffer.alloc(0);
        for (const made of changes) {
          disk.apply({ ...made, opening: "f" });
          if (made.kind === "write") {
            const size = Math.max(file.length, made.offset + made.bytes.length);
            file = Buffer.concat([file], size);
            file.set(made.bytes, made.offset);
          }
          if (made.kind === "resize") file = Buffer.concat([file.subarray(0, made.size)], made.size);
        }
        expect(Buffer.from(disk.visible().get("f") ?? []).equals(file)).toBe(true);
        disk.cut(randomOf(seed));
        disk.apply(sync("f"));
        expect(Buffer.from(disk.cut(randomOf(seed)).get("f") ?? []).equals(file)).toBe(true);
      }),
    );
  });
});
