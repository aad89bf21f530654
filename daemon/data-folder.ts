/** The folder of the journal and the caches. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "./core/fault.ts";

/**
 * Makes the folder, readable by its owner only, and the one above it, but no more: what is further up and missing was
 * misspelt, and Node's own recursion never ends below /proc. Throws Fault "journal.unwritable" with the way out.
 */
export function makeDataFolder(path: string): void {
  try {
    makeFolder(dirname(path), 0o755);
    makeFolder(path, 0o700);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("journal.unwritable", `${why}; make the folder, or name another (data in the settings)`, {
      cause,
    });
  }
}

function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
  }
}
