/** Small files that appear whole or not at all, and survive the power (write aside, fsync, rename, fsync the folder). */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export function writeDurably(path: string, content: string, mode: number): void {
  const aside = `${path}.${process.pid}.new`;
  const file = openSync(aside, "w", mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
