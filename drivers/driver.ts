/**
 * The contract of a device driver: an id, what it drives, a settings schema, fingerprints that recognise its device,
 * and open/close. Constructors do nothing; all work is between open() and close(). A driver runs in its own child
 * process (drivers/host.ts), but is an ordinary object that a test can open in process.
 */
import type { z } from "zod";
import type { FaultCode } from "../daemon/core/fault.ts";
import type { CardProblem, PrintProblem } from "../daemon/core/prompt.ts";
import type { Paper } from "../daemon/core/receipt.ts";

export type FaultEvent = { readonly kind: "fault"; readonly code: FaultCode; readonly detail: string };
/** The device works again after a fault. */
export type RecoveredEvent = { readonly kind: "recovered" };

export type MicrophoneCommand = { readonly kind: "start" } | { readonly kind: "stop" };
export type MicrophoneEvent =
  /** 20 ms: 320 samples, 16 kHz mono signed 16 bit. `index` counts frames since open without gaps. */
  { readonly kind: "frame"; readonly index: number; readonly pcm: Int16Array } | FaultEvent | RecoveredEvent;

export type SpeakerCommand =
  | { readonly kind: "play"; readonly id: string; readonly pcm: Int16Array; readonly sampleRate: number }
  /** Silences whatever plays within 100 ms. */
  | { readonly kind: "stop" };
export type SpeakerEvent =
  /** The first samples were handed to the sound device. */
  | { readonly kind: "started"; readonly id: string }
  | { readonly kind: "finished"; readonly id: string; readonly outcome: "played" | "interrupted" | "failed" }
  | FaultEvent
  | RecoveredEvent;

/** Armed, the reader reports the next genuine card once; disarmed, it only watches presence. */
export type CardReaderCommand = { readonly kind: "arm" } | { readonly kind: "disarm" };
export type CardReaderEvent =
  /** `verified`: this machine checked the card's cryptogram with a key of its own. */
  | {
      readonly kind: "card";
      readonly token: string;
      readonly masked: string;
      readonly counter: number;
      readonly verified: boolean;
    }
  | { readonly kind: "rejected"; readonly reason: CardProblem }
  | { readonly kind: "removed" }
  | FaultEvent
  | RecoveredEvent;

export type PrinterCommand = { readonly kind: "print"; readonly id: string; readonly paper: Paper };
export type PrinterEvent =
  | { readonly kind: "printed"; readonly id: string }
  /** `paperMoved`: some of it may be on paper, so the next attempt must be marked COPY. */
  | {
      readonly kind: "print-failed";
      readonly id: string;
      readonly reason: PrintProblem;
      readonly paperMoved: boolean;
    }
  | FaultEvent
  | RecoveredEvent;

export type DriverTypes = {
  microphone: { command: MicrophoneCommand; event: MicrophoneEvent };
  speaker: { command: SpeakerCommand; event: SpeakerEvent };
  "card-reader": { command: CardReaderCommand; event: CardReaderEvent };
  printer: { command: PrinterCommand; event: PrinterEvent };
};
export type DriverKind = keyof DriverTypes;

/** What recognises a device on the machine; every given field must match. */
export type Fingerprint = {
  readonly usbVendor?: string;
  readonly usbProduct?: string;
  /** Part of the name that ALSA, PC/SC or the serial port list shows. */
  readonly name?: RegExp;
};

export interface Device<Kind extends DriverKind> {
  /** Resolves when the command is accepted; outcomes that take time arrive as events. Rejects with a Fault. */
  command(command: DriverTypes[Kind]["command"]): Promise<void>;
  /**
   * Asked each second: true when the process had better be replaced and nothing is disturbed by doing it now. For native
   * code that leaks. Absent: never.
   */
  isWornOut?(): boolean;
  /** Idempotent; resolves when nothing of the device is held any more. */
  close(): Promise<void>;
}

export interface Driver<Kind extends DriverKind, Settings = unknown> {
  /** "kind/name", for example "printer/escpos". */
  readonly id: `${Kind}/${string}`;
  readonly kind: Kind;
  /** Gives type, defaults, checks and the settings page. */
  readonly settings: z.ZodType<Settings>;
  readonly fingerprints: readonly Fingerprint[];
  /** Rejects with a Fault when the device cannot be opened. Faults after that arrive as events; the driver retries. */
  open(settings: Settings, emit: (event: DriverTypes[Kind]["event"]) => void): Promise<Device<Kind>>;
}
