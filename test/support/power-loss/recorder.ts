/**
 * Runs a program of this project under recorder.c and gives back what it did to one folder.
 *
 * Why a library that is loaded before libc: it needs no kernel module, no mount, no root and no rebuilt SQLite, and it
 * sees the addon that production loads, with every call that this addon makes, in the order of the kernel. A FUSE file
 * system would need a device that containers lack; SQLite's test VFS would test another build of SQLite and nothing of
 * what Node writes beside it. That nothing went past the record is checked by building the files from it and comparing
 * them with the real ones, byte by byte.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPILED, ROOT } from "../program.ts";
import { Disk, type DiskImage } from "./disk.ts";
import { type DiskOperation, readRecord } from "./record.ts";

const SOURCE = join(ROOT, "test", "support", "power-loss", "recorder.c");
const SOURCES = [SOURCE, join(ROOT, "test", "support", "power-loss", "recorder.h")];
const LIBRARY = join(COMPILED, "test", "support", "power-loss", "recorder.so");
/** Memory instead of a disk: the record says what was synced, so nobody has to wait for it. */
const MEMORY = "/dev/shm";

/** The program writes one line here for each thing that it told its caller; the file is no part of the disk. */
export const MARKS = "marks";
/** The last line. The program then ends itself by SIGKILL, so that nothing is closed and tidied up behind it. */
export const END = "end";

export type Mark = {
  /** Operations that had been made before it. */
  readonly at: number;
  readonly line: string;
};

export type Recording = { readonly operations: readonly DiskOperation[]; readonly marks: readonly Mark[] };

/** A new folder whose files cost no time; the caller removes it. */
export function quickFolder(name: string): string {
  return realpathSync(mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), `saypay-${name}-`)));
}

/** Lies with the compiled programs and is made again when its source is newer. Throws with what the compiler says. */
function recorderLibrary(): string {
  const newest = Math.max(...SOURCES.map((file) => statSync(file).mtimeMs));
  if (existsSync(LIBRARY) && statSync(LIBRARY).mtimeMs > newest) return LIBRARY;
  // Aside and then moved, because another process may be loading the one that is there.
  const aside = `${LIBRARY}.${process.pid}`;
  const args = ["-shared", "-fPIC", "-O2", "-Wall", "-o", aside, SOURCE, "-ldl", "-lpthread"];
  const compiled = spawnSync("gcc", args, { encoding: "utf8" });
  if (compiled.error !== undefined)
    throw new Error("gcc is missing: apt-get install build-essential", { cause: compiled.error });
  if (compiled.status !== 0) throw new Error(`gcc ${SOURCE}:\n${compiled.stderr}`);
  renameSync(aside, LIBRARY);
  return LIBRARY;
}

/**
 * Runs `program` (below the compiled tree) with FOLDER and `args`; FOLDER holds `files`. Rejects when it fails, and when
 * the files that follow from the record are not the files that are there.
 */
export async function recorded(
  program: string,
  args: readonly string[],
  files: DiskImage = new Map(),
): Promise<Recording> {
  const place = quickFolder("record");
  try {
    const folder = join(place, "disk");
    mkdirSync(folder);
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    const library = recorderLibrary();
    const record = join(place, "record");
    const env = {
      ...process.env,
      LD_PRELOAD: library,
      RECORDED_FOLDER: folder,
      RECORD_FILE: record,
      UV_USE_IO_URING: "0",
    };
    await ended(
      spawn(process.execPath, [COMPILED + program, folder, ...args], {
        env,
        stdio: ["ignore", "inherit", "pipe"],
      }),
    );
    const operations = readRecord(record, folder);
    compare(operations, folder, files);
    const { operations: others, marks } = withoutMarks(operations);
    if (marks.pop()?.line !== END) throw new Error("the recorded program did not come to its end");
    return { operations: others, marks };
  } finally {
    rmSync(place, { recursive: true });
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said = (said + text.toString()).slice(-4_000);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`the recorded program ended with ${code ?? signal}:\n${said}`));
    });
  });
}

function compare(operations: readonly DiskOperation[], folder: string, files: DiskImage): void {
  const disk = new Disk(files);
  for (const operation of operations) disk.apply(operation);
  const visible = disk.visible();
  for (const name of readdirSync(folder)) {
    const file = visible.get(name);
    if (file === undefined && name.endsWith("-shm")) continue;
    if (file === undefined || Buffer.compare(file, readFileSync(join(folder, name))) !== 0)
      throw new Error(`the record does not explain ${name}: something wrote past it`);
  }
}

function withoutMarks(all: readonly DiskOperation[]): { operations: DiskOperation[]; marks: Mark[] } {
  const operations: DiskOperation[] = [];
  const marks: Mark[] = [];
  const openings = new Set<string>();
  for (const operation of all) {
    if (operation.kind === "open" && operation.path === MARKS) openings.add(operation.opening);
    if (!("opening" in operation) || !openings.has(operation.opening)) operations.push(operation);
    else if (operation.kind === "write")
      marks.push({ at: operations.length, line: Buffer.from(operation.bytes).toString().trim() });
    else if (operation.kind === "close") openings.delete(operation.opening);
  }
  return { operations, marks };
}
