/**
 * The entry of every driver's child process: opens the one driver that the daemon names, carries commands in and events out.
 *
 * Assumes that it was forked with `serialization: "advanced"` and that its parent is the daemon: when the channel closes,
 * the daemon is gone and the process ends. A driver that throws outside a command is a programmer error: it is reported
 * and the process ends with status 1, so that the supervisor starts a fresh one.
 */
import { type ChildReport, type ChildRequest, HEARTBEAT_INTERVAL_MS } from "../daemon/core/child-protocol.ts";
import { Fault } from "../daemon/core/fault.ts";
import type { Device, DriverKind, DriverTypes } from "./driver.ts";
import { FrameGate } from "./frame-gate.ts";
import { type AnyDriver, driverIds, loadDriver } from "./registry.ts";

type AnyEvent = DriverTypes[DriverKind]["event"];
type AnyCommand = DriverTypes[DriverKind]["command"];
/** A device whose kind only the daemon knows: it sends the commands of the kind that it opened. */
type OpenDevice = Omit<Device<DriverKind>, "command"> & { command(command: AnyCommand): Promise<void> };

/** A daemon that leaves this many reports unread is not coming back. */
const MAXIMUM_UNREAD_REPORTS = 10_000;
/** Time for the last report to reach the daemon before the process ends. */
const LAST_REPORT_LIMIT_MS = 200;
const CLOSE_LIMIT_MS = 1_500;

let device: OpenDevice | null = null;
let ending = false;
let unread = 0;
const gate = new FrameGate();

function report(message: ChildReport<AnyEvent>, sent: () => void = () => {}): void {
  if (!process.connected || process.send === undefined) return sent();
  if (unread >= MAXIMUM_UNREAD_REPORTS) process.exit(1);
  unread++;
  process.send(message, undefined, undefined, () => {
    unread--;
    sent();
  });
}

function emit(event: AnyEvent): void {
  if (event.kind === "frame") {
    const { dropped } = gate;
    const { send, before } = gate.admit(unread);
    if (before?.kind === "recovered") process.stderr.write(`${dropped} frames were dropped\n`);
    if (before !== null) report({ kind: "event", event: before });
    if (!send) return;
  }
  report({ kind: "event", event });
}

async function open(unit: string, settings: unknown): Promise<OpenDevice> {
  const driver: AnyDriver | undefined = await loadDriver(unit);
  if (driver === undefined) {
    throw new Fault("settings.invalid", `there is no driver "${unit}"; there are ${driverIds().join(", ")}`);
  }
  const checked = driver.settings.safeParse(settings);
  if (!checked.success) {
    const mistakes = checked.error.issues.map((issue) => `${issue.path.join(".") || unit}: ${issue.message}`);
    throw new Fault("settings.invalid", `${unit}: ${mistakes.join("; ")}`);
  }
  const opened: Device<DriverKind> = await driver.open(checked.data, emit);
  return opened;
}

async function openAndReport(unit: string, settings: unknown): Promise<void> {
  try {
    device = await open(unit, settings);
    report({ kind: "opened" });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report({ kind: "open-failed", code: error.code, detail: error.detail }, () => process.exit(1));
  }
}

async function carryOut(serial: number, command: AnyCommand): Promise<void> {
  if (device === null) return report({ kind: "failed", serial, code: "process.exited", detail: "not open" });
  try {
    await device.command(command);
    report({ kind: "done", serial });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report({ kind: "failed", serial, code: error.code, detail: error.detail });
  }
}

/** Releases the device and ends the process, also when the device does not let go. */
async function end(status: number): Promise<void> {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(status), CLOSE_LIMIT_MS);
  await device?.close().catch((error: unknown) => process.stderr.write(`close: ${String(error)}\n`));
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
  const request = message as ChildRequest<AnyCommand>;
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
setInterval(() => {
  report({ kind: "heartbeat" });
  if (device?.isWornOut?.() === true) void end(0);
}, HEARTBEAT_INTERVAL_MS);
