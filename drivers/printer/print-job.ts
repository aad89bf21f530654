/**
 * Sends one receipt and finds out whether it came out.
 *
 * The receipt goes in pieces of a few lines, each followed by GS r 1. A printer carries GS r out in turn and answers it
 * only when everything before it was printed; out of paper or with its cover open it answers nothing, while DLE EOT is
 * answered at once in any state. So an answered marker is progress, and a missing one is explained by DLE EOT. Two pieces
 * are under way at most, so that the mechanism does not stop between them, yet little is lost in the printer's buffer
 * when the paper runs out. (GS ( H, the process id response, would name the marker, but many printers sold in Korea do not have it.)
 */
import type { PrintProblem } from "../../daemon/core/prompt.ts";
import type { Connection } from "./connection.ts";
import { CLEAR_BUFFER } from "./status.ts";

export type PrintOutcome =
  | { readonly kind: "printed" }
  | { readonly kind: "failed"; readonly reason: PrintProblem; readonly paperMoved: boolean };

/** Pieces sent and not yet answered. */
const PIECES_UNDER_WAY = 2;
/**
 * Markers behind the last piece. A printer on a serial line may send a NUL when it loses and regains power, which reads as
 * an answer to GS r; one stray byte must not make a lost receipt a printed one.
 */
const LAST_MARKERS = 2;
/** How often a printer is asked why the marker does not come. */
const CHECK_INTERVAL_MS = 250;
/** "Offline" without a cause, or silence, may pass (a feed button, a long picture) unless it lasts. */
const OFFLINE_AFTER_MS = 2_500;
/** After a failed receipt: how long the markers of its rest may still come in, one after another. */
const STALE_QUIET_MS = 2_000;

/** Never throws for the printer's sake; every way it can go is an outcome. `stallMs`: longest time without progress. */
export async function printPieces(
  connection: Connection,
  pieces: readonly Uint8Array[],
  stallMs: number,
): Promise<PrintOutcome> {
  const before = await readyToPrint(connection, stallMs);
  if (before !== undefined) return { kind: "failed", reason: before, paperMoved: false };
  for (const [index, piece] of pieces.entries()) {
    const last = index === pieces.length - 1;
    const sent = await connection.writeWithMarker(piece, last ? LAST_MARKERS : 1);
    const problem = sent ? await progress(connection, PIECES_UNDER_WAY - 1, stallMs) : "offline";
    if (problem !== undefined) return await abandon(connection, problem);
  }
  const problem = (await progress(connection, 0, stallMs)) ?? (await ask(connection));
  return problem === undefined ? { kind: "printed" } : await abandon(connection, problem);
}

/**
 * No problem, and no marker of an earlier receipt still to come: it would count as one of ours and make us say "printed"
 * too early.
 */
async function readyToPrint(connection: Connection, stallMs: number): Promise<PrintProblem | undefined> {
  const problem = await ask(connection);
  if (problem !== undefined || connection.markersOwed === 0) return problem;
  if (!(await connection.writeWithMarker(new Uint8Array()))) return "offline";
  const owed = connection.markersOwed;
  const stuck = await progress(connection, owed - 1, stallMs);
  if (stuck !== undefined) return stuck;
  let left = connection.markersOwed;
  while (left > 0 && (await connection.markersDownTo(left - 1, STALE_QUIET_MS)))
    left = connection.markersOwed;
  connection.forgetMarkers();
  return undefined;
}

/** Waits until at most `owed` markers are unanswered; says what is in the way otherwise. */
async function progress(
  connection: Connection,
  owed: number,
  stallMs: number,
): Promise<PrintProblem | undefined> {
  const start = performance.now();
  let lastOnlineMs = start;
  while (!(await connection.markersDownTo(owed, CHECK_INTERVAL_MS))) {
    if (connection.closed) return "offline";
    const problem = await connection.check();
    const now = performance.now();
    if (problem === "paper-out" || problem === "cover-open") return problem;
    if (problem === undefined) lastOnlineMs = now;
    if (now - lastOnlineMs > OFFLINE_AFTER_MS || now - start > stallMs) return "offline";
  }
  return undefined;
}

async function abandon(connection: Connection, reason: PrintProblem): Promise<PrintOutcome> {
  await connection.write(CLEAR_BUFFER);
  return { kind: "failed", reason, paperMoved: true };
}

/** Silence once may be a busy printer; twice in a row is "offline". */
async function ask(connection: Connection): Promise<PrintProblem | undefined> {
  const first = await connection.check();
  const answer = first === "silent" ? await connection.check() : first;
  return answer === "silent" ? "offline" : answer;
}
