/**
 * Looks at everything in a journal's file, not only at what selling depends on. An opening cannot afford that in a long
 * journal; so damage that is met later leaves a mark beside the file, and the next opening that finds the mark does it.
 */
import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { damaged, followChain } from "./chain.ts";
import { checkCounters, checkSales, readDeadLetters, readDenyList } from "./reading.ts";
import { type Session, walk } from "./sqlite-session.ts";

/** Throws Fault "journal.damaged" that names the first thing that is wrong. */
export function checkAll(session: Session): { readonly events: number } {
  const { path, database, origin, head } = session;
  const report = database.pragma("integrity_check(1)", { simple: true });
  if (report !== "ok") throw damaged(path, String(report));
  const end = followChain(origin, walk(session, 1), path);
  if (end.position !== head.position) throw damaged(path, `event ${end.position + 1} is missing`);
  readDeadLetters(session);
  readDenyList(session);
  checkCounters(session);
  checkSales(session);
  return { events: end.position };
}

/** Found damage is looked for again at the next opening. A folder that takes no file leaves it to the next finding. */
export function markSuspect(path: string): void {
  try {
    closeSync(openSync(suspectPathOf(path), "a"));
  } catch {
    // The fault that is under way says more than this one would.
  }
}

export function isSuspect(path: string): boolean {
  return existsSync(suspectPathOf(path));
}

export function clearSuspicion(path: string): void {
  rmSync(suspectPathOf(path), { force: true });
}

function suspectPathOf(path: string): string {
  return `${path}.suspect`;
}
