/**
 * The entry of a model's child process: opens the one unit that the daemon names ("hearing" or "speaking"), carries
 * commands in and events out.
 *
 * Assumes that it was forked with `serialization: "advanced"` and that its parent is the daemon: when the channel closes,
 * the daemon is gone and the process ends. Inference is native code and may abort; the supervisor then starts a fresh
 * process. Microphone frames are accepted at once and worked on in order behind the answer.
 */
import { type ChildReport, type ChildRequest, HEARTBEAT_INTERVAL_MS } from "../daemon/core/child-protocol.ts";
import { Fault } from "../daemon/core/fault.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "./model.ts";
import { openUnit, type Unit } from "./units.ts";

type Command = HearingCommand | SpeakingCommand;
type Event = HearingEvent | SpeakingEvent;

/** A daemon that leaves this many reports unread is not coming back. */
const MAXIMUM_UNREAD_REPORTS = 10_000;
/** Time for the last report to reach the daemon before the process ends. */
const LAST_REPORT_LIMIT_MS = 200;
const CLOSE_LIMIT_MS = 1_500;

let unit: Unit | null = null;
let ending = false;
let unread = 0;

function report(message: ChildReport<Event>, sent: () => void = () => {}): void {
  if (!process.connected || process.send === undefined) return sent();
  if (unread >= MAXIMUM_UNREAD_REPORTS) process.exit(1);
  unread++;
  process.send(message, undefined, undefined, () => {
    unread--;
    sent();
  });
}

async function openAndReport(name: string, settings: unknown): Promise<void> {
  try {
    unit = await openUnit(name, settings, (event) => report({ kind: "event", event }));
    report({ kind: "opened" });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report({ kind: "open-failed", code: error.code, detail: error.detail }, () => process.exit(1));
  }
}

async function carryOut(serial: number, command: Command): Promise<void> {
  if (unit === null) return report({ kind: "failed", serial, code: "process.exited", detail: "not open" });
  try {
    await unit.command(command);
    report({ kind: "done", serial });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report({ kind: "failed", serial, code: error.code, detail: error.detail });
  }
}

/** Releases the model and ends the process, also when a run does not come back. */
async function end(status: number): Promise<void> {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(status), CLOSE_LIMIT_MS);
  await unit?.close().catch((error: unknown) => process.stderr.write(`close: ${String(error)}\n`));
  process.exit(status);
}

function crash(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  const detail = error instanceof Error ? error.message : String(error);
  setTimeout(() => process.exit(1), LAST_REPORT_LIMIT_MS);
  report({ kind: "event", event: { kind: "fault", code: "process.exited", detail } }, () => process.exit(1));
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
process.on("message", (message) => {
  const request = message as ChildRequest<Command>;
  switch (request.kind) {
    case "open":
      return void openAndReport(request.unit, request.settings);
    case "command":
      return void carryOut(request.serial, request.command);
    case "close":
      return void end(0);
  }
});
process.on("disconnect", () => void end(0));
process.on("SIGTERM", () => void end(0));
// Ctrl-C reaches the whole process group; the daemon decides in which order things end.
process.on("SIGINT", () => {});
setInterval(() => report({ kind: "heartbeat" }), HEARTBEAT_INTERVAL_MS);
