/** SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4), read without SQLite. */
import { existsSync } from "node:fs";

export function hasWal(path: string): boolean {
  return existsSync(`${path}-wal`);
}
