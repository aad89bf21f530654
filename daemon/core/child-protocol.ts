/**
 * The conversation between the daemon and a supervised child process (a driver host or a model host), as values that
 * survive Node's structured-clone IPC (`serialization: "advanced"`), so PCM travels as Int16Array.
 */
import type { FaultCode } from "./fault.ts";

export type ChildRequest<Command> =
  /** First message. `unit` names what to open ("printer/escpos", "hearing"). */
  | { readonly kind: "open"; readonly unit: string; readonly settings: unknown }
  | { readonly kind: "command"; readonly serial: number; readonly command: Command }
  | { readonly kind: "close" };

export type ChildReport<Event> =
  | { readonly kind: "opened" }
  | { readonly kind: "open-failed"; readonly code: FaultCode; readonly detail: string }
  /** Answers the command with the same serial: it was accepted and, where it is short, done. */
  | { readonly kind: "done"; readonly serial: number }
  | { readonly kind: "failed"; readonly serial: number; readonly code: FaultCode; readonly detail: string }
  | { readonly kind: "event"; readonly event: Event }
  /** Every second while the child's event loop turns. */
  | { readonly kind: "heartbeat" };

export const HEARTBEAT_INTERVAL_MS = 1_000;
