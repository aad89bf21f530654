/**
 * A child process for the supervisor's tests: speaks the child protocol and does what it is told, also to die or to hang.
 * Run as a program. Opens any unit but "refuses"; its events tell which settings it was opened with.
 */
import type { ChildReport, ChildRequest } from "../../daemon/core/child-protocol.ts";

export type ObedientCommand =
  | { readonly kind: "echo"; readonly pcm: Int16Array }
  | { readonly kind: "refuse" }
  | { readonly kind: "never-answer" }
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "hold-event-loop"; readonly forMs: number }
  | { readonly kind: "ignore-close" };

export type ObedientEvent =
  | { readonly kind: "opened-with"; readonly settings: unknown; readonly mark: string | undefined }
  | { readonly kind: "echo"; readonly pcm: Int16Array };

let ignoresClose = false;

function report(message: ChildReport<ObedientEvent>): void {
  process.send?.(message);
}

function carryOut(serial: number, command: ObedientCommand): void {
  switch (command.kind) {
    case "echo":
      report({ kind: "event", event: command });
      return report({ kind: "done", serial });
    case "refuse":
      return report({ kind: "failed", serial, code: "printer.paper-out", detail: "as told" });
    case "never-answer":
      return;
    case "exit":
      return process.exit(command.status);
    case "hold-event-loop": {
      const until = performance.now() + command.forMs;
      while (performance.now() < until);
      return report({ kind: "done", serial });
    }
    case "ignore-close":
      ignoresClose = true;
      return report({ kind: "done", serial });
  }
}

if (process.send !== undefined) {
  process.on("message", (message) => {
    const request = message as ChildRequest<ObedientCommand>;
    if (request.kind === "close" && !ignoresClose) process.exit(0);
    if (request.kind === "command") carryOut(request.serial, request.command);
    if (request.kind !== "open") return;
    if (request.unit === "refuses") {
      return report({ kind: "open-failed", code: "audio.no-device", detail: "no such device" });
    }
    const mark = process.env["OBEDIENT_MARK"];
    report({ kind: "event", event: { kind: "opened-with", settings: request.settings, mark } });
    report({ kind: "opened" });
  });
  process.on("disconnect", () => process.exit(0));
  setInterval(() => report({ kind: "heartbeat" }), 1_000);
}
