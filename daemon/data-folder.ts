/** The folder of the journal and the caches. */
import { mkdirSync } from "node:fs";
import { Fault } from "./core/fault.ts";

/**
 * Makes the folder, readable by its owner only. The folder above it must exist: a journal in a place that was only
 * misspelt would be an empty one. Throws Fault "journal.unwritable" with the way out.
 */
export function makeDataFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("journal.unwritable", `${why}; make the folder, or name another (data in the settings)`, {
      cause,
    });
  }
}
