/**
 * The entry of every driver's child process: opens the one driver that the daemon names, carries commands in and events out.
 * A daemon that reads slowly loses microphone frames, and nothing else.
 */
import { Fault } from "../daemon/core/fault.ts";
import { type HostChannel, type HostedUnit, hostUnit } from "../daemon/shell/child-host.ts";
import type { Device, DriverKind, DriverTypes } from "./driver.ts";
import { FrameGate } from "./frame-gate.ts";
import { type AnyDriver, driverIds, loadDriver } from "./registry.ts";

type AnyEvent = DriverTypes[DriverKind]["event"];
/** Only the daemon knows the kind: it sends the commands of the kind that it opened. */
type AnyCommand = DriverTypes[DriverKind]["command"];

/** Hands events on, frames only as fast as the daemon takes them. */
function gated(channel: HostChannel<AnyEvent>): (event: AnyEvent) => void {
  const gate = new FrameGate();
  return (event) => {
    if (event.kind === "frame") {
      const { dropped } = gate;
      const { send, before } = gate.admit(channel.unread());
      if (before?.kind === "recovered") process.stderr.write(`${dropped} frames were dropped\n`);
      if (before !== null) channel.emit(before);
      if (!send) return;
    }
    channel.emit(event);
  };
}

async function open(
  unit: string,
  settings: unknown,
  channel: HostChannel<AnyEvent>,
): Promise<HostedUnit<AnyCommand>> {
  const driver: AnyDriver | undefined = await loadDriver(unit);
  if (driver === undefined) {
    throw new Fault("settings.invalid", `there is no driver "${unit}"; there are ${driverIds().join(", ")}`);
  }
  const checked = driver.settings.safeParse(settings);
  if (!checked.success) {
    const mistakes = checked.error.issues.map((issue) => `${issue.path.join(".") || unit}: ${issue.message}`);
    throw new Fault("settings.invalid", `${unit}: ${mistakes.join("; ")}`);
  }
  const device: Device<DriverKind> = await driver.open(checked.data, gated(channel));
  return device;
}

hostUnit<AnyCommand, AnyEvent>(open, (detail) => ({ kind: "fault", code: "process.exited", detail }));
