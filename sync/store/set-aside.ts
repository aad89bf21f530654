/**
 * How a new journal takes the place of an old one so that no power cut leaves neither: the new one is made beside it and
 * synced; the old one with its -wal gets a second name, under which it stays for good; only then does the new one get
 * the name that says it is finished, and from there on any opening can put it in place.
 *
 * Assumes a file system with hard links (ext4, xfs, btrfs, tmpfs, apfs): they need no room and copy nothing.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { unwritable } from "./sqlite-fault.ts";

/** What lies beside a journal. Only the -wal is of value; the others are set aside to leave no piece out. */
const BESIDE = ["-wal", "-shm", ".suspect"];
/** Letters of a fault that are told in a file's name. */
const REASON_LENGTH = 60;

/** Where a successor is written; what lies there is an attempt that was not finished. */
export function draftPathOf(path: string): string {
  return `${path}.draft`;
}

function readyPathOf(path: string): string {
  return `${path}.ready`;
}

/** Removes an unfinished attempt. */
export function discardDraft(path: string): void {
  const draft = draftPathOf(path);
  for (const file of [draft, ...BESIDE.map((end) => draft + end)]) rmSync(file, { force: true });
}

/**
 * Gives the journal a second name that tells when and why, and puts the draft in its place. The name of the old one, null
 * when there was none. Throws Fault "journal.unwritable"; nothing is set aside then.
 */
export function replaceByDraft(path: string, reason: string, nowMs: number): string | null {
  const isNothing = statSync(path).size === 0 && !existsSync(`${path}-wal`);
  const aside = isNothing ? null : freeName(path, reason, nowMs);
  const linked: string[] = [];
  try {
    for (const end of aside === null ? [] : ["", ...BESIDE]) {
      if (!existsSync(path + end)) continue;
      linkSync(path + end, aside + end);
      linked.push(aside + end);
    }
    syncFolder(path);
    renameSync(draftPathOf(path), readyPathOf(path));
    syncFolder(path);
  } catch (error) {
    for (const file of linked) rmSync(file, { force: true });
    throw unwritable(path, `it cannot be set aside: ${String(error)}`, error);
  }
  putInPlace(path);
  return aside;
}

/**
 * Lays aside a file that is there and holds nothing: a journal was cut to nothing, or its very first start was
 * interrupted. Gives its new name, null when there is no such file. Throws Fault "journal.unwritable".
 */
export function setAsideEmpty(path: string, nowMs: number): string | null {
  if (!existsSync(path) || statSync(path).size > 0 || existsSync(`${path}-wal`)) return null;
  const aside = freeName(path, "empty file", nowMs);
  try {
    renameSync(path, aside);
    syncFolder(path);
  } catch (error) {
    throw unwritable(path, `it cannot be set aside: ${String(error)}`, error);
  }
  return aside;
}

/** Finishes what a power cut interrupted: a successor that is ready takes its place. */
export function putInPlace(path: string): void {
  if (!existsSync(readyPathOf(path))) return;
  try {
    // The old log must be gone before the new file has the name: SQLite would read the one into the other.
    for (const end of BESIDE) rmSync(path + end, { force: true });
    syncFolder(path);
    renameSync(readyPathOf(path), path);
    syncFolder(path);
  } catch (error) {
    throw unwritable(path, `its successor cannot be put in its place: ${String(error)}`, error);
  }
}

/** "journal.sqlite.20261120T142019Z-event-5-was-changed", with a number when that is taken. */
function freeName(path: string, reason: string, nowMs: number): string {
  // A fault names the file first and ends with advice.
  const what = reason.replaceAll(path, "").replace(/\. .*$/s, "");
  const time = new Date(nowMs)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
  const words = what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, REASON_LENGTH);
  const name = `${path}.${time}-${words}`;
  const taken = new Set(readdirSync(dirname(path)));
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(basename(candidate))) return join(dirname(path), basename(candidate));
  }
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
